/* schemas/avro/search.h - which fields of a schema somebody is looking for. Thread: any. */
#ifndef SCHEMAS_AVRO_SEARCH_H
#define SCHEMAS_AVRO_SEARCH_H

#include "schemas/avro/schema.h"

struct schema_search {	   /* a field must meet all that is not NULL; letters of ASCII match in either case */
	const char *text;  /* in the field's path or doc, the record's full name or doc */
	const char *field; /* its name; `*` stands for anything: "tgl_*" */
	const char *type;  /* a branch's or item's type name, logical type, or full name */
	const char *pdp;   /* its class of personal data (x_pdp): "U" */
};

struct schema_hit {
	const char *path; /* "alamat.kode_kel"; "[]" is an array's item, "{}" a map's value. Borrowed */
	const struct schema_field *field;
};

/* Every field that fits, in the schema's order, each type's fields once. A callback that returns false ends
 * it. */
void schema_search(const struct schema *s, const struct schema_search *wanted,
		   bool (*fn)(void *ctx, const struct schema_hit *hit), void *ctx);

#endif
