/* adapters/init/draft.h - what init writes: adapter.yaml, the mapping, the schema, folders and keys. Thread: one. */
#ifndef ADAPTERS_INIT_DRAFT_H
#define ADAPTERS_INIT_DRAFT_H

#include "adapters/init/key.h"

struct adapter_init_draft {
	const char *opd, *entity; /* a-z, 0-9, _ */
	const char *file;	  /* that was looked at */
	const char *pattern;	  /* of names of such files; NULL: database */
	const char *fetch;	  /* `fetch:` of a database, YAML lines; NULL: files are dropped */
	bool complete;		  /* what is fetched is all there is */
	const struct adapter_init_shape *shape;
	struct adapter_init_guess *guess; /* of each column; field names are made different here */
	const struct adapter_init_key *key;
	uint64_t records;
};

/* Gives every column a field name of its own. */
void adapter_init_draft_names(struct adapter_init_draft *d);

void adapter_init_put_mapping(const struct adapter_init_draft *d, struct bus_buf *out);
void adapter_init_put_schema(const struct adapter_init_draft *d, struct bus_buf *out);
void adapter_init_put_config(const struct adapter_init_draft *d, struct bus_buf *out);

/* All of it into dir, which is made. What is there stays, unless force (BUS_EEXIST names it); keys always stay. */
enum bus_err adapter_init_write(const struct adapter_init_draft *d, const char *dir, bool force,
				struct bus_error *err) BUS_MUSTCHECK;

const char *adapter_init_sure_name(enum adapter_init_sure s); /* "tinggi/high" */
const char *adapter_init_type_name(enum adapter_init_type t); /* "bilangan/number" */

#endif
