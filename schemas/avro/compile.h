/* schemas/avro/compile.h - what the files of the compiler share: avro/plan.c, avro/plan_emit.c (writing
 * instructions), avro/plan_skip.c (passing over values), avro/plan_default.c. */
#ifndef SCHEMAS_AVRO_COMPILE_H
#define SCHEMAS_AVRO_COMPILE_H

#include "schemas/avro/plan.h"
#include "schemas/avro/schema_impl.h"

struct schema_routine {
	const struct schema_node *w;
	const struct schema_node *r; /* NULL: skipped */
	bool in_default;
	int32_t at; /* instruction */
};

struct schema_size {
	uint32_t smallest; /* bytes that a value takes at least; UINT32_MAX: not known yet */
	uint32_t each;	   /* bytes that every value takes; UINT32_MAX: they differ */
};

struct schema_compiler {
	struct schema_plan *plan;
	struct schema_resolver *resolver;
	size_t n_ops, n_table, n_messages, n_routines, n_constants;
	size_t cap_ops, cap_table, cap_messages, cap_routines, cap_constants;
	struct schema_routine *routine;
	int32_t *index; /* of routines, by hash of (w, r): a power of two; -1 free */
	size_t index_size;
	struct schema_size *size; /* by writer's node */
	size_t joined;		  /* instructions before this one may be jumped to: they are not made one */
	bool in_default; /* compiling a default: what is read are our own bytes, of the reader's nodes */
	bool too_big;
	const char *unfit; /* a field whose default is needed and no value: as Java, no data are read then */
};

/* Where a value goes: the cell of the block at hand, and the branch when its type is a union. */
struct schema_place {
	uint32_t to;
	uint32_t branch;
};

/* p with room for one more than n. */
void *schema_compile_grow(void *p, size_t n, size_t *cap, size_t size);
size_t schema_emit(struct schema_compiler *c, enum schema_op_code code, int64_t a, int64_t b,
		   struct schema_place at);
/* The next instruction is one that is jumped to. */
int32_t schema_emit_label(struct schema_compiler *c);
size_t schema_emit_table(struct schema_compiler *c, size_t n);
void schema_emit_call(struct schema_compiler *c, const struct schema_node *w, const struct schema_node *r,
		      struct schema_place at);
void schema_emit_error(struct schema_compiler *c, const struct schema_node *w, const struct schema_node *r,
		       const char *why);

struct schema_size schema_size_of(struct schema_compiler *c, const struct schema_node *w);
/* Passes over a value of w. Recursion: as deep as one text nests. */
void schema_compile_skip(struct schema_compiler *c, const struct schema_node *w);
/* The value of w, read as r; r == w: as it is. */
void schema_compile(struct schema_compiler *c, const struct schema_node *w, const struct schema_node *r,
		    struct schema_place at);
/* The default of the reader's field i. */
void schema_compile_default(struct schema_compiler *c, const struct schema_node *r, size_t i);
/* The branches of w in turn, each by its own instructions. */
typedef void schema_branch_fn(struct schema_compiler *c, const struct schema_node *w,
			      const struct schema_node *r, size_t i, struct schema_place at);
void schema_compile_branches(struct schema_compiler *c, const struct schema_node *w,
			     const struct schema_node *r, struct schema_place at, schema_branch_fn *each);

#endif
