#include "schemas/store_table.h"

#include "bus/mem.h"
#include "schemas/avro_canon.h"

struct schema_table {
	struct schema_subject **subject; /* sorted by name */
	size_t n_subjects, cap_subjects;
	/* Open addressing by id; never shrinks: an id's meaning is for ever. */
	struct schema_content **by_id;
	size_t n_ids, cap_ids;
	/* Contents that do not stand in by_id: another spelling of the same schema under the same id. */
	struct schema_content **spelling;
	size_t n_spellings;
	int32_t highest_id;
	char *config, *mode;
	bool unsettled;
};

struct schema_table *schema_table_new(void)
{
	struct schema_table *t = bus_xcalloc(1, sizeof(*t));

	t->cap_ids = 1024;
	t->by_id = bus_xcalloc(t->cap_ids, sizeof(struct schema_content *));
	return t;
}

static void free_content(struct schema_content *c)
{
	size_t i;

	for (i = 0; i < c->n_references; i++) {
		free(c->reference[i].name);
		free(c->reference[i].subject);
	}
	free(c->reference);
	schema_unref(&c->schema);
	free(c->text);
	free(c->type);
	free(c->extra);
	free(c->sameness);
	free(c->subject);
	free(c);
}

void schema_table_free(struct schema_table **tt)
{
	struct schema_table *t = *tt;
	size_t i;

	if (!t)
		return;
	*tt = NULL;
	for (i = 0; i < t->n_subjects; i++) {
		free(t->subject[i]->name);
		free(t->subject[i]->entry);
		free(t->subject[i]->config);
		free(t->subject[i]->mode);
		free(t->subject[i]);
	}
	for (i = 0; i < t->cap_ids; i++)
		if (t->by_id[i])
			free_content(t->by_id[i]);
	for (i = 0; i < t->n_spellings; i++)
		free_content(t->spelling[i]);
	free(t->subject);
	free(t->by_id);
	free(t->spelling);
	free(t->config);
	free(t->mode);
	free(t);
}

/* --- subjects --- */

static size_t subject_place(const struct schema_table *t, const char *name, bool *there)
{
	size_t low = 0, high = t->n_subjects;

	*there = false;
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int order = strcmp(name, t->subject[mid]->name);

		if (order == 0) {
			*there = true;
			return mid;
		}
		if (order < 0)
			high = mid;
		else
			low = mid + 1;
	}
	return low;
}

struct schema_subject *schema_table_subject(const struct schema_table *t, const char *name)
{
	bool there;
	size_t at = subject_place(t, name, &there);

	return there ? t->subject[at] : NULL;
}

static struct schema_subject *make_subject(struct schema_table *t, struct bus_str name)
{
	char *owned = bus_xstrndup(name.p, name.n);
	bool there;
	size_t at = subject_place(t, owned, &there);

	if (there) {
		free(owned);
		return t->subject[at];
	}
	if (t->n_subjects == t->cap_subjects) {
		t->cap_subjects = t->cap_subjects ? 2 * t->cap_subjects : 64;
		t->subject = bus_xrealloc(t->subject, t->cap_subjects * sizeof(struct schema_subject *));
	}
	memmove(&t->subject[at + 1], &t->subject[at], (t->n_subjects - at) * sizeof(struct schema_subject *));
	t->n_subjects++;
	t->subject[at] = bus_xcalloc(1, sizeof(**t->subject));
	t->subject[at]->name = owned;
	return t->subject[at];
}

size_t schema_table_subjects(const struct schema_table *t, struct schema_subject *const **list)
{
	*list = t->subject;
	return t->n_subjects;
}

struct schema_entry *schema_table_entry(const struct schema_subject *s, int version)
{
	size_t i;

	for (i = s->n_entries; i > 0; i--) {
		struct schema_entry *e = &s->entry[i - 1];

		if (version > 0 ? e->version == version : !e->deleted)
			return e;
	}
	return NULL;
}

static void put_entry(struct schema_subject *s, const struct schema_entry *e)
{
	struct schema_entry *old = schema_table_entry(s, e->version);
	size_t at = s->n_entries;

	if (e->version > s->highest)
		s->highest = e->version;
	if (old) {
		*old = *e;
		return;
	}
	s->entry = bus_xrealloc(s->entry, (s->n_entries + 1) * sizeof(*s->entry));
	while (at > 0 && s->entry[at - 1].version > e->version)
		at--;
	memmove(&s->entry[at + 1], &s->entry[at], (s->n_entries - at) * sizeof(*s->entry));
	s->entry[at] = *e;
	s->n_entries++;
}

static void drop_entries(struct schema_subject *s, int from, int to, bool deleted_only)
{
	size_t i, kept = 0;

	for (i = 0; i < s->n_entries; i++) {
		const struct schema_entry *e = &s->entry[i];

		if (e->version < from || e->version > to || (deleted_only && !e->deleted))
			s->entry[kept++] = *e;
	}
	s->n_entries = kept;
}

/* --- contents --- */

static uint64_t hash_bytes(const char *p, size_t n) /* FNV-1a */
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);

	while (n-- > 0)
		h = (h ^ (unsigned char)*p++) * UINT64_C(0x100000001b3);
	return h;
}

static size_t id_place(struct schema_content *const *by_id, size_t cap, int32_t id)
{
	size_t at = ((uint32_t)id * UINT32_C(2654435769)) & (cap - 1);

	while (by_id[at] && by_id[at]->id != id)
		at = (at + 1) & (cap - 1);
	return at;
}

struct schema_content *schema_table_content(const struct schema_table *t, int32_t id)
{
	return t->by_id[id_place(t->by_id, t->cap_ids, id)];
}

static void put_content(struct schema_table *t, struct schema_content *c)
{
	if (2 * (t->n_ids + 1) > t->cap_ids) {
		size_t cap = 2 * t->cap_ids, i;
		struct schema_content **grown = bus_xcalloc(cap, sizeof(struct schema_content *));

		for (i = 0; i < t->cap_ids; i++)
			if (t->by_id[i])
				grown[id_place(grown, cap, t->by_id[i]->id)] = t->by_id[i];
		free(t->by_id);
		t->by_id = grown;
		t->cap_ids = cap;
	}
	t->by_id[id_place(t->by_id, t->cap_ids, c->id)] = c;
	t->n_ids++;
}

void schema_table_sameness(const char *type, const struct schema *schema, const char *text,
			   const struct schema_store_reference *reference, size_t n_references,
			   const char *extra, struct bus_buf *out)
{
	size_t i;

	bus_buf_put(out, type, strlen(type) + 1);
	if (schema)
		schema_to_string(schema, out);
	else
		bus_buf_puts(out, text);
	for (i = 0; i < n_references; i++) {
		bus_buf_putc(out, '\0');
		bus_buf_put(out, reference[i].name, strlen(reference[i].name) + 1);
		bus_buf_put(out, reference[i].subject, strlen(reference[i].subject) + 1);
		bus_buf_printf(out, "%d", reference[i].version);
	}
	bus_buf_putc(out, '\0');
	schema_record_identity(extra, out);
}

static void set_sameness(struct schema_content *c)
{
	struct bus_buf b = { 0 };

	schema_table_sameness(c->type, c->schema, c->text, c->reference, c->n_references, c->extra, &b);
	free(c->sameness);
	c->sameness = bus_buf_take(&b, &c->sameness_len);
	c->hash = hash_bytes(c->sameness, c->sameness_len);
}

/* False: a reference is not there yet. */
static bool parse_content(const struct schema_table *t, struct schema_content *c)
{
	struct schema_reference ref[SCHEMA_STORE_REFERENCES_MAX];
	size_t i;

	if (strcmp(c->type, "AVRO") != 0)
		return true;
	for (i = 0; i < c->n_references; i++) {
		const struct schema_subject *s = schema_table_subject(t, c->reference[i].subject);
		const struct schema_entry *e = s ? schema_table_entry(s, c->reference[i].version) : NULL;

		if (!e || !e->content->schema)
			return false;
		ref[i] = (struct schema_reference){ c->reference[i].name, e->content->schema };
	}
	/* What cannot be parsed is kept as text; whoever needs it parsed is told so then. */
	if (schema_parse(bus_str(c->text), SCHEMA_LENIENT, ref, c->n_references, &c->schema, NULL) != BUS_OK)
		c->schema = NULL;
	return true;
}

static struct schema_content *make_content(struct schema_table *t, const struct schema_record *r,
					   int64_t offset, int64_t timestamp_ms)
{
	struct schema_content *c = bus_xcalloc(1, sizeof(*c));
	size_t i;

	*c = (struct schema_content){ .id = r->id,
				      .text = bus_xstrndup(r->text.p, r->text.n),
				      .type = bus_xstrndup(r->type.p, r->type.n),
				      .extra = bus_xstrndup(r->extra.p, r->extra.n),
				      .reference = bus_xcalloc(r->n_references + 1, sizeof(*c->reference)),
				      .n_references = r->n_references,
				      .subject = bus_xstrndup(r->subject.p, r->subject.n),
				      .version = r->version,
				      .offset = offset,
				      .timestamp_ms = timestamp_ms };
	for (i = 0; i < r->n_references; i++)
		c->reference[i] = (struct schema_store_reference){ bus_xstrdup(r->reference[i].name),
								   bus_xstrdup(r->reference[i].subject),
								   r->reference[i].version };
	if (!parse_content(t, c))
		t->unsettled = true;
	set_sameness(c);
	return c;
}

static bool same_words(const struct schema_content *c, const struct schema_record *r)
{
	size_t i;

	if (!bus_str_is(r->text, c->text) || !bus_str_is(r->type, c->type) ||
	    !bus_str_is(r->extra, c->extra) || r->n_references != c->n_references)
		return false;
	for (i = 0; i < c->n_references; i++)
		if (strcmp(c->reference[i].name, r->reference[i].name) != 0 ||
		    strcmp(c->reference[i].subject, r->reference[i].subject) != 0 ||
		    c->reference[i].version != r->reference[i].version)
			return false;
	return true;
}

static bool same_schema(const struct schema_content *a, const struct schema_content *b)
{
	return a->hash == b->hash && a->sameness_len == b->sameness_len &&
	       memcmp(a->sameness, b->sameness, a->sameness_len) == 0;
}

/* The content that a SCHEMA record's version points to; NULL: the id means something else already. */
static struct schema_content *content_of(struct schema_table *t, const struct schema_record *r,
					 int64_t offset, int64_t timestamp_ms)
{
	struct schema_content *known = schema_table_content(t, r->id), *c;
	size_t i;

	if (known && same_words(known, r))
		return known;
	for (i = 0; known && i < t->n_spellings; i++)
		if (t->spelling[i]->id == r->id && same_words(t->spelling[i], r))
			return t->spelling[i];
	c = make_content(t, r, offset, timestamp_ms);
	if (!known) {
		put_content(t, c);
		return c;
	}
	if (!same_schema(known, c)) {
		free_content(c);
		return NULL;
	}
	t->spelling = bus_xrealloc(t->spelling, (t->n_spellings + 1) * sizeof(struct schema_content *));
	t->spelling[t->n_spellings++] = c;
	return c;
}

static enum bus_err apply_schema(struct schema_table *t, const struct schema_record *r, int64_t offset,
				 int64_t timestamp_ms, struct bus_error *err)
{
	struct schema_subject *s = make_subject(t, r->subject);
	struct schema_entry e = {
		.version = r->version, .deleted = r->deleted, .offset = offset, .timestamp_ms = timestamp_ms
	};

	if (r->tombstone) {
		if (r->version > s->highest)
			s->highest = r->version;
		drop_entries(s, r->version, r->version, false);
		return BUS_OK;
	}
	if (r->id > t->highest_id)
		t->highest_id = r->id;
	e.content = content_of(t, r, offset, timestamp_ms);
	if (!e.content)
		return bus_fail(err, BUS_EDATA,
				"schema id %d means another schema already; subject '%s', version %d",
				(int)r->id, s->name, r->version);
	put_entry(s, &e);
	return BUS_OK;
}

static void set_text(char **slot, const struct schema_record *r)
{
	free(*slot);
	*slot = r->tombstone ? NULL : bus_xstrndup(r->value.p, r->value.n);
}

enum bus_err schema_table_apply(struct schema_table *t, const struct schema_record *r, int64_t offset,
				int64_t timestamp_ms, struct bus_error *err)
{
	struct schema_subject *s;
	size_t i;

	switch (r->kind) {
	case SCHEMA_RECORD_SCHEMA:
		return apply_schema(t, r, offset, timestamp_ms, err);
	case SCHEMA_RECORD_CONFIG:
		set_text(r->subject.p ? &make_subject(t, r->subject)->config : &t->config, r);
		break;
	case SCHEMA_RECORD_MODE:
		set_text(r->subject.p ? &make_subject(t, r->subject)->mode : &t->mode, r);
		break;
	case SCHEMA_RECORD_DELETE_SUBJECT:
		s = make_subject(t, r->subject);
		for (i = 0; i < s->n_entries && !r->tombstone; i++)
			if (s->entry[i].version <= r->version && !s->entry[i].deleted) {
				s->entry[i].deleted = true;
				s->entry[i].offset = offset;
			}
		break;
	case SCHEMA_RECORD_CLEAR_SUBJECT:
		if (!r->tombstone)
			drop_entries(make_subject(t, r->subject), 0, r->version, true);
		break;
	case SCHEMA_RECORD_NOOP:
		if (r->id > t->highest_id)
			t->highest_id = r->id;
		break;
	case SCHEMA_RECORD_OTHER:
		break;
	}
	return BUS_OK;
}

void schema_table_settle(struct schema_table *t)
{
	bool waiting = true, moved = t->unsettled;
	size_t i;

	/* Again while something was settled: a reference may itself have waited for one. */
	while (moved) {
		waiting = moved = false;
		for (i = 0; i < t->cap_ids + t->n_spellings; i++) {
			struct schema_content *c = i < t->cap_ids ? t->by_id[i] : t->spelling[i - t->cap_ids];

			if (!c || c->schema || c->n_references == 0)
				continue;
			if (!parse_content(t, c)) {
				waiting = true;
			} else if (c->schema) {
				set_sameness(c);
				moved = true;
			}
		}
		t->unsettled = waiting;
	}
}

const struct schema_content *schema_table_find(const struct schema_table *t, const char *sameness, size_t len)
{
	uint64_t hash = hash_bytes(sameness, len);
	const struct schema_content *found = NULL;
	size_t i;

	for (i = 0; i < t->cap_ids; i++) {
		const struct schema_content *c = t->by_id[i];

		if (c && c->hash == hash && c->sameness_len == len &&
		    memcmp(c->sameness, sameness, len) == 0 && (!found || c->id < found->id))
			found = c;
	}
	return found;
}

int32_t schema_table_highest_id(const struct schema_table *t)
{
	return t->highest_id;
}

const char *schema_table_config(const struct schema_table *t)
{
	return t->config;
}

const char *schema_table_mode(const struct schema_table *t)
{
	return t->mode;
}
