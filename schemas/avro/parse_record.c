/* The fields of a record: name, type, default, order, aliases. */
#include <math.h>
#include <stdio.h>
#include <strings.h>

#include "schemas/avro/parse.h"

static enum bus_err read_aliases(struct schema_parser *p, const struct schema_place *at,
				 const struct bus_json *v, struct schema_field *field)
{
	const struct bus_json *list = bus_json_get(v, "aliases");
	const char **alias;

	if (!list)
		return BUS_OK;
	if (list->type != BUS_JSON_ARRAY)
		return schema_parse_fail(p, at, "aliases are not a list");
	if (list->n > SCHEMA_ALIASES_MAX)
		return schema_parse_fail(p, at, "more than %d aliases", SCHEMA_ALIASES_MAX);
	alias = bus_arena_alloc(p->arena, (list->n + 1) * sizeof(*alias));
	if (!alias)
		return schema_parse_no_room(p);
	for (const struct bus_json *a = list->first; a; a = a->next) {
		if (a->type != BUS_JSON_STRING || !schema_plain(a->text))
			return schema_parse_fail(p, at, "an alias that is no text");
		alias[field->n_aliases++] = a->text.p;
	}
	field->alias = alias;
	return BUS_OK;
}

static enum bus_err check_order(struct schema_parser *p, const struct schema_place *at,
				const struct bus_json *v)
{
	const char *order = schema_member_text(v, "order");

	if (!bus_json_get(v, "order"))
		return BUS_OK;
	if (!order || (strcasecmp(order, "ascending") != 0 && strcasecmp(order, "descending") != 0 &&
		       strcasecmp(order, "ignore") != 0))
		return schema_parse_fail(p, at, "order is not ascending, descending or ignore");
	return BUS_OK;
}

enum bus_err schema_default_check(struct schema_parser *p, const struct schema_place *at,
				  const struct schema_field *field)
{
	struct schema_unchecked *later;

	if (!field->fallback || (p->flags & SCHEMA_LENIENT))
		return BUS_OK;
	switch (schema_default_fits(field->type, field->fallback, &p->default_steps)) {
	case SCHEMA_FITS:
		return BUS_OK;
	case SCHEMA_MISFIT:
		return schema_parse_fail(p, at, "the default of field '%.100s' does not fit its type",
					 field->name);
	case SCHEMA_FIT_OPEN:
		break;
	}
	later = bus_arena_alloc(p->arena, sizeof(*later));
	if (!later)
		return schema_parse_no_room(p);
	later->field = field;
	later->place = schema_place_text(p, at);
	later->next = p->unchecked;
	p->unchecked = later;
	return later->place ? BUS_OK : schema_parse_no_room(p);
}

/* A text as Java's Double.valueOf reads it: white space around it, a sign, NaN, Infinity, a decimal or
 * hexadecimal number, a letter for its type behind it. */
static bool real_from_text(struct bus_str text, double *out)
{
	static const char digits[] = "0123456789abcdefABCDEF.+-xXpP";
	char copy[400];
	char *p = copy;
	char *end;
	size_t n;

	while (text.n > 0 && (unsigned char)text.p[0] <= ' ') {
		text.p++;
		text.n--;
	}
	while (text.n > 0 && (unsigned char)text.p[text.n - 1] <= ' ')
		text.n--;
	if (text.n == 0 || text.n >= sizeof(copy))
		return false;
	memcpy(copy, text.p, text.n);
	copy[text.n] = '\0';
	n = strcspn(copy, "NI");
	if (n <= 1 && (strcmp(copy + n, "NaN") == 0 || strcmp(copy + n, "Infinity") == 0) &&
	    (n == 0 || copy[0] == '+' || copy[0] == '-')) {
		*out = strtod(copy, NULL);
		return true;
	}
	if (strspn(p, digits) < text.n &&
	    !(strspn(p, digits) == text.n - 1 && strchr("fFdD", copy[text.n - 1])))
		return false;
	*out = strtod(copy, &end);
	/* A hexadecimal number has an exponent, and only it takes f and d for digits. */
	if (end == copy || (strpbrk(copy, "xX") && !strpbrk(copy, "pP")))
		return false;
	return *end == '\0' || (end[1] == '\0' && strchr("fFdD", *end));
}

/* The default of a float or double field may be a number as text (as Java): what it stands for, NULL when it
 * is none. */
static const struct bus_json *number_from_text(struct schema_parser *p, const struct bus_json *v)
{
	struct bus_json *number;
	char text[40];
	double real;

	if (!real_from_text(v->text, &real))
		return NULL;
	number = bus_arena_alloc(p->arena, sizeof(*number));
	if (isnan(real) || isinf(real))
		snprintf(text, sizeof(text), "%s", isnan(real) ? "NaN" : real > 0 ? "Infinity" : "-Infinity");
	else
		snprintf(text, sizeof(text), "%.17e", real);
	if (number) {
		*number = *v;
		number->type = isnan(real) || isinf(real) ? BUS_JSON_STRING : BUS_JSON_NUMBER;
		number->text.p = bus_arena_dup(p->arena, text, strlen(text));
		number->text.n = strlen(text);
	}
	return number && number->text.p ? number : NULL;
}

static enum bus_err read_field(struct schema_parser *p, const struct schema_place *at,
			       const struct bus_json *v, const char *space, struct schema_field *field)
{
	const struct schema_place in_type = { at, "type", 0 };
	const struct bus_json *type = bus_json_get(v, "type");
	enum bus_err rc;

	field->name = v->type == BUS_JSON_OBJECT ? schema_member_text(v, "name") : NULL;
	if (!field->name)
		return schema_parse_fail(p, at, "a field without a name");
	if (strlen(field->name) > SCHEMA_NAME_MAX)
		return schema_parse_fail(p, at, "a field's name of more than %d bytes", SCHEMA_NAME_MAX);
	if (!(p->flags & SCHEMA_LENIENT) && !schema_name_valid(bus_str(field->name)))
		return schema_parse_fail(p, at, "field '%.100s': only letters, digits and _ (no digit first)",
					 field->name);
	if (!type)
		return schema_parse_fail(p, at, "field '%.100s' has no type", field->name);
	field->properties = v;
	field->doc = schema_member_text(v, "doc");
	rc = schema_type_read(p, &in_type, type, space, &field->type);
	if (rc == BUS_OK)
		rc = check_order(p, at, v);
	if (rc == BUS_OK)
		rc = read_aliases(p, at, v, field);
	if (rc != BUS_OK)
		return rc;
	field->fallback = bus_json_get(v, "default");
	if (field->fallback && field->fallback->type == BUS_JSON_STRING && field->type &&
	    (field->type->type == SCHEMA_FLOAT || field->type->type == SCHEMA_DOUBLE)) {
		field->fallback = number_from_text(p, field->fallback);
		if (!field->fallback)
			return schema_parse_fail(p, at, "the default of field '%.100s' is no number",
						 field->name);
	}
	return schema_default_check(p, at, field);
}

enum bus_err schema_fields_read(struct schema_parser *p, const struct schema_place *at,
				const struct bus_json *v, struct schema_node *node)
{
	const struct schema_place in_fields = { at, "fields", 0 };
	const struct bus_json *list = bus_json_get(v, "fields");
	const char *space = bus_arena_dup(p->arena, node->name, schema_space_len(node->name));
	const char *twice = NULL;
	struct schema_field *field;
	size_t i = 0;

	if (!list || list->type != BUS_JSON_ARRAY)
		return schema_parse_fail(p, at, "record '%.200s' has no fields", node->name);
	field = bus_arena_zalloc(p->arena, (list->n + 1) * sizeof(*field));
	if (!field || !space)
		return schema_parse_no_room(p);
	for (const struct bus_json *f = list->first; f; f = f->next, i++) {
		const struct schema_place here = { &in_fields, NULL, i };
		enum bus_err rc = read_field(p, &here, f, space, &field[i]);

		if (rc != BUS_OK)
			return rc;
	}
	node->field = field;
	node->n = list->n;
	node->sorted = schema_sort(p->arena, node, &twice);
	if (!node->sorted)
		return schema_parse_no_room(p);
	if (twice)
		return schema_parse_fail(p, at, "field '%.100s' twice in record '%.200s'", twice, node->name);
	return BUS_OK;
}
