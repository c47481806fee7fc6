/* Text -> schema (Avro specification, "Schema Declaration"). */
#include "schemas/avro/parse.h"

#include <stdio.h>

#define NAMES_MAX ((size_t)8 * 1024 * 1024)   /* a long namespace is in each of them */
#define ARENA_MAX ((size_t)128 * 1024 * 1024) /* the tree of SCHEMA_TEXT_MAX bytes, at its worst */

const char *schema_member_text(const struct bus_json *object, const char *name)
{
	const struct bus_json *v = bus_json_get(object, name);

	return v && v->type == BUS_JSON_STRING && schema_plain(v->text) ? v->text.p : NULL;
}

bool schema_plain(struct bus_str text)
{
	return memchr(text.p, '\0', text.n) == NULL;
}

static void put_place(const struct schema_place *at, struct bus_buf *b)
{
	if (!at)
		return;
	put_place(at->up, b);
	if (at->name)
		bus_buf_printf(b, "/%s", at->name);
	else
		bus_buf_printf(b, "/%zu", at->index);
}

const char *schema_place_text(struct schema_parser *p, const struct schema_place *at)
{
	struct bus_buf b = { 0 };
	const char *text;

	put_place(at, &b);
	text = bus_arena_dup(p->arena, bus_buf_cstr(&b), b.n);
	bus_buf_release(&b);
	return text;
}

enum bus_err schema_parse_fail(struct schema_parser *p, const struct schema_place *at, const char *fmt, ...)
{
	struct bus_buf b = { 0 };
	char why[400];
	enum bus_err rc;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	put_place(at, &b);
	rc = bus_fail(p->err, BUS_ESCHEMA, "schema %.160s: %s", b.n > 0 ? bus_buf_cstr(&b) : "/", why);
	bus_buf_release(&b);
	return rc;
}

enum bus_err schema_parse_no_room(struct schema_parser *p)
{
	return bus_fail(p->err, BUS_ETOOBIG, "schema needs more than %zu bytes", ARENA_MAX);
}

/* The message of a failure stays, and this is its code. */
static enum bus_err too_big(struct schema_parser *p, enum bus_err rc)
{
	(void)rc;
	if (p->err)
		p->err->code = BUS_ETOOBIG;
	return BUS_ETOOBIG;
}

enum bus_err schema_name_count(struct schema_parser *p, const struct schema_place *at, const char *name)
{
	p->written += strlen(name);
	if (p->written > NAMES_MAX)
		return too_big(
		    p, schema_parse_fail(p, at, "its names in full take more than %zu bytes", NAMES_MAX));
	return BUS_OK;
}

static enum bus_err new_node(struct schema_parser *p, const struct schema_place *at, enum schema_type type,
			     const struct bus_json *properties, struct schema_node **out)
{
	struct schema_node *node;

	if (p->s->count == SCHEMA_NODES_MAX)
		return too_big(p, schema_parse_fail(p, at, "more than %d types", SCHEMA_NODES_MAX));
	node = bus_arena_zalloc(p->arena, sizeof(*node));
	if (!node)
		return schema_parse_no_room(p);
	node->type = type;
	node->properties = properties;
	node->index = p->s->count++;
	*out = node;
	return BUS_OK;
}

static enum bus_err read_name(struct schema_parser *p, const struct schema_place *at,
			      const struct bus_json *v, const char *space, const struct schema_node **slot)
{
	const char *name = v->text.p;
	struct schema_unknown *later;
	struct schema_node *node;
	enum schema_type type;
	enum bus_err rc;

	if (schema_type_parse(v->text, &type) && type < SCHEMA_RECORD) {
		rc = new_node(p, at, type, NULL, &node);
		if (rc == BUS_OK)
			*slot = node;
		return rc;
	}
	if (v->text.n == 0 || v->text.n > SCHEMA_NAME_MAX || !schema_plain(v->text))
		return schema_parse_fail(p, at, "a type's name that is empty, too long or not text");
	*slot = schema_name_resolve(p, name, space, false);
	if (*slot)
		return schema_name_count(p, at, (*slot)->name);
	/* Java lets a name be used before its definition; whether there is one is seen at the end. */
	later = bus_arena_alloc(p->arena, sizeof(*later));
	if (!later)
		return schema_parse_no_room(p);
	rc = schema_name_count(p, at, space); /* what it is looked up with */
	if (rc != BUS_OK)
		return rc;
	*later = (struct schema_unknown){ p->unknown, slot, name, space, schema_place_text(p, at) };
	p->unknown = later;
	return later->place ? BUS_OK : schema_parse_no_room(p);
}

static enum bus_err read_union(struct schema_parser *p, const struct schema_place *at,
			       const struct bus_json *v, const char *space, const struct schema_node **slot)
{
	const struct schema_node **branch = bus_arena_zalloc(p->arena, (v->n + 1) * sizeof(const void *));
	struct schema_node *node;
	enum bus_err rc = new_node(p, at, SCHEMA_UNION, v, &node);
	size_t i = 0;

	if (rc != BUS_OK)
		return rc;
	if (!branch)
		return schema_parse_no_room(p);
	for (const struct bus_json *b = v->first; b; b = b->next, i++) {
		const struct schema_place here = { at, NULL, i };

		if (b->type == BUS_JSON_ARRAY)
			return schema_parse_fail(p, &here, "a union directly in a union");
		rc = schema_type_read(p, &here, b, space, &branch[i]);
		if (rc != BUS_OK)
			return rc;
	}
	node->branch = branch;
	node->n = v->n;
	*slot = node;
	return BUS_OK;
}

static enum bus_err read_symbols(struct schema_parser *p, const struct schema_place *at,
				 const struct bus_json *v, struct schema_node *node)
{
	const struct bus_json *list = bus_json_get(v, "symbols");
	const struct bus_json *fallback;
	const char *twice = NULL;
	const char **symbol;

	if (!list || list->type != BUS_JSON_ARRAY)
		return schema_parse_fail(p, at, "enum '%.200s' has no symbols", node->name);
	symbol = bus_arena_alloc(p->arena, (list->n + 1) * sizeof(*symbol));
	if (!symbol)
		return schema_parse_no_room(p);
	for (const struct bus_json *s = list->first; s; s = s->next) {
		if (s->type != BUS_JSON_STRING || s->text.n > SCHEMA_NAME_MAX || !schema_plain(s->text))
			return schema_parse_fail(p, at, "a symbol of '%.200s' is no text, or too long",
						 node->name);
		if (!(p->flags & SCHEMA_LENIENT) && !schema_name_valid(s->text))
			return schema_parse_fail(
			    p, at, "symbol '%.100s': only letters, digits and _ (no digit first)", s->text.p);
		symbol[node->n++] = s->text.p;
	}
	node->symbol = symbol;
	node->sorted = schema_sort(p->arena, node, &twice);
	if (!node->sorted)
		return schema_parse_no_room(p);
	if (twice)
		return schema_parse_fail(p, at, "symbol '%.100s' twice in enum '%.200s'", twice, node->name);
	fallback = bus_json_get(v, "default");
	if (!fallback || fallback->type != BUS_JSON_STRING) /* as Java: one that is no text is none */
		return BUS_OK;
	node->fallback_symbol = fallback->text.p;
	if (schema_position(node, fallback->text) < 0)
		return schema_parse_fail(p, at, "default '%.100s' is no symbol of enum '%.200s'",
					 node->fallback_symbol, node->name);
	return BUS_OK;
}

static enum bus_err read_size(struct schema_parser *p, const struct schema_place *at,
			      const struct bus_json *v, struct schema_node *node)
{
	const struct bus_json *size = bus_json_get(v, "size");
	int64_t n;

	if (!size || !schema_whole(size, &n) || n < 0 || n > INT32_MAX)
		return schema_parse_fail(p, at, "fixed '%.200s' needs a size of 0 to %d", node->name,
					 INT32_MAX);
	node->size = (size_t)n;
	return BUS_OK;
}

static enum bus_err read_body(struct schema_parser *p, const struct schema_place *at,
			      const struct bus_json *v, struct schema_node *node)
{
	switch (node->type) {
	case SCHEMA_RECORD:
		return schema_fields_read(p, at, v, node);
	case SCHEMA_ENUM:
		return read_symbols(p, at, v, node);
	default:
		return read_size(p, at, v, node);
	}
}

static enum bus_err read_named(struct schema_parser *p, const struct schema_place *at,
			       const struct bus_json *v, const char *space, struct schema_node *node,
			       const struct schema_node **slot)
{
	const struct schema_node *old;
	enum bus_err rc = schema_name_read(p, at, v, space, node);

	if (rc == BUS_OK)
		rc = schema_aliases_read(p, at, v, node);
	if (rc != BUS_OK)
		return rc;
	old = schema_name_find(p, node->name);
	/* Before its fields are read: they may speak of it. */
	if (!old)
		rc = schema_name_define(p, at, node);
	if (rc != BUS_OK)
		return rc;
	node->doc = schema_member_text(v, "doc");
	rc = read_body(p, at, v, node);
	if (rc != BUS_OK || !old)
		return rc;
	if (!schema_defined_alike(old, node))
		return schema_parse_fail(p, at, "'%.200s' is defined already, and otherwise", node->name);
	*slot = old;
	return BUS_OK;
}

static enum bus_err read_item(struct schema_parser *p, const struct schema_place *at,
			      const struct bus_json *v, const char *space, struct schema_node *node)
{
	const char *member = node->type == SCHEMA_ARRAY ? "items" : "values";
	const struct schema_place here = { at, member, 0 };
	const struct bus_json *item = bus_json_get(v, member);

	if (!item)
		return schema_parse_fail(p, at, "%s without %s", schema_type_name(node->type), member);
	return schema_type_read(p, &here, item, space, &node->item);
}

static bool is_huge(const struct bus_json *v)
{
	int64_t whole;

	return v->type == BUS_JSON_NUMBER && strcspn(v->text.p, ".eE") >= v->text.n &&
	       bus_json_int(v, &whole) != BUS_OK;
}

/* Recursion: as deep as the JSON of a schema. */
static bool has_huge(const struct bus_json *v)
{
	if (is_huge(v))
		return true;
	for (const struct bus_json *child = v->first; child; child = child->next)
		if (has_huge(child))
			return true;
	return false;
}

/* Java copies these types once more and then cannot set a property with a whole number beyond 64 bits. */
static enum bus_err check_properties(struct schema_parser *p, const struct schema_place *at,
				     const struct schema_node *node)
{
	static const char *const own[] = { "fields", "items", "values", "aliases" };

	if (node->type != SCHEMA_RECORD && node->type != SCHEMA_ARRAY && node->type != SCHEMA_MAP)
		return BUS_OK;
	for (const struct bus_json *v = node->properties->first; v; v = v->next) {
		size_t i = 0;

		while (i < BUS_LEN(own) && !bus_str_is(v->name, own[i]))
			i++;
		if (i == BUS_LEN(own) && has_huge(v))
			return schema_parse_fail(p, at, "property '%.*s' has a number of more than 64 bits",
						 v->name.n > 100 ? 100 : (int)v->name.n, v->name.p);
	}
	return BUS_OK;
}

static enum bus_err read_object(struct schema_parser *p, const struct schema_place *at,
				const struct bus_json *v, const char *space, const struct schema_node **slot)
{
	const struct bus_json *name = bus_json_get(v, "type");
	struct schema_node *node;
	enum schema_type type;
	enum bus_err rc;

	if (!name || name->type != BUS_JSON_STRING)
		return schema_parse_fail(p, at, "no type");
	if (bus_str_is(name->text, "error"))
		type = SCHEMA_RECORD;
	else if (!schema_type_parse(name->text, &type) || type == SCHEMA_UNION)
		return schema_parse_fail(p, at, "unknown type '%.100s'", name->text.p);
	rc = new_node(p, at, type, v, &node);
	if (rc != BUS_OK)
		return rc;
	*slot = node;
	if (schema_is_named(type))
		rc = read_named(p, at, v, space, node, slot);
	else if (type == SCHEMA_ARRAY || type == SCHEMA_MAP)
		rc = read_item(p, at, v, space, node);
	if (rc == BUS_OK)
		schema_logical_detect(node);
	return rc == BUS_OK ? check_properties(p, at, node) : rc;
}

enum bus_err schema_type_read(struct schema_parser *p, const struct schema_place *at,
			      const struct bus_json *v, const char *space, const struct schema_node **slot)
{
	switch (v->type) {
	case BUS_JSON_STRING:
		return read_name(p, at, v, space, slot);
	case BUS_JSON_ARRAY:
		return read_union(p, at, v, space, slot);
	case BUS_JSON_OBJECT:
		return read_object(p, at, v, space, slot);
	default:
		return schema_parse_fail(p, at, "a schema is a name, a list or an object");
	}
}

/* Every string gets a NUL at its end: names and properties are handed out as C strings. */
static bool end_strings(struct bus_arena *arena, struct bus_json *v)
{
	if (v->type == BUS_JSON_STRING) {
		v->text.p = bus_arena_dup(arena, v->text.p, v->text.n);
		return v->text.p != NULL;
	}
	for (struct bus_json *child = v->first; child; child = child->next)
		if (!end_strings(arena, child))
			return false;
	return true;
}

static enum bus_err finish_union(struct schema_parser *p, const struct schema_node *at_node)
{
	union {
		const struct schema_node *read;
		struct schema_node *write;
	} node = { .read = at_node }; /* ours until the schema is handed out */
	const char *twice = NULL;

	if (at_node->sorted)
		return BUS_OK;
	for (size_t i = 0; i < at_node->n; i++)
		if (at_node->branch[i]->type == SCHEMA_UNION)
			return schema_parse_fail(p, NULL, "a union directly in a union");
	node.write->sorted = schema_sort(p->arena, at_node, &twice);
	if (!at_node->sorted)
		return schema_parse_no_room(p);
	return twice ? schema_parse_fail(p, NULL, "'%.200s' twice in a union", twice) : BUS_OK;
}

/* Visits every type once, in the order of the text: finishes the unions, now that all names are known, and
 * bounds the nesting, names included, so that those who walk a schema may recurse. */
static enum bus_err finish(struct schema_parser *p, const struct schema_node *node, bool *seen)
{
	enum bus_err rc = BUS_OK;

	if (seen[node->index])
		return BUS_OK;
	seen[node->index] = true;
	if (p->depth == SCHEMA_DEPTH_MAX)
		return bus_fail(p->err, BUS_ETOOBIG, "schema nested deeper than %d types", SCHEMA_DEPTH_MAX);
	p->depth++;
	switch (node->type) {
	case SCHEMA_RECORD:
		for (size_t i = 0; i < node->n && rc == BUS_OK; i++)
			rc = finish(p, node->field[i].type, seen);
		break;
	case SCHEMA_UNION:
		rc = finish_union(p, node);
		for (size_t i = 0; i < node->n && rc == BUS_OK; i++)
			rc = finish(p, node->branch[i], seen);
		break;
	case SCHEMA_ARRAY:
	case SCHEMA_MAP:
		rc = finish(p, node->item, seen);
		break;
	default:
		break;
	}
	p->depth--;
	return rc;
}

/* One text: the schema itself or a reference. */
static enum bus_err read_text(struct schema_parser *p, struct bus_str text, const struct schema_node **root)
{
	const struct bus_json_limits limits = { .depth = SCHEMA_DEPTH_MAX,
						.text = SCHEMA_TEXT_MAX,
						.lax = true };
	struct bus_json *json;
	bool *seen;
	enum bus_err rc = bus_json_parse(text, &limits, p->arena, &json, p->err);

	if (rc != BUS_OK)
		return rc;
	if (!end_strings(p->arena, json))
		return schema_parse_no_room(p);
	p->s->json = json; /* the schema itself is read last */
	rc = schema_type_read(p, NULL, json, "", root);
	for (const struct schema_unknown *u = p->unknown; u && rc == BUS_OK; u = u->next) {
		*u->slot = schema_name_resolve(p, u->name, u->space, true);
		if (*u->slot)
			rc = schema_name_count(p, NULL, (*u->slot)->name);
		else
			rc = bus_fail(p->err, BUS_ESCHEMA, "schema %.160s: unknown type '%.200s'",
				      *u->place ? u->place : "/", u->name);
	}
	p->unknown = NULL;
	if (rc != BUS_OK)
		return rc;
	seen = bus_xcalloc((size_t)p->s->count, sizeof(*seen));
	rc = finish(p, *root, seen);
	free(seen);
	while (p->unchecked && rc == BUS_OK) {
		const struct schema_place at = { NULL, p->unchecked->place + (*p->unchecked->place == '/'),
						 0 };
		const struct schema_field *field = p->unchecked->field;

		p->unchecked = p->unchecked->next;
		rc = schema_default_check(p, &at, field);
	}
	return rc;
}

static bool holds(const struct schema *s, size_t n, struct bus_str text)
{
	for (size_t i = 0; i < n; i++)
		if (bus_str_eq(s->part[i], text))
			return true;
	return false;
}

/* Texts of references, those they need first; each once. */
static enum bus_err read_references(struct schema_parser *p, const struct schema_reference_text *ref,
				    size_t n_refs)
{
	struct schema *s = p->s;
	struct bus_str *part = bus_arena_alloc(p->arena, (n_refs + 1) * sizeof(*part));

	if (!part)
		return schema_parse_no_room(p);
	s->part = part;
	for (size_t i = 0; i < n_refs; i++) {
		struct bus_str text = ref[i].text;
		const struct schema_node *root;
		enum bus_err rc;

		if (holds(s, s->n_parts, text))
			continue;
		text.p = bus_arena_dup(p->arena, text.p, text.n);
		if (!text.p)
			return schema_parse_no_room(p);
		part[s->n_parts++] = text;
		rc = read_text(p, text, &root);
		if (rc != BUS_OK)
			return bus_fail_prefix(p->err, rc, "reference '%.100s'", ref[i].name);
	}
	s->own = s->count;
	return BUS_OK;
}

enum bus_err schema_parse_texts(struct bus_str text, int flags, const struct schema_reference_text *ref,
				size_t n_refs, struct schema **out, struct bus_error *err)
{
	struct schema_parser p = { .flags = flags, .err = err };
	struct schema *s;
	enum bus_err rc;

	*out = NULL;
	if (text.n > SCHEMA_TEXT_MAX)
		return bus_fail(err, BUS_ETOOBIG, "schema of more than %zu bytes", SCHEMA_TEXT_MAX);
	s = bus_xcalloc(1, sizeof(*s));
	atomic_init(&s->refs, 1);
	s->arena = bus_arena_new(ARENA_MAX);
	p.s = s;
	p.arena = s->arena;
	s->text.p = bus_arena_dup(s->arena, text.n > 0 ? text.p : "", text.n);
	s->text.n = text.n;
	rc = s->text.p ? read_references(&p, ref, n_refs) : schema_parse_no_room(&p);
	if (rc == BUS_OK)
		rc = read_text(&p, s->text, &s->root);
	free(p.table);
	if (rc == BUS_OK)
		*out = s;
	else
		schema_unref(&s);
	return rc;
}

enum bus_err schema_parse(struct bus_str text, int flags, const struct schema_reference *ref, size_t n_refs,
			  struct schema **out, struct bus_error *err)
{
	struct schema_reference_text *all;
	size_t most = 0, n = 0;
	enum bus_err rc;

	for (size_t i = 0; i < n_refs; i++)
		most += ref[i].schema->n_parts + 1;
	all = bus_xcalloc(most + 1, sizeof(*all));
	for (size_t i = 0; i < n_refs; i++) {
		const struct schema *r = ref[i].schema;

		for (size_t k = 0; k < r->n_parts; k++)
			all[n++] = (struct schema_reference_text){ ref[i].name, r->part[k] };
		all[n++] = (struct schema_reference_text){ ref[i].name, r->text };
	}
	rc = schema_parse_texts(text, flags, all, n, out, err);
	free(all);
	return rc;
}
