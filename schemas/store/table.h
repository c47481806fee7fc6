/* schemas/store/table.h - what the records of `_schemas` add up to, in memory: no Kafka, no lock.
 *
 * store/store.c feeds it records in log order; the registry asks it questions under the store's lock. A content is
 * what an id means in its context; versions point to contents, and contents know the versions that use them.
 * A content that no version uses any more is kept (data written with it must stay readable) until a record
 * gives its id another meaning. All look-ups by id, GUID, subject and referrer are indexed; nothing is parsed
 * here. Thread: one at a time to change it, any to read it meanwhile not.
 */
#ifndef SCHEMAS_STORE_TABLE_H
#define SCHEMAS_STORE_TABLE_H

#include <stdatomic.h>

#include "schemas/store/store.h"
#include "schemas/store/config.h"
#include "schemas/store/index.h"
#include "schemas/store/record.h"
#include "schemas/store/subject.h"

struct schema_context {
	char *name;	   /* ".", ".ctx" */
	size_t n_subjects; /* with a version, deleted or not */
	bool listed;	   /* the default one, and those with a CONTEXT record */
	int32_t highest_id;
};

struct schema_usage {
	struct schema_subject *subject;
	int version;
};

struct schema_content {
	struct schema_link by_id, by_guid;
	struct schema_context *context;
	int32_t id;
	int64_t offset; /* of the record that brought it */
	uint8_t guid[SCHEMA_GUID_LEN];
	char *text, *extra;
	const char *type; /* "AVRO" "JSON" "PROTOBUF", or owned when other_type */
	char *other_type;
	struct schema_store_reference *reference;
	struct schema_backlink *backlink; /* one a reference */
	size_t n_references;
	struct schema_usage *use; /* oldest first; n_uses of them */
	size_t n_uses;
};

struct schema_backlink {
	struct schema_link by_target; /* hash of the subject referred to, its context spelled out */
	struct schema_content *content;
	size_t index; /* of the reference */
};

struct schema_entry { /* one version of a subject */
	int version;
	bool deleted;
	struct schema_content *content;
	int64_t offset, timestamp_ms;
	_Atomic uint64_t alike; /* by store/find.c; 0: not known yet */
};

struct schema_subject {
	struct schema_link by_name;
	char *name; /* "s", ":.ctx:s" */
	struct schema_context *context;
	struct schema_entry *entry; /* by version */
	size_t n_entries;
	struct schema_config *config; /* NULL: not set */
	int mode;		      /* SCHEMA_MODE_UNSET */
};

struct schema_table;

struct schema_table *schema_table_new(void);
void schema_table_free(struct schema_table **t);

/* Applies a record. BUS_EDATA: it contradicts what an id in use means already (passed over). */
enum bus_err schema_table_apply(struct schema_table *t, const struct schema_record *r, int64_t offset,
				int64_t timestamp_ms, struct bus_error *err) BUS_MUSTCHECK;
/* Puts new subjects in their order. After a batch, before anybody asks. */
void schema_table_settle(struct schema_table *t);

/* All borrowed until the next apply. */
struct schema_context *schema_table_context(const struct schema_table *t,
					    struct bus_str name); /* NULL: none */
size_t schema_table_contexts(const struct schema_table *t, struct schema_context *const **list); /* sorted */
/* What the id means, in use or not (n_uses); of several spellings the oldest in use. NULL: unknown. */
struct schema_content *schema_table_content(const struct schema_table *t, const struct schema_context *c,
					    int32_t id);
/* The content with that GUID in the context; of several the newest in use, else one that was. type NULL: any.
 */
struct schema_content *schema_table_guid(const struct schema_table *t, const struct schema_context *c,
					 const uint8_t guid[SCHEMA_GUID_LEN], const char *type);
struct schema_subject *schema_table_subject(const struct schema_table *t, const char *name); /* normal form */
/* In the order of their names; those without versions too. */
size_t schema_table_subjects(const struct schema_table *t, struct schema_subject *const **list);
/* Where in that list the names with the prefix are. */
void schema_table_range(const struct schema_table *t, const char *prefix, size_t *from, size_t *to);
struct schema_entry *schema_table_entry(const struct schema_subject *s, int version); /* 0: latest live */
/* The version of the subject that has the content; the newest. NULL: none. */
const struct schema_entry *schema_table_use(const struct schema_content *c, const struct schema_subject *s);
/* Contents that refer to a version of the subject (0: any): calls fn for each, once a reference. */
void schema_table_referrers(const struct schema_table *t, const char *subject, int version,
			    void (*fn)(void *ctx, const struct schema_content *c), void *ctx);
/* Has the subject (or, `:.ctx:`, the context; `:.__GLOBAL:` or NULL: anything) a version, or a live one? */
bool schema_table_has(const struct schema_table *t, const char *subject, bool deleted_too);
/* Is the subject meant by that name of a subject, context or everything? */
bool schema_table_matches(const char *name, const struct schema_subject *s);

/* Settings, as Confluent's InMemoryCache and getConfigInScope find them. subject NULL: the top level. The
 * result is the caller's to release. False: nothing set there, *out is the default (for the top level and
 * `:.__GLOBAL:` that is an answer: true). */
bool schema_table_config(const struct schema_table *t, const char *subject, struct schema_config *out);
void schema_table_config_for(const struct schema_table *t, const char *subject, struct schema_config *out);
int schema_table_mode(const struct schema_table *t, const char *subject); /* or SCHEMA_MODE_UNSET */
int schema_table_mode_for(const struct schema_table *t, const char *subject);
/* Only what a record has set; NULL, SCHEMA_MODE_UNSET: nothing. */
const struct schema_config *schema_table_config_set(const struct schema_table *t, const char *subject);
int schema_table_mode_set(const struct schema_table *t, const char *subject);

size_t schema_table_live(const struct schema_table *t); /* live versions */
uint64_t
schema_table_generation(const struct schema_table *t); /* grows when a version goes or changes its content */

/* A view of a version or a content: all pointers borrowed, never to be released. */
struct schema_version schema_table_view(const struct schema_subject *s, const struct schema_entry *e);
struct schema_version schema_table_view_content(const struct schema_content *c);

#endif
