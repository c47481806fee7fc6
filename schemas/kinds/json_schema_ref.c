#include "schemas/kinds/json_schema.h"

static uint64_t hash(const struct schema_json_walk *w, const void *scope, struct bus_str text)
{
	uint64_t h = w->seed ^ (uintptr_t)scope * 0x9e3779b97f4a7c15u;

	for (size_t i = 0; i < text.n; i++)
		h = (h ^ (unsigned char)text.p[i]) * 0x100000001b3u;
	h ^= h >> 32;
	h *= 0xd6e8feb86659fd93u;
	return h ^ h >> 32;
}

static struct schema_json_map_slot *slot_of(const struct schema_json_walk *w, const struct schema_json_map *m,
					    const void *scope, struct bus_str text)
{
	size_t i = hash(w, scope, text) & (m->size - 1);

	while (m->slot[i].v && !(m->slot[i].scope == scope && bus_str_eq(m->slot[i].text, text)))
		i = (i + 1) & (m->size - 1);
	return &m->slot[i];
}

bool schema_json_map_put(struct schema_json_walk *w, struct schema_json_map *m, const void *scope,
			 struct bus_str text, const struct bus_json *v)
{
	struct schema_json_map_slot *s;

	if (m->n * 2 >= m->size) {
		struct schema_json_map old = *m;

		m->size = old.size ? old.size * 2 : 64;
		m->slot = bus_xcalloc(m->size, sizeof(*m->slot));
		for (size_t i = 0; i < old.size; i++)
			if (old.slot[i].v)
				*slot_of(w, m, old.slot[i].scope, old.slot[i].text) = old.slot[i];
		free(old.slot);
	}
	s = slot_of(w, m, scope, text);
	if (s->v)
		return false;
	*s = (struct schema_json_map_slot){ scope, text, v };
	m->n++;
	return true;
}

const struct bus_json *schema_json_map_get(const struct schema_json_walk *w, const struct schema_json_map *m,
					   const void *scope, struct bus_str text)
{
	return m->size ? slot_of(w, m, scope, text)->v : NULL;
}

static struct bus_str keep(struct schema_json_walk *w, struct bus_buf *b)
{
	const char *p = bus_arena_dup(w->arena, b->p ? b->p : "", b->n);
	struct bus_str s = { p, b->n };

	bus_buf_release(b);
	return s;
}

static bool is_name(struct bus_str s)
{
	if (s.n == 0)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (!((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' ||
		      (i > 0 && ((c >= '0' && c <= '9') || c == '-' || c == '.' || c == ':'))))
			return false;
	}
	return true;
}

static enum bus_err put_anchor(struct schema_json_walk *w, const struct schema_json_place *at,
			       const char *keyword, struct bus_str name)
{
	const struct bus_json *there;

	if (schema_json_map_put(w, &w->anchor, at->resource, name, at->v))
		return BUS_OK;
	there = schema_json_map_get(w, &w->anchor, at->resource, name);
	return there == at->v
		   ? BUS_OK
		   : schema_json_fail(w, at, keyword, "'%.*s' names another schema of this document already",
				      (int)(name.n < 60 ? name.n : 60), name.p);
}

static enum bus_err read_id(struct schema_json_walk *w, struct schema_json_place *at, const char *keyword,
			    const struct bus_json *v)
{
	struct bus_str fragment;
	struct bus_buf b = { 0 };

	if (v->type != BUS_JSON_STRING)
		return schema_json_fail(w, at, keyword, "must be a string: a URI reference");
	/* Up to draft 7 a schema with $ref is nothing but the reference. */
	if (w->draft <= SCHEMA_JSON_7 && bus_json_get(at->v, "$ref"))
		return BUS_OK;
	fragment = schema_json_uri_fragment(v->text);
	if (fragment.n > 0 && w->draft >= SCHEMA_JSON_2019)
		return schema_json_fail(w, at, keyword, "must have no fragment: use $anchor for '#%.*s'",
					(int)(fragment.n < 60 ? fragment.n : 60), fragment.p);
	if (v->text.n > fragment.n + (fragment.n > 0 || (v->text.n > 0 && v->text.p[v->text.n - 1] == '#'))) {
		schema_json_uri_resolve(at->base, v->text, &b);
		at->base = keep(w, &b);
		if (!at->base.p)
			return schema_json_no_room(w);
		at->resource = at->v;
		schema_json_map_put(w, &w->resource, NULL, at->base, at->v);
	}
	return fragment.n > 0 && fragment.p[0] != '/' ? put_anchor(w, at, keyword, fragment) : BUS_OK;
}

enum bus_err schema_json_ids(struct schema_json_walk *w, struct schema_json_place *at)
{
	static const char *const anchor[] = { "$anchor", "$dynamicAnchor" };
	const char *id = w->draft == SCHEMA_JSON_4 ? "id" : "$id";
	const struct bus_json *v = bus_json_get(at->v, id);
	enum bus_err rc = v ? read_id(w, at, id, v) : BUS_OK;

	for (size_t i = 0; i < BUS_LEN(anchor) && rc == BUS_OK; i++) {
		if (w->draft < (i ? SCHEMA_JSON_2020 : SCHEMA_JSON_2019))
			break;
		v = bus_json_get(at->v, anchor[i]);
		if (v && (v->type != BUS_JSON_STRING || !is_name(v->text)))
			rc = schema_json_fail(
			    w, at, anchor[i],
			    "must be a name: a letter or '_', then letters, digits, '-', '_', '.'");
		else if (v)
			rc = put_anchor(w, at, anchor[i], v->text);
	}
	return rc;
}

/* A member by name; what is looked into is indexed, so that many references into a large object are cheap. */
static const struct bus_json *child(struct schema_json_walk *w, const struct bus_json *of,
				    struct bus_str name)
{
	const void *mark = &of->first; /* no scope of a member: says that the members are there */

	if (schema_json_map_put(w, &w->child, mark, BUS_STR(""), of))
		for (const struct bus_json *m = of->first; m; m = m->next)
			schema_json_map_put(w, &w->child, of, m->name, m);
	return schema_json_map_get(w, &w->child, of, name);
}

static const struct bus_json *element(const struct bus_json *of, struct bus_str index)
{
	const struct bus_json *m = of->first;
	size_t n = 0;

	if (index.n == 0 || index.n > 7)
		return NULL;
	for (size_t i = 0; i < index.n; i++) {
		if (index.p[i] < '0' || index.p[i] > '9')
			return NULL;
		n = n * 10 + (size_t)(index.p[i] - '0');
	}
	while (m && n-- > 0)
		m = m->next;
	return m;
}

/* The pointer (decoded, it begins with '/') from the root of a resource. */
static const struct bus_json *follow(struct schema_json_walk *w, const struct bus_json *root,
				     struct bus_str p)
{
	const struct bus_json *v = root;
	struct bus_buf step = { 0 };
	size_t i = 0;

	while (v && i < p.n) {
		bool first = i == 0;
		const struct bus_json *in = v;

		bus_buf_reset(&step);
		for (i++; i < p.n && p.p[i] != '/'; i++) {
			if (p.p[i] == '~' && i + 1 < p.n && (p.p[i + 1] == '0' || p.p[i + 1] == '1'))
				bus_buf_putc(&step, p.p[++i] == '0' ? '~' : '/');
			else
				bus_buf_putc(&step, p.p[i]);
		}
		v = in->type == BUS_JSON_OBJECT	 ? child(w, in, bus_buf_str(&step))
		    : in->type == BUS_JSON_ARRAY ? element(in, bus_buf_str(&step))
						 : NULL;
		/* "#/$defs/X" also finds what stands in "definitions", as with Confluent. */
		if (first && in->type == BUS_JSON_OBJECT && bus_str_is(bus_buf_str(&step), "$defs")) {
			const struct bus_json *old = child(w, in, BUS_STR("definitions"));
			struct bus_str rest = { p.p + i, p.n - i };

			if (old && old->type == BUS_JSON_OBJECT && rest.n > 0 &&
			    (!v || !follow(w, v, rest))) {
				v = old;
			}
		}
	}
	bus_buf_release(&step);
	return v;
}

/* Looks at what belongs to a reference: by its own draft, its references not followed. */
static enum bus_err walk_foreign(struct schema_json_walk *w, const struct bus_json *root)
{
	const enum schema_json_draft draft = w->draft;
	enum bus_err rc;

	w->foreign = true;
	w->draft = schema_json_draft_of(root);
	rc = schema_json_walk_all(w);
	w->foreign = false;
	w->draft = draft;
	return rc;
}

/* The root of a reference by its place; read and walked (for its ids) when first asked for. */
static enum bus_err load(struct schema_json_walk *w, size_t i, struct bus_str uri,
			 const struct bus_json **out)
{
	const struct bus_json_limits limits = { .depth = SCHEMA_KIND_DEPTH_MAX,
						.text = SCHEMA_KIND_TEXT_MAX };
	struct schema_json_place *at;
	struct bus_json *root = NULL;
	enum bus_err rc;

	*out = w->reference_root[i];
	if (*out)
		return BUS_OK;
	rc = bus_json_parse(w->ref[i].text, &limits, w->arena, &root, w->err);
	if (rc == BUS_OK) {
		at = schema_json_enter(w, NULL, root, (struct bus_str){ "", 0 }, 0);
		if (!at)
			return schema_json_no_room(w);
		at->resource = root;
		at->base = uri;
		rc = walk_foreign(w, root);
	}
	if (rc)
		return bus_fail_prefix(w->err, rc, "reference '%.100s'", w->ref[i].name);
	*out = w->reference_root[i] = root;
	return BUS_OK;
}

static bool is_metaschema(struct bus_str uri)
{
	static const char *const known[] = { "http://json-schema.org/draft",
					     "https://json-schema.org/draft" };

	for (size_t i = 0; i < BUS_LEN(known); i++)
		if (uri.n > strlen(known[i]) && memcmp(uri.p, known[i], strlen(known[i])) == 0)
			return true;
	return false;
}

/* The resource that a URI without fragment means: of this document, or a reference by its name, as it stands
 * or against the base of the root or of the place. NULL: none. */
static enum bus_err resource(struct schema_json_walk *w, const struct schema_json_ref *r, struct bus_str uri,
			     const struct bus_json **out)
{
	struct bus_str raw = { r->text.p, r->text.n };
	struct bus_buf full = { 0 };
	enum bus_err rc = BUS_OK;
	const char *mark = memchr(raw.p, '#', raw.n);

	if (mark)
		raw.n = (size_t)(mark - raw.p);
	if (raw.n > 2 && raw.p[0] == '.' && raw.p[1] == '/')
		raw = (struct bus_str){ raw.p + 2, raw.n - 2 };
	*out = schema_json_map_get(w, &w->resource, NULL, uri);
	for (size_t i = 0; i < w->n_refs && !*out && rc == BUS_OK; i++) {
		struct bus_str name = bus_str(w->ref[i].name);

		bus_buf_reset(&full);
		schema_json_uri_resolve(r->at->base, name, &full);
		if (bus_str_eq(raw, name) || bus_str_eq(uri, name) || bus_str_eq(bus_buf_str(&full), uri))
			rc = load(w, i, uri, out);
	}
	bus_buf_release(&full);
	return rc;
}

static enum bus_err refuse(struct schema_json_walk *w, const struct schema_json_ref *r)
{
	bool local = r->text.n > 0 && r->text.p[0] == '#';

	return schema_json_fail(
	    w, r->at, r->keyword, "'%.*s' leads nowhere: %s", (int)(r->text.n < 100 ? r->text.n : 100),
	    r->text.p,
	    local ? "this document has no such schema"
		  : "register that schema and name it in \"references\" (nothing is fetched)");
}

static enum bus_err resolve(struct schema_json_walk *w, const struct schema_json_ref *r)
{
	struct bus_str fragment = schema_json_uri_fragment(r->text);
	const struct bus_json *root = r->at->resource;
	const struct bus_json *target;
	struct schema_json_place *at;
	struct bus_buf decoded = { 0 };
	struct bus_buf uri = { 0 };
	struct bus_str base = r->at->base;
	struct bus_str name;

	if (r->text.n > 0 && r->text.p[0] != '#') {
		enum bus_err rc;

		schema_json_uri_resolve(base, r->text, &uri);
		base = keep(w, &uri);
		if (!base.p)
			return schema_json_no_room(w);
		rc = resource(w, r, base, &root);
		if (rc)
			return rc;
		if (!root)
			return is_metaschema(base) ? BUS_OK : refuse(w, r);
	}
	if (!schema_json_uri_decode(fragment, &decoded)) {
		bus_buf_release(&decoded);
		return refuse(w, r);
	}
	name = bus_buf_str(&decoded);
	if (name.n == 0)
		target = root;
	else if (name.p[0] == '/')
		target = follow(w, root, name);
	else
		target = schema_json_map_get(w, &w->anchor, root, name);
	bus_buf_release(&decoded);
	if (!target)
		return refuse(w, r);
	if (schema_json_map_get(w, &w->seen, target, BUS_STR("")))
		return BUS_OK;
	/* A schema in a place where the metaschema expects none. */
	at = schema_json_enter(w, r->at, target, (struct bus_str){ r->keyword, strlen(r->keyword) }, 0);
	if (!at)
		return schema_json_no_room(w);
	at->resource = root;
	at->base = base;
	for (size_t i = 0; i < w->n_refs; i++)
		if (w->reference_root[i] == root)
			return walk_foreign(w, root);
	return schema_json_walk_all(w);
}

enum bus_err schema_json_refs(struct schema_json_walk *w)
{
	enum bus_err rc = BUS_OK;

	for (struct schema_json_ref *r = w->refs; r && rc == BUS_OK; r = r->next)
		rc = resolve(w, r);
	return rc;
}
