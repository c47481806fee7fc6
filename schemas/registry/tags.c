/* Tags inside of Avro schemas: "confluent:tags" of records and fields, by their paths. */
#include "schemas/registry/registry.h"

/* --- reading ----------------------------------------------------------------------------------------------
 */

struct tagged {
	struct bus_json_out *j;
	const char *const *name;
	size_t n;
	bool *seen; /* by node */
};

static bool asked_for(const struct tagged *x, const struct bus_json *tags)
{
	for (size_t i = 0; i < x->n; i++) {
		if (strcmp(x->name[i], "*") == 0)
			return true;
		for (const struct bus_json *c = tags->first; c; c = c->next)
			if (bus_str_is(c->text, x->name[i]))
				return true;
	}
	return x->n == 0;
}

static void put_place(struct tagged *x, const struct bus_json *properties, const char *record,
		      const char *field)
{
	const struct bus_json *tags = properties ? bus_json_get(properties, SCHEMA_TAGS) : NULL;
	char *path;

	if (!tags || tags->type != BUS_JSON_ARRAY || tags->n == 0 || !asked_for(x, tags))
		return;
	path = field ? bus_xasprintf("%s.%s", record, field) : bus_xstrdup(record);
	bus_json_object(x->j);
	bus_json_key(x->j, "schemaEntity");
	bus_json_object(x->j);
	bus_json_key(x->j, "entityPath");
	bus_json_put_text(x->j, path);
	bus_json_key(x->j, "entityType");
	bus_json_put_text(x->j, field ? "sr_field" : "sr_record");
	bus_json_object_end(x->j);
	bus_json_key(x->j, "tags");
	bus_json_array(x->j);
	for (const struct bus_json *c = tags->first; c; c = c->next)
		bus_json_put_str(x->j, c->text);
	bus_json_array_end(x->j);
	bus_json_object_end(x->j);
	free(path);
}

/* As deep as the schema, which the parser bounds. */
static void walk(struct tagged *x, const struct schema_node *node)
{
	if (node->type == SCHEMA_ARRAY || node->type == SCHEMA_MAP) {
		walk(x, node->item);
	} else if (node->type == SCHEMA_UNION) {
		for (size_t i = 0; i < node->n; i++)
			walk(x, node->branch[i]);
	} else if (node->type == SCHEMA_RECORD && !x->seen[node->index]) {
		x->seen[node->index] = true;
		put_place(x, node->properties, node->name, NULL);
		for (size_t i = 0; i < node->n; i++) {
			put_place(x, node->field[i].properties, node->name, node->field[i].name);
			walk(x, node->field[i].type);
		}
	}
}

void schema_tags_list(const struct schema *s, const char *const *name, size_t n, struct bus_json_out *j)
{
	struct tagged x = { .j = j, .name = name, .n = n };

	x.seen = bus_xcalloc((size_t)schema_count(s), sizeof(*x.seen));
	bus_json_array(j);
	walk(&x, schema_root(s));
	bus_json_array_end(j);
	free(x.seen);
}

/* --- changing: in the JSON of the canonical text
 * ------------------------------------------------------------- */

struct entity {
	struct bus_str space, record, field; /* field p NULL: the record itself */
};

static struct bus_str last_part(struct bus_str *path)
{
	struct bus_str part = *path;
	const char *dot = path->n > 0 ? memrchr(path->p, '.', path->n) : NULL;

	if (dot) {
		part = (struct bus_str){ dot + 1, path->n - (size_t)(dot + 1 - path->p) };
		path->n = (size_t)(dot - path->p);
	} else {
		path->n = 0;
	}
	return part;
}

static bool is_text(const struct bus_json *v, struct bus_str text)
{
	return v && v->type == BUS_JSON_STRING && bus_str_eq(v->text, text);
}

static struct bus_json *mutable(const struct bus_json *v)
{
	return (struct bus_json *)(uintptr_t)v; /* the tree is ours */
}

/* The entity in a schema's JSON, its namespace known. As deep as the text, which was parsed as a schema. */
static struct bus_json *find(const struct bus_json *v, struct bus_str space, const struct entity *e)
{
	const struct bus_json *type, *own, *fields;
	struct bus_json *found = NULL;

	if (v->type == BUS_JSON_ARRAY) {
		for (const struct bus_json *c = v->first; c && !found; c = c->next)
			found = find(c, space, e);
		return found;
	}
	type = v->type == BUS_JSON_OBJECT ? bus_json_get(v, "type") : NULL;
	if (!type)
		return NULL;
	own = bus_json_get(v, "namespace");
	if (own && own->type == BUS_JSON_STRING)
		space = own->text;
	if (is_text(type, BUS_STR("array")) || is_text(type, BUS_STR("map"))) {
		const struct bus_json *item =
		    bus_json_get(v, is_text(type, BUS_STR("map")) ? "values" : "items");

		return item ? find(item, space, e) : NULL;
	}
	fields = bus_json_get(v, "fields");
	if (!fields)
		return type->type == BUS_JSON_STRING ? NULL : find(type, space, e);
	if (is_text(bus_json_get(v, "name"), e->record) && (e->space.n == 0 || bus_str_eq(e->space, space))) {
		if (!e->field.p)
			return mutable(v);
		for (const struct bus_json *c = fields->first; c; c = c->next)
			if (is_text(bus_json_get(c, "name"), e->field))
				return mutable(c);
		return NULL;
	}
	for (const struct bus_json *c = fields->first; c && !found; c = c->next) {
		const struct bus_json *t = bus_json_get(c, "type");

		found = t ? find(t, space, e) : NULL;
	}
	return found;
}

static bool holds(const struct bus_json *list, struct bus_str text)
{
	for (const struct bus_json *c = list ? list->first : NULL; c; c = c->next)
		if (is_text(c, text))
			return true;
	return false;
}

static struct bus_json *last_child(struct bus_json *v)
{
	struct bus_json *c = v->first;

	while (c && c->next)
		c = c->next;
	return c;
}

/* Appends a copy of child; NULL: no room. */
static struct bus_json *append(struct bus_json *parent, const struct bus_json *child, struct bus_arena *arena)
{
	struct bus_json *copy = bus_arena_zalloc(arena, sizeof(*copy)), *last = last_child(parent);

	if (!copy)
		return NULL;
	*copy = *child;
	copy->next = NULL;
	if (last)
		last->next = copy;
	else
		parent->first = copy;
	parent->n++;
	return copy;
}

static void take_away(struct bus_json *parent, const struct bus_json *child)
{
	const struct bus_json *before = NULL;

	for (struct bus_json *c = parent->first; c; before = c, c = c->next) {
		if (c != child)
			continue;
		if (before)
			mutable(before)->next = c->next;
		else
			parent->first = c->next;
		parent->n--;
		return;
	}
}

static enum bus_err change_place(struct bus_json *place, const struct bus_json *tags, bool add,
				 struct bus_arena *arena, struct bus_error *err)
{
	const struct bus_json empty = { .type = BUS_JSON_ARRAY, .name = BUS_STR(SCHEMA_TAGS) };
	struct bus_json *list = mutable(bus_json_get(place, SCHEMA_TAGS));

	if (!list || list->type != BUS_JSON_ARRAY) {
		if (!add)
			return BUS_OK;
		if (list)
			take_away(place, list);
		list = append(place, &empty, arena);
	}
	for (const struct bus_json *c = tags->first; c && list; c = c->next) {
		if (c->type != BUS_JSON_STRING)
			continue;
		if (add && !holds(list, c->text) && !append(list, c, arena))
			list = NULL;
		for (const struct bus_json *t = list && !add ? list->first : NULL; t; t = t->next)
			if (is_text(t, c->text))
				take_away(list, t);
	}
	if (!list)
		return bus_fail(err, BUS_ETOOBIG, "too many tags");
	if (list->n == 0)
		take_away(place, list);
	return BUS_OK;
}

static enum bus_err change_all(const struct bus_json *root, const struct bus_json *changes, bool add,
			       struct bus_arena *arena, struct bus_error *err)
{
	enum bus_err rc = BUS_OK;

	if (!changes || changes->type != BUS_JSON_ARRAY)
		return BUS_OK;
	for (const struct bus_json *c = changes->first; c && rc == BUS_OK; c = c->next) {
		const struct bus_json *where =
					  c->type == BUS_JSON_OBJECT ? bus_json_get(c, "schemaEntity") : NULL,
				      *path = where && where->type == BUS_JSON_OBJECT
						  ? bus_json_get(where, "entityPath")
						  : NULL,
				      *kind = path ? bus_json_get(where, "entityType") : NULL,
				      *tags = path ? bus_json_get(c, "tags") : NULL;
		struct entity e = { .field = { NULL, 0 } };
		struct bus_json *place;
		struct bus_str rest;

		if (!path || path->type != BUS_JSON_STRING || !tags || tags->type != BUS_JSON_ARRAY)
			return bus_fail(err, BUS_ESCHEMA,
					"schema tags want schemaEntity (entityPath, entityType) and tags");
		rest = path->text;
		if (rest.n > 0 && rest.p[0] == '.')
			rest = (struct bus_str){ rest.p + 1, rest.n - 1 };
		if (!is_text(kind, BUS_STR("sr_record")))
			e.field = last_part(&rest);
		e.record = last_part(&rest);
		e.space = rest;
		place = find(root, (struct bus_str){ "", 0 }, &e);
		if (!place)
			return bus_fail(err, BUS_ESCHEMA, "No matching path '%.*s' found in the schema",
					(int)path->text.n, path->text.p);
		rc = change_place(place, tags, add, arena, err);
	}
	return rc;
}

enum bus_err schema_tags_change(const char *text, const struct bus_json *add, const struct bus_json *remove,
				struct bus_arena *arena, struct bus_buf *out, struct bus_error *err)
{
	const struct bus_json_limits limits = { .depth = BUS_JSON_DEPTH_MAX };
	struct bus_json *root = NULL;
	enum bus_err rc = bus_json_parse(bus_str(text), &limits, arena, &root, err);

	if (rc == BUS_OK)
		rc = change_all(root, add, true, arena, err);
	if (rc == BUS_OK)
		rc = change_all(root, remove, false, arena, err);
	if (rc == BUS_OK)
		bus_json_put_tree(&(struct bus_json_out){ .buf = out }, root);
	return rc;
}

/* --- POST .../versions/{version}/tags
 * -------------------------------------------------------------------------- */

/* {version} of the subject, in any context; else answered. */
static bool copy_tagged(struct schema_registry *r, struct bus_http_request *req, const char *subject,
			struct schema_version *out)
{
	int version;

	if (!schema_body_version(req, &version))
		return false;
	if (schema_store_version(r->store, subject, version, out, NULL) == BUS_OK && !out->deleted)
		return true;
	if (out->subject)
		schema_version_release(out);
	if (schema_store_has(r->store, subject, false))
		schema_reply_version_unknown(req, version);
	else
		schema_reply_subject_unknown(req, subject);
	return false;
}

/* The rules that the new version has. False: answered. */
static bool take_rules(struct schema_registry *r, struct bus_http_request *req, const struct bus_json *body,
		       struct schema_request *q)
{
	const struct bus_json *drop = bus_json_get(body, "rulesToRemove");
	const struct schema_rule_set *given, *merge, *before = NULL;
	const struct schema_metadata *m;
	struct schema_version old;
	struct bus_error err;
	enum bus_err rc;

	rc = schema_rule_set_read(bus_json_get(body, "ruleSet"), bus_http_arena(req), &given, &err);
	if (rc == BUS_OK)
		rc = schema_rule_set_read(bus_json_get(body, "rulesToMerge"), bus_http_arena(req), &merge,
					  &err);
	if (rc != BUS_OK) {
		schema_reply_error(req, 400, "%s", err.text);
		return false;
	}
	if (drop && drop->type == BUS_JSON_NULL)
		drop = NULL;
	if ((merge || drop) && given)
		rc = bus_fail(&err, BUS_EINVAL,
			      "ruleSet should be omitted if specifying rulesToMerge or rulesToRemove");
	if (rc == BUS_OK)
		rc = schema_rule_set_check(merge, &err);
	if (rc == BUS_OK)
		rc = schema_rule_set_check(given, &err);
	if (rc != BUS_OK) {
		schema_reply_error(req, 42210, "%s", err.text);
		return false;
	}
	q->rules = given;
	if (!merge && !drop)
		return true;
	if (schema_store_version(r->store, q->v.subject, q->version > 1 ? q->version - 1 : 0, &old, NULL) ==
	    BUS_OK) {
		schema_meta_parse(old.extra, bus_http_arena(req), &m, &before);
		schema_version_release(&old);
	}
	q->rules = schema_rule_set_without(schema_rule_set_merge(before, merge, bus_http_arena(req)), drop,
					   bus_http_arena(req));
	return true;
}

void schema_edit_tags(struct schema_registry *r, struct bus_http_request *req)
{
	const char *subject = schema_body_subject(r, req);
	const struct schema_rule_set *rules;
	const struct bus_json *body, *v;
	struct schema_request q = { .id = -1, .req = req };
	struct schema_version of;
	struct bus_error err;
	char number[16];
	int64_t n = 0;

	if (!schema_edit_subject_valid(req, subject, false) || !schema_body_json(req, &body) ||
	    !copy_tagged(r, req, subject, &of))
		return;
	q.v = of;
	q.v.id = 0;
	q.v.version = 0;
	schema_unref(&q.v.schema);
	v = bus_json_get(body, "newVersion");
	if (v && v->type == BUS_JSON_NUMBER && bus_json_int(v, &n) == BUS_OK && n >= -1 && n <= INT32_MAX)
		q.version = (int)n;
	q.tags_to_add = bus_json_get(body, "tagsToAdd");
	q.tags_to_remove = bus_json_get(body, "tagsToRemove");
	schema_meta_parse(of.extra, bus_http_arena(req), &q.metadata, &rules);
	v = bus_json_get(body, "metadata");
	if (v && v->type != BUS_JSON_NULL &&
	    schema_metadata_read(v, bus_http_arena(req), &q.metadata, &err) != BUS_OK) {
		schema_reply_error(req, 400, "%s", err.text);
	} else if (take_rules(r, req, body, &q)) {
		snprintf(number, sizeof(number), "%d", q.version);
		q.metadata = schema_metadata_set(q.metadata, SCHEMA_META_VERSION,
						 bus_arena_dup(bus_http_arena(req), number, strlen(number)),
						 bus_http_arena(req));
		schema_request_seal(&q);
		schema_edit_register_request(r, req, &q, false, false, false);
	}
	schema_request_release(&q);
}
