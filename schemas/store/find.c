/* Is this schema there already? By its content first; else by what it means, as Confluent's canLookup(). */
#include "bus/crypto.h"
#include "schemas/avro/normal.h"
#include "schemas/store/impl.h"

struct seen {
	int version;
	uint64_t alike;
};

/* What two versions must have in common to be alike: schema with its references written out, metadata but for
 * the property by which Confluent marks versions, rules. */
static void meaning(const struct schema_version *v, const struct schema_metadata *m,
		    const struct schema_rule_set *rules, struct bus_arena *arena, struct bus_buf *out)
{
	bus_buf_put(out, v->type, strlen(v->type) + 1);
	if (v->schema)
		schema_normalize(v->schema, SCHEMA_NORMAL_WHOLE, out);
	else
		bus_buf_puts(out, v->text);
	bus_buf_putc(out, '\0');
	schema_meta_members(schema_metadata_set(m, SCHEMA_META_VERSION, NULL, arena), rules, out);
}

static uint64_t digest(const struct bus_buf *b)
{
	uint8_t md5[BUS_MD5_LEN];
	uint64_t h;

	bus_md5(b->p, b->n, md5);
	memcpy(&h, md5, sizeof(h));
	return h ? h : 1;
}

static bool same_references(const struct schema_version *a, const struct schema_version *b)
{
	if (a->n_references != b->n_references)
		return false;
	for (size_t i = 0; i < a->n_references; i++)
		if (a->reference[i].version != b->reference[i].version ||
		    strcmp(a->reference[i].name, b->reference[i].name) != 0 ||
		    strcmp(a->reference[i].subject, b->reference[i].subject) != 0)
			return false;
	return true;
}

/* Both carry a version's mark, or the one that does carries what is true. */
static bool marks_agree(const struct schema_metadata *asked, const struct schema_metadata *there, int version)
{
	const struct bus_str *a = schema_metadata_get(asked, SCHEMA_META_VERSION),
			     *b = schema_metadata_get(there, SCHEMA_META_VERSION);
	char number[16];

	if (!a)
		return true;
	if (b)
		return bus_str_eq(*a, *b);
	snprintf(number, sizeof(number), "%d", version);
	return bus_str_is(*a, number);
}

struct asked {
	struct schema_store *s;
	const struct schema_version *v;
	const struct schema_metadata *metadata;
	struct bus_arena *arena;
	struct bus_buf meaning;
	uint64_t alike;
};

/* Notes what was found out about a version, if it is still the same. */
static void note(struct schema_store *s, const struct schema_version *v, uint64_t alike)
{
	const struct schema_table *t = schema_store_read(s);
	const struct schema_subject *sub = schema_table_subject(t, v->subject);
	struct schema_entry *e = sub ? schema_table_entry(sub, v->version) : NULL;

	if (e && memcmp(e->content->guid, v->guid, SCHEMA_GUID_LEN) == 0)
		atomic_store_explicit(&e->alike, alike, memory_order_relaxed);
	schema_store_done(s);
}

static bool copy_entry(struct schema_store *s, const char *subject, int version, struct schema_version *out)
{
	const struct schema_table *t = schema_store_read(s);
	const struct schema_subject *sub = schema_table_subject(t, subject);
	const struct schema_entry *e = sub ? schema_table_entry(sub, version) : NULL;

	if (e) {
		const struct schema_version view = schema_table_view(sub, e);

		schema_version_copy(&view, out);
	}
	schema_store_done(s);
	return e != NULL;
}

static bool is_it(struct asked *a, struct seen seen, struct schema_version *out)
{
	const struct schema_metadata *m;
	const struct schema_rule_set *rules;
	struct bus_buf b = { 0 };
	uint64_t alike;
	bool same;

	if (seen.alike != 0 && seen.alike != a->alike)
		return false;
	if (!copy_entry(a->s, a->v->subject, seen.version, out))
		return false;
	(void)!schema_store_parse(a->s, out, NULL);
	schema_meta_parse(out->extra, a->arena, &m, &rules);
	meaning(out, m, rules, a->arena, &b);
	alike = digest(&b);
	if (seen.alike == 0)
		note(a->s, out, alike);
	same = bus_str_eq(bus_buf_str(&b), bus_buf_str(&a->meaning)) &&
	       (same_references(a->v, out) || (a->v->n_references == 0 && a->v->schema)) &&
	       marks_agree(a->metadata, m, out->version);
	bus_buf_release(&b);
	if (!same)
		schema_version_release(out);
	return same;
}

/* The versions to look at, oldest first; on the heap. Or the version that has the very content. */
static struct seen *look(struct schema_store *s, const struct schema_version *v, enum schema_deleted which,
			 bool latest_only, size_t *n, struct schema_version *out)
{
	const struct schema_table *t = schema_store_read(s);
	const struct schema_subject *sub = schema_table_subject(t, v->subject);
	const struct schema_content *c = sub ? schema_table_guid(t, sub->context, v->guid, v->type) : NULL;
	const struct schema_entry *e = c && !latest_only ? schema_table_use(c, sub) : NULL;
	struct seen *list = NULL;

	*n = 0;
	if (e && schema_wanted(e, which)) {
		const struct schema_version view = schema_table_view(sub, e);

		schema_version_copy(&view, out);
	} else if (sub) {
		list = bus_xmalloc((sub->n_entries + 1) * sizeof(*list));
		for (size_t i = 0; i < sub->n_entries; i++)
			if (schema_wanted(&sub->entry[i], which))
				list[(*n)++] = (struct seen){ sub->entry[i].version,
							      atomic_load_explicit(&sub->entry[i].alike,
										   memory_order_relaxed) };
	}
	schema_store_done(s);
	return list;
}

enum bus_err schema_store_find(struct schema_store *s, const struct schema_version *v,
			       enum schema_deleted which, bool latest_only, struct schema_version *out,
			       bool *exact, struct bus_error *err)
{
	struct asked a = { .s = s, .v = v };
	const struct schema_rule_set *rules;
	struct seen *list;
	bool found;
	size_t n, from;

	memset(out, 0, sizeof(*out));
	list = look(s, v, latest_only ? SCHEMA_LIVE : which, latest_only, &n, out);
	found = *exact = out->subject != NULL;
	from = latest_only && n > 0 ? n - 1 : 0;
	if (!found && n > 0) {
		a.arena = bus_arena_new(0);
		schema_meta_parse(v->extra, a.arena, &a.metadata, &rules);
		meaning(v, a.metadata, rules, a.arena, &a.meaning);
		a.alike = digest(&a.meaning);
		for (size_t i = n; i > from && !found; i--)
			found = is_it(&a, list[i - 1], out);
		bus_buf_release(&a.meaning);
		bus_arena_free(&a.arena);
	}
	free(list);
	return found ? BUS_OK : bus_fail(err, BUS_ENOENT, "subject '%s' has no such schema", v->subject);
}

enum bus_err schema_store_find_id(struct schema_store *s, const struct schema_version *v, int32_t *id,
				  struct bus_error *err)
{
	const struct schema_table *t = schema_store_read(s);
	const struct schema_context *context =
	    schema_table_context(t, schema_subject_split(v->subject).context);
	const struct schema_content *c = context ? schema_table_guid(t, context, v->guid, v->type) : NULL;

	if (c)
		*id = c->id;
	schema_store_done(s);
	return c ? BUS_OK : bus_fail(err, BUS_ENOENT, "no id has that schema");
}
