/* JSON of two implementations, compared by value as tests/vectors/avro/README.md says. */
#include <math.h>

#include "schemas/avro/schema.h"
#include "tests/support/vectors.h"

#define TEXT_MAX ((size_t)64 * 1024 * 1024)

static bool same(const struct schema_node *node, const struct bus_json *a, const struct bus_json *b);

/* Number texts end where the tree's text goes on, which strtod does not mind. */
static bool same_number(const struct schema_node *node, const struct bus_json *a, const struct bus_json *b)
{
	int64_t x;
	int64_t y;
	double u;
	double v;

	if (node->type == SCHEMA_INT || node->type == SCHEMA_LONG)
		return bus_json_int(a, &x) == BUS_OK && bus_json_int(b, &y) == BUS_OK && x == y;
	if (a->type == BUS_JSON_STRING || b->type == BUS_JSON_STRING) /* NaN and the infinities */
		return a->type == b->type && bus_str_eq(a->text, b->text);
	if (a->type != BUS_JSON_NUMBER || b->type != BUS_JSON_NUMBER)
		return false;
	u = strtod(a->text.p, NULL);
	v = strtod(b->text.p, NULL);
	if (node->type == SCHEMA_FLOAT)
		return (float)u == (float)v && signbit(u) == signbit(v);
	return u == v && signbit(u) == signbit(v);
}

static bool same_members(const struct schema_node *node, const struct bus_json *a, const struct bus_json *b)
{
	if (a->type != BUS_JSON_OBJECT || b->type != BUS_JSON_OBJECT || a->n != b->n)
		return false;
	for (const struct bus_json *x = a->first; x; x = x->next) {
		const struct bus_json *y = b->first;
		const struct schema_node *type = node->item;
		int32_t at;

		while (y && !bus_str_eq(x->name, y->name))
			y = y->next;
		if (node->type == SCHEMA_RECORD) {
			at = schema_position(node, x->name);
			type = at < 0 ? NULL : node->field[at].type;
		}
		if (!y || !type || !same(type, x, y))
			return false;
	}
	return true;
}

static bool same_items(const struct schema_node *node, const struct bus_json *a, const struct bus_json *b)
{
	const struct bus_json *y = b->first;

	if (a->type != BUS_JSON_ARRAY || b->type != BUS_JSON_ARRAY || a->n != b->n)
		return false;
	for (const struct bus_json *x = a->first; x; x = x->next, y = y->next)
		if (!same(node->item, x, y))
			return false;
	return true;
}

static bool same(const struct schema_node *node, const struct bus_json *a, const struct bus_json *b)
{
	int32_t at;

	switch (node->type) {
	case SCHEMA_INT:
	case SCHEMA_LONG:
	case SCHEMA_FLOAT:
	case SCHEMA_DOUBLE:
		return same_number(node, a, b);
	case SCHEMA_RECORD:
	case SCHEMA_MAP:
		return same_members(node, a, b);
	case SCHEMA_ARRAY:
		return same_items(node, a, b);
	case SCHEMA_UNION:
		if (a->type != BUS_JSON_OBJECT || b->type != BUS_JSON_OBJECT || a->n != 1 || b->n != 1)
			return a->type == BUS_JSON_NULL && b->type == BUS_JSON_NULL;
		at = schema_position(node, a->first->name);
		return at >= 0 && bus_str_eq(a->first->name, b->first->name) &&
		       same(node->branch[at], a->first, b->first);
	default:
		return a->type == b->type && bus_str_eq(a->text, b->text);
	}
}

bool vectors_same_json(struct vectors_case *c, const struct schema *s, struct bus_buf *got,
		       struct bus_str want)
{
	const struct bus_json_limits limits = { .depth = BUS_JSON_DEPTH_MAX, .text = TEXT_MAX };
	struct bus_arena *arena = bus_arena_new(0);
	struct bus_error err = { 0 };
	struct bus_buf copy = { 0 };
	struct bus_json *a;
	struct bus_json *b;
	bool ok;

	bus_buf_put(&copy, want.p, want.n);
	bus_buf_cstr(&copy);
	bus_buf_cstr(got);
	ok = bus_json_parse(bus_buf_str(got), &limits, arena, &a, &err) == BUS_OK &&
	     bus_json_parse(bus_buf_str(&copy), &limits, arena, &b, &err) == BUS_OK &&
	     same(schema_root(s), a, b);
	if (!ok)
		(void)vectors_differ(c, "is %.400s, should be %.400s %s", got->p, copy.p, err.text);
	bus_buf_release(&copy);
	bus_arena_free(&arena);
	return ok;
}
