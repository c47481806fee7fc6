/* Instructions, tables, messages and routines of a plan that is being written; all of them bounded. */
#include <assert.h>
#include <stdio.h>

#include "schemas/avro/compile.h"

#define MESSAGES_MAX (SCHEMA_OPS_MAX / 10)

void *schema_compile_grow(void *p, size_t n, size_t *cap, size_t size)
{
	if (n < *cap)
		return p;
	*cap = *cap ? 2 * *cap : 64;
	return bus_xrealloc(p, *cap * size);
}

size_t schema_emit(struct schema_compiler *c, enum schema_op_code code, int64_t a, int64_t b,
		   struct schema_place at)
{
	if (c->n_ops >= SCHEMA_OPS_MAX) {
		c->too_big = true;
		return 0;
	}
	c->plan->op = schema_compile_grow(c->plan->op, c->n_ops, &c->cap_ops, sizeof(*c->plan->op));
	c->plan->op[c->n_ops] = (struct schema_op){ code, (int32_t)a, (int32_t)b, at.to, at.branch };
	return c->n_ops++;
}

int32_t schema_emit_label(struct schema_compiler *c)
{
	c->joined = c->n_ops;
	return (int32_t)c->n_ops;
}

size_t schema_emit_table(struct schema_compiler *c, size_t n)
{
	size_t at = c->n_table;

	if (n > SCHEMA_OPS_MAX || c->n_table + n > 4 * (size_t)SCHEMA_OPS_MAX) {
		c->too_big = true;
		return 0;
	}
	while (c->n_table + n >= c->cap_table)
		c->plan->table =
		    schema_compile_grow(c->plan->table, c->cap_table, &c->cap_table, sizeof(*c->plan->table));
	c->n_table += n;
	return at;
}

void schema_emit_error(struct schema_compiler *c, const struct schema_node *w, const struct schema_node *r,
		       const char *why)
{
	if (c->n_messages >= MESSAGES_MAX) {
		c->too_big = true;
		return;
	}
	c->plan->message =
	    schema_compile_grow(c->plan->message, c->n_messages, &c->cap_messages, sizeof(*c->plan->message));
	snprintf(c->plan->message[c->n_messages], SCHEMA_MESSAGE_MAX, "%.50s is not read as %.50s: %s",
		 schema_label(w), schema_label(r), why);
	schema_emit(c, SCHEMA_OP_ERROR, (int64_t)c->n_messages++, 0, (struct schema_place){ 0, 0 });
}

static size_t hash(const struct schema_node *w, const struct schema_node *r)
{
	uint64_t h = ((uint64_t)(uintptr_t)w * UINT64_C(0x9e3779b97f4a7c15)) ^
		     ((uint64_t)(uintptr_t)r * UINT64_C(0xc2b2ae3d27d4eb4f));

	return (size_t)(h ^ (h >> 29));
}

static int32_t *routine_slot(struct schema_compiler *c, const struct schema_node *w,
			     const struct schema_node *r)
{
	size_t i;

	for (i = hash(w, r) & (c->index_size - 1); c->index[i] >= 0; i = (i + 1) & (c->index_size - 1))
		if (c->routine[c->index[i]].w == w && c->routine[c->index[i]].r == r)
			break;
	return &c->index[i];
}

static void grow_index(struct schema_compiler *c)
{
	if (2 * (c->n_routines + 1) <= c->index_size)
		return;
	c->index_size = c->index_size ? 2 * c->index_size : 64;
	c->index = bus_xrealloc(c->index, c->index_size * sizeof(*c->index));
	memset(c->index, 0xff, c->index_size * sizeof(*c->index));
	for (size_t i = 0; i < c->n_routines; i++)
		*routine_slot(c, c->routine[i].w, c->routine[i].r) = (int32_t)i;
}

void schema_emit_call(struct schema_compiler *c, const struct schema_node *w, const struct schema_node *r,
		      struct schema_place at)
{
	int32_t *slot;

	grow_index(c);
	slot = routine_slot(c, w, r);
	if (*slot < 0) {
		*slot = (int32_t)c->n_routines;
		c->routine =
		    schema_compile_grow(c->routine, c->n_routines, &c->cap_routines, sizeof(*c->routine));
		c->routine[c->n_routines++] = (struct schema_routine){ w, r, c->in_default, -1 };
	}
	schema_emit(c, r ? SCHEMA_OP_CALL : SCHEMA_OP_SKIP_CALL, *slot, r ? (int64_t)r->n : 0, at);
}

void schema_compile_branches(struct schema_compiler *c, const struct schema_node *w,
			     const struct schema_node *r, struct schema_place at, schema_branch_fn *each)
{
	size_t table = schema_emit_table(c, w->n);

	schema_emit(c, SCHEMA_OP_UNION, (int64_t)w->n, (int64_t)table, at);
	/* The end is not known yet: each branch but the last has its jump just before the next one. */
	for (size_t i = 0; i < w->n && !c->too_big; i++) {
		c->plan->table[table + i] = schema_emit_label(c);
		each(c, w, r, i, at);
		if (i + 1 < w->n)
			schema_emit(c, SCHEMA_OP_JUMP, -1, 0, at);
	}
	if (c->too_big)
		return;
	for (size_t i = 0; i + 1 < w->n; i++) {
		struct schema_op *jump = &c->plan->op[c->plan->table[table + i + 1] - 1];

		assert(jump->code == SCHEMA_OP_JUMP);
		jump->a = schema_emit_label(c);
	}
}
