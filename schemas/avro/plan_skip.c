/* How large values are, and the shortest way past them. */
#include "schemas/avro/compile.h"

#define MOST ((uint32_t)1 << 30)

static uint32_t sum(uint32_t a, uint32_t b)
{
	return a == UINT32_MAX || b == UINT32_MAX || a + b > MOST ? UINT32_MAX : a + b;
}

static struct schema_size exactly(size_t n)
{
	return n > MOST ? (struct schema_size){ MOST, UINT32_MAX }
			: (struct schema_size){ (uint32_t)n, (uint32_t)n };
}

static struct schema_size of_record(struct schema_compiler *c, const struct schema_node *w)
{
	struct schema_size size = { 0, 0 };

	for (size_t i = 0; i < w->n; i++) {
		const struct schema_size field = schema_size_of(c, w->field[i].type);

		size.smallest = size.smallest + field.smallest < MOST ? size.smallest + field.smallest : MOST;
		size.each = sum(size.each, field.each);
	}
	return size;
}

static struct schema_size of_union(struct schema_compiler *c, const struct schema_node *w)
{
	struct schema_size size = { w->n > 0 ? MOST : 0, UINT32_MAX };

	for (size_t i = 0; i < w->n; i++) {
		const uint32_t branch = schema_size_of(c, w->branch[i]).smallest;

		size.smallest = branch < size.smallest ? branch : size.smallest;
	}
	size.smallest++;
	return size;
}

/* What is being looked at already counts as nothing that may be any size: a lower bound. */
struct schema_size schema_size_of(struct schema_compiler *c, const struct schema_node *w)
{
	struct schema_size size = { 1, UINT32_MAX };

	if (c->size[w->index].smallest != UINT32_MAX)
		return c->size[w->index];
	c->size[w->index] = (struct schema_size){ 0, UINT32_MAX };
	switch (w->type) {
	case SCHEMA_NULL:
		size = exactly(0);
		break;
	case SCHEMA_BOOLEAN:
		size = exactly(1);
		break;
	case SCHEMA_FLOAT:
		size = exactly(4);
		break;
	case SCHEMA_DOUBLE:
		size = exactly(8);
		break;
	case SCHEMA_FIXED:
		size = exactly(w->size);
		break;
	case SCHEMA_RECORD:
		size = of_record(c, w);
		break;
	case SCHEMA_UNION:
		size = of_union(c, w);
		break;
	default:
		break;
	}
	c->size[w->index] = size;
	return size;
}

/* Adds to the instruction before, when it does the same and nobody jumps to what follows it. */
static void skip(struct schema_compiler *c, enum schema_op_code code, uint32_t n)
{
	struct schema_op *last = c->n_ops > c->joined ? &c->plan->op[c->n_ops - 1] : NULL;

	if (n == 0)
		return;
	if (last && last->code == code && (uint32_t)last->a + n <= MOST)
		last->a += (int32_t)n;
	else
		schema_emit(c, code, n, 0, (struct schema_place){ 0, 0 });
}

static void skip_branch(struct schema_compiler *c, const struct schema_node *w, const struct schema_node *r,
			size_t i, struct schema_place at)
{
	(void)r;
	(void)at;
	schema_compile_skip(c, w->branch[i]);
}

static void skip_union(struct schema_compiler *c, const struct schema_node *w)
{
	const struct schema_place nowhere = { 0, 0 };
	const bool second = w->n == 2 && w->branch[1]->type == SCHEMA_NULL;
	size_t option;

	if (w->n != 2 || (!second && w->branch[0]->type != SCHEMA_NULL)) {
		schema_compile_branches(c, w, NULL, nowhere, skip_branch);
		return;
	}
	option = schema_emit(c, SCHEMA_OP_SKIP_OPTION, second, 0, nowhere);
	schema_emit_label(c);
	schema_compile_skip(c, w->branch[!second]);
	if (!c->too_big)
		c->plan->op[option].b = schema_emit_label(c);
}

static void skip_items(struct schema_compiler *c, const struct schema_node *w)
{
	const bool map = w->type == SCHEMA_MAP;
	const struct schema_size item = schema_size_of(c, w->item);
	const struct schema_place each = { map ? UINT32_MAX : item.each, 0 };
	size_t begin = schema_emit(c, SCHEMA_OP_SKIP_ITEMS, 0, (int64_t)item.smallest + map, each);

	schema_emit_label(c);
	if (each.to == UINT32_MAX) {
		if (map)
			skip(c, SCHEMA_OP_SKIP_BYTES, 1);
		schema_compile_skip(c, w->item);
		schema_emit(c, SCHEMA_OP_SKIP_LOOP, 0, 0, each);
	}
	if (!c->too_big)
		c->plan->op[begin].a = schema_emit_label(c);
}

void schema_compile_skip(struct schema_compiler *c, const struct schema_node *w)
{
	const struct schema_size size = schema_size_of(c, w);

	if (c->too_big)
		return;
	if (size.each != UINT32_MAX) {
		skip(c, SCHEMA_OP_SKIP, size.each);
		return;
	}
	switch (w->type) {
	case SCHEMA_INT:
	case SCHEMA_LONG:
	case SCHEMA_ENUM:
		skip(c, SCHEMA_OP_SKIP_LONGS, 1);
		break;
	case SCHEMA_RECORD:
		schema_emit_call(c, w, NULL, (struct schema_place){ 0, 0 });
		break;
	case SCHEMA_UNION:
		skip_union(c, w);
		break;
	case SCHEMA_ARRAY:
	case SCHEMA_MAP:
		skip_items(c, w);
		break;
	case SCHEMA_FIXED: /* of a size beyond exactly's */
		skip(c, SCHEMA_OP_SKIP, MOST);
		for (size_t left = w->size - MOST; left > 0; left -= left < MOST ? left : MOST)
			skip(c, SCHEMA_OP_SKIP, (uint32_t)(left < MOST ? left : MOST));
		break;
	default: /* string, bytes */
		skip(c, SCHEMA_OP_SKIP_BYTES, 1);
	}
}
