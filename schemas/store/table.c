#include "bus/mem.h"
#include "schemas/store/table_impl.h"

struct schema_table *schema_table_new(void)
{
	struct schema_table *t = bus_xcalloc(1, sizeof(*t));

	t->mode = SCHEMA_MODE_UNSET;
	schema_table_make_context(t, BUS_STR(SCHEMA_CONTEXT_DEFAULT))->listed = true;
	return t;
}

static void free_config(struct schema_config **c)
{
	if (*c)
		schema_config_release(*c);
	free(*c);
	*c = NULL;
}

void schema_table_free(struct schema_table **tt)
{
	struct schema_table *t = *tt;

	if (!t)
		return;
	*tt = NULL;
	for (size_t i = 0; i < t->n_subjects; i++) {
		free(t->subject[i]->name);
		free(t->subject[i]->entry);
		free_config(&t->subject[i]->config);
		free(t->subject[i]);
	}
	schema_table_free_contents(t);
	for (size_t i = 0; i < t->n_contexts; i++) {
		free(t->context[i]->name);
		free(t->context[i]);
	}
	schema_index_release(&t->by_name);
	schema_index_release(&t->by_id);
	schema_index_release(&t->by_guid);
	schema_index_release(&t->by_target);
	free_config(&t->config);
	free(t->subject);
	free(t->context);
	free(t);
}

/* --- contexts, subjects ----------------------------------------------------------------------------- */

static int order(struct bus_str a, const char *b)
{
	int by_bytes = strncmp(a.p, b, a.n);

	return by_bytes != 0 ? by_bytes : b[a.n] ? -1 : 0;
}

/* Where the name is in the sorted list, or belongs. */
static size_t context_place(const struct schema_table *t, struct bus_str name, bool *there)
{
	size_t low = 0, high = t->n_contexts;

	*there = false;
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int o = order(name, t->context[mid]->name);

		if (o == 0) {
			*there = true;
			return mid;
		}
		if (o < 0)
			high = mid;
		else
			low = mid + 1;
	}
	return low;
}

struct schema_context *schema_table_context(const struct schema_table *t, struct bus_str name)
{
	bool there;
	size_t at = context_place(t, name, &there);

	return there ? t->context[at] : NULL;
}

struct schema_context *schema_table_make_context(struct schema_table *t, struct bus_str name)
{
	struct schema_context *c;
	bool there;
	size_t at = context_place(t, name, &there);

	if (there)
		return t->context[at];
	t->context = bus_xrealloc(t->context, (t->n_contexts + 1) * sizeof(struct schema_context *));
	memmove(&t->context[at + 1], &t->context[at], (t->n_contexts - at) * sizeof(struct schema_context *));
	t->n_contexts++;
	c = t->context[at] = bus_xcalloc(1, sizeof(*c));
	c->name = bus_xstrndup(name.p, name.n);
	return c;
}

size_t schema_table_contexts(const struct schema_table *t, struct schema_context *const **list)
{
	*list = t->context;
	return t->n_contexts;
}

struct schema_subject *schema_table_subject(const struct schema_table *t, const char *name)
{
	uint64_t hash = schema_hash(0, name, strlen(name));

	for (struct schema_link *l = schema_index_first(&t->by_name, hash); l; l = schema_index_next(l)) {
		struct schema_subject *s = SCHEMA_LINKED(l, struct schema_subject, by_name);

		if (strcmp(s->name, name) == 0)
			return s;
	}
	return NULL;
}

static struct schema_subject *make_subject(struct schema_table *t, struct bus_str given)
{
	char *owned = bus_xstrndup(given.p, given.n), *name = schema_subject_normal(owned);
	struct schema_subject *s = schema_table_subject(t, name);

	free(owned);
	if (s) {
		free(name);
		return s;
	}
	if (t->n_subjects == t->cap_subjects) {
		t->cap_subjects = t->cap_subjects ? 2 * t->cap_subjects : 64;
		t->subject = bus_xrealloc(t->subject, t->cap_subjects * sizeof(struct schema_subject *));
	}
	s = t->subject[t->n_subjects++] = bus_xcalloc(1, sizeof(*s));
	s->name = name;
	s->mode = SCHEMA_MODE_UNSET;
	s->context = schema_table_make_context(t, schema_subject_split(name).context);
	schema_index_add(&t->by_name, &s->by_name, schema_hash(0, name, strlen(name)));
	return s;
}

static size_t lower_bound(const struct schema_table *t, size_t n, const char *name)
{
	size_t low = 0;

	while (low < n) {
		size_t mid = low + (n - low) / 2;

		if (strcmp(t->subject[mid]->name, name) < 0)
			low = mid + 1;
		else
			n = mid;
	}
	return low;
}

static int by_name(const void *a, const void *b)
{
	return strcmp((*(struct schema_subject *const *)a)->name, (*(struct schema_subject *const *)b)->name);
}

/* The new ones, sorted, are merged in from the end: each old one moves at most once. */
void schema_table_settle(struct schema_table *t)
{
	size_t fresh = t->n_subjects - t->n_sorted, end = t->n_sorted;
	struct schema_subject **added;

	if (fresh == 0)
		return;
	added = bus_xmalloc(fresh * sizeof(struct schema_subject *));
	memcpy(added, &t->subject[t->n_sorted], fresh * sizeof(struct schema_subject *));
	qsort(added, fresh, sizeof(struct schema_subject *), by_name);
	for (size_t i = fresh; i > 0; i--) {
		size_t at = lower_bound(t, end, added[i - 1]->name);

		memmove(&t->subject[at + i], &t->subject[at], (end - at) * sizeof(struct schema_subject *));
		t->subject[at + i - 1] = added[i - 1];
		end = at;
	}
	t->n_sorted = t->n_subjects;
	free(added);
}

size_t schema_table_subjects(const struct schema_table *t, struct schema_subject *const **list)
{
	*list = t->subject;
	return t->n_sorted;
}

void schema_table_range(const struct schema_table *t, const char *prefix, size_t *from, size_t *to)
{
	size_t n = strlen(prefix), low, high = t->n_sorted;

	*from = low = lower_bound(t, t->n_sorted, prefix);
	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (strncmp(t->subject[mid]->name, prefix, n) == 0)
			low = mid + 1;
		else
			high = mid;
	}
	*to = low;
}

bool schema_table_matches(const char *name, const struct schema_subject *s)
{
	struct schema_qualified q;

	if (!name)
		return true;
	q = schema_subject_split(name);
	if (q.name.n > 0)
		return strcmp(name, s->name) == 0;
	return bus_str_is(q.context, SCHEMA_CONTEXT_GLOBAL) || bus_str_is(q.context, s->context->name);
}

bool schema_table_has(const struct schema_table *t, const char *subject, bool deleted_too)
{
	const struct schema_subject *s;

	if (subject && schema_subject_split(subject).name.n > 0) {
		s = schema_table_subject(t, subject);
		return s && s->n_entries > 0 && (deleted_too || schema_table_entry(s, 0));
	}
	for (size_t i = 0; i < t->n_subjects; i++) {
		s = t->subject[i];
		if (s->n_entries > 0 && (deleted_too || schema_table_entry(s, 0)) &&
		    schema_table_matches(subject, s))
			return true;
	}
	return false;
}

/* --- versions --------------------------------------------------------------------------------------- */

/* The first entry of that version or a later one. */
static size_t entry_place(const struct schema_subject *s, int version)
{
	size_t low = 0, high = s->n_entries;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (s->entry[mid].version < version)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

struct schema_entry *schema_table_entry(const struct schema_subject *s, int version)
{
	size_t at;

	if (version == 0) {
		for (at = s->n_entries; at > 0; at--)
			if (!s->entry[at - 1].deleted)
				return &s->entry[at - 1];
		return NULL;
	}
	at = entry_place(s, version);
	return at < s->n_entries && s->entry[at].version == version ? &s->entry[at] : NULL;
}

static void drop_entry(struct schema_table *t, struct schema_subject *s, size_t at)
{
	schema_table_unuse(s->entry[at].content, s, s->entry[at].version);
	t->live -= !s->entry[at].deleted;
	s->n_entries--;
	memmove(&s->entry[at], &s->entry[at + 1], (s->n_entries - at) * sizeof(*s->entry));
	s->context->n_subjects -= s->n_entries == 0;
	t->generation++;
}

static void put_entry(struct schema_table *t, struct schema_subject *s, const struct schema_entry *e)
{
	size_t at = entry_place(s, e->version);

	if (at < s->n_entries && s->entry[at].version == e->version) {
		struct schema_entry *old = &s->entry[at];

		if (old->content != e->content) {
			schema_table_unuse(old->content, s, e->version);
			schema_table_add_use(e->content, s, e->version);
			atomic_store(&old->alike, 0);
			t->generation++;
		}
		t->live += old->deleted - e->deleted;
		old->content = e->content;
		old->deleted = e->deleted;
		old->offset = e->offset;
		old->timestamp_ms = e->timestamp_ms;
		return;
	}
	if ((s->n_entries & (s->n_entries - 1)) == 0) /* full at 0, 1, 2, 4, 8 ... */
		s->entry = bus_xrealloc(s->entry, (s->n_entries ? 2 * s->n_entries : 1) * sizeof(*s->entry));
	memmove(&s->entry[at + 1], &s->entry[at], (s->n_entries - at) * sizeof(*s->entry));
	memcpy(&s->entry[at], e, sizeof(*e));
	s->context->n_subjects += s->n_entries == 0;
	s->n_entries++;
	t->live += !e->deleted;
	schema_table_add_use(e->content, s, e->version);
}

/* --- records ---------------------------------------------------------------------------------------- */

static enum bus_err apply_schema(struct schema_table *t, const struct schema_record *r, int64_t offset,
				 int64_t timestamp_ms, struct bus_error *err)
{
	struct schema_subject *s = make_subject(t, r->subject);
	struct schema_entry e = {
		.version = r->version, .deleted = r->deleted, .offset = offset, .timestamp_ms = timestamp_ms
	};

	if (r->tombstone) {
		size_t at = entry_place(s, r->version);

		if (at < s->n_entries && s->entry[at].version == r->version)
			drop_entry(t, s, at);
		return BUS_OK;
	}
	if (r->id > s->context->highest_id)
		s->context->highest_id = r->id;
	e.content = schema_table_make_content(t, s->context, r, offset);
	if (!e.content)
		return bus_fail(err, BUS_EDATA,
				"schema id %d means another schema already; subject '%s', version %d",
				(int)r->id, s->name, r->version);
	put_entry(t, s, &e);
	return BUS_OK;
}

static void delete_subject(struct schema_table *t, struct schema_subject *s, int version, int64_t offset)
{
	for (size_t i = 0; i < s->n_entries && s->entry[i].version <= version; i++)
		if (!s->entry[i].deleted) {
			s->entry[i].deleted = true;
			s->entry[i].offset = offset;
			t->live--;
		}
}

static void clear_subject(struct schema_table *t, struct bus_str name)
{
	char *owned = name.p ? bus_xstrndup(name.p, name.n) : NULL;
	char *subject = owned ? schema_subject_normal(owned) : NULL;

	for (size_t i = 0; i < t->n_subjects; i++) {
		struct schema_subject *s = t->subject[i];

		for (size_t k = s->n_entries; k > 0 && schema_table_matches(subject, s); k--)
			if (s->entry[k - 1].deleted)
				drop_entry(t, s, k - 1);
	}
	free(subject);
	free(owned);
}

static void apply_highest(struct schema_table *t, const struct schema_record *r)
{
	struct schema_context *c = schema_table_make_context(t, BUS_STR(SCHEMA_CONTEXT_DEFAULT));

	if (r->id > c->highest_id)
		c->highest_id = r->id;
	for (size_t i = 0; i < r->n_highest; i++) {
		c = schema_table_make_context(t, r->highest[i].context);
		if (r->highest[i].id > c->highest_id)
			c->highest_id = r->highest[i].id;
	}
}

static void apply_config(struct schema_config **slot, const struct schema_record *r)
{
	struct bus_arena *arena;

	free_config(slot);
	if (r->tombstone)
		return;
	*slot = bus_xmalloc(sizeof(**slot));
	schema_config_init(*slot);
	arena = bus_arena_new(0);
	/* What cannot be understood in it is not set. */
	(void)!schema_config_update(*slot, r->settings, "compatibilityLevel", arena, NULL);
	bus_arena_free(&arena);
}

static void apply_mode(int *slot, const struct schema_record *r)
{
	const struct bus_json *v = r->tombstone ? NULL : bus_json_get(r->settings, "mode");

	*slot = SCHEMA_MODE_UNSET;
	if (v && v->type == BUS_JSON_STRING)
		(void)schema_mode_parse(v->text, slot);
}

enum bus_err schema_table_apply(struct schema_table *t, const struct schema_record *r, int64_t offset,
				int64_t timestamp_ms, struct bus_error *err)
{
	switch (r->kind) {
	case SCHEMA_RECORD_SCHEMA:
		return apply_schema(t, r, offset, timestamp_ms, err);
	case SCHEMA_RECORD_CONFIG:
		apply_config(r->subject.p ? &make_subject(t, r->subject)->config : &t->config, r);
		break;
	case SCHEMA_RECORD_MODE:
		apply_mode(r->subject.p ? &make_subject(t, r->subject)->mode : &t->mode, r);
		break;
	case SCHEMA_RECORD_DELETE_SUBJECT:
		if (!r->tombstone)
			delete_subject(t, make_subject(t, r->subject), r->version, offset);
		break;
	case SCHEMA_RECORD_CLEAR_SUBJECT:
		if (!r->tombstone)
			clear_subject(t, r->subject);
		break;
	case SCHEMA_RECORD_CONTEXT:
		schema_table_make_context(t, r->subject)->listed =
		    !r->tombstone || bus_str_is(r->subject, SCHEMA_CONTEXT_DEFAULT);
		break;
	case SCHEMA_RECORD_NOOP:
		apply_highest(t, r);
		break;
	case SCHEMA_RECORD_OTHER:
		break;
	}
	return BUS_OK;
}

size_t schema_table_live(const struct schema_table *t)
{
	return t->live;
}

uint64_t schema_table_generation(const struct schema_table *t)
{
	return t->generation;
}
