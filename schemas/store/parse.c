/* Schemas out of texts, when they are needed; the last ones are kept. Nothing is parsed under the table's
 * lock. */
#include "schemas/store/impl.h"

#define CLOSURE_MAX 200 /* schemas that one leads to */
#define CLOSURE_DEPTH 64
#define CLOSURE_TEXT SCHEMA_TEXT_MAX /* bytes of all their texts */

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
	if (found)
		p->used = ++s->parsed_clock;
	pthread_mutex_unlock(&s->parsed_lock);
	return found;
}

static void forget(struct schema_store *s, struct schema_parsed *p)
{
	s->parsed_bytes -= p->bytes;
	p->bytes = 0;
	schema_unref(&p->schema);
}

/* Those that nobody asked for the longest time go first. */
static void make_room(struct schema_store *s, size_t bytes)
{
	while (s->parsed_bytes + bytes > SCHEMA_PARSED_BYTES) {
		struct schema_parsed *oldest = NULL;

		for (size_t i = 0; i < SCHEMA_PARSED_MAX; i++)
			if (s->parsed[i].schema && (!oldest || s->parsed[i].used < oldest->used))
				oldest = &s->parsed[i];
		forget(s, oldest);
	}
}

static void remember(struct schema_store *s, const struct schema_context *c, const uint8_t *guid,
		     uint64_t generation, struct schema *schema)
{
	struct schema_parsed *p = slot_of(s, c, guid);
	size_t bytes = schema_memory(schema);

	if (bytes > SCHEMA_PARSED_BYTES)
		return;
	pthread_mutex_lock(&s->parsed_lock);
	forget(s, p);
	make_room(s, bytes);
	p->schema = schema_ref(schema);
	p->bytes = bytes;
	p->used = ++s->parsed_clock;
	p->context = c;
	p->generation = generation;
	memcpy(p->guid, guid, SCHEMA_GUID_LEN);
	s->parsed_bytes += bytes;
	pthread_mutex_unlock(&s->parsed_lock);
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

static bool in_closure(const struct schema_closure *c, const char *subject, int version)
{
	for (size_t i = 0; i < c->n; i++)
		if (c->item[i].v.version == version && strcmp(c->item[i].v.subject, subject) == 0)
			return true;
	return false;
}

struct walk {
	struct schema_store *s;
	struct schema_closure *out;
	bool with_deleted;
	int depth;
	size_t n, text; /* taken so far */
	struct bus_error *err;
};

static enum bus_err follow(struct walk *w, const char *from, struct schema_store_reference *reference,
			   size_t n);

/* Before anything is copied or parsed: a schema of a few bytes may lead to very much. */
static enum bus_err count(struct walk *w, const struct schema_entry *e)
{
	if (w->depth >= CLOSURE_DEPTH || w->n >= CLOSURE_MAX)
		return bus_fail(w->err, BUS_ETOOBIG,
				"the references lead to more than %d schemas, or more than %d deep",
				CLOSURE_MAX, CLOSURE_DEPTH);
	w->n++;
	w->text += strlen(e->content->text);
	if (w->text > CLOSURE_TEXT)
		return bus_fail(w->err, BUS_ETOOBIG,
				"the schemas that the references lead to are together longer than %zu bytes",
				CLOSURE_TEXT);
	return BUS_OK;
}

/* Sets r->version; out->subject stays NULL when the closure has it already. */
static enum bus_err take(struct walk *w, const char *subject, struct schema_store_reference *r,
			 struct schema_version *out)
{
	const struct schema_table *t = schema_store_read(w->s);
	const struct schema_subject *sub = schema_table_subject(t, subject);
	const struct schema_entry *e = NULL;
	enum bus_err rc = BUS_OK;

	*out = (struct schema_version){ 0 };
	if (sub && (r->version > 0 || r->version == -1))
		e = schema_table_entry(sub, r->version == -1 ? 0 : r->version);
	if (!e || (e->deleted && !w->with_deleted)) {
		rc = bus_fail(w->err, BUS_ENOENT,
			      "No schema reference found for subject \"%s\" and version %d", subject,
			      r->version);
	} else {
		r->version = e->version;
		if (!in_closure(w->out, sub->name, e->version)) {
			const struct schema_version view = schema_table_view(sub, e);

			rc = count(w, e);
			if (rc == BUS_OK)
				schema_version_copy(&view, out);
		}
	}
	schema_store_done(w->s);
	return rc;
}

static enum bus_err need(struct walk *w, const char *subject, struct schema_store_reference *r)
{
	struct schema_version v;
	enum bus_err rc = take(w, subject, r, &v);

	if (rc != BUS_OK || !v.subject)
		return rc;
	w->depth++;
	rc = follow(w, v.subject, v.reference, v.n_references);
	w->depth--;
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
				  struct schema_closure *out, struct bus_error *err)
{
	struct walk w = { .s = s, .out = out, .with_deleted = with_deleted, .err = err };
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
	struct schema_reference_text ref[CLOSURE_MAX];

	if (!is_avro(v))
		return bus_fail(err, BUS_ESCHEMA, "not an Avro schema");
	for (size_t i = 0; i < c->n; i++) {
		const struct schema_needed *need = &c->item[i];

		if (!is_avro(&need->v))
			return bus_fail(err, BUS_ESCHEMA, "the reference \"%s\" is not Avro", need->name);
		ref[i] = (struct schema_reference_text){ need->name, bus_str(need->v.text) };
	}
	return schema_parse_texts(bus_str(v->text), flags, ref, c->n, &v->schema, err);
}

static enum bus_err parse(struct schema_store *s, struct schema_version *v, bool keep, struct bus_error *err)
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
	rc = schema_store_closure(s, v->subject, v->reference, v->n_references, true, &needed, err);
	if (rc == BUS_OK)
		rc = schema_closure_parse(&needed, v, SCHEMA_LENIENT, err);
	if (rc == BUS_OK && context && keep)
		remember(s, context, v->guid, generation, v->schema);
	schema_closure_release(&needed);
	return rc;
}

enum bus_err schema_store_parse(struct schema_store *s, struct schema_version *v, struct bus_error *err)
{
	return parse(s, v, true, err);
}

enum bus_err schema_store_parse_once(struct schema_store *s, struct schema_version *v, struct bus_error *err)
{
	return parse(s, v, false, err);
}
