/* Is one schema another, as Avro Java's Schema.equals has it: names, fields in order with their defaults and
 * orders, symbols, sizes and every property that is not Avro's own; not doc and aliases. Asked for one thing:
 * how often Java would apply the aliases (Schema.applyAliases leaves equal schemas alone). */
#include "schemas/avro/plan.h"
#include "schemas/avro/schema_impl.h"

#define STEPS_MAX 200000
#define LARGE 256 /* members of an object */

struct comparison {
	const struct schema_resolver *r;
	const struct schema_node **with; /* by writer's node: what it is, or is being, compared with */
	long steps;
};

/* The member of that name; the usual place, then any. In a large object the usual place only, so that two of
 * them cost no more than their size. */
static const struct bus_json *member_like(const struct bus_json *object, const struct bus_json *usual,
					  struct bus_str name)
{
	const struct bus_json *v;

	if (usual && bus_str_eq(usual->name, name))
		return usual;
	if (object->n > LARGE)
		return NULL;
	for (v = object->first; v && !bus_str_eq(v->name, name);)
		v = v->next;
	return v;
}

bool schema_json_same(const struct bus_json *a, const struct bus_json *b)
{
	const struct bus_json *y;

	if (!a || !b)
		return a == b;
	if (a->type != b->type || a->n != b->n || !bus_str_eq(a->text, b->text))
		return false;
	y = b->first;
	for (const struct bus_json *x = a->first; x; x = x->next) {
		if (a->type == BUS_JSON_OBJECT)
			y = member_like(b, y, x->name);
		if (!y || !schema_json_same(x, y))
			return false;
		y = y->next;
	}
	return true;
}

static bool is_own(const char *const *own, struct bus_str name)
{
	while (*own && !bus_str_is(name, *own))
		own++;
	return *own != NULL;
}

/* The properties of a are those of b, but for Avro's own. */
static bool has_properties(const struct bus_json *a, const struct bus_json *b, const char *const *own)
{
	const struct bus_json *y = b && b->type == BUS_JSON_OBJECT ? b->first : NULL;

	if (!a || a->type != BUS_JSON_OBJECT)
		return true;
	for (const struct bus_json *x = a->first; x; x = x->next) {
		if (is_own(own, x->name))
			continue;
		while (y && is_own(own, y->name))
			y = y->next;
		y = b && b->type == BUS_JSON_OBJECT ? member_like(b, y, x->name) : NULL;
		if (!y || !schema_json_same(x, y))
			return false;
		y = y->next;
	}
	return true;
}

bool schema_properties_same(const struct bus_json *a, const struct bus_json *b, const char *const *own)
{
	return has_properties(a, b, own) && has_properties(b, a, own);
}

static struct bus_str order_of(const struct schema_field *f)
{
	const char *order = schema_property(f->properties, "order");

	return bus_str(order ? order : "ascending");
}

static bool nodes_equal(struct comparison *c, const struct schema_node *w, const struct schema_node *u);

static bool fields_equal(struct comparison *c, const struct schema_node *record, const struct schema_field *w,
			 const struct schema_field *u)
{
	static const char *const own[] = { "name", "type", "doc", "default", "order", "aliases", NULL };

	return strcmp(schema_resolve_name(c->r, record->name, w->name), u->name) == 0 &&
	       schema_json_same(w->fallback, u->fallback) && bus_str_eq(order_of(w), order_of(u)) &&
	       schema_properties_same(w->properties, u->properties, own) && nodes_equal(c, w->type, u->type);
}

static bool parts_equal(struct comparison *c, const struct schema_node *w, const struct schema_node *u)
{
	bool equal = w->n == u->n && w->size == u->size;

	for (size_t i = 0; i < w->n && equal; i++) {
		if (w->type == SCHEMA_RECORD)
			equal = fields_equal(c, w, &w->field[i], &u->field[i]);
		else if (w->type == SCHEMA_ENUM)
			equal = strcmp(w->symbol[i], u->symbol[i]) == 0;
		else
			equal = nodes_equal(c, w->branch[i], u->branch[i]);
	}
	return equal && (!w->item || nodes_equal(c, w->item, u->item));
}

/* Recursion: as deep as one schema nests (SCHEMA_DEPTH_MAX, names followed). */
static bool nodes_equal(struct comparison *c, const struct schema_node *w, const struct schema_node *u)
{
	static const char *const own[] = { "doc",  "fields",  "items",	"name",	   "namespace", "size",
					   "type", "symbols", "values", "aliases", "default",	NULL };

	if (w->type != u->type || ++c->steps > STEPS_MAX)
		return false;
	if (w->name && strcmp(schema_resolve_name(c->r, "", w->name), u->name) != 0)
		return false;
	/* Met before: equal, or the whole comparison fails where that is being found out. */
	if (c->with[w->index] == u)
		return true;
	c->with[w->index] = u;
	return schema_properties_same(w->properties, u->properties, own) && parts_equal(c, w, u);
}

bool schema_resolve_same(const struct schema *writer, const struct schema *reader,
			 const struct schema_resolver *r)
{
	struct comparison c = { .r = r };
	bool same;

	c.with = bus_xcalloc((size_t)writer->count, sizeof(*c.with));
	same = nodes_equal(&c, writer->root, reader->root);
	free((void *)c.with);
	return same;
}
