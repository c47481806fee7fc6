#include "schemas/store/meta.h"

#define ITEMS_MAX 10000 /* of one list or map */

static const char *const rules_name[] = { "migrationRules", "domainRules", "encodingRules" };

/* --- reading ---------------------------------------------------------------------------------------- */

static bool is_null(const struct bus_json *v)
{
	return !v || v->type == BUS_JSON_NULL;
}

static enum bus_err no_room(struct bus_error *err)
{
	return bus_fail(err, BUS_ETOOBIG, "metadata and rules are too large");
}

static int by_text(const void *a, const void *b)
{
	const struct bus_str *x = a, *y = b;
	size_t n = x->n < y->n ? x->n : y->n;
	int order = n > 0 ? memcmp(x->p, y->p, n) : 0;

	return order != 0 ? order : x->n < y->n ? -1 : x->n > y->n;
}

/* A scalar as text, as Jackson gives it where text is wanted. */
static enum bus_err text_of(const struct bus_json *v, const char *what, struct bus_str *out,
			    struct bus_error *err)
{
	switch (v->type) {
	case BUS_JSON_STRING:
	case BUS_JSON_NUMBER:
		*out = v->text;
		return BUS_OK;
	case BUS_JSON_TRUE:
	case BUS_JSON_FALSE:
		*out = v->type == BUS_JSON_TRUE ? BUS_STR("true") : BUS_STR("false");
		return BUS_OK;
	default:
		return bus_fail(err, BUS_EDATA, "\"%s\" is not text", what);
	}
}

static enum bus_err member_text(const struct bus_json *o, const char *name, struct bus_str *out,
				struct bus_error *err)
{
	const struct bus_json *v = bus_json_get(o, name);

	return is_null(v) ? BUS_OK : text_of(v, name, out, err);
}

/* A set of texts. */
static enum bus_err read_set(const struct bus_json *v, const char *what, struct bus_arena *arena,
			     struct bus_str **out, size_t *n, struct bus_error *err)
{
	struct bus_str *item;
	size_t kept = 0;

	*n = 0;
	if (is_null(v))
		return BUS_OK;
	if (v->type != BUS_JSON_ARRAY || v->n > ITEMS_MAX)
		return bus_fail(err, BUS_EDATA, "\"%s\" is not a list", what);
	item = bus_arena_zalloc(arena, (v->n + 1) * sizeof(*item));
	if (!item)
		return no_room(err);
	for (const struct bus_json *c = v->first; c; c = c->next) {
		enum bus_err rc = text_of(c, what, &item[(*n)++], err);

		if (rc != BUS_OK)
			return rc;
	}
	qsort(item, *n, sizeof(*item), by_text);
	for (size_t i = 0; i < *n; i++)
		if (kept == 0 || !bus_str_eq(item[kept - 1], item[i]))
			item[kept++] = item[i];
	*n = kept;
	*out = item;
	return BUS_OK;
}

/* A map of texts, sorted. The tree has refused doubles. */
static enum bus_err read_map(const struct bus_json *v, const char *what, struct bus_arena *arena,
			     struct schema_pair **out, size_t *n, struct bus_error *err)
{
	struct schema_pair *pair;

	*n = 0;
	if (is_null(v))
		return BUS_OK;
	if (v->type != BUS_JSON_OBJECT || v->n > ITEMS_MAX)
		return bus_fail(err, BUS_EDATA, "\"%s\" is not a map", what);
	pair = bus_arena_zalloc(arena, (v->n + 1) * sizeof(*pair));
	if (!pair)
		return no_room(err);
	for (const struct bus_json *c = v->first; c; c = c->next) {
		struct schema_pair p = { .key = c->name };
		enum bus_err rc;

		if (is_null(c))
			continue;
		rc = text_of(c, what, &p.value, err);
		if (rc != BUS_OK)
			return rc;
		pair[(*n)++] = p;
	}
	qsort(pair, *n, sizeof(*pair), by_text);
	*out = pair;
	return BUS_OK;
}

enum bus_err schema_metadata_read(const struct bus_json *v, struct bus_arena *arena,
				  const struct schema_metadata **out, struct bus_error *err)
{
	const struct bus_json *tags;
	struct schema_metadata *m;
	enum bus_err rc;

	*out = NULL;
	if (is_null(v))
		return BUS_OK;
	if (v->type != BUS_JSON_OBJECT)
		return bus_fail(err, BUS_EDATA, "\"metadata\" is not an object");
	m = bus_arena_zalloc(arena, sizeof(*m));
	if (!m)
		return no_room(err);
	rc =
	    read_map(bus_json_get(v, "properties"), "properties", arena, &m->property, &m->n_properties, err);
	if (rc == BUS_OK)
		rc = read_set(bus_json_get(v, "sensitive"), "sensitive", arena, &m->sensitive,
			      &m->n_sensitive, err);
	tags = bus_json_get(v, "tags");
	if (rc != BUS_OK || is_null(tags))
		goto out;
	if (tags->type != BUS_JSON_OBJECT || tags->n > ITEMS_MAX)
		return bus_fail(err, BUS_EDATA, "\"tags\" is not a map");
	m->tagged = bus_arena_zalloc(arena, (tags->n + 1) * sizeof(*m->tagged));
	if (!m->tagged)
		return no_room(err);
	for (const struct bus_json *c = tags->first; c && rc == BUS_OK; c = c->next) {
		struct schema_tagged *t = &m->tagged[m->n_tagged++];

		t->key = c->name;
		rc = read_set(c, "tags", arena, &t->tag, &t->n, err);
	}
	if (m->n_tagged > 0)
		qsort(m->tagged, m->n_tagged, sizeof(*m->tagged), by_text);
out:
	*out = rc == BUS_OK ? m : NULL;
	return rc;
}

static enum bus_err read_word(const struct bus_json *o, const char *name, const char *const *word,
			      struct bus_str *out, struct bus_error *err)
{
	struct bus_str given = { NULL, 0 };
	enum bus_err rc = member_text(o, name, &given, err);

	*out = bus_str(word[0]);
	if (rc != BUS_OK || !given.p)
		return rc;
	for (; *word; word++)
		if (bus_str_is(given, *word)) {
			*out = bus_str(*word);
			return BUS_OK;
		}
	return bus_fail(err, BUS_EDATA, "a rule's \"%s\" is none that there is", name);
}

static enum bus_err read_rule(const struct bus_json *v, struct bus_arena *arena, struct schema_rule *r,
			      struct bus_error *err)
{
	static const char *const kinds[] = { "TRANSFORM", "CONDITION", NULL };
	static const char *const modes[] = { "WRITEREAD", "WRITE",  "READ", "UPGRADE",
					     "DOWNGRADE", "UPDOWN", NULL };
	const struct {
		const char *name;
		struct bus_str *out;
	} text[] = { { "name", &r->name },
		     { "doc", &r->doc },
		     { "type", &r->type },
		     { "expr", &r->expr },
		     { "onSuccess", &r->on_success },
		     { "onFailure", &r->on_failure } };
	const struct bus_json *disabled;
	enum bus_err rc = BUS_OK;

	if (v->type != BUS_JSON_OBJECT)
		return bus_fail(err, BUS_EDATA, "a rule is not an object");
	for (size_t i = 0; i < BUS_LEN(text) && rc == BUS_OK; i++)
		rc = member_text(v, text[i].name, text[i].out, err);
	if (rc == BUS_OK)
		rc = read_word(v, "kind", kinds, &r->kind, err);
	if (rc == BUS_OK)
		rc = read_word(v, "mode", modes, &r->mode, err);
	if (rc == BUS_OK)
		rc = read_set(bus_json_get(v, "tags"), "tags", arena, &r->tag, &r->n_tags, err);
	if (rc == BUS_OK)
		rc = read_map(bus_json_get(v, "params"), "params", arena, &r->param, &r->n_params, err);
	disabled = bus_json_get(v, "disabled");
	r->disabled = disabled && disabled->type == BUS_JSON_TRUE;
	return rc;
}

enum bus_err schema_rule_set_read(const struct bus_json *v, struct bus_arena *arena,
				  const struct schema_rule_set **out, struct bus_error *err)
{
	struct schema_rule_set *s;
	enum bus_err rc;

	*out = NULL;
	if (is_null(v))
		return BUS_OK;
	if (v->type != BUS_JSON_OBJECT)
		return bus_fail(err, BUS_EDATA, "\"ruleSet\" is not an object");
	s = bus_arena_zalloc(arena, sizeof(*s));
	if (!s)
		return no_room(err);
	rc = member_text(v, "enableAt", &s->enable_at, err);
	for (int k = 0; k < SCHEMA_RULE_KINDS && rc == BUS_OK; k++) {
		const struct bus_json *list = bus_json_get(v, rules_name[k]);

		if (is_null(list))
			continue;
		if (list->type != BUS_JSON_ARRAY || list->n > ITEMS_MAX)
			return bus_fail(err, BUS_EDATA, "\"%s\" is not a list", rules_name[k]);
		s->rule[k] = bus_arena_zalloc(arena, (list->n + 1) * sizeof(**s->rule));
		if (!s->rule[k])
			return no_room(err);
		for (const struct bus_json *c = list->first; c && rc == BUS_OK; c = c->next)
			rc = read_rule(c, arena, &s->rule[k][s->n[k]++], err);
	}
	if (rc == BUS_OK)
		*out = s;
	return rc;
}

void schema_meta_parse(const char *text, struct bus_arena *arena, const struct schema_metadata **m,
		       const struct schema_rule_set **s)
{
	struct bus_json *tree = NULL;
	struct bus_buf b = { 0 };
	char *owned;

	*m = NULL;
	*s = NULL;
	if (!text[0])
		return;
	bus_buf_printf(&b, "{%s}", text);
	owned = bus_arena_dup(arena, b.p, b.n);
	if (owned && bus_json_parse((struct bus_str){ owned, b.n }, NULL, arena, &tree, NULL) == BUS_OK) {
		(void)!schema_metadata_read(bus_json_get(tree, "metadata"), arena, m, NULL);
		(void)!schema_rule_set_read(bus_json_get(tree, "ruleSet"), arena, s, NULL);
	}
	bus_buf_release(&b);
}

/* --- merging ---------------------------------------------------------------------------------------- */

static struct bus_str *merge_sets(const struct bus_str *a, size_t na, const struct bus_str *b, size_t nb,
				  size_t *n, struct bus_arena *arena)
{
	struct bus_str *out = bus_arena_zalloc(arena, (na + nb + 1) * sizeof(*out));
	size_t i = 0, k = 0;

	*n = 0;
	while (out && (i < na || k < nb)) {
		int order = i == na ? 1 : k == nb ? -1 : by_text(&a[i], &b[k]);

		out[(*n)++] = order < 0 ? a[i] : b[k];
		i += order <= 0;
		k += order >= 0;
	}
	return out;
}

const struct schema_metadata *schema_metadata_merge(const struct schema_metadata *older,
						    const struct schema_metadata *newer,
						    struct bus_arena *arena)
{
	struct schema_metadata *m;
	size_t i, k;

	if (!older || !newer)
		return older ? older : newer;
	m = bus_arena_zalloc(arena, sizeof(*m));
	if (!m)
		return newer;
	m->sensitive = merge_sets(older->sensitive, older->n_sensitive, newer->sensitive, newer->n_sensitive,
				  &m->n_sensitive, arena);
	m->property =
	    bus_arena_zalloc(arena, (older->n_properties + newer->n_properties + 1) * sizeof(*m->property));
	m->tagged = bus_arena_zalloc(arena, (older->n_tagged + newer->n_tagged + 1) * sizeof(*m->tagged));
	if (!m->property || !m->tagged)
		return newer;
	for (i = k = 0; i < older->n_properties || k < newer->n_properties;) {
		int order = i == older->n_properties   ? 1
			    : k == newer->n_properties ? -1
						       : by_text(&older->property[i], &newer->property[k]);

		m->property[m->n_properties++] = order < 0 ? older->property[i] : newer->property[k];
		i += order <= 0;
		k += order >= 0;
	}
	for (i = k = 0; i < older->n_tagged || k < newer->n_tagged;) {
		int order = i == older->n_tagged   ? 1
			    : k == newer->n_tagged ? -1
						   : by_text(&older->tagged[i], &newer->tagged[k]);

		m->tagged[m->n_tagged++] = order < 0 ? older->tagged[i] : newer->tagged[k];
		i += order <= 0;
		k += order >= 0;
	}
	return m;
}

static bool has_rule(const struct schema_rule *rule, size_t n, struct bus_str name)
{
	for (size_t i = 0; i < n; i++)
		if (bus_str_eq(rule[i].name, name))
			return true;
	return false;
}

const struct schema_rule_set *schema_rule_set_merge(const struct schema_rule_set *older,
						    const struct schema_rule_set *newer,
						    struct bus_arena *arena)
{
	struct schema_rule_set *s;

	if (!older || !newer)
		return older ? older : newer;
	s = bus_arena_zalloc(arena, sizeof(*s));
	if (!s)
		return newer;
	s->enable_at = newer->enable_at.p ? newer->enable_at : older->enable_at;
	for (int k = 0; k < SCHEMA_RULE_KINDS; k++) {
		s->rule[k] = bus_arena_zalloc(arena, (older->n[k] + newer->n[k] + 1) * sizeof(**s->rule));
		if (!s->rule[k])
			return newer;
		for (size_t i = 0; i < older->n[k]; i++)
			if (!has_rule(newer->rule[k], newer->n[k], older->rule[k][i].name))
				s->rule[k][s->n[k]++] = older->rule[k][i];
		for (size_t i = 0; i < newer->n[k]; i++)
			s->rule[k][s->n[k]++] = newer->rule[k][i];
	}
	return s;
}

const struct schema_rule_set *schema_rule_set_without(const struct schema_rule_set *s,
						      const struct bus_json *names, struct bus_arena *arena)
{
	struct schema_rule_set *out;

	if (!s || !names || names->type != BUS_JSON_ARRAY)
		return s;
	out = bus_arena_zalloc(arena, sizeof(*out));
	if (!out)
		return s;
	out->enable_at = s->enable_at;
	for (int k = 0; k < SCHEMA_RULE_KINDS; k++) {
		out->rule[k] = bus_arena_zalloc(arena, (s->n[k] + 1) * sizeof(**s->rule));
		if (!out->rule[k])
			return s;
		for (size_t i = 0; i < s->n[k]; i++) {
			const struct bus_json *c = names->first;

			while (c && !(c->type == BUS_JSON_STRING && bus_str_eq(c->text, s->rule[k][i].name)))
				c = c->next;
			if (!c)
				out->rule[k][out->n[k]++] = s->rule[k][i];
		}
	}
	return out;
}

bool schema_rule_set_has_type(const struct schema_rule_set *s, const char *type)
{
	for (int k = 0; s && k < SCHEMA_RULE_KINDS; k++)
		for (size_t i = 0; i < s->n[k]; i++)
			if (s->rule[k][i].type.p && bus_str_is(s->rule[k][i].type, type))
				return true;
	return false;
}

const struct bus_str *schema_metadata_get(const struct schema_metadata *m, const char *key)
{
	for (size_t i = 0; m && i < m->n_properties; i++)
		if (bus_str_is(m->property[i].key, key))
			return &m->property[i].value;
	return NULL;
}

const struct schema_metadata *schema_metadata_set(const struct schema_metadata *m, const char *key,
						  const char *value, struct bus_arena *arena)
{
	struct schema_metadata *out = bus_arena_zalloc(arena, sizeof(*out));
	size_t n = m ? m->n_properties : 0;

	if (!out)
		return m;
	if (m)
		*out = *m;
	out->n_properties = 0;
	out->property = bus_arena_zalloc(arena, (n + 1) * sizeof(*out->property));
	if (!out->property)
		return m;
	for (size_t i = 0; i < n; i++)
		if (!bus_str_is(m->property[i].key, key))
			out->property[out->n_properties++] = m->property[i];
	if (value) {
		out->property[out->n_properties++] = (struct schema_pair){ bus_str(key), bus_str(value) };
		qsort(out->property, out->n_properties, sizeof(*out->property), by_text);
	}
	return out;
}
