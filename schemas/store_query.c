#include "bus/clock.h"
#include "bus/mem.h"
#include "schemas/store_impl.h"

/* --- what comes back to callers --- */

void schema_version_release(struct schema_version *v)
{
	size_t i;

	for (i = 0; i < v->n_references; i++) {
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
	size_t i;

	for (i = 0; i < l->n; i++)
		schema_version_release(&l->item[i]);
	free(l->item);
	memset(l, 0, sizeof(*l));
}

void schema_name_list_release(struct schema_name_list *l)
{
	size_t i;

	for (i = 0; i < l->n; i++)
		free(l->item[i]);
	free(l->item);
	memset(l, 0, sizeof(*l));
}

static void copy_content(const struct schema_content *c, struct schema_version *out)
{
	size_t i;

	memset(out, 0, sizeof(*out));
	out->id = c->id;
	out->text = bus_xstrdup(c->text);
	out->type = bus_xstrdup(c->type);
	out->extra = bus_xstrdup(c->extra);
	out->schema = c->schema ? schema_ref(c->schema) : NULL;
	out->reference = bus_xcalloc(c->n_references + 1, sizeof(*out->reference));
	out->n_references = c->n_references;
	for (i = 0; i < c->n_references; i++)
		out->reference[i] = (struct schema_store_reference){ bus_xstrdup(c->reference[i].name),
								     bus_xstrdup(c->reference[i].subject),
								     c->reference[i].version };
}

static void copy_entry(const struct schema_subject *s, const struct schema_entry *e,
		       struct schema_version *out)
{
	copy_content(e->content, out);
	out->subject = bus_xstrdup(s->name);
	out->version = e->version;
	out->deleted = e->deleted;
	out->offset = e->offset;
	out->timestamp_ms = e->timestamp_ms;
}

static void append(struct schema_version_list *l, const struct schema_subject *s,
		   const struct schema_entry *e)
{
	if ((l->n & (l->n - 1)) == 0) /* full at 0, 1, 2, 4, 8 ... */
		l->item = bus_xrealloc(l->item, (l->n ? 2 * l->n : 1) * sizeof(*l->item));
	copy_entry(s, e, &l->item[l->n++]);
}

static bool wanted(const struct schema_entry *e, enum schema_deleted which)
{
	return which == SCHEMA_WITH_DELETED || e->deleted == (which == SCHEMA_ONLY_DELETED);
}

enum bus_err schema_store_by_id(struct schema_store *s, int32_t id, int wait_ms, struct schema **out,
				struct bus_error *err)
{
	int64_t until = bus_clock_mono_ms() + wait_ms;

	*out = NULL;
	for (;;) {
		int64_t next = schema_store_next_offset(s), left;
		const struct schema_content *c;
		bool known;

		pthread_rwlock_rdlock(&s->lock);
		c = schema_table_content(s->table, id);
		known = c != NULL;
		if (c && c->schema)
			*out = schema_ref(c->schema);
		pthread_rwlock_unlock(&s->lock);
		if (*out)
			return BUS_OK;
		if (known)
			return bus_fail(err, BUS_ESCHEMA, "schema id %d is not Avro that can be read",
					(int)id);
		left = until - bus_clock_mono_ms();
		/* Until anything new has been read. */
		if (left <= 0 || schema_store_wait(s, next, (int)left, NULL) != BUS_OK)
			return bus_fail(err, BUS_ENOENT, "no schema has the id %d", (int)id);
	}
}

enum bus_err schema_store_version(struct schema_store *s, const char *subject, int version,
				  struct schema_version *out, struct bus_error *err)
{
	const struct schema_subject *sub;
	const struct schema_entry *e = NULL;

	memset(out, 0, sizeof(*out));
	pthread_rwlock_rdlock(&s->lock);
	sub = schema_table_subject(s->table, subject);
	if (sub)
		e = schema_table_entry(sub, version);
	if (e)
		copy_entry(sub, e, out);
	pthread_rwlock_unlock(&s->lock);
	if (e)
		return BUS_OK;
	if (version > 0)
		return bus_fail(err, BUS_ENOENT, "subject '%s' has no version %d", subject, version);
	return bus_fail(err, BUS_ENOENT, "no schema is registered for subject '%s'", subject);
}

void schema_store_subjects(struct schema_store *s, const char *prefix, enum schema_deleted which,
			   struct schema_name_list *out)
{
	struct schema_subject *const *list;
	size_t i, n;

	memset(out, 0, sizeof(*out));
	pthread_rwlock_rdlock(&s->lock);
	n = schema_table_subjects(s->table, &list);
	out->item = bus_xcalloc(n + 1, sizeof(char *));
	for (i = 0; i < n; i++) {
		bool live = schema_table_entry(list[i], 0) != NULL;

		if (list[i]->n_entries == 0 || strncmp(list[i]->name, prefix, strlen(prefix)) != 0)
			continue;
		if (which == SCHEMA_WITH_DELETED || live == (which == SCHEMA_LIVE))
			out->item[out->n++] = bus_xstrdup(list[i]->name);
	}
	pthread_rwlock_unlock(&s->lock);
}

void schema_store_versions(struct schema_store *s, const char *subject, enum schema_deleted which,
			   struct schema_version_list *out)
{
	const struct schema_subject *sub;
	size_t i;

	memset(out, 0, sizeof(*out));
	pthread_rwlock_rdlock(&s->lock);
	sub = schema_table_subject(s->table, subject);
	for (i = 0; sub && i < sub->n_entries; i++)
		if (wanted(&sub->entry[i], which))
			append(out, sub, &sub->entry[i]);
	pthread_rwlock_unlock(&s->lock);
}

/* Every version for which fits() says yes, by subject, then version. */
static void collect(struct schema_store *s, enum schema_deleted which,
		    bool (*fits)(const struct schema_subject *, const struct schema_entry *, const void *),
		    const void *arg, struct schema_version_list *out)
{
	struct schema_subject *const *list;
	size_t i, j, n;

	memset(out, 0, sizeof(*out));
	pthread_rwlock_rdlock(&s->lock);
	n = schema_table_subjects(s->table, &list);
	for (i = 0; i < n; i++)
		for (j = 0; j < list[i]->n_entries; j++)
			if (wanted(&list[i]->entry[j], which) && fits(list[i], &list[i]->entry[j], arg))
				append(out, list[i], &list[i]->entry[j]);
	pthread_rwlock_unlock(&s->lock);
}

static bool has_prefix(const struct schema_subject *s, const struct schema_entry *e, const void *prefix)
{
	(void)e;
	return strncmp(s->name, prefix, strlen(prefix)) == 0;
}

void schema_store_all(struct schema_store *s, const char *prefix, enum schema_deleted which,
		      struct schema_version_list *out)
{
	collect(s, which, has_prefix, prefix, out);
}

static bool has_id(const struct schema_subject *s, const struct schema_entry *e, const void *id)
{
	(void)s;
	return e->content->id == *(const int32_t *)id;
}

void schema_store_uses(struct schema_store *s, int32_t id, enum schema_deleted which,
		       struct schema_version_list *out)
{
	collect(s, which, has_id, &id, out);
}

static bool refers(const struct schema_subject *s, const struct schema_entry *e, const void *arg)
{
	const struct schema_store_reference *target = arg;
	size_t i;

	(void)s;
	for (i = 0; i < e->content->n_references; i++) {
		const struct schema_store_reference *r = &e->content->reference[i];

		if (strcmp(r->subject, target->subject) == 0 &&
		    (target->version == 0 || r->version == target->version))
			return true;
	}
	return false;
}

void schema_store_referrers(struct schema_store *s, const char *subject, int version,
			    enum schema_deleted which, struct schema_version_list *out)
{
	struct schema_store_reference target = { .subject = bus_xstrdup(subject), .version = version };

	collect(s, which, refers, &target, out);
	free(target.subject);
}

enum bus_err schema_store_text(struct schema_store *s, int32_t id, struct schema_version *out,
			       struct bus_error *err)
{
	const struct schema_content *c;

	memset(out, 0, sizeof(*out));
	pthread_rwlock_rdlock(&s->lock);
	c = schema_table_content(s->table, id);
	if (c) {
		copy_content(c, out);
		out->subject = bus_xstrdup(c->subject);
		out->version = c->version;
		out->offset = c->offset;
		out->timestamp_ms = c->timestamp_ms;
	}
	pthread_rwlock_unlock(&s->lock);
	return c ? BUS_OK : bus_fail(err, BUS_ENOENT, "no schema has the id %d", (int)id);
}

static void sameness_of(const struct schema_version *v, struct bus_buf *out)
{
	schema_table_sameness(v->type ? v->type : "AVRO", v->schema, v->text, v->reference, v->n_references,
			      v->extra ? v->extra : "", out);
}

enum bus_err schema_store_find(struct schema_store *s, const char *subject, enum schema_deleted which,
			       const struct schema_version *sought, struct schema_version *out,
			       struct bus_error *err)
{
	const struct schema_subject *sub;
	struct bus_buf same = { 0 };
	bool found = false;
	size_t i;

	memset(out, 0, sizeof(*out));
	sameness_of(sought, &same);
	pthread_rwlock_rdlock(&s->lock);
	sub = schema_table_subject(s->table, subject);
	for (i = sub ? sub->n_entries : 0; i > 0 && !found; i--) {
		const struct schema_entry *e = &sub->entry[i - 1];

		found = wanted(e, which) && e->content->sameness_len == same.n &&
			memcmp(e->content->sameness, same.p, same.n) == 0;
		if (found)
			copy_entry(sub, e, out);
	}
	pthread_rwlock_unlock(&s->lock);
	bus_buf_release(&same);
	return found ? BUS_OK : bus_fail(err, BUS_ENOENT, "subject '%s' has no such schema", subject);
}

enum bus_err schema_store_find_id(struct schema_store *s, const struct schema_version *sought, int32_t *id,
				  struct bus_error *err)
{
	const struct schema_content *c;
	struct bus_buf same = { 0 };

	sameness_of(sought, &same);
	pthread_rwlock_rdlock(&s->lock);
	c = schema_table_find(s->table, same.p, same.n);
	if (c)
		*id = c->id;
	pthread_rwlock_unlock(&s->lock);
	bus_buf_release(&same);
	return c ? BUS_OK : bus_fail(err, BUS_ENOENT, "no id has that schema");
}

int32_t schema_store_highest_id(struct schema_store *s)
{
	int32_t id;

	pthread_rwlock_rdlock(&s->lock);
	id = schema_table_highest_id(s->table);
	pthread_rwlock_unlock(&s->lock);
	return id;
}

int schema_store_highest_version(struct schema_store *s, const char *subject)
{
	const struct schema_subject *sub;
	int version;

	pthread_rwlock_rdlock(&s->lock);
	sub = schema_table_subject(s->table, subject);
	version = sub ? sub->highest : 0;
	pthread_rwlock_unlock(&s->lock);
	return version;
}

size_t schema_store_count(struct schema_store *s)
{
	struct schema_subject *const *list;
	size_t i, j, n, count = 0;

	pthread_rwlock_rdlock(&s->lock);
	n = schema_table_subjects(s->table, &list);
	for (i = 0; i < n; i++)
		for (j = 0; j < list[i]->n_entries; j++)
			count += !list[i]->entry[j].deleted;
	pthread_rwlock_unlock(&s->lock);
	return count;
}

/* The text set for the subject, or globally: a copy, or NULL. */
static char *setting(struct schema_store *s, const char *subject, bool mode)
{
	const struct schema_subject *sub = NULL;
	const char *text;
	char *copy;

	pthread_rwlock_rdlock(&s->lock);
	if (subject)
		sub = schema_table_subject(s->table, subject);
	if (subject)
		text = !sub ? NULL : mode ? sub->mode : sub->config;
	else
		text = mode ? schema_table_mode(s->table) : schema_table_config(s->table);
	copy = text ? bus_xstrdup(text) : NULL;
	pthread_rwlock_unlock(&s->lock);
	return copy;
}

char *schema_store_config(struct schema_store *s, const char *subject)
{
	return setting(s, subject, false);
}

char *schema_store_mode(struct schema_store *s, const char *subject)
{
	return setting(s, subject, true);
}

static bool level_in(char *config, enum schema_level *level)
{
	char name[32];
	bool there = config &&
		     schema_record_member(bus_str(config), "compatibilityLevel", name, sizeof(name)) &&
		     schema_level_parse(name, level) == BUS_OK;

	free(config);
	return there;
}

enum schema_level schema_store_level(struct schema_store *s, const char *subject)
{
	enum schema_level level = SCHEMA_COMPAT_BACKWARD;

	if (subject && level_in(schema_store_config(s, subject), &level))
		return level;
	if (level_in(schema_store_config(s, NULL), &level))
		return level;
	return SCHEMA_COMPAT_BACKWARD;
}
