#include "schemas/avro/normal.h"

#include <strings.h>

#include "bus/json_out.h"
#include "schemas/avro/schema_impl.h"

struct writer {
	struct bus_buf *out;
	bool *named; /* by node: written already */
	int own;     /* nodes below it come from references */
};

static void put(struct writer *w, const struct schema_node *node);

static void put_text(struct bus_buf *out, struct bus_str s)
{
	struct bus_json_out j = { .buf = out };

	bus_json_put_str(&j, s);
}

static void put_name(struct bus_buf *out, const char *name)
{
	put_text(out, bus_str(name));
}

static int by_name(const void *a, const void *b)
{
	const struct bus_str x = (*(const struct bus_json *const *)a)->name,
			     y = (*(const struct bus_json *const *)b)->name;
	int order = memcmp(x.p, y.p, x.n < y.n ? x.n : y.n);

	return order != 0 ? order : x.n < y.n ? -1 : x.n > y.n;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The object's members in the order of their names; on the heap. */
static const struct bus_json **sorted(const struct bus_json *object)
{
	const struct bus_json **list = bus_xmalloc((object->n + 1) * sizeof(struct bus_json *));
	size_t n = 0;

	for (const struct bus_json *v = object->first; v; v = v->next)
		list[n++] = v;
	qsort(list, n, sizeof(struct bus_json *), by_name);
	return list;
}

/* The type of a part of a default, as far as it is known. */
static const struct schema_node *part_type(const struct schema_node *type, const struct bus_json *part)
{
	if (type && type->type == SCHEMA_UNION)
		type = type->n > 0 ? type->branch[0] : NULL;
	if (!type)
		return NULL;
	if (type->type == SCHEMA_ARRAY || type->type == SCHEMA_MAP)
		return type->item;
	for (size_t i = 0; type->type == SCHEMA_RECORD && i < type->n; i++)
		if (bus_str_is(part->name, type->field[i].name))
			return type->field[i].type;
	return NULL;
}

static bool is_real(const struct schema_node *type)
{
	if (type && type->type == SCHEMA_UNION)
		type = type->n > 0 ? type->branch[0] : NULL;
	return type && (type->type == SCHEMA_FLOAT || type->type == SCHEMA_DOUBLE);
}

/* A value with its objects' members sorted. type: of a default, whose whole numbers Java writes as 1.0 where
 * a float or double is meant; else NULL. */
static void put_json(struct bus_buf *out, const struct bus_json *v, const struct schema_node *type)
{
	const struct bus_json **list;

	switch (v->type) {
	case BUS_JSON_NULL:
		bus_buf_puts(out, "null");
		return;
	case BUS_JSON_FALSE:
	case BUS_JSON_TRUE:
		bus_buf_puts(out, v->type == BUS_JSON_TRUE ? "true" : "false");
		return;
	case BUS_JSON_NUMBER:
		bus_buf_put(out, v->text.p, v->text.n);
		if (is_real(type) && !memchr(v->text.p, '.', v->text.n) &&
		    !memchr(v->text.p, 'e', v->text.n) && !memchr(v->text.p, 'E', v->text.n))
			bus_buf_puts(out, ".0");
		return;
	case BUS_JSON_STRING:
		put_text(out, v->text);
		return;
	case BUS_JSON_ARRAY:
		bus_buf_putc(out, '[');
		for (const struct bus_json *c = v->first; c; c = c->next) {
			if (c != v->first)
				bus_buf_putc(out, ',');
			put_json(out, c, part_type(type, c));
		}
		bus_buf_putc(out, ']');
		return;
	default:
		list = sorted(v);
		bus_buf_putc(out, '{');
		for (size_t i = 0; i < v->n; i++) {
			if (i > 0)
				bus_buf_putc(out, ',');
			put_text(out, list[i]->name);
			bus_buf_putc(out, ':');
			put_json(out, list[i], part_type(type, list[i]));
		}
		bus_buf_putc(out, '}');
		free(list);
	}
}

static bool listed(struct bus_str name, const char *const *list)
{
	for (; *list; list++)
		if (bus_str_is(name, *list))
			return true;
	return false;
}

static const char *const type_member[] = { "type", "doc",     "fields", "items",   "name", "namespace",
					   "size", "symbols", "values", "aliases", NULL };
static const char *const enum_member[] = { "type", "doc",     "fields", "items",   "name",    "namespace",
					   "size", "symbols", "values", "aliases", "default", NULL };
static const char *const field_member[] = { "default", "doc", "name", "order", "type", "aliases", NULL };
static const char *const logical_member[] = { "logicalType", NULL };
static const char *const decimal_member[] = { "logicalType", "precision", "scale", NULL };
static const char *const whole_decimal_member[] = { "logicalType", "precision", NULL };
static const char *const none[] = { NULL };

/* Members without a meaning to Avro, but for those that were written first. */
static void put_properties(struct bus_buf *out, const struct bus_json *object, const char *const *known,
			   const char *const *written)
{
	const struct bus_json **list;

	if (!object || object->type != BUS_JSON_OBJECT)
		return;
	list = sorted(object);
	for (size_t i = 0; i < object->n; i++) {
		if (listed(list[i]->name, known) || listed(list[i]->name, written))
			continue;
		bus_buf_putc(out, ',');
		put_text(out, list[i]->name);
		bus_buf_putc(out, ':');
		put_json(out, list[i], NULL);
	}
	free(list);
}

/* Properties of a type, a valid logical type first. */
static void put_type_properties(struct bus_buf *out, const struct schema_node *node, const char *const *known)
{
	const char *const *written = none;

	if (node->logical != SCHEMA_LOGICAL_NONE) {
		bus_buf_puts(out, ",\"logicalType\":");
		put_name(out, schema_property(node->properties, "logicalType"));
		written = logical_member;
	}
	if (node->logical == SCHEMA_DECIMAL) {
		bus_buf_printf(out, ",\"precision\":%d", node->precision);
		if (node->scale != 0)
			bus_buf_printf(out, ",\"scale\":%d", node->scale);
		written = node->scale != 0 ? decimal_member : whole_decimal_member;
	}
	put_properties(out, node->properties, known, written);
}

static void put_aliases(struct bus_buf *out, const char *const *alias, size_t n)
{
	const char **list;

	if (n == 0)
		return;
	list = bus_xmalloc(n * sizeof(*list));
	memcpy(list, alias, n * sizeof(*list));
	qsort(list, n, sizeof(*list), by_text);
	bus_buf_puts(out, ",\"aliases\":[");
	for (size_t i = 0; i < n; i++) {
		if (i > 0 && strcmp(list[i], list[i - 1]) == 0)
			continue;
		if (i > 0)
			bus_buf_putc(out, ',');
		put_name(out, list[i]);
	}
	bus_buf_putc(out, ']');
	free(list);
}

static void put_member(struct bus_buf *out, const char *name, const struct bus_json *v)
{
	bus_buf_printf(out, ",\"%s\":", name);
	put_json(out, v, NULL);
}

static void put_field(struct writer *w, const struct schema_field *f)
{
	const struct bus_json *order = bus_json_get(f->properties, "order");

	bus_buf_puts(w->out, "{\"name\":");
	put_name(w->out, f->name);
	bus_buf_puts(w->out, ",\"type\":");
	put(w, f->type);
	bus_buf_printf(w->out, ",\"order\":\"%s\"",
		       !order || order->type != BUS_JSON_STRING				    ? "ascending"
		       : order->text.n == 6 && strncasecmp(order->text.p, "ignore", 6) == 0 ? "ignore"
		       : order->text.n == 10						    ? "descending"
											    : "ascending");
	if (f->doc)
		put_member(w->out, "doc", bus_json_get(f->properties, "doc"));
	put_aliases(w->out, f->alias, f->n_aliases);
	if (f->fallback) {
		bus_buf_puts(w->out, ",\"default\":");
		put_json(w->out, f->fallback, f->type);
	}
	put_properties(w->out, f->properties, field_member, none);
	bus_buf_putc(w->out, '}');
}

static void put_named(struct writer *w, const struct schema_node *node)
{
	struct bus_buf *out = w->out;

	if (w->named[node->index] || node->index < w->own) {
		put_name(out, node->name);
		return;
	}
	w->named[node->index] = true;
	bus_buf_puts(out, "{\"name\":");
	put_name(out, node->name);
	bus_buf_printf(out, ",\"type\":\"%s\"", schema_type_name(node->type));
	if (node->type == SCHEMA_FIXED) {
		bus_buf_printf(out, ",\"size\":%zu", node->size);
	} else {
		bus_buf_puts(out, node->type == SCHEMA_ENUM ? ",\"symbols\":[" : ",\"fields\":[");
		for (size_t i = 0; i < node->n; i++) {
			if (i > 0)
				bus_buf_putc(out, ',');
			if (node->type == SCHEMA_ENUM)
				put_name(out, node->symbol[i]);
			else
				put_field(w, &node->field[i]);
		}
		bus_buf_putc(out, ']');
	}
	if (node->doc && node->doc[0])
		put_member(out, "doc", bus_json_get(node->properties, "doc"));
	put_aliases(out, node->alias, node->n_aliases);
	if (node->type == SCHEMA_ENUM && node->fallback_symbol) {
		bus_buf_puts(out, ",\"default\":");
		put_name(out, node->fallback_symbol);
	}
	put_type_properties(out, node, node->type == SCHEMA_ENUM ? enum_member : type_member);
	bus_buf_putc(out, '}');
}

static void put(struct writer *w, const struct schema_node *node)
{
	const char *name = schema_type_name(node->type);
	struct bus_buf more = { 0 };

	switch (node->type) {
	case SCHEMA_RECORD:
	case SCHEMA_ENUM:
	case SCHEMA_FIXED:
		put_named(w, node);
		return;
	case SCHEMA_UNION:
		bus_buf_putc(w->out, '[');
		for (size_t i = 0; i < node->n; i++) {
			if (i > 0)
				bus_buf_putc(w->out, ',');
			put(w, node->branch[i]);
		}
		bus_buf_putc(w->out, ']');
		return;
	case SCHEMA_ARRAY:
	case SCHEMA_MAP:
		bus_buf_printf(w->out, "{\"type\":\"%s\",\"%s\":", name,
			       node->type == SCHEMA_ARRAY ? "items" : "values");
		put(w, node->item);
		put_type_properties(w->out, node, type_member);
		bus_buf_putc(w->out, '}');
		return;
	default:
		put_type_properties(&more, node, type_member);
		if (more.n == 0)
			bus_buf_printf(w->out, "\"%s\"", name);
		else
			bus_buf_printf(w->out, "{\"type\":\"%s\"%.*s}", name, (int)more.n, more.p);
		bus_buf_release(&more);
	}
}

void schema_normalize(const struct schema *s, int flags, struct bus_buf *out)
{
	struct writer w = { .out = out, .own = flags & SCHEMA_NORMAL_WHOLE ? 0 : s->own };

	w.named = bus_xcalloc((size_t)s->count, sizeof(*w.named));
	put(&w, s->root);
	free(w.named);
}
