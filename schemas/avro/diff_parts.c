/* What types and fields have beside their structure: aliases, doc, default, properties. */
#include "schemas/avro/diff_impl.h"

#define MEMBERS_MAX 1000 /* of an object that are looked up by name */

static bool has(const char *const *list, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(list[i], name) == 0)
			return true;
	return false;
}

void schema_diff_aliases(struct schema_differ *d, bool whole, const char *const *o, size_t n_o,
			 const char *const *n, size_t n_n)
{
	if (n_o > MEMBERS_MAX || n_n > MEMBERS_MAX) {
		d->out->cut = true;
		return;
	}
	for (size_t i = 0; i < n_o; i++)
		if (!has(n, n_n, o[i]))
			schema_diff_note(d, DIFF_ALIAS_REMOVED, whole, o[i], NULL, NULL);
	for (size_t i = 0; i < n_n; i++)
		if (!has(o, n_o, n[i]))
			schema_diff_note(d, DIFF_ALIAS_ADDED, whole, n[i], NULL, NULL);
}

void schema_diff_doc(struct schema_differ *d, bool whole, const char *o, const char *n)
{
	bool was = o && o[0], now = n && n[0];

	if (was && now && strcmp(o, n) != 0)
		schema_diff_note(d, DIFF_DOC_CHANGED, whole, NULL, o, n);
	else if (was != now)
		schema_diff_note(d, now ? DIFF_DOC_ADDED : DIFF_DOC_REMOVED, whole, NULL, was ? o : NULL,
				 now ? n : NULL);
}

/* Members in any order, numbers by value. Recursion: as deep as a schema's JSON, SCHEMA_DEPTH_MAX. */
static bool equal(const struct bus_json *a, const struct bus_json *b)
{
	const struct bus_json *x, *y;

	if (a->type != b->type || a->n != b->n)
		return false;
	if (a->type == BUS_JSON_NUMBER)
		return bus_str_eq(a->text, b->text) || strtod(a->text.p, NULL) == strtod(b->text.p, NULL);
	if (a->type == BUS_JSON_STRING)
		return bus_str_eq(a->text, b->text);
	for (x = a->first, y = b->first; x; x = x->next, y = y->next) {
		const struct bus_json *other = y;

		if (a->type == BUS_JSON_OBJECT && !bus_str_eq(x->name, y->name)) {
			for (other = a->n <= MEMBERS_MAX ? b->first : NULL; other; other = other->next)
				if (bus_str_eq(x->name, other->name))
					break;
		}
		if (!other || !equal(x, other))
			return false;
	}
	return true;
}

static const char *json_text(struct schema_differ *d, int side, const struct bus_json *v)
{
	if (!v)
		return NULL;
	bus_buf_reset(&d->text[side]);
	schema_words_json(v, &d->text[side]);
	return bus_buf_cstr(&d->text[side]);
}

static void note_json(struct schema_differ *d, enum schema_diff_code code, bool whole, const char *what,
		      const struct bus_json *o, const struct bus_json *n)
{
	const char *was = json_text(d, 0, o);

	schema_diff_note(d, code, whole, what, was, json_text(d, 1, n));
}

void schema_diff_default(struct schema_differ *d, bool whole, const struct bus_json *o,
			 const struct bus_json *n)
{
	if (o && n && !equal(o, n))
		note_json(d, DIFF_DEFAULT_CHANGED, whole, NULL, o, n);
	else if (!o != !n)
		note_json(d, n ? DIFF_DEFAULT_ADDED : DIFF_DEFAULT_REMOVED, whole, NULL, o, n);
}

/* Members that have their own kinds of change. */
static bool is_known(struct bus_str name, bool logical)
{
	static const char *const known[] = { "type",	"name",	 "namespace", "doc",  "aliases", "fields",
					     "symbols", "items", "values",    "size", "default" };
	static const char *const of_logical[] = { "logicalType", "precision", "scale" };

	for (size_t i = 0; i < BUS_LEN(known); i++)
		if (bus_str_is(name, known[i]))
			return true;
	for (size_t i = 0; i < BUS_LEN(of_logical) && logical; i++)
		if (bus_str_is(name, of_logical[i]))
			return true;
	return false;
}

/* How much a class of personal data protects; -1: none of them. */
static int protection(const struct bus_json *v)
{
	static const char order[] = "NPUSA"; /* none, pseudonym, general, specific, of a child */
	const char *at = v->type == BUS_JSON_STRING && v->text.n == 1 ? strchr(order, v->text.p[0]) : NULL;

	return at ? (int)(at - order) : -1;
}

static enum schema_diff_code class_code(const struct bus_json *o, const struct bus_json *n)
{
	if (!o || !n)
		return n ? DIFF_CLASS_ADDED : DIFF_CLASS_REMOVED;
	return protection(n) < protection(o) ? DIFF_CLASS_LOWERED : DIFF_CLASS_RAISED;
}

static void note_property(struct schema_differ *d, bool whole, struct bus_str name, const struct bus_json *o,
			  const struct bus_json *n)
{
	static const struct {
		const char *name;
		enum schema_diff_code code;
	} own[] = { { "x_kunci", DIFF_KEY_CHANGED },
		    { "x_topik", DIFF_TOPIC_CHANGED },
		    { "x_jenis", DIFF_KIND_CHANGED } };
	enum schema_diff_code code = !o	 ? DIFF_PROPERTY_ADDED
				     : n ? DIFF_PROPERTY_CHANGED
					 : DIFF_PROPERTY_REMOVED;
	char *what = bus_xstrndup(name.p, name.n);

	if (bus_str_is(name, "x_pdp"))
		code = class_code(o, n);
	for (size_t i = 0; i < BUS_LEN(own); i++)
		if (bus_str_is(name, own[i].name) && o)
			code = own[i].code;
	note_json(d, code, whole, what, o, n);
	free(what);
}

static const struct bus_json *member(const struct bus_json *object, struct bus_str name)
{
	const struct bus_json *v = object ? object->first : NULL;

	while (v && !bus_str_eq(v->name, name))
		v = v->next;
	return v;
}

void schema_diff_properties(struct schema_differ *d, bool whole, const struct bus_json *o,
			    const struct bus_json *n, bool logical)
{
	if ((o && o->n > MEMBERS_MAX) || (n && n->n > MEMBERS_MAX)) {
		d->out->cut = true;
		return;
	}
	for (const struct bus_json *v = o ? o->first : NULL; v; v = v->next) {
		const struct bus_json *other = member(n, v->name);

		if (!is_known(v->name, logical) && (!other || !equal(v, other)))
			note_property(d, whole, v->name, v, other);
	}
	for (const struct bus_json *v = n ? n->first : NULL; v; v = v->next)
		if (!is_known(v->name, logical) && !member(o, v->name))
			note_property(d, whole, v->name, NULL, v);
}
