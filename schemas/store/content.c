/* Contents: what an id means, who uses it, who refers to whom. */
#include "schemas/avro/canon.h"
#include "schemas/store/table_impl.h"

static const char *const known_type[] = { "AVRO", "JSON", "PROTOBUF" };

static uint64_t id_hash(const struct schema_context *c, int32_t id)
{
	return schema_hash((uintptr_t)c, &id, sizeof(id));
}

static uint64_t guid_hash(const struct schema_context *c, const uint8_t *guid)
{
	uint64_t h;

	memcpy(&h, guid, sizeof(h)); /* as good as any hash: it is one */
	return h ^ (uintptr_t)c;
}

/* Of a subject as it is seen from the context; the same for every way to write it. */
static uint64_t target_hash(const struct schema_context *from, const char *subject)
{
	struct schema_qualified q = schema_subject_split(subject);

	if (schema_subject_is_default(q))
		q.context = bus_str(from->name);
	return schema_hash(schema_hash(1, q.context.p, q.context.n), q.name.p, q.name.n);
}

static bool targets(const struct schema_context *from, const char *subject, struct schema_qualified target)
{
	struct schema_qualified q = schema_subject_split(subject);

	if (schema_subject_is_default(q))
		q.context = bus_str(from->name);
	return bus_str_eq(q.context, target.context) && bus_str_eq(q.name, target.name);
}

/* --- making and letting go -------------------------------------------------------------------------- */

static void free_content(struct schema_content *c)
{
	for (size_t i = 0; i < c->n_references; i++) {
		free(c->reference[i].name);
		free(c->reference[i].subject);
	}
	free(c->reference);
	free(c->backlink);
	free(c->use);
	free(c->text);
	free(c->extra);
	free(c->other_type);
	free(c);
}

void schema_table_free_contents(struct schema_table *t)
{
	for (size_t i = 0; i < t->by_id.cap; i++)
		for (struct schema_link *l = t->by_id.bucket[i], *next; l; l = next) {
			next = l->next;
			free_content(SCHEMA_LINKED(l, struct schema_content, by_id));
		}
}

static void forget(struct schema_table *t, struct schema_content *c)
{
	schema_index_remove(&t->by_id, &c->by_id);
	schema_index_remove(&t->by_guid, &c->by_guid);
	for (size_t i = 0; i < c->n_references; i++)
		schema_index_remove(&t->by_target, &c->backlink[i].by_target);
	free_content(c);
}

static struct schema_content *make(struct schema_table *t, struct schema_context *context,
				   const struct schema_record *r, int64_t offset)
{
	struct schema_content *c = bus_xcalloc(1, sizeof(*c));

	c->context = context;
	c->id = r->id;
	c->offset = offset;
	memcpy(c->guid, r->guid, sizeof(c->guid));
	c->text = bus_xstrndup(r->text.p, r->text.n);
	c->extra = r->extra.n > 0 ? bus_xstrndup(r->extra.p, r->extra.n) : NULL;
	for (size_t i = 0; i < BUS_LEN(known_type); i++)
		if (bus_str_is(r->type, known_type[i]))
			c->type = known_type[i];
	if (!c->type)
		c->type = c->other_type = bus_xstrndup(r->type.p, r->type.n);
	schema_index_add(&t->by_id, &c->by_id, id_hash(context, c->id));
	schema_index_add(&t->by_guid, &c->by_guid, guid_hash(context, c->guid));
	if (r->n_references == 0)
		return c;
	c->n_references = r->n_references;
	c->reference = bus_xcalloc(r->n_references, sizeof(*c->reference));
	c->backlink = bus_xcalloc(r->n_references, sizeof(*c->backlink));
	for (size_t i = 0; i < r->n_references; i++) {
		c->reference[i] = (struct schema_store_reference){ bus_xstrdup(r->reference[i].name),
								   bus_xstrdup(r->reference[i].subject),
								   r->reference[i].version };
		c->backlink[i] = (struct schema_backlink){ .content = c, .index = i };
		schema_index_add(&t->by_target, &c->backlink[i].by_target,
				 target_hash(context, c->reference[i].subject));
	}
	return c;
}

static bool same_words(const struct schema_content *c, const struct schema_record *r)
{
	/* The GUID is of text, references, metadata and rules. */
	return memcmp(c->guid, r->guid, sizeof(c->guid)) == 0 && bus_str_is(r->text, c->text) &&
	       bus_str_is(r->type, c->type);
}

/* Two texts of the same Avro schema (Karapace, and Confluent's of old, kept it as it came). Rare: only when a
 * record gives an id in use another text. Schemas that refer to others are not looked into. */
static bool same_schema(const struct schema_content *c, const struct schema_record *r)
{
	struct schema *a = NULL, *b = NULL;
	struct bus_buf x = { 0 }, y = { 0 };
	bool same = false;

	if (bus_str_is(r->text, c->text))
		return true;
	if (strcmp(c->type, "AVRO") == 0 && bus_str_is(r->type, c->type) &&
	    schema_parse(bus_str(c->text), SCHEMA_LENIENT, NULL, 0, &a, NULL) == BUS_OK &&
	    schema_parse(r->text, SCHEMA_LENIENT, NULL, 0, &b, NULL) == BUS_OK) {
		schema_to_string(a, &x);
		schema_to_string(b, &y);
		same = bus_str_eq(bus_buf_str(&x), bus_buf_str(&y));
	}
	schema_unref(&a);
	schema_unref(&b);
	bus_buf_release(&x);
	bus_buf_release(&y);
	return same;
}

static struct schema_content *unused_other(struct schema_table *t, const struct schema_context *context,
					   const struct schema_record *r)
{
	for (struct schema_link *l = schema_index_first(&t->by_id, id_hash(context, r->id)); l;
	     l = schema_index_next(l)) {
		struct schema_content *c = SCHEMA_LINKED(l, struct schema_content, by_id);

		if (c->context == context && c->id == r->id && c->n_uses == 0 && !same_words(c, r))
			return c;
	}
	return NULL;
}

struct schema_content *schema_table_make_content(struct schema_table *t, struct schema_context *context,
						 const struct schema_record *r, int64_t offset)
{
	struct schema_content *other;

	for (struct schema_link *l = schema_index_first(&t->by_id, id_hash(context, r->id)); l;
	     l = schema_index_next(l)) {
		struct schema_content *c = SCHEMA_LINKED(l, struct schema_content, by_id);

		if (c->context != context || c->id != r->id)
			continue;
		if (same_words(c, r))
			return c;
		if (c->n_uses > 0 && !same_schema(c, r))
			return NULL;
	}
	while ((other = unused_other(t, context, r)))
		forget(t, other);
	return make(t, context, r, offset);
}

/* --- who uses it ------------------------------------------------------------------------------------ */

void schema_table_add_use(struct schema_content *c, struct schema_subject *s, int version)
{
	c->use = bus_xrealloc(c->use, (c->n_uses + 1) * sizeof(*c->use));
	c->use[c->n_uses++] = (struct schema_usage){ s, version };
}

void schema_table_unuse(struct schema_content *c, const struct schema_subject *s, int version)
{
	for (size_t i = 0; i < c->n_uses; i++)
		if (c->use[i].subject == s && c->use[i].version == version) {
			c->n_uses--;
			memmove(&c->use[i], &c->use[i + 1], (c->n_uses - i) * sizeof(*c->use));
			return;
		}
}

const struct schema_entry *schema_table_use(const struct schema_content *c, const struct schema_subject *s)
{
	int newest = 0;

	for (size_t i = 0; i < c->n_uses; i++)
		if (c->use[i].subject == s && c->use[i].version > newest)
			newest = c->use[i].version;
	return newest > 0 ? schema_table_entry(s, newest) : NULL;
}

/* --- looking up ------------------------------------------------------------------------------------- */

struct schema_content *schema_table_content(const struct schema_table *t,
					    const struct schema_context *context, int32_t id)
{
	struct schema_content *found = NULL;

	for (struct schema_link *l = schema_index_first(&t->by_id, id_hash(context, id)); l;
	     l = schema_index_next(l)) {
		struct schema_content *c = SCHEMA_LINKED(l, struct schema_content, by_id);

		if (c->context != context || c->id != id)
			continue;
		if (!found || (c->n_uses > 0) > (found->n_uses > 0) ||
		    ((c->n_uses > 0) == (found->n_uses > 0) && c->offset < found->offset))
			found = c;
	}
	return found;
}

struct schema_content *schema_table_guid(const struct schema_table *t, const struct schema_context *context,
					 const uint8_t guid[SCHEMA_GUID_LEN], const char *type)
{
	struct schema_content *found = NULL;

	for (struct schema_link *l = schema_index_first(&t->by_guid, guid_hash(context, guid)); l;
	     l = schema_index_next(l)) {
		struct schema_content *c = SCHEMA_LINKED(l, struct schema_content, by_guid);

		if (c->context != context || memcmp(c->guid, guid, SCHEMA_GUID_LEN) != 0 ||
		    (type && strcmp(c->type, type) != 0))
			continue;
		if (!found || (c->n_uses > 0) > (found->n_uses > 0) ||
		    ((c->n_uses > 0) == (found->n_uses > 0) && c->offset > found->offset))
			found = c;
	}
	return found;
}

void schema_table_referrers(const struct schema_table *t, const char *subject, int version,
			    void (*fn)(void *ctx, const struct schema_content *c), void *ctx)
{
	struct schema_qualified target = schema_subject_split(subject);
	uint64_t hash =
	    schema_hash(schema_hash(1, target.context.p, target.context.n), target.name.p, target.name.n);

	for (struct schema_link *l = schema_index_first(&t->by_target, hash); l; l = schema_index_next(l)) {
		const struct schema_backlink *b = SCHEMA_LINKED(l, struct schema_backlink, by_target);
		const struct schema_store_reference *r = &b->content->reference[b->index];

		if ((version == 0 || r->version == version) &&
		    targets(b->content->context, r->subject, target))
			fn(ctx, b->content);
	}
}

struct schema_version schema_table_view_content(const struct schema_content *c)
{
	struct schema_version v = { .id = c->id,
				    .text = c->text,
				    .type = (char *)(uintptr_t)c->type,
				    .reference = c->reference,
				    .n_references = c->n_references,
				    .extra = c->extra ? c->extra : (char *)(uintptr_t) "" };

	memcpy(v.guid, c->guid, sizeof(v.guid));
	return v;
}

struct schema_version schema_table_view(const struct schema_subject *s, const struct schema_entry *e)
{
	struct schema_version v = schema_table_view_content(e->content);

	v.subject = s->name;
	v.version = e->version;
	v.deleted = e->deleted;
	v.offset = e->offset;
	v.timestamp_ms = e->timestamp_ms;
	return v;
}
