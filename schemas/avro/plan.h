/* schemas/avro/plan.h - the instructions between the compiler (plan*.c) and the machine (avro/read.c).
 *
 * A plan is one flat program. Records are routines, called; all else stands in line. A value goes into the
 * cell `to` of the block at hand (a record's fields, an array's item, a map's entry, the root), as branch
 * `branch` when the reader's type is a union. What the reader does not want is passed over by the SKIP
 * instructions, which look at nothing that they need not.
 */
#ifndef SCHEMAS_AVRO_PLAN_H
#define SCHEMAS_AVRO_PLAN_H

#include <stdatomic.h>

#include "schemas/avro/read.h"

enum schema_op_code {
	SCHEMA_OP_NULL,
	SCHEMA_OP_BOOLEAN,
	SCHEMA_OP_INT,
	SCHEMA_OP_LONG,
	SCHEMA_OP_FLOAT,
	SCHEMA_OP_DOUBLE,
	SCHEMA_OP_BYTES,
	SCHEMA_OP_TEXT,
	SCHEMA_OP_FIXED, /* a: size */
	SCHEMA_OP_ENUM,	 /* a: the writer's symbols; b: table of the reader's index, or -1: the same */
	SCHEMA_OP_INT_TO_FLOAT,
	SCHEMA_OP_INT_TO_DOUBLE,
	SCHEMA_OP_LONG_TO_FLOAT,
	SCHEMA_OP_LONG_TO_DOUBLE,
	SCHEMA_OP_BYTES_TO_TEXT,
	SCHEMA_OP_CONSTANT, /* a: which */
	SCHEMA_OP_OPTION,   /* a union of null and one more; a: index of null, b: where to go on after it */
	SCHEMA_OP_UNION,    /* a: branches; b: table of where each is read */
	SCHEMA_OP_JUMP,	    /* a: to */
	SCHEMA_OP_CALL,	    /* a: routine of a record; b: its cells */
	SCHEMA_OP_RETURN,
	SCHEMA_OP_ARRAY, /* a: after its LOOP; b: bytes of the smallest item */
	SCHEMA_OP_ARRAY_LOOP,
	SCHEMA_OP_MAP,
	SCHEMA_OP_MAP_LOOP,
	SCHEMA_OP_SKIP,	       /* a: bytes */
	SCHEMA_OP_SKIP_LONGS,  /* a: how many */
	SCHEMA_OP_SKIP_BYTES,  /* and text; a: how many */
	SCHEMA_OP_SKIP_OPTION, /* as OPTION */
	SCHEMA_OP_SKIP_CALL,
	SCHEMA_OP_SKIP_RETURN,
	SCHEMA_OP_SKIP_ITEMS, /* a: after its LOOP; b: bytes of the smallest item, `to`: of every, or
				 UINT32_MAX */
	SCHEMA_OP_SKIP_LOOP,
	SCHEMA_OP_DEFAULT, /* read on from the plan's bytes; a: offset, b: length */
	SCHEMA_OP_DEFAULT_END,
	SCHEMA_OP_ERROR, /* cannot be resolved; a: message */
	SCHEMA_OP_HALT,
};

struct schema_op {
	enum schema_op_code code;
	int32_t a;
	int32_t b;
	uint32_t to;
	uint32_t branch;
};

#define SCHEMA_MESSAGE_MAX 160
#define SCHEMA_OPS_MAX 1000000 /* in one plan; a record schema needs about two a field */

struct schema_plan {
	atomic_int refs;
	size_t size; /* of all below */
	struct schema *writer;
	struct schema *reader;
	struct schema_op *op;
	int32_t *table;
	struct bus_buf bytes;	      /* of the defaults */
	struct schema_cell *constant; /* defaults that are one cell */
	char (*message)[SCHEMA_MESSAGE_MAX];
};

/* The rules of resolution (avro/resolve.c), Avro Java 1.12's Resolver. */
struct schema_resolver;
struct schema_resolver *schema_resolver_new(const struct schema *writer, const struct schema *reader);
void schema_resolver_free(struct schema_resolver **r);
/* Which branch of a reader's union takes what is written so; -1: none. */
int32_t schema_resolve_branch(struct schema_resolver *r, const struct schema_node *w,
			      const struct schema_node *u);
/* Both unions have the same branches in the same order: branch i is read as branch i. */
bool schema_resolve_unions_equal(struct schema_resolver *r, const struct schema_node *w,
				 const struct schema_node *u);
/* Why these two, no unions, can never be resolved; NULL: they can (parts of them perhaps not). */
const char *schema_resolve_clash(struct schema_resolver *r, const struct schema_node *w,
				 const struct schema_node *u);
/* The reader's field for each of the writer's, or -1; out has w->n places. False: two writer's fields would
 * have one name, through aliases. */
bool schema_resolve_fields(struct schema_resolver *r, const struct schema_node *w,
			   const struct schema_node *u, int32_t *out);
/* What the writer's name becomes: the reader's, when an alias says so. A field's: of the writer's record
 * whose full name is given; a type's: of "". */
const char *schema_resolve_name(const struct schema_resolver *r, const char *record, const char *name);
/* avro/same.c: the writer's schema with its names as r makes them equals the reader's, as Java compares. */
bool schema_resolve_same(const struct schema *writer, const struct schema *reader,
			 const struct schema_resolver *r);
bool schema_resolver_exhausted(const struct schema_resolver *r); /* too many combinations: give up */

#endif
