/* schemas/avro/schema_impl.h - what the files of the Avro engine share, and nobody else includes. */
#ifndef SCHEMAS_AVRO_SCHEMA_IMPL_H
#define SCHEMAS_AVRO_SCHEMA_IMPL_H

#include <stdatomic.h>

#include "bus/arena.h"
#include "bus/buf.h"
#include "schemas/avro/schema.h"

struct schema {
	atomic_int refs;
	struct bus_arena *arena; /* everything below lives there */
	struct bus_str text;
	const struct bus_str
	    *part; /* texts of the references, each once, in the order they need each other */
	size_t n_parts;
	const struct bus_json *json; /* the text as a tree */
	const struct schema_node *root;
	int count;
	int own; /* nodes below this index came from references */
};

/* Names (avro/name.c). A name is at most this long, so that a union of long names stays small. */
#define SCHEMA_NAME_MAX 1000
#define SCHEMA_ALIASES_MAX 100 /* of one type or field; each is compared with all others */

bool schema_name_valid(struct bus_str name); /* [A-Za-z_][A-Za-z0-9_]* */
/* Every part between the dots is valid; "" (no namespace) is. */
bool schema_namespace_valid(struct bus_str space);
/* Where the last part of a full name begins. */
const char *schema_short_name(const char *full);
/* Length of the namespace of a full name, without its dot. */
size_t schema_space_len(const char *full);
bool schema_type_parse(struct bus_str name, enum schema_type *out); /* "int" ... "fixed" */
bool schema_is_named(enum schema_type type);

/* The positions 0..n-1 sorted by name; NULL: no memory left. *twice (may be NULL): two are equal, this one.
 */
const uint32_t *schema_sort(struct bus_arena *arena, const struct schema_node *node, const char **twice);

/* Equal as Java's JsonNode.equals, members in any order; both may be NULL (avro/same.c). */
bool schema_json_same(const struct bus_json *a, const struct bus_json *b);
/* The properties of two objects are equal, but for those listed (NULL at the end): Avro's own. */
bool schema_properties_same(const struct bus_json *a, const struct bus_json *b, const char *const *own);

/* Logical type of a node whose type, size and properties are set; an invalid one is ignored (as Java). */
void schema_logical_detect(struct schema_node *node);

/* Defaults (avro/default.c). */
enum schema_fit {
	SCHEMA_FITS,
	SCHEMA_MISFIT,
	SCHEMA_FIT_OPEN, /* a type in it is not known yet: ask again at the end */
};
/* *steps: what was spent so far on the defaults of the schema; over its bound none fits any more. */
enum schema_fit schema_default_fits(const struct schema_node *type, const struct bus_json *value, int *steps);
/* The Avro bytes of a default, appended to out. BUS_EDATA: it does not fit; BUS_ETOOBIG. */
enum bus_err schema_default_encode(const struct schema_node *type, const struct bus_json *value,
				   struct bus_buf *out) BUS_MUSTCHECK;

/* Text of U+0000..U+00FF to bytes, as Avro's JSON has them; false: another character is in it. */
bool schema_latin1(struct bus_str utf8, struct bus_buf *out);
/* A number's text as a double or, in text form, "NaN", "Infinity", "-Infinity". */
bool schema_real(const struct bus_json *v, double *out);
/* A whole number without fraction or exponent, within int64_t. */
bool schema_whole(const struct bus_json *v, int64_t *out);

#endif
