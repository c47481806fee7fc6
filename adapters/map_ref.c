/* Reference tables: CSV files (comma, quotes, UTF-8, a header), read once and indexed by key. */
#include "adapters/map_impl.h"
#include "adapters/seen.h"

#include <errno.h>
#include <stdio.h>

#include "bus/utf8.h"

#define REF_MAX ((size_t)64 * 1024 * 1024)
#define REF_COLUMNS 64
#define REF_KEY 128 /* bytes of a key, joined columns together */

struct map_index {
	const struct map_index *next;
	const char *key, *give, *ignore;
	size_t mask;
	struct map_entry {
		struct bus_str key; /* p NULL: free */
		struct bus_str gives;
	} * entry;
};

struct map_ref {
	struct map_ref *next;
	const char *file;
	char *path;
	size_t n_columns;
	const char *column[REF_COLUMNS];
	struct bus_str *cell; /* n_rows * n_columns */
	size_t n_rows, cap;
	char *text;
	struct map_index *index;
};

/* ---- reading ---- */

/* One field from *p; unquotes in place. *more: another field of the same row follows. */
static bool field(char **p, char *end, struct bus_str *out, bool *more)
{
	char *at = *p, *to = at;

	if (at < end && *at == '"') {
		at++;
		out->p = to = at;
		for (;;) {
			if (at == end)
				return false;
			if (*at == '"') {
				if (at + 1 < end && at[1] == '"')
					at++;
				else
					break;
			}
			*to++ = *at++;
		}
		at++;
		out->n = (size_t)(to - out->p);
		if (at < end && *at != ',' && *at != '\n' && *at != '\r')
			return false;
	} else {
		out->p = at;
		while (at < end && *at != ',' && *at != '\n' && *at != '\r')
			at++;
		out->n = (size_t)(at - out->p);
	}
	*more = at < end && *at == ',';
	if (*more) {
		at++;
	} else {
		if (at < end && *at == '\r')
			at++;
		if (at < end && *at == '\n')
			at++;
	}
	*p = at;
	return true;
}

static enum bus_err read_rows(struct adapter_map *m, struct map_ref *r, size_t n, struct bus_error *err)
{
	char *p = r->text, *end = p + n;
	size_t row = 1;

	if (n >= 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0)
		p += 3;
	for (; p < end; row++) {
		struct bus_str cell[REF_COLUMNS];
		size_t c = 0;
		bool more = true;

		while (more) {
			if (c == REF_COLUMNS)
				return bus_fail(err, BUS_EPARSE, "%s: record %zu: more than %d columns",
						r->path, row, REF_COLUMNS);
			if (!field(&p, end, &cell[c], &more))
				return bus_fail(err, BUS_EPARSE,
						"%s: record %zu: a quote that does not close", r->path, row);
			cell[c] = adapter_map_trim(cell[c]);
			c++;
		}
		if (c == 1 && cell[0].n == 0)
			continue; /* an empty line */
		if (r->n_columns == 0) {
			r->n_columns = c;
			for (size_t i = 0; i < c; i++)
				r->column[i] = bus_arena_dup(m->keep, cell[i].p, cell[i].n);
			continue;
		}
		if (c != r->n_columns)
			return bus_fail(err, BUS_EPARSE, "%s: record %zu: %zu columns, the header has %zu",
					r->path, row, c, r->n_columns);
		if (r->n_rows == r->cap) {
			r->cap = r->cap ? r->cap * 2 : 256;
			r->cell = bus_xrealloc(r->cell, r->cap * c * sizeof(*r->cell));
		}
		memcpy(r->cell + r->n_rows * c, cell, c * sizeof(*cell));
		r->n_rows++;
	}
	if (r->n_columns == 0)
		return bus_fail(err, BUS_EPARSE, "%s: empty; a header is needed", r->path);
	return BUS_OK;
}

static enum bus_err read_file(struct adapter_map *m, struct map_ref *r, FILE *f, struct bus_error *err)
{
	size_t n = 0, cap = 64 * 1024, got;

	r->text = bus_xmalloc(cap);
	while ((got = fread(r->text + n, 1, cap - n, f)) > 0) {
		n += got;
		if (n > REF_MAX)
			return bus_fail(err, BUS_ETOOBIG, "%s: over %zu bytes", r->path, REF_MAX);
		if (n == cap)
			r->text = bus_xrealloc(r->text, cap *= 2);
	}
	if (ferror(f))
		return bus_fail(err, BUS_EIO, "cannot read '%s': %m", r->path);
	if (bus_utf8_ok(r->text, n) != n)
		return bus_fail(err, BUS_EPARSE, "%s: not UTF-8", r->path);
	return read_rows(m, r, n, err);
}

/* The adapter's own folders first, then the shipped tables. */
static FILE *find_file(struct adapter_map *m, const char *file, char **path)
{
	FILE *f;

	for (size_t i = 0; m->ref_extra && m->ref_extra[i]; i++) {
		*path = bus_xasprintf("%s/%s", m->ref_extra[i], file);
		f = fopen(*path, "re");
		if (f || errno != ENOENT)
			return f;
		free(*path);
	}
	*path = bus_xasprintf("%s/%s", m->ref_dir ? m->ref_dir : ".", file);
	return fopen(*path, "re");
}

static enum bus_err open_ref(struct adapter_map *m, struct bus_yaml_node *at, const char *file,
			     struct map_ref **out, struct bus_error *err)
{
	struct map_ref *r;
	enum bus_err rc;
	FILE *f;

	for (r = m->refs; r; r = r->next) {
		if (strcmp(r->file, file) == 0) {
			*out = r;
			return BUS_OK;
		}
	}
	if (strchr(file, '/'))
		return bus_yaml_fail(m->yaml, at, err, "a reference table is a file name, without a folder");
	r = adapter_map_keep(m, sizeof(*r));
	r->file = file;
	r->next = m->refs;
	m->refs = r;
	f = find_file(m, file, &r->path);
	if (!f)
		return bus_yaml_fail(m->yaml, at, err, "cannot open reference table '%s': %m", r->path);
	rc = read_file(m, r, f, err);
	fclose(f);
	if (rc != BUS_OK)
		return bus_fail_prefix(err, rc, "%s:%d", bus_yaml_file(m->yaml), at->line);
	*out = r;
	return BUS_OK;
}

/* ---- indexing ---- */

static size_t put_key(char *key, size_t n, struct bus_str s, const char *ignore)
{
	for (size_t i = 0; i < s.n && n < REF_KEY; i++)
		if (!ignore || !strchr(ignore, s.p[i]) || !s.p[i])
			key[n++] = s.p[i];
	return n;
}

static struct map_entry *find_entry(const struct map_index *x, struct bus_str key)
{
	size_t i = adapter_fingerprint(key) & x->mask;

	while (x->entry[i].key.p && !bus_str_eq(x->entry[i].key, key))
		i = (i + 1) & x->mask;
	return &x->entry[i];
}

static enum bus_err find_column(struct adapter_map *m, struct bus_yaml_node *at, struct map_ref *r,
				const char *name, size_t *out, struct bus_error *err)
{
	for (size_t i = 0; i < r->n_columns; i++) {
		if (strcmp(r->column[i], name) == 0) {
			*out = i;
			return BUS_OK;
		}
	}
	return adapter_map_hint(m, at, err, "the reference table has no column", name, r->column,
				r->n_columns);
}

/* "a+b": the two columns' texts together are the key. */
static enum bus_err key_columns(struct adapter_map *m, struct bus_yaml_node *at, struct map_ref *r,
				const char *key, size_t *column, size_t *n, struct bus_error *err)
{
	*n = 0;
	for (const char *p = key; *p;) {
		size_t len = strcspn(p, "+");
		char *name;
		enum bus_err rc;

		if (*n == 4)
			return bus_yaml_fail(m->yaml, at, err, "a key has at most 4 columns");
		name = bus_arena_dup(m->keep, p, len);
		rc = find_column(m, at, r, name, &column[(*n)++], err);
		if (rc != BUS_OK)
			return rc;
		p += len;
		p += *p == '+';
	}
	return *n > 0 ? BUS_OK : bus_yaml_fail(m->yaml, at, err, "an empty key");
}

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static enum bus_err make_index(struct adapter_map *m, struct bus_yaml_node *at, struct map_ref *r,
			       const char *key, const char *give, const char *ignore,
			       const struct map_index **out, struct bus_error *err)
{
	size_t column[4], n, given = 0, size = 16;
	struct map_index *x;
	enum bus_err rc;

	for (const struct map_index *have = r->index; have; have = have->next) {
		if (same_text(have->key, key) && same_text(have->give, give) &&
		    same_text(have->ignore, ignore)) {
			*out = have;
			return BUS_OK;
		}
	}
	rc = key_columns(m, at, r, key, column, &n, err);
	if (rc == BUS_OK && give)
		rc = find_column(m, at, r, give, &given, err);
	if (rc != BUS_OK)
		return rc;
	while (size < r->n_rows * 2)
		size *= 2;
	x = adapter_map_keep(m, sizeof(*x));
	*x = (struct map_index){ r->index, key,	     give,
				 ignore,   size - 1, adapter_map_keep(m, size * sizeof(*x->entry)) };
	for (size_t i = 0; i < r->n_rows; i++) {
		const struct bus_str *row = r->cell + i * r->n_columns;
		struct bus_str text = give ? row[given] : (struct bus_str){ "", 0 };
		struct map_entry *e;
		char buf[REF_KEY];
		size_t len = 0;

		for (size_t k = 0; k < n; k++)
			len = put_key(buf, len, row[column[k]], ignore);
		if (len == 0)
			continue; /* no key here: a row that another key column serves */
		if (len == REF_KEY)
			return bus_yaml_fail(m->yaml, at, err, "%s: record %zu: a key over %d bytes", r->path,
					     i + 2, REF_KEY - 1);
		e = find_entry(x, (struct bus_str){ buf, len });
		if (e->key.p && !bus_str_eq(e->gives, text))
			return bus_yaml_fail(
			    m->yaml, at, err,
			    "%s: record %zu: its key '%s' stands for something else further up", r->path,
			    i + 2, key);
		if (!e->key.p) {
			e->key = (struct bus_str){ bus_arena_dup(m->keep, buf, len), len };
			e->gives = text;
		}
	}
	r->index = x;
	*out = x;
	return BUS_OK;
}

enum bus_err adapter_map_ref_lookup(struct adapter_map *m, struct bus_yaml_node *at, const char *file,
				    const char *const *keys, size_t n_keys, const char *give,
				    const char *ignore, struct map_lookup **out, struct bus_error *err)
{
	const struct map_index **index = adapter_map_keep(m, n_keys * sizeof(*index));
	struct map_lookup *l = adapter_map_keep(m, sizeof(*l));
	struct map_ref *r = NULL;
	enum bus_err rc;

	rc = open_ref(m, at, file, &r, err);
	for (size_t i = 0; i < n_keys && rc == BUS_OK; i++)
		rc = make_index(m, at, r, keys[i], give, ignore, &index[i], err);
	if (rc != BUS_OK)
		return rc;
	*l = (struct map_lookup){ r, n_keys, index, give != NULL };
	*out = l;
	return BUS_OK;
}

bool adapter_map_ref_find(const struct map_lookup *l, struct bus_str text, struct bus_str *gives,
			  uint8_t *alt)
{
	const char *ignore = l->key[0]->ignore;
	char buf[REF_KEY];

	if (ignore) {
		text.n = put_key(buf, 0, text, ignore);
		text.p = buf;
	}
	if (text.n == 0 || text.n >= REF_KEY)
		return false;
	for (size_t i = 0; i < l->n_keys; i++) {
		const struct map_entry *e = find_entry(l->key[i], text);

		if (e->key.p) {
			*gives = e->gives;
			*alt = (uint8_t)i;
			return true;
		}
	}
	return false;
}

void adapter_map_refs_free(struct adapter_map *m)
{
	for (struct map_ref *r = m->refs; r; r = r->next) {
		free(r->path);
		free(r->cell);
		free(r->text);
	}
	m->refs = NULL;
}
