/* adapters/map.h - a feed's mapping (YAML, data not code): rows -> Avro records, flags, refusals.
 *
 * adapter_map_load reads and checks the whole mapping (strict; file:line and a hint); adapter_map_row runs
 * it on one row without allocating beyond its own buffers. The language is described in
 * adapters/opd/README.md. Rules about several rows of one file (first wins, unique) are declared here and
 * decided by seen.h; rules about several files and feeds are not the adapter's (DESIGN.md).
 * Thread: one.
 */
#ifndef ADAPTERS_MAP_H
#define ADAPTERS_MAP_H

#include "adapters/adapter.h"
#include "bus/buf.h"
#include "bus/crypto.h"
#include "schemas/avro/schema.h"

#define ADAPTER_FLAGS_MAX 16
#define ADAPTER_CLASSES_MAX 64

struct adapter_map;
struct adapter_seen_budget;

struct adapter_map_env {
	const char *ref_dir;		    /* reference tables (CSV) named by the mapping */
	const char *const *ref_extra;	    /* further folders looked in first, NULL-ended; may be NULL */
	const char *ref_copies;		    /* folder of the copies of reference topics (reference/keep.h) */
	const uint8_t *city_key;	    /* BUS_KEY_LEN bytes; pseudonyms */
	struct adapter_seen_budget *budget; /* of the tables of what was seen; NULL: none */
	const char *tmp_dir; /* what was seen in a file is kept here; NULL: TMPDIR or /var/tmp */
	int reference_year;  /* rule 1 of the NIK: YY above (year+1)%100 is 19YY; 0 = the mapping's, else this
			       year */
};

enum adapter_fate { ADAPTER_PUBLISH, ADAPTER_REFUSE };

/* What a class of defect or remark does to its row. */
enum adapter_class_fate {
	ADAPTER_CLASS_REFUSE, /* the row is not published */
	ADAPTER_CLASS_FLAG,   /* published, flagged (field `tanda` of the record) */
	ADAPTER_CLASS_LOOSE,  /* published, flagged, and joins nobody */
	ADAPTER_CLASS_NOTE,   /* published, counted, no defect ("nik_numerik") */
	ADAPTER_CLASS_SEEN,   /* counted over all rows, refused ones too ("terlambat") */
};

struct adapter_class {
	const char *name;
	enum adapter_class_fate fate;
};

struct adapter_result { /* borrowed until the next adapter_map_row */
	enum adapter_fate fate;
	struct bus_str key; /* Kafka key; never an identifier of a person. Refused: n 0 when it has none */
	/* Published event: what the unique rule looks at; n 0: there is no such rule. May be an identifier. */
	struct bus_str identity;
	struct bus_str value; /* Avro binary, without frame */
	int64_t version;      /* of `newest_by`; 0 when there is none */
	int64_t time_ms;      /* when it happened, for ce_time and the record's timestamp; 0: not known */
	uint16_t flag[ADAPTER_FLAGS_MAX]; /* indices into the map's classes: FLAG, LOOSE, NOTE, SEEN */
	size_t n_flags;
	uint16_t reason;   /* refused: class */
	const char *field; /* refused: which source field, NULL: the row */
	char detail[160];  /* refused: why, in words, without any of the row's data */
};

enum bus_err adapter_map_load(const char *path, const struct adapter_map_env *env, struct adapter_map **out,
			      struct bus_error *err) BUS_MUSTCHECK;
void adapter_map_free(struct adapter_map **m);

/* The schema records are written with (the registry's latest of the topic's subject); checks that every
 * field is mapped or has a default, and that types fit. Before the first row. */
enum bus_err adapter_map_bind(struct adapter_map *m, struct schema *schema,
			      struct bus_error *err) BUS_MUSTCHECK;

/* The reference topics that the mapping at path names, some more than once: fn is called with a text that is gone afterwards. */
enum bus_err adapter_map_topics(const char *path, void (*fn)(void *ctx, const char *topic), void *ctx,
				struct bus_error *err) BUS_MUSTCHECK;
/* Takes up the copies that have changed since; *n of them. On failure the tables in use stay. Between two files. */
enum bus_err adapter_map_refresh(struct adapter_map *m, size_t *n, struct bus_error *err) BUS_MUSTCHECK;

/* Starts a new file: forgets what was seen in the last one. */
enum bus_err adapter_map_begin(struct adapter_map *m, struct bus_error *err) BUS_MUSTCHECK;
enum bus_err adapter_map_row(struct adapter_map *m, const struct adapter_row *row, struct adapter_result *out,
			     struct bus_error *err) BUS_MUSTCHECK;

const char *adapter_map_feed(const struct adapter_map *m);  /* "disdukcapil_penduduk" */
const char *adapter_map_topic(const struct adapter_map *m); /* "pku.disdukcapil.penduduk.v1" */
const char *adapter_map_path(const struct adapter_map *m);
bool adapter_map_register(const struct adapter_map *m);	 /* a register (else events) */
bool adapter_map_complete(const struct adapter_map *m);	 /* a file is the whole register: absent = removed */
int adapter_map_remove_max(const struct adapter_map *m); /* most keys a file may remove, percent */
bool adapter_map_urgent(const struct adapter_map *m);	 /* taken in quiet hours too */
void adapter_map_limits(const struct adapter_map *m, int64_t *rows, int64_t *bytes); /* a second; 0: none */
bool adapter_map_newest(const struct adapter_map *m);		  /* has `newest_by`: a higher version wins */
const char *adapter_map_older_class(const struct adapter_map *m); /* newest_by's class for the older one */
/* Class of the rule "this value only once" (unique); NULL: the mapping has none. For an event that an
 * earlier file brought with other content. */
const char *adapter_map_unique_class(const struct adapter_map *m);
bool adapter_map_takes(const struct adapter_map *m, const char *file_name);	 /* one of its patterns */
const char *const *adapter_map_patterns(const struct adapter_map *m, size_t *n); /* borrowed */
const struct adapter_class *adapter_map_classes(const struct adapter_map *m, size_t *n);
int adapter_map_class_index(const struct adapter_map *m, const char *name); /* -1: none */
/* The columns it reads, in the order of a row's cells; borrowed. */
const char *const *adapter_map_columns(const struct adapter_map *m, size_t *n);
const char *adapter_map_fate_text(enum adapter_class_fate fate); /* for people, in both languages */
/* Rows of this class are refused for nothing but what earlier rows had. */
bool adapter_map_class_repeats(const struct adapter_map *m, const char *class);
bool adapter_map_repeats(
    const struct adapter_map *m); /* has a `repeated` check: the first row of a file wins */
/* The mapping's `fetch` node, and the tree it is in; NULL: none. Both stay as long as m. */
struct bus_yaml_node *adapter_map_fetch(struct adapter_map *m, struct bus_yaml **yaml);
/* The same of `change`. */
struct bus_yaml_node *adapter_map_change(struct adapter_map *m, struct bus_yaml **yaml);
/* Sets out[i] for each column that the key depends on; the others stay as they are. */
void adapter_map_key_columns(const struct adapter_map *m, bool *out);
bool adapter_map_across_rows(const struct adapter_map *m); /* a check looks at several rows */
/* For the runner: open the source as the mapping says. */
const struct adapter_source_kind *adapter_map_source(const struct adapter_map *m);
enum bus_err adapter_map_open_source(struct adapter_map *m, struct adapter_input *in, void **source,
				     struct bus_error *err) BUS_MUSTCHECK;

#endif
