#include "bus/clock.h"
#include "bus/mem.h"
#include "schemas/store/impl.h"

/* --- what comes back to callers --- */

void schema_version_release(struct schema_version *v)
{
	for (size_t i = 0; i < v->n_references; i++) {
		free(v->reference[i].name);
		free(v->reference[i].subject);
	}
	free(v->reference);
	free(v->subject);
	free(v->text);
	free(v->type);
	free(v->extra);
	schema_unref(&v->schema);
	memset(v, 0, sizeof(*v));
}

void schema_version_list_release(struct schema_version_list *l)
{
	for (size_t i = 0; i < l->n; i++)
		schema_version_release(&l->item[i]);
	free(l->item);
	memset(l, 0, sizeof(*l));
}

void schema_name_list_release(struct schema_name_list *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->item[i]);
	free(l->item);
	memset(l, 0, sizeof(*l));
}

void schema_version_copy(const struct schema_version *view, struct schema_version *out)
{
	*out = *view;
	out->subject = view->subject ? bus_xstrdup(view->subject) : NULL;
	out->text = bus_xstrdup(view->text);
	out->type = bus_xstrdup(view->type);
	out->extra = bus_xstrdup(view->extra);
	out->schema = view->schema ? schema_ref(view->schema) : NULL;
	out->reference = bus_xcalloc(view->n_references + 1, sizeof(*out->reference));
	for (size_t i = 0; i < view->n_references; i++)
		out->reference[i] = (struct schema_store_reference){ bus_xstrdup(view->reference[i].name),
								     bus_xstrdup(view->reference[i].subject),
								     view->reference[i].version };
}

static void append(struct schema_version_list *l, const struct schema_subject *s,
		   const struct schema_entry *e)
{
	const struct schema_version view = schema_table_view(s, e);

	if ((l->n & (l->n - 1)) == 0) /* full at 0, 1, 2, 4, 8 ... */
		l->item = bus_xrealloc(l->item, (l->n ? 2 * l->n : 1) * sizeof(*l->item));
	schema_version_copy(&view, &l->item[l->n++]);
}

bool schema_wanted(const struct schema_entry *e, enum schema_deleted which)
{
	return which == SCHEMA_WITH_DELETED || e->deleted == (which == SCHEMA_ONLY_DELETED);
}

/* A copy of what the id means in the default context, with a subject that says which context. */
static bool content(struct schema_store *s, int32_t id, struct schema_version *out)
{
	const struct schema_table *t = schema_store_read(s);
	const struct schema_content *c =
	    schema_table_content(t, schema_table_context(t, BUS_STR(SCHEMA_CONTEXT_DEFAULT)), id);

	if (c) {
		struct schema_version view = schema_table_view_content(c);

		view.subject = c->n_uses > 0 ? c->use[0].subject->name : (char *)(uintptr_t) "";
		schema_version_copy(&view, out);
	}
	schema_store_done(s);
	return c != NULL;
}

enum bus_err schema_store_by_id(struct schema_store *s, int32_t id, int wait_ms, struct schema **out,
				struct bus_error *err)
{
	int64_t until = bus_clock_mono_ms() + wait_ms;

	*out = NULL;
	for (;;) {
		int64_t next = schema_store_next_offset(s), left;
		struct schema_version v;
		enum bus_err rc;

		if (content(s, id, &v)) {
			rc = schema_store_parse(s, &v, NULL);
			if (rc == BUS_OK)
				*out = schema_ref(v.schema);
			schema_version_release(&v);
			return rc == BUS_OK ? BUS_OK
					    : bus_fail(err, BUS_ESCHEMA,
						       "schema id %d is not Avro that can be read", (int)id);
		}
		left = until - bus_clock_mono_ms();
		/* Until anything new has been read. */
		if (left <= 0 || schema_store_wait(s, next, (int)left, NULL) != BUS_OK)
			return bus_fail(err, BUS_ENOENT, "no schema has the id %d", (int)id);
	}
}

static bool find_version(struct schema_store *s, const char *subject, int version, struct schema_version *out)
{
	char *name = schema_subject_normal(subject);
	const struct schema_table *t = schema_store_read(s);
	const struct schema_subject *sub = schema_table_subject(t, name);
	const struct schema_entry *e = sub ? schema_table_entry(sub, version) : NULL;

	if (e) {
		const struct schema_version view = schema_table_view(sub, e);

		schema_version_copy(&view, out);
	}
	schema_store_done(s);
	free(name);
	return e != NULL;
}

static enum bus_err version_found(struct schema_store *s, const char *subject, int version,
				  struct schema_version *out, struct bus_error *err)
{
	memset(out, 0, sizeof(*out));
	if (find_version(s, subject, version, out))
		return BUS_OK;
	if (version > 0)
		return bus_fail(err, BUS_ENOENT, "subject '%s' has no version %d", subject, version);
	return bus_fail(err, BUS_ENOENT, "no schema is registered for subject '%s'", subject);
}

enum bus_err schema_store_version(struct schema_store *s, const char *subject, int version,
				  struct schema_version *out, struct bus_error *err)
{
	enum bus_err rc = version_found(s, subject, version, out, err);

	if (rc == BUS_OK)
		(void)!schema_store_parse(s, out, NULL);
	return rc;
}

enum bus_err schema_store_version_once(struct schema_store *s, const char *subject, int version,
				       struct schema_version *out, struct bus_error *err)
{
	enum bus_err rc = version_found(s, subject, version, out, err);

	if (rc == BUS_OK)
		(void)!schema_store_parse_once(s, out, NULL);
	return rc;
}

void schema_store_subjects(struct schema_store *s, const char *prefix, enum schema_deleted which,
			   struct schema_name_list *out)
{
	const struct schema_table *t = schema_store_read(s);
	struct schema_subject *const *list;
	size_t from, to;

	memset(out, 0, sizeof(*out));
	(void)schema_table_subjects(t, &list);
	schema_table_range(t, prefix, &from, &to);
	out->item = bus_xcalloc(to - from + 1, sizeof(char *));
	for (size_t i = from; i < to; i++) {
		bool live = schema_table_entry(list[i], 0) != NULL;

		if (list[i]->n_entries > 0 &&
		    (which == SCHEMA_WITH_DELETED || live == (which == SCHEMA_LIVE)))
			out->item[out->n++] = bus_xstrdup(list[i]->name);
	}
	schema_store_done(s);
}

void schema_store_versions(struct schema_store *s, const char *subject, enum schema_deleted which,
			   struct schema_version_list *out)
{
	char *name = schema_subject_normal(subject);
	const struct schema_table *t = schema_store_read(s);
	const struct schema_subject *sub = schema_table_subject(t, name);

	memset(out, 0, sizeof(*out));
	for (size_t i = 0; sub && i < sub->n_entries; i++)
		if (schema_wanted(&sub->entry[i], which))
			append(out, sub, &sub->entry[i]);
	schema_store_done(s);
	free(name);
}

enum schema_level schema_store_level(struct schema_store *s, const char *subject)
{
	struct schema_config c;
	enum schema_level level;

	schema_table_config_for(schema_store_read(s), subject, &c);
	schema_store_done(s);
	level = (enum schema_level)c.level;
	schema_config_release(&c);
	return level;
}

bool schema_store_has(struct schema_store *s, const char *subject, bool deleted_too)
{
	bool has = schema_table_has(schema_store_read(s), subject, deleted_too);

	schema_store_done(s);
	return has;
}

int32_t schema_store_highest_id(struct schema_store *s)
{
	const struct schema_table *t = schema_store_read(s);
	int32_t id = schema_table_context(t, BUS_STR(SCHEMA_CONTEXT_DEFAULT))->highest_id;

	schema_store_done(s);
	return id;
}

size_t schema_store_count(struct schema_store *s)
{
	size_t n = schema_table_live(schema_store_read(s));

	schema_store_done(s);
	return n;
}
