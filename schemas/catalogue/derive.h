/* schemas/catalogue/derive.h - a first draft of a schema from a sample of data: CSV, JSON or JSON lines.
 *
 * The draft is for a person to finish: each field says how sure it is and why, its doc is a placeholder, its
 * class of personal data a guess from its name and the shape of its values. No value of the sample is ever
 * given out, except the symbols of an enum, and only columns that do not look personal become one. A name
 * that may itself be data (keys of a JSON object that are numbers; the first line of a CSV file without a
 * header) is not given out. One thread at a time.
 */
#ifndef SCHEMAS_CATALOGUE_DERIVE_H
#define SCHEMAS_CATALOGUE_DERIVE_H

#include "bus/json_out.h"
#include "schemas/avro/words.h"

#define SCHEMA_DERIVE_TEXT_MAX ((size_t)16 * 1024 * 1024) /* bytes of a sample */
#define SCHEMA_DERIVE_ROWS_MAX 20000			  /* further rows are not looked at */
#define SCHEMA_DERIVE_COLUMNS_MAX 500			  /* in one record */

struct schema_derive;

enum schema_sample { SCHEMA_SAMPLE_AUTO, SCHEMA_SAMPLE_CSV, SCHEMA_SAMPLE_JSON, SCHEMA_SAMPLE_LINES };

/* BUS_EPARSE: the sample is not of that format; BUS_EDATA: no rows, or more columns than the bound; err never
 * holds a value. Text over the bound: BUS_ETOOBIG for JSON, else its whole lines are looked at. */
enum bus_err schema_derive_open(struct bus_str text, enum schema_sample format, struct schema_derive **out,
				struct bus_error *err) BUS_MUSTCHECK;
void schema_derive_free(struct schema_derive **d);

struct schema_draft {		/* what the sample cannot know */
	const char *name;	/* "Penduduk" */
	const char *name_space; /* "id.go.pekanbaru.opd.v1" */
	const char *topic;	/* "pku.opd.penduduk.v1" */
	const char
	    *key; /* a field's name, or NULL: the first that is unique, never empty, and not personal */
};

/* The draft's text: always a schema that parses strictly. */
void schema_derive_put(struct schema_derive *d, const struct schema_draft *draft, struct bus_buf *out);
size_t schema_derive_rows(const struct schema_derive *d);

struct schema_guess {
	const char *path;
	const char *from; /* the column's name in the sample */
	const char *sure; /* "sure", "likely", "guess" */
	char class;
	bool class_sure;
	struct schema_sentence why;
};
/* Each field of the draft, after schema_derive_put. Texts: the caller's until the next change. */
void schema_derive_guesses(struct schema_derive *d, void (*fn)(void *ctx, const struct schema_guess *g),
			   void *ctx);

#endif
