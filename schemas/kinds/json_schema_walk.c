#include <stdarg.h>
#include <stdio.h>

#include "schemas/kinds/json_schema.h"

#define ALL 31
#define FROM_6 30
#define FROM_7 28
#define FROM_2019 24
#define TO_2019 15

enum want {
	ANY,
	BOOL,
	STRING,
	ARRAY,
	NUMBER,
	POSITIVE, /* a number over 0 */
	COUNT,	  /* a whole number, not negative */
	PATTERN,
	TYPE,
	NAMES,	   /* strings, none twice */
	NAMES_MAP, /* an object of them */
	BOOL_MAP,
	SCHEMA,
	SCHEMA_OR_BOOL, /* draft 4 has no true and false for schemas but here */
	SCHEMAS,	/* an array of at least one */
	SCHEMA_MAP,
	PATTERN_MAP,  /* whose names are patterns */
	ITEMS,	      /* a schema, or an array */
	DEPENDENCIES, /* an object of schemas and of names */
	REF,
};

static const struct keyword {
	const char *name;
	unsigned drafts;
	enum want want;
} keywords[] = {
	{ "$comment", FROM_7, STRING },
	{ "$defs", FROM_2019, SCHEMA_MAP },
	{ "$dynamicRef", SCHEMA_JSON_2020, REF },
	{ "$recursiveAnchor", SCHEMA_JSON_2019, BOOL },
	{ "$recursiveRef", SCHEMA_JSON_2019, REF },
	{ "$ref", ALL, REF },
	{ "$schema", ALL, STRING },
	{ "$vocabulary", FROM_2019, BOOL_MAP },
	{ "additionalItems", SCHEMA_JSON_4, SCHEMA_OR_BOOL },
	{ "additionalItems", FROM_6 &TO_2019, SCHEMA },
	{ "additionalProperties", SCHEMA_JSON_4, SCHEMA_OR_BOOL },
	{ "additionalProperties", FROM_6, SCHEMA },
	{ "allOf", ALL, SCHEMAS },
	{ "anyOf", ALL, SCHEMAS },
	{ "const", FROM_6, ANY },
	{ "contains", FROM_6, SCHEMA },
	{ "contentEncoding", FROM_7, STRING },
	{ "contentMediaType", FROM_7, STRING },
	{ "contentSchema", FROM_2019, SCHEMA },
	{ "definitions", ALL, SCHEMA_MAP },
	{ "dependencies", ALL, DEPENDENCIES },
	{ "dependentRequired", FROM_2019, NAMES_MAP },
	{ "dependentSchemas", FROM_2019, SCHEMA_MAP },
	{ "deprecated", FROM_2019, BOOL },
	{ "description", ALL, STRING },
	{ "else", FROM_7, SCHEMA },
	{ "enum", ALL, ARRAY },
	{ "examples", FROM_6, ARRAY },
	{ "exclusiveMaximum", SCHEMA_JSON_4, BOOL },
	{ "exclusiveMaximum", FROM_6, NUMBER },
	{ "exclusiveMinimum", SCHEMA_JSON_4, BOOL },
	{ "exclusiveMinimum", FROM_6, NUMBER },
	{ "format", ALL, STRING },
	{ "if", FROM_7, SCHEMA },
	{ "items", TO_2019, ITEMS },
	{ "items", SCHEMA_JSON_2020, SCHEMA },
	{ "maxContains", FROM_2019, COUNT },
	{ "maxItems", ALL, COUNT },
	{ "maxLength", ALL, COUNT },
	{ "maxProperties", ALL, COUNT },
	{ "maximum", ALL, NUMBER },
	{ "minContains", FROM_2019, COUNT },
	{ "minItems", ALL, COUNT },
	{ "minLength", ALL, COUNT },
	{ "minProperties", ALL, COUNT },
	{ "minimum", ALL, NUMBER },
	{ "multipleOf", ALL, POSITIVE },
	{ "not", ALL, SCHEMA },
	{ "oneOf", ALL, SCHEMAS },
	{ "pattern", ALL, PATTERN },
	{ "patternProperties", ALL, PATTERN_MAP },
	{ "prefixItems", SCHEMA_JSON_2020, SCHEMAS },
	{ "properties", ALL, SCHEMA_MAP },
	{ "propertyNames", FROM_6, SCHEMA },
	{ "readOnly", FROM_7, BOOL },
	{ "required", ALL, NAMES },
	{ "then", FROM_7, SCHEMA },
	{ "title", ALL, STRING },
	{ "type", ALL, TYPE },
	{ "unevaluatedItems", FROM_2019, SCHEMA },
	{ "unevaluatedProperties", FROM_2019, SCHEMA },
	{ "uniqueItems", ALL, BOOL },
	{ "writeOnly", FROM_7, BOOL },
};

enum bus_err schema_json_no_room(struct schema_json_walk *w)
{
	return bus_fail(w->err, BUS_ETOOBIG, "the schema needs more than %zu bytes of memory to be checked",
			SCHEMA_KIND_MEMORY_MAX);
}

static void put_step(struct bus_buf *out, const struct schema_json_place *at)
{
	bus_buf_putc(out, '/');
	if (!at->step.p) {
		bus_buf_printf(out, "%zu", at->index);
		return;
	}
	for (size_t i = 0; i < at->step.n && i < 60; i++) {
		char c = at->step.p[i];

		if (c == '~' || c == '/')
			bus_buf_puts(out, c == '~' ? "~0" : "~1");
		else
			bus_buf_putc(out, (unsigned char)c < 0x20 ? '?' : c);
	}
}

enum bus_err schema_json_fail(struct schema_json_walk *w, const struct schema_json_place *at,
			      const char *keyword, const char *fmt, ...)
{
	const struct schema_json_place *path[SCHEMA_KIND_DEPTH_MAX * 2 + 2];
	struct bus_buf where = { 0 };
	char what[300];
	enum bus_err rc;
	size_t n = 0;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	for (; at->up && n < BUS_LEN(path); at = at->up)
		path[n++] = at;
	while (n > 0)
		put_step(&where, path[--n]);
	if (keyword)
		bus_buf_printf(&where, "/%s", keyword);
	if (where.n > 160) { /* its end says more than its start */
		memcpy(where.p + where.n - 160, "...", 3);
		rc = bus_fail(w->err, BUS_ESCHEMA, "at '%s': %s", bus_buf_cstr(&where) + where.n - 160, what);
	} else {
		rc = bus_fail(w->err, BUS_ESCHEMA, "at '%s': %s", where.n ? bus_buf_cstr(&where) : "/", what);
	}
	bus_buf_release(&where);
	return rc;
}

struct schema_json_place *schema_json_enter(struct schema_json_walk *w, const struct schema_json_place *up,
					    const struct bus_json *v, struct bus_str step, size_t index)
{
	struct schema_json_place *at = bus_arena_zalloc(w->arena, sizeof(*at));

	if (!at)
		return NULL;
	*at = (struct schema_json_place){ .up = up, .v = v, .step = step, .index = index };
	if (up) {
		at->resource = up->resource;
		at->base = up->base;
	}
	*w->tail = at;
	w->tail = &at->next;
	return at;
}

static bool is_bool(const struct bus_json *v)
{
	return v->type == BUS_JSON_TRUE || v->type == BUS_JSON_FALSE;
}

static enum bus_err enter_schema(struct schema_json_walk *w, const struct schema_json_place *up,
				 const struct bus_json *v, struct bus_str step, size_t index)
{
	return schema_json_enter(w, up, v, step, index) ? BUS_OK : schema_json_no_room(w);
}

/* The place of a keyword that holds schemas itself: only for the path. */
static struct schema_json_place *inside(struct schema_json_walk *w, const struct schema_json_place *at,
					const struct bus_json *v)
{
	struct schema_json_place *p = bus_arena_zalloc(w->arena, sizeof(*p));

	if (p)
		*p = (struct schema_json_place){
			.up = at, .v = v, .step = v->name, .resource = at->resource, .base = at->base
		};
	return p;
}

static enum bus_err enter_all(struct schema_json_walk *w, const struct schema_json_place *at,
			      const struct bus_json *v)
{
	struct schema_json_place *here = inside(w, at, v);
	enum bus_err rc = here ? BUS_OK : schema_json_no_room(w);
	size_t i = 0;

	for (const struct bus_json *m = v->first; m && rc == BUS_OK; m = m->next, i++)
		rc =
		    enter_schema(w, here, m, v->type == BUS_JSON_OBJECT ? m->name : (struct bus_str){ 0 }, i);
	return rc;
}

static int by_text(const void *a, const void *b)
{
	struct bus_str x = (*(const struct bus_json *const *)a)->text;
	struct bus_str y = (*(const struct bus_json *const *)b)->text;
	int c = memcmp(x.p, y.p, x.n < y.n ? x.n : y.n);

	return c ? c : (x.n > y.n) - (x.n < y.n);
}

static enum bus_err check_names(struct schema_json_walk *w, const struct schema_json_place *at,
				const char *keyword, const struct bus_json *v)
{
	const struct bus_json **name;
	enum bus_err rc = BUS_OK;
	size_t n = 0;

	if (v->type != BUS_JSON_ARRAY)
		return schema_json_fail(w, at, keyword, "must be an array of names");
	name = bus_xcalloc(v->n + 1, sizeof(*name));
	for (const struct bus_json *m = v->first; m; m = m->next)
		if (m->type == BUS_JSON_STRING)
			name[n++] = m;
	qsort(name, n, sizeof(*name), by_text);
	if (n < v->n)
		rc = schema_json_fail(w, at, keyword, "must hold names only, each in quotes");
	for (size_t i = 1; i < n && rc == BUS_OK; i++)
		if (bus_str_eq(name[i - 1]->text, name[i]->text))
			rc = schema_json_fail(w, at, keyword, "'%.*s' stands there twice",
					      (int)(name[i]->text.n < 60 ? name[i]->text.n : 60),
					      name[i]->text.p);
	free(name);
	return rc;
}

static bool is_type(const struct bus_json *v)
{
	static const char *const type[] = { "array",  "boolean", "integer", "null",
					    "number", "object",	 "string" };

	for (size_t i = 0; i < BUS_LEN(type); i++)
		if (v->type == BUS_JSON_STRING && bus_str_is(v->text, type[i]))
			return true;
	return false;
}

static enum bus_err check_type(struct schema_json_walk *w, const struct schema_json_place *at,
			       const struct bus_json *v)
{
	bool ok = v->type == BUS_JSON_ARRAY ? v->n > 0 : is_type(v);

	if (v->type == BUS_JSON_ARRAY) {
		for (const struct bus_json *m = v->first; m; m = m->next)
			ok = ok && is_type(m);
		if (ok)
			return check_names(w, at, "type", v);
	}
	return ok ? BUS_OK
		  : schema_json_fail(
			w, at, "type",
			"must be one of \"array\", \"boolean\", \"integer\", \"null\", \"number\", "
			"\"object\", \"string\", or an array of some of them");
}

static enum bus_err check_pattern(struct schema_json_walk *w, const struct schema_json_place *at,
				  const char *keyword, struct bus_str pattern)
{
	const char *wrong = schema_json_pattern(pattern);

	return wrong ? schema_json_fail(w, at, keyword, "'%.*s' is no regular expression: %s",
					(int)(pattern.n < 80 ? pattern.n : 80), pattern.p, wrong)
		     : BUS_OK;
}

static bool is_positive(struct bus_str number)
{
	if (number.p[0] == '-')
		return false;
	for (size_t i = 0; i < number.n && number.p[i] != 'e' && number.p[i] != 'E'; i++)
		if (number.p[i] >= '1' && number.p[i] <= '9')
			return true;
	return false;
}

static enum bus_err note_ref(struct schema_json_walk *w, const struct schema_json_place *at,
			     const struct keyword *k, const struct bus_json *v)
{
	struct schema_json_ref *r;

	if (v->type != BUS_JSON_STRING)
		return schema_json_fail(w, at, k->name,
					"must be a string: a URI reference such as \"#/definitions/X\"");
	if (w->foreign)
		return BUS_OK;
	r = bus_arena_zalloc(w->arena, sizeof(*r));
	if (!r)
		return schema_json_no_room(w);
	*r = (struct schema_json_ref){ .at = at, .keyword = k->name, .text = v->text };
	*w->refs_tail = r;
	w->refs_tail = &r->next;
	return BUS_OK;
}

static enum bus_err check_map(struct schema_json_walk *w, const struct schema_json_place *at,
			      const struct keyword *k, const struct bus_json *v)
{
	enum bus_err rc = BUS_OK;

	if (v->type != BUS_JSON_OBJECT)
		return schema_json_fail(w, at, k->name, "must be an object");
	for (const struct bus_json *m = v->first; m && rc == BUS_OK; m = m->next) {
		if (k->want == BOOL_MAP && !is_bool(m))
			rc = schema_json_fail(w, at, k->name, "must hold true and false only");
		else if (k->want == PATTERN_MAP)
			rc = check_pattern(w, at, k->name, m->name);
		else if (k->want == NAMES_MAP || (k->want == DEPENDENCIES && m->type == BUS_JSON_ARRAY))
			rc = check_names(w, at, k->name, m);
	}
	if (rc || k->want == BOOL_MAP || k->want == NAMES_MAP)
		return rc;
	if (k->want == DEPENDENCIES) {
		struct schema_json_place *here = inside(w, at, v);

		for (const struct bus_json *m = v->first; m && here && rc == BUS_OK; m = m->next)
			if (m->type != BUS_JSON_ARRAY)
				rc = enter_schema(w, here, m, m->name, 0);
		return here ? rc : schema_json_no_room(w);
	}
	return enter_all(w, at, v);
}

static enum bus_err check_number(struct schema_json_walk *w, const struct schema_json_place *at,
				 const struct keyword *k, const struct bus_json *v)
{
	int64_t n;

	if (v->type != BUS_JSON_NUMBER)
		return schema_json_fail(w, at, k->name, "must be a number");
	if (k->want == POSITIVE && !is_positive(v->text))
		return schema_json_fail(w, at, k->name, "must be more than 0");
	if (k->want == COUNT && (bus_json_int(v, &n) != BUS_OK || n < 0))
		return schema_json_fail(w, at, k->name, "must be a whole number, 0 or more");
	return BUS_OK;
}

static enum bus_err check_keyword(struct schema_json_walk *w, const struct schema_json_place *at,
				  const struct keyword *k, const struct bus_json *v)
{
	switch (k->want) {
	case BOOL:
		return is_bool(v) ? BUS_OK : schema_json_fail(w, at, k->name, "must be true or false");
	case PATTERN:
	case STRING:
		if (v->type != BUS_JSON_STRING)
			return schema_json_fail(w, at, k->name, "must be a string");
		return k->want == PATTERN ? check_pattern(w, at, k->name, v->text) : BUS_OK;
	case ARRAY:
		return v->type == BUS_JSON_ARRAY ? BUS_OK
						 : schema_json_fail(w, at, k->name, "must be an array");
	case NUMBER:
	case POSITIVE:
	case COUNT:
		return check_number(w, at, k, v);
	case TYPE:
		return check_type(w, at, v);
	case NAMES:
		return check_names(w, at, k->name, v);
	case NAMES_MAP:
	case BOOL_MAP:
	case SCHEMA_MAP:
	case PATTERN_MAP:
	case DEPENDENCIES:
		return check_map(w, at, k, v);
	case SCHEMA_OR_BOOL:
		return is_bool(v) ? BUS_OK : enter_schema(w, at, v, v->name, 0);
	case SCHEMAS:
	case ITEMS:
		if (v->type == BUS_JSON_ARRAY && v->n > 0)
			return enter_all(w, at, v);
		if (k->want == SCHEMAS || v->type == BUS_JSON_ARRAY)
			return schema_json_fail(w, at, k->name, "must be an array of at least one schema");
		return enter_schema(w, at, v, v->name, 0);
	case SCHEMA:
		return enter_schema(w, at, v, v->name, 0);
	case REF:
		return note_ref(w, at, k, v);
	case ANY:
		break;
	}
	return BUS_OK;
}

static int by_name(const void *name, const void *keyword)
{
	const struct bus_str *s = name;
	const char *k = ((const struct keyword *)keyword)->name;
	size_t n = strlen(k);
	int c = memcmp(s->p, k, s->n < n ? s->n : n);

	return c ? c : (s->n > n) - (s->n < n);
}

static const struct keyword *find(const struct schema_json_walk *w, struct bus_str name)
{
	const struct keyword *k = bsearch(&name, keywords, BUS_LEN(keywords), sizeof(*k), by_name);

	/* A keyword whose meaning changed stands there twice. */
	if (k && k > keywords && strcmp(k[-1].name, k->name) == 0)
		k--;
	for (; k && k < keywords + BUS_LEN(keywords) && bus_str_is(name, k->name); k++)
		if (k->drafts & w->draft)
			return k;
	return NULL;
}

static enum bus_err look(struct schema_json_walk *w, struct schema_json_place *at)
{
	enum bus_err rc;

	if (is_bool(at->v) && (w->draft != SCHEMA_JSON_4 || !at->up))
		return BUS_OK;
	if (at->v->type != BUS_JSON_OBJECT)
		return schema_json_fail(w, at, NULL, "a schema must be an object%s",
					w->draft == SCHEMA_JSON_4 ? "" : ", true or false");
	if (!schema_json_map_put(w, &w->seen, at->v, BUS_STR(""), at->v))
		return BUS_OK;
	rc = schema_json_ids(w, at);
	for (const struct bus_json *m = at->v->first; m && rc == BUS_OK; m = m->next) {
		const struct keyword *k = find(w, m->name);

		if (k)
			rc = check_keyword(w, at, k, m);
	}
	if (rc == BUS_OK && w->draft == SCHEMA_JSON_4)
		for (int i = 0; i < 2 && rc == BUS_OK; i++)
			if (bus_json_get(at->v, i ? "exclusiveMaximum" : "exclusiveMinimum") &&
			    !bus_json_get(at->v, i ? "maximum" : "minimum"))
				rc = schema_json_fail(w, at, i ? "exclusiveMaximum" : "exclusiveMinimum",
						      "needs '%s' beside it in draft 4",
						      i ? "maximum" : "minimum");
	return rc;
}

enum bus_err schema_json_walk_all(struct schema_json_walk *w)
{
	enum bus_err rc = BUS_OK;

	while (rc == BUS_OK && w->head) {
		struct schema_json_place *at = w->head;

		w->head = at->next;
		if (!w->head)
			w->tail = &w->head;
		rc = look(w, at);
	}
	return rc;
}
