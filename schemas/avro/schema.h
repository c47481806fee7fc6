/* schemas/avro/schema.h - one Avro schema: parsed, immutable, counted.
 *
 * Specification: Apache Avro 1.12 "Schema Declaration"; where it is silent, Avro Java 1.12.2 is followed,
 * because that is what Confluent's clients hold. A schema never changes once parsed; the count is
 * atomic, so threads may share one. Nodes are borrowed from the schema and live as long as it does.
 */
#ifndef SCHEMAS_AVRO_SCHEMA_H
#define SCHEMAS_AVRO_SCHEMA_H

#include <stdint.h>

#include "bus/error.h"
#include "bus/json.h"
#include "bus/mem.h"

#define SCHEMA_TEXT_MAX ((size_t)1024 * 1024) /* bytes of schema text */
#define SCHEMA_DEPTH_MAX 128 /* nesting of JSON in a schema, and of types through their names */
#define SCHEMA_NODES_MAX 20000

enum schema_type {
	SCHEMA_NULL,
	SCHEMA_BOOLEAN,
	SCHEMA_INT,
	SCHEMA_LONG,
	SCHEMA_FLOAT,
	SCHEMA_DOUBLE,
	SCHEMA_BYTES,
	SCHEMA_STRING,
	SCHEMA_RECORD,
	SCHEMA_ENUM,
	SCHEMA_ARRAY,
	SCHEMA_MAP,
	SCHEMA_UNION,
	SCHEMA_FIXED,
};

enum schema_logical {
	SCHEMA_LOGICAL_NONE,
	SCHEMA_DATE,		 /* int */
	SCHEMA_TIME_MILLIS,	 /* int */
	SCHEMA_TIME_MICROS,	 /* long */
	SCHEMA_TIMESTAMP_MILLIS, /* long */
	SCHEMA_TIMESTAMP_MICROS, /* long */
	SCHEMA_LOCAL_TIMESTAMP_MILLIS,
	SCHEMA_LOCAL_TIMESTAMP_MICROS,
	SCHEMA_DECIMAL,		/* bytes, fixed */
	SCHEMA_UUID,		/* string, fixed(16) */
	SCHEMA_DURATION,	/* fixed(12) */
	SCHEMA_TIMESTAMP_NANOS, /* long */
	SCHEMA_LOCAL_TIMESTAMP_NANOS,
	SCHEMA_BIG_DECIMAL, /* bytes: an unscaled decimal and its scale, each value its own */
};

struct schema_node;

struct schema_field {
	const char *name;
	const char *const *alias; /* n_aliases of them */
	size_t n_aliases;
	const struct schema_node *type;
	const struct bus_json *fallback;   /* default as JSON; NULL: none */
	const char *doc;		   /* NULL: none */
	const struct bus_json *properties; /* the field's whole JSON object: x_pdp and the like */
};

struct schema_node {
	enum schema_type type;
	enum schema_logical logical;
	int precision, scale;	  /* decimal */
	const char *name;	  /* full name of record, enum, fixed; else NULL */
	const char *const *alias; /* full names */
	size_t n_aliases;
	const char *doc;
	const struct bus_json *properties; /* the JSON object this node came from; NULL for a bare name */
	int index;			   /* 0..schema_count()-1, unique in its schema: tables by node */

	const struct schema_field *field;	 /* record: n of them */
	const struct schema_node *const *branch; /* union: n of them */
	const char *const *symbol;		 /* enum: n of them */
	const char *fallback_symbol;		 /* enum's default or NULL */
	size_t n;
	const struct schema_node *item; /* array items, map values */
	size_t size;			/* fixed */
	/* The positions 0..n-1 in the byte order of their names (fields, symbols, branch labels): look-ups.
	 */
	const uint32_t *sorted;
};

struct schema;

struct schema_reference { /* another schema whose named types the text may use (registry references) */
	const char *name;
	const struct schema *schema;
};

struct schema_reference_text { /* the same as text: what it needs itself stands before it */
	const char *name;
	struct bus_str text;
};

enum {
	SCHEMA_STRICT = 0,  /* as Confluent checks new schemas: strict names, defaults must fit */
	SCHEMA_LENIENT = 1, /* as already registered ones are read: names and defaults unchecked */
};

/* On failure *out is NULL: BUS_ESCHEMA says what is wrong and where; BUS_EPARSE: not JSON; BUS_ETOOBIG. */
enum bus_err schema_parse(struct bus_str text, int flags, const struct schema_reference *ref, size_t n_refs,
			  struct schema **out, struct bus_error *err) BUS_MUSTCHECK;
/* Reads each text once, as Confluent's parser does: what it takes grows with the sum of the texts. */
enum bus_err schema_parse_texts(struct bus_str text, int flags, const struct schema_reference_text *ref,
				size_t n_refs, struct schema **out, struct bus_error *err) BUS_MUSTCHECK;
struct schema *schema_ref(struct schema *s);
void schema_unref(struct schema **s);

const struct schema_node *schema_root(const struct schema *s);
struct bus_str schema_text(const struct schema *s); /* as read */
int schema_count(const struct schema *s);	    /* nodes */
size_t schema_memory(const struct schema *s);	    /* bytes it takes */

/* String property of a node or a field ("x_kunci"); NULL: none or no string. NUL-ended. */
const char *schema_property(const struct bus_json *properties, const char *name);
const struct schema_field *schema_field_find(const struct schema_node *record, const char *name,
					     size_t *index);
/* Position of a field, a symbol or a union branch (by its label: type name or full name); -1: none. */
int32_t schema_position(const struct schema_node *node, struct bus_str name);
const char *schema_type_name(enum schema_type type); /* "record" */
/* What a union calls this branch: the full name, or the type's name. */
const char *schema_label(const struct schema_node *node);

/* Whether a value of the writer's type may be read as the reader's (Avro specification, "Schema
 * Resolution"; string and bytes both ways, as Avro Java). */
bool schema_promotes(enum schema_type writer, enum schema_type reader);

#endif
