/* schemas/avro/parse.h - the state of one parse; for parse*.c alone. */
#ifndef SCHEMAS_AVRO_PARSE_H
#define SCHEMAS_AVRO_PARSE_H

#include "schemas/avro/schema_impl.h"

/* Where we are in the schema's JSON: a list from the innermost outwards, on the C stack. */
struct schema_place {
	const struct schema_place *up;
	const char *name; /* NULL: an index */
	size_t index;
};

struct schema_parser {
	struct schema *s;
	struct bus_arena *arena;
	int flags;
	struct bus_error *err;

	/* Named types by full name: open addressing, a power of two, at most half full. */
	const struct schema_node **table;
	size_t table_size;
	size_t n_named;
	uint64_t seed;	/* of its hashes */
	size_t written; /* bytes of full names, each time one is meant */

	struct schema_unknown *unknown;	    /* names used before they were defined */
	struct schema_unchecked *unchecked; /* defaults whose type was not known yet */
	int depth;			    /* of the walk that bounds nesting through names */
	int default_steps;		    /* spent on looking whether defaults fit */
};

struct schema_unknown {
	struct schema_unknown *next;
	const struct schema_node **slot;
	const char *name; /* as written */
	const char *space;
	const char *place;
};

struct schema_unchecked {
	struct schema_unchecked *next;
	const struct schema_field *field;
	const char *place;
};

enum bus_err schema_parse_fail(struct schema_parser *p, const struct schema_place *at, const char *fmt, ...)
    BUS_PRINTF(3, 4);
enum bus_err schema_parse_no_room(struct schema_parser *p);
/* A full name is meant here: canonical form and text will have it. BUS_ETOOBIG: too much of that. */
enum bus_err schema_name_count(struct schema_parser *p, const struct schema_place *at,
			       const char *name) BUS_MUSTCHECK;
const char *schema_place_text(struct schema_parser *p, const struct schema_place *at); /* in the arena */
/* The member's text; NULL when it is not there, no string or has U+0000 in it. May be empty. */
const char *schema_member_text(const struct bus_json *object, const char *name);
bool schema_plain(struct bus_str text); /* no U+0000 in it: whole as a C string */

/* Named types (avro/parse_names.c). */
enum bus_err schema_name_read(struct schema_parser *p, const struct schema_place *at,
			      const struct bus_json *v, const char *space,
			      struct schema_node *node) BUS_MUSTCHECK;
const struct schema_node *schema_name_find(const struct schema_parser *p, const char *full);
enum bus_err schema_name_define(struct schema_parser *p, const struct schema_place *at,
				const struct schema_node *node) BUS_MUSTCHECK;
enum bus_err schema_aliases_read(struct schema_parser *p, const struct schema_place *at,
				 const struct bus_json *v, struct schema_node *node) BUS_MUSTCHECK;
/* A name as used: in the namespace first, then (as Java, and as long as the text is being read) without one.
 * NULL: not defined. */
const struct schema_node *schema_name_resolve(const struct schema_parser *p, const char *name,
					      const char *space, bool at_end);

/* A name defined a second time (avro/parse_again.c): Java 1.12 lets that pass when both are equal. */
bool schema_defined_alike(const struct schema_node *old, const struct schema_node *again);

/* The members of a record (avro/parse_record.c). */
enum bus_err schema_fields_read(struct schema_parser *p, const struct schema_place *at,
				const struct bus_json *v, struct schema_node *node) BUS_MUSTCHECK;
enum bus_err schema_default_check(struct schema_parser *p, const struct schema_place *at,
				  const struct schema_field *field) BUS_MUSTCHECK;

/* Any type (avro/parse.c). space: the enclosing namespace, "" for none. */
enum bus_err schema_type_read(struct schema_parser *p, const struct schema_place *at,
			      const struct bus_json *v, const char *space,
			      const struct schema_node **slot) BUS_MUSTCHECK;

#endif
