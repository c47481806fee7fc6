/* The text that Avro Java's Schema.toString() gives: fixed order of members, properties kept, numbers and
 * strings as Jackson writes them. Confluent's registry stores and returns this text, and its clients look
 * schemas up by it, so it must be the same to the byte. */
#include <math.h>
#include <stdio.h>
#include <strings.h>

#include "schemas/avro/canon.h"
#include "schemas/avro/schema_impl.h"

struct writer {
	struct bus_buf *out;
	bool *named; /* by node: written already, now its name is enough */
	int own;     /* nodes below it have their definition elsewhere: in a reference */
};

static void put(struct writer *w, const struct schema_node *node, struct bus_str space);

void schema_put_jackson(struct bus_buf *out, struct bus_str s)
{
	static const char letter[32] = {
		['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r'
	};

	bus_buf_putc(out, '"');
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c == '"' || c == '\\') {
			bus_buf_putc(out, '\\');
			bus_buf_putc(out, (char)c);
		} else if (c >= 0x20) {
			bus_buf_putc(out, (char)c);
		} else if (letter[c]) {
			bus_buf_putc(out, '\\');
			bus_buf_putc(out, letter[c]);
		} else {
			bus_buf_printf(out, "\\u%04X", c);
		}
	}
	bus_buf_putc(out, '"');
}

/* Java's Double.toString (19 and later): the fewest digits that read back, at least one after the point,
 * and an exponent below 1e-3 and from 1e7 on. */
static void put_double(struct bus_buf *out, double v)
{
	char text[40];
	char digit[24];
	char *e;
	int n = 0;
	int exponent;

	if (isnan(v) || isinf(v)) {
		bus_buf_puts(out, isnan(v) ? "\"NaN\"" : v > 0 ? "\"Infinity\"" : "\"-Infinity\"");
		return;
	}
	/* Where one digit would do, Java takes the nearest of two: 4.9E-324. */
	for (int precision = 1; precision <= 16; precision++) {
		snprintf(text, sizeof(text), "%.*e", precision, fabs(v));
		if (strtod(text, NULL) == fabs(v))
			break;
	}
	e = strchr(text, 'e');
	exponent = (int)strtol(e + 1, NULL, 10);
	for (const char *c = text; c < e; c++)
		if (*c != '.')
			digit[n++] = *c;
	while (n > 1 && digit[n - 1] == '0')
		n--;
	if (signbit(v))
		bus_buf_putc(out, '-');
	if (v == 0 || (exponent >= -3 && exponent < 7)) {
		if (exponent < 0)
			bus_buf_printf(out, "0.%.*s%.*s", -exponent - 1, "000", n, digit);
		else if (n <= exponent + 1)
			bus_buf_printf(out, "%.*s%.*s.0", n, digit, exponent + 1 - n, "0000000");
		else
			bus_buf_printf(out, "%.*s.%.*s", exponent + 1, digit, n - exponent - 1,
				       digit + exponent + 1);
		return;
	}
	bus_buf_printf(out, "%c.%.*sE%d", digit[0], n > 1 ? n - 1 : 1, n > 1 ? digit + 1 : "0", exponent);
}

static void put_number(struct bus_buf *out, const struct bus_json *v)
{
	double real;

	for (size_t i = 0; i < v->text.n; i++) {
		char c = v->text.p[i];

		if (c != '.' && c != 'e' && c != 'E')
			continue;
		if (schema_real(v, &real))
			put_double(out, real);
		else /* more digits than a double is ever written with */
			bus_buf_put(out, v->text.p, v->text.n);
		return;
	}
	if (bus_str_is(v->text, "-0"))
		bus_buf_putc(out, '0');
	else
		bus_buf_put(out, v->text.p, v->text.n);
}

static void put_json(struct bus_buf *out, const struct bus_json *v)
{
	switch (v->type) {
	case BUS_JSON_NULL:
		bus_buf_puts(out, "null");
		break;
	case BUS_JSON_FALSE:
		bus_buf_puts(out, "false");
		break;
	case BUS_JSON_TRUE:
		bus_buf_puts(out, "true");
		break;
	case BUS_JSON_NUMBER:
		put_number(out, v);
		break;
	case BUS_JSON_STRING:
		schema_put_jackson(out, v->text);
		break;
	default:
		bus_buf_putc(out, v->type == BUS_JSON_OBJECT ? '{' : '[');
		for (const struct bus_json *child = v->first; child; child = child->next) {
			if (child != v->first)
				bus_buf_putc(out, ',');
			if (v->type == BUS_JSON_OBJECT) {
				schema_put_jackson(out, child->name);
				bus_buf_putc(out, ':');
			}
			put_json(out, child);
		}
		bus_buf_putc(out, v->type == BUS_JSON_OBJECT ? '}' : ']');
	}
}

static void put_member(struct bus_buf *out, const char *name, const struct bus_json *v)
{
	bus_buf_printf(out, ",\"%s\":", name);
	put_json(out, v);
}

/* The members that Avro gives no meaning to; those it does are listed, NULL at the end. */
static void put_properties(struct bus_buf *out, const struct bus_json *object, const char *const *known)
{
	for (const struct bus_json *v = object ? object->first : NULL; v; v = v->next) {
		size_t i = 0;

		while (known[i] && !bus_str_is(v->name, known[i]))
			i++;
		if (known[i])
			continue;
		bus_buf_putc(out, ',');
		schema_put_jackson(out, v->name);
		bus_buf_putc(out, ':');
		put_json(out, v);
	}
}

static const char *const type_member[] = { "type", "doc",     "fields", "items",   "name", "namespace",
					   "size", "symbols", "values", "aliases", NULL };
static const char *const enum_member[] = { "type", "doc",     "fields", "items",   "name",    "namespace",
					   "size", "symbols", "values", "aliases", "default", NULL };
static const char *const field_member[] = { "default", "doc", "name", "order", "type", "aliases", NULL };

static void put_string_member(struct bus_buf *out, const struct bus_json *object, const char *name)
{
	const struct bus_json *v = bus_json_get(object, name);

	if (v && v->type == BUS_JSON_STRING)
		put_member(out, name, v);
}

/* A full name as seen from a namespace: the short one when that means the same. */
static void put_reference(struct bus_buf *out, const char *full, struct bus_str space)
{
	const char *name = schema_short_name(full);
	enum schema_type type;

	if (space.n == 0 || !bus_str_eq((struct bus_str){ full, schema_space_len(full) }, space) ||
	    schema_type_parse(bus_str(name), &type))
		name = full;
	schema_put_jackson(out, bus_str(name));
}

static void put_aliases(struct bus_buf *out, const struct schema_node *node)
{
	const struct bus_str space = { node->name, schema_space_len(node->name) };

	for (size_t i = 0; i < node->n_aliases; i++) {
		bus_buf_puts(out, i > 0 ? "," : ",\"aliases\":[");
		put_reference(out, node->alias[i], space);
	}
	if (node->n_aliases > 0)
		bus_buf_putc(out, ']');
}

static void put_field_aliases(struct bus_buf *out, const struct schema_field *field)
{
	bool some = false;

	for (size_t i = 0; i < field->n_aliases; i++) {
		size_t k = 0;

		while (k < i && strcmp(field->alias[k], field->alias[i]) != 0)
			k++;
		if (k < i)
			continue;
		bus_buf_puts(out, some ? "," : ",\"aliases\":[");
		schema_put_jackson(out, bus_str(field->alias[i]));
		some = true;
	}
	if (some)
		bus_buf_putc(out, ']');
}

static void put_field(struct writer *w, const struct schema_field *field, struct bus_str space)
{
	const struct bus_json *order = bus_json_get(field->properties, "order");

	bus_buf_puts(w->out, "{\"name\":");
	schema_put_jackson(w->out, bus_str(field->name));
	bus_buf_puts(w->out, ",\"type\":");
	put(w, field->type, space);
	put_string_member(w->out, field->properties, "doc");
	if (field->fallback)
		put_member(w->out, "default", field->fallback);
	if (order && strcasecmp(order->text.p, "ascending") != 0)
		bus_buf_printf(w->out, ",\"order\":\"%s\"",
			       strcasecmp(order->text.p, "ignore") == 0 ? "ignore" : "descending");
	put_field_aliases(w->out, field);
	put_properties(w->out, field->properties, field_member);
	bus_buf_putc(w->out, '}');
}

static void put_name(struct bus_buf *out, const struct schema_node *node, struct bus_str outer)
{
	const struct bus_str space = { node->name, schema_space_len(node->name) };

	bus_buf_puts(out, ",\"name\":");
	schema_put_jackson(out, bus_str(schema_short_name(node->name)));
	if (!bus_str_eq(space, outer)) {
		bus_buf_puts(out, ",\"namespace\":");
		schema_put_jackson(out, space);
	}
}

static void put_named(struct writer *w, const struct schema_node *node, struct bus_str outer)
{
	const struct bus_str space = { node->name, schema_space_len(node->name) };
	struct bus_buf *out = w->out;

	if (w->named[node->index] || node->index < w->own) {
		put_reference(out, node->name, outer);
		return;
	}
	w->named[node->index] = true;
	bus_buf_printf(out, "{\"type\":\"%s\"",
		       bus_str_is(bus_json_get(node->properties, "type")->text, "error")
			   ? "error"
			   : schema_type_name(node->type));
	put_name(out, node, outer);
	put_string_member(out, node->properties, "doc");
	if (node->type == SCHEMA_RECORD) {
		bus_buf_puts(out, ",\"fields\":[");
		for (size_t i = 0; i < node->n; i++) {
			if (i > 0)
				bus_buf_putc(out, ',');
			put_field(w, &node->field[i], space);
		}
		bus_buf_putc(out, ']');
	} else if (node->type == SCHEMA_ENUM) {
		bus_buf_puts(out, ",\"symbols\":[");
		for (size_t i = 0; i < node->n; i++) {
			if (i > 0)
				bus_buf_putc(out, ',');
			schema_put_jackson(out, bus_str(node->symbol[i]));
		}
		bus_buf_putc(out, ']');
		put_string_member(out, node->properties, "default");
	} else {
		bus_buf_printf(out, ",\"size\":%zu", node->size);
	}
	put_properties(out, node->properties, node->type == SCHEMA_ENUM ? enum_member : type_member);
	put_aliases(out, node);
	bus_buf_putc(out, '}');
}

static bool has_properties(const struct schema_node *node)
{
	struct bus_buf b = { 0 };
	bool has;

	put_properties(&b, node->properties, type_member);
	has = b.n > 0;
	bus_buf_release(&b);
	return has;
}

static void put(struct writer *w, const struct schema_node *node, struct bus_str space)
{
	const char *name = schema_type_name(node->type);

	switch (node->type) {
	case SCHEMA_RECORD:
	case SCHEMA_ENUM:
	case SCHEMA_FIXED:
		put_named(w, node, space);
		break;
	case SCHEMA_UNION:
		bus_buf_putc(w->out, '[');
		for (size_t i = 0; i < node->n; i++) {
			if (i > 0)
				bus_buf_putc(w->out, ',');
			put(w, node->branch[i], space);
		}
		bus_buf_putc(w->out, ']');
		break;
	case SCHEMA_ARRAY:
	case SCHEMA_MAP:
		bus_buf_printf(w->out, "{\"type\":\"%s\",\"%s\":", name,
			       node->type == SCHEMA_ARRAY ? "items" : "values");
		put(w, node->item, space);
		put_properties(w->out, node->properties, type_member);
		bus_buf_putc(w->out, '}');
		break;
	default:
		if (!has_properties(node)) {
			bus_buf_printf(w->out, "\"%s\"", name);
			break;
		}
		bus_buf_printf(w->out, "{\"type\":\"%s\"", name);
		put_properties(w->out, node->properties, type_member);
		bus_buf_putc(w->out, '}');
	}
}

static void put_schema(const struct schema *s, int own, struct bus_buf *out)
{
	struct writer w = { .out = out, .own = own };

	w.named = bus_xcalloc((size_t)s->count, sizeof(*w.named));
	put(&w, s->root, (struct bus_str){ "", 0 });
	free(w.named);
}

void schema_to_string(const struct schema *s, struct bus_buf *out)
{
	put_schema(s, s->own, out);
}

void schema_to_string_whole(const struct schema *s, struct bus_buf *out)
{
	put_schema(s, 0, out);
}
