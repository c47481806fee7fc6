#include "schemas/registry/dek_table.h"

#include <limits.h>

#include "schemas/store/subject.h"

static const char *const algorithm_name[] = { "AES128_GCM", "AES256_GCM", "AES256_SIV" };

const char *schema_algorithm_name(int algorithm)
{
	return algorithm_name[algorithm];
}

bool schema_algorithm_parse(struct bus_str name, int *out)
{
	for (size_t i = 0; i < BUS_LEN(algorithm_name); i++)
		if (bus_str_is(name, algorithm_name[i])) {
			*out = (int)i;
			return true;
		}
	return false;
}

/* --- one key ------------------------------------------------------------------------------------------ */

static size_t size_of(const char *s)
{
	return s ? strlen(s) + 1 : 0;
}

static const char *pack(char **at, const char *s)
{
	char *p = *at;

	if (!s)
		return NULL;
	memcpy(p, s, size_of(s));
	*at += size_of(s);
	return p;
}

struct schema_kek *schema_kek_copy(const struct schema_kek *k)
{
	struct schema_kek *c =
	    bus_xcalloc(1, sizeof(*c) + size_of(k->name) + size_of(k->kms_type) + size_of(k->kms_key_id) +
			       size_of(k->props) + size_of(k->doc));
	char *at = (char *)(c + 1);

	*c = *k;
	c->name = pack(&at, k->name);
	c->kms_type = pack(&at, k->kms_type);
	c->kms_key_id = pack(&at, k->kms_key_id);
	c->props = pack(&at, k->props);
	c->doc = pack(&at, k->doc);
	return c;
}

struct schema_dek *schema_dek_copy(const struct schema_dek *d)
{
	struct schema_dek *c =
	    bus_xcalloc(1, sizeof(*c) + size_of(d->kek) + size_of(d->subject) + size_of(d->material));
	char *at = (char *)(c + 1);

	*c = *d;
	c->kek = pack(&at, d->kek);
	c->subject = pack(&at, d->subject);
	c->material = pack(&at, d->material);
	return c;
}

static bool same(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

bool schema_kek_same(const struct schema_kek *a, const struct schema_kek *b)
{
	return a->shared == b->shared && same(a->name, b->name) && same(a->kms_type, b->kms_type) &&
	       same(a->kms_key_id, b->kms_key_id) && same(a->props, b->props) && same(a->doc, b->doc);
}

bool schema_dek_same(const struct schema_dek *a, const struct schema_dek *b)
{
	return a->algorithm == b->algorithm && a->version == b->version && same(a->kek, b->kek) &&
	       same(a->subject, b->subject) && same(a->material, b->material);
}

/* --- order -------------------------------------------------------------------------------------------- */

static int by_bytes(struct bus_str a, struct bus_str b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int c = n > 0 ? memcmp(a.p, b.p, n) : 0;

	return c != 0 ? c : (a.n > b.n) - (a.n < b.n);
}

static int by_subject(const char *a, const char *b)
{
	struct schema_qualified x = schema_subject_split(a), y = schema_subject_split(b);
	int c = by_bytes(x.context, y.context);

	return c != 0 ? c : by_bytes(x.name, y.name);
}

/* As far as id says: its subject may be NULL, its algorithm any. */
static int compare(const struct schema_dek *d, const struct schema_dek *id)
{
	int c = strcmp(d->kek, id->kek);

	if (c == 0 && id->subject)
		c = by_subject(d->subject, id->subject);
	if (c != 0 || !id->subject || id->algorithm == SCHEMA_ALGORITHM_ANY)
		return c;
	c = d->algorithm - id->algorithm;
	return c != 0 ? c : (d->version > id->version) - (d->version < id->version);
}

/* The first that is not below id; above: that is above it. */
static size_t place(const struct schema_keys_table *t, const struct schema_dek *id, bool above)
{
	size_t low = 0, high = t->n_deks;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int c = compare(t->dek[mid], id);

		if (c < 0 || (above && c == 0))
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static size_t place_kek(const struct schema_keys_table *t, const char *name)
{
	size_t low = 0, high = t->n_keks;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (strcmp(t->kek[mid]->name, name) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/* --- the lists ---------------------------------------------------------------------------------------- */

void schema_keys_release(struct schema_keys_table *t)
{
	for (size_t i = 0; i < t->n_keks; i++)
		free(t->kek[i]);
	for (size_t i = 0; i < t->n_deks; i++)
		free(t->dek[i]);
	free(t->kek);
	free(t->dek);
	*t = (struct schema_keys_table){ 0 };
}

void schema_keys_put_kek(struct schema_keys_table *t, const struct schema_kek *k)
{
	struct schema_kek *c = schema_kek_copy(k);
	size_t i = place_kek(t, k->name);

	if (i < t->n_keks && strcmp(t->kek[i]->name, k->name) == 0) {
		free(t->kek[i]);
		t->kek[i] = c;
		return;
	}
	if (t->n_keks == t->cap_keks) {
		t->cap_keks = t->cap_keks ? 2 * t->cap_keks : 16;
		t->kek = bus_xrealloc(t->kek, t->cap_keks * sizeof(struct schema_kek *));
	}
	memmove(t->kek + i + 1, t->kek + i, (t->n_keks - i) * sizeof(struct schema_kek *));
	t->kek[i] = c;
	t->n_keks++;
}

void schema_keys_put_dek(struct schema_keys_table *t, const struct schema_dek *d)
{
	struct schema_dek *c = schema_dek_copy(d);
	size_t i = place(t, d, false);

	if (i < t->n_deks && compare(t->dek[i], d) == 0) {
		free(t->dek[i]);
		t->dek[i] = c;
		return;
	}
	if (t->n_deks == t->cap_deks) {
		t->cap_deks = t->cap_deks ? 2 * t->cap_deks : 16;
		t->dek = bus_xrealloc(t->dek, t->cap_deks * sizeof(struct schema_dek *));
	}
	memmove(t->dek + i + 1, t->dek + i, (t->n_deks - i) * sizeof(struct schema_dek *));
	t->dek[i] = c;
	t->n_deks++;
}

void schema_keys_remove_kek(struct schema_keys_table *t, const char *name)
{
	size_t i = place_kek(t, name);

	if (i == t->n_keks || strcmp(t->kek[i]->name, name) != 0)
		return;
	free(t->kek[i]);
	t->n_keks--;
	memmove(t->kek + i, t->kek + i + 1, (t->n_keks - i) * sizeof(struct schema_kek *));
}

void schema_keys_remove_dek(struct schema_keys_table *t, const struct schema_dek *id)
{
	size_t i = place(t, id, false);

	if (i == t->n_deks || compare(t->dek[i], id) != 0)
		return;
	free(t->dek[i]);
	t->n_deks--;
	memmove(t->dek + i, t->dek + i + 1, (t->n_deks - i) * sizeof(struct schema_dek *));
}

const struct schema_kek *schema_keys_kek(const struct schema_keys_table *t, const char *name)
{
	size_t i = place_kek(t, name);

	return i < t->n_keks && strcmp(t->kek[i]->name, name) == 0 ? t->kek[i] : NULL;
}

const struct schema_dek *schema_keys_dek(const struct schema_keys_table *t, const struct schema_dek *id)
{
	size_t i = place(t, id, false);

	return i < t->n_deks && compare(t->dek[i], id) == 0 ? t->dek[i] : NULL;
}

void schema_keys_range(const struct schema_keys_table *t, const char *kek, const char *subject, int algorithm,
		       size_t *from, size_t *to)
{
	struct schema_dek id = { .kek = kek, .subject = subject, .algorithm = algorithm, .version = INT_MIN };

	*from = place(t, &id, false);
	id.version = INT_MAX;
	*to = place(t, &id, true);
}

const struct schema_dek *schema_keys_find(const struct schema_keys_table *t, const struct schema_dek *id,
					  bool deleted_too)
{
	const struct schema_dek *d = NULL;
	size_t from, to;

	if (id->version > 0) {
		d = schema_keys_dek(t, id);
		return d && (deleted_too || !d->deleted) ? d : NULL;
	}
	schema_keys_range(t, id->kek, id->subject, id->algorithm, &from, &to);
	for (; to > from && !d; to--)
		if (deleted_too || !t->dek[to - 1]->deleted)
			d = t->dek[to - 1];
	return d;
}
