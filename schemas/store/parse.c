/* Schemas out of texts, when they are needed; the last ones are kept. Nothing is parsed under the table's
 * lock. */
#include "schemas/store/impl.h"

#define CLOSURE_MAX 1000 /* schemas that one leads to */
#define CLOSURE_DEPTH 64

static const struct schema_context *context_of(struct schema_store *s, const char *subject,
					       uint64_t *generation)
{
	const struct schema_table *t = schema_store_read(s);
	const struct schema_context *c = schema_table_context(t, schema_subject_split(subject).context);

	*generation = schema_table_generation(t);
	schema_store_done(s);
	return c; /* contexts live as long as the table */
}

static struct schema_parsed *slot_of(struct schema_store *s, const struct schema_context *c,
				     const uint8_t *guid)
{
	return &s->parsed[schema_hash((uintptr_t)c, guid, SCHEMA_GUID_LEN) % SCHEMA_PARSED_MAX];
}

static struct schema *remembered(struct schema_store *s, const struct schema_context *c, const uint8_t *guid,
				 uint64_t generation)
{
	struct schema_parsed *p = slot_of(s, c, guid);
	struct schema *found = NULL;

	pthread_mutex_lock(&s->parsed_lock);
	if (p->schema && p->context == c && p->generation == generation &&
	    memcmp(p->guid, guid, SCHEMA_GUID_LEN) == 0)
		found = schema_ref(p->schema);
	pthread_mutex_unlock(&s->parsed_lock);
	return found;
}

static void remember(struct schema_store *s, const struct schema_context *c, const uint8_t *guid,
		     uint64_t generation, struct schema *schema)
{
	struct schema_parsed *p = slot_of(s, c, guid);
	struct schema *old;

	pthread_mutex_lock(&s->parsed_lock);
	old = p->schema;
	p->schema = schema_ref(schema);
	p->context = c;
	p->generation = generation;
	memcpy(p->guid, guid, SCHEMA_GUID_LEN);
	pthread_mutex_unlock(&s->parsed_lock);
	schema_unref(&old);
}

static bool is_avro(const struct schema_version *v)
{
	return !v->type || strcmp(v->type, "AVRO") == 0;
}

/* --- what references lead to ------------------------------------------------------------------------ */

void schema_closure_release(struct schema_closure *c)
{
	for (size_t i = 0; i < c->n; i++) {
		free(c->item[i].name);
		schema_version_release(&c->item[i].v);
	}
	free(c->item);
	*c = (struct schema_closure){ 0 };
}

static const struct schema_needed *in_closure(const struct schema_closure *c, const char *subject,
					      int version)
{
	for (size_t i = 0; i < c->n; i++)
		if (c->item[i].v.version == version && strcmp(c->item[i].v.subject, subject) == 0)
			return &c->item[i];
	return NULL;
}

static bool copy_version(struct schema_store *s, const char *subject, int version, bool with_deleted,
			 struct schema_version *out)
{
	const struct schema_table *t = schema_store_read(s);
	const struct schema_subject *sub = schema_table_subject(t, subject);
	const struct schema_entry *e = sub ? schema_table_entry(sub, version == -1 ? 0 : version) : NULL;

	if (e && e->deleted && !with_deleted)
		e = NULL;
	if (e) {
		const struct schema_version view = schema_table_view(sub, e);

		schema_version_copy(&view, out);
	}
	schema_store_done(s);
	return e != NULL;
}

struct walk {
	struct schema_store *s;
	struct schema_closure *out;
	bool with_deleted, parse;
	int depth;
	struct bus_error *err;
};

static enum bus_err follow(struct walk *w, const char *from, struct schema_store_reference *reference,
			   size_t n);

static enum bus_err need(struct walk *w, const char *subject, struct schema_store_reference *r)
{
	struct schema_version v;
	enum bus_err rc;

	if (r->version == 0 || r->version < -1 ||
	    !copy_version(w->s, subject, r->version, w->with_deleted, &v))
		return bus_fail(w->err, BUS_ENOENT,
				"No schema reference found for subject \"%s\" and version %d", subject,
				r->version);
	r->version = v.version;
	if (in_closure(w->out, subject, v.version)) {
		schema_version_release(&v);
		return BUS_OK;
	}
	if (w->depth >= CLOSURE_DEPTH || w->out->n >= CLOSURE_MAX) {
		schema_version_release(&v);
		return bus_fail(w->err, BUS_ESCHEMA, "references lead to more than %d schemas, or %d deep",
				CLOSURE_MAX, CLOSURE_DEPTH);
	}
	w->depth++;
	rc = follow(w, v.subject, v.reference, v.n_references);
	w->depth--;
	if (rc == BUS_OK && w->parse && is_avro(&v))
		rc = schema_closure_parse(w->out, &v, SCHEMA_LENIENT, w->err);
	if (rc != BUS_OK) {
		schema_version_release(&v);
		return rc;
	}
	if ((w->out->n & (w->out->n - 1)) == 0)
		w->out->item =
		    bus_xrealloc(w->out->item, (w->out->n ? 2 * w->out->n : 1) * sizeof(*w->out->item));
	w->out->item[w->out->n++] = (struct schema_needed){ bus_xstrdup(r->name), v };
	return BUS_OK;
}

static enum bus_err follow(struct walk *w, const char *from, struct schema_store_reference *reference,
			   size_t n)
{
	enum bus_err rc = BUS_OK;

	for (size_t i = 0; i < n && rc == BUS_OK; i++) {
		char *subject = schema_subject_seen_from(from, reference[i].subject);

		rc = need(w, subject, &reference[i]);
		free(subject);
	}
	return rc;
}

enum bus_err schema_store_closure(struct schema_store *s, const char *subject,
				  struct schema_store_reference *reference, size_t n, bool with_deleted,
				  bool parse, struct schema_closure *out, struct bus_error *err)
{
	struct walk w = { .s = s, .out = out, .with_deleted = with_deleted, .parse = parse, .err = err };
	enum bus_err rc;

	*out = (struct schema_closure){ 0 };
	rc = follow(&w, subject, reference, n);
	if (rc != BUS_OK)
		schema_closure_release(out);
	return rc;
}

enum bus_err schema_closure_parse(const struct schema_closure *c, struct schema_version *v, int flags,
				  struct bus_error *err)
{
	struct schema_reference ref[SCHEMA_STORE_REFERENCES_MAX];

	if (!is_avro(v) || v->n_references > BUS_LEN(ref))
		return bus_fail(err, BUS_ESCHEMA, "not an Avro schema");
	for (size_t i = 0; i < v->n_references; i++) {
		char *subject = schema_subject_seen_from(v->subject, v->reference[i].subject);
		const struct schema_needed *need = in_closure(c, subject, v->reference[i].version);

		free(subject);
		if (!need || !need->v.schema)
			return bus_fail(err, BUS_ESCHEMA, "the reference \"%s\" is not Avro that can be read",
					v->reference[i].name);
		ref[i] = (struct schema_reference){ v->reference[i].name, need->v.schema };
	}
	return schema_parse(bus_str(v->text), flags, ref, v->n_references, &v->schema, err);
}

enum bus_err schema_store_parse(struct schema_store *s, struct schema_version *v, struct bus_error *err)
{
	struct schema_closure needed = { 0 };
	const struct schema_context *context;
	uint64_t generation;
	enum bus_err rc;

	if (v->schema)
		return BUS_OK;
	if (!is_avro(v))
		return bus_fail(err, BUS_ESCHEMA, "not an Avro schema");
	context = context_of(s, v->subject, &generation);
	v->schema = remembered(s, context, v->guid, generation);
	if (v->schema)
		return BUS_OK;
	rc = schema_store_closure(s, v->subject, v->reference, v->n_references, true, true, &needed, err);
	if (rc == BUS_OK)
		rc = schema_closure_parse(&needed, v, SCHEMA_LENIENT, err);
	if (rc == BUS_OK && context)
		remember(s, context, v->guid, generation, v->schema);
	schema_closure_release(&needed);
	return rc;
}
