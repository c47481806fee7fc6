/* schemas/store_table.h - what the records of `_schemas` add up to, in memory: no Kafka, no lock.
 *
 * store.c feeds it records in log order and asks it questions under its lock. Contents (what an id means)
 * are kept for ever; versions point to them. Thread: one at a time.
 */
#ifndef SCHEMAS_STORE_TABLE_H
#define SCHEMAS_STORE_TABLE_H

#include "schemas/store.h"
#include "schemas/store_record.h"

struct schema_content { /* what an id means */
	int32_t id;
	char *text;
	char *type;
	char *extra;
	struct schema_store_reference *reference;
	size_t n_references;
	struct schema *schema; /* NULL: cannot be parsed, or not yet (a reference is missing) */
	char *sameness;	       /* two contents are the same schema when these bytes are equal */
	size_t sameness_len;
	uint64_t hash; /* of sameness */
	char *subject; /* of the first record that brought it */
	int version;
	int64_t offset, timestamp_ms;
};

struct schema_entry { /* one version of a subject */
	int version;
	bool deleted;
	struct schema_content *content;
	int64_t offset, timestamp_ms;
};

struct schema_subject {
	char *name;
	struct schema_entry *entry; /* by version */
	size_t n_entries;
	int highest;	     /* version ever seen */
	char *config, *mode; /* JSON or NULL */
};

struct schema_table;

struct schema_table *schema_table_new(void);
void schema_table_free(struct schema_table **t);

/* Applies a record. BUS_EDATA: it contradicts what an id means already (passed
 * over). */
enum bus_err schema_table_apply(struct schema_table *t, const struct schema_record *r, int64_t offset,
				int64_t timestamp_ms, struct bus_error *err) BUS_MUSTCHECK;
/* Parses what could not be parsed for want of a reference. After a batch. */
void schema_table_settle(struct schema_table *t);

/* All borrowed until the next apply. */
struct schema_content *schema_table_content(const struct schema_table *t, int32_t id);
struct schema_subject *schema_table_subject(const struct schema_table *t, const char *name);
size_t schema_table_subjects(const struct schema_table *t, struct schema_subject *const **list); /* sorted */
struct schema_entry *schema_table_entry(const struct schema_subject *s, int version); /* 0: latest live */
/* Any content that is the same schema; NULL: none. */
const struct schema_content *schema_table_find(const struct schema_table *t, const char *sameness,
					       size_t len);
int32_t schema_table_highest_id(const struct schema_table *t);
const char *schema_table_config(const struct schema_table *t); /* global; NULL: none */
const char *schema_table_mode(const struct schema_table *t);

/* The sameness of a schema: type, canonical text, references, metadata, rule set. */
void schema_table_sameness(const char *type, const struct schema *schema, const char *text,
			   const struct schema_store_reference *reference, size_t n_references,
			   const char *extra, struct bus_buf *out);

#endif
