/* Reference tables: files that come with the adapter, or topics of which a copy is kept beside it (reference/keep.h).
 * Each is read once, and again when its copy has changed; what cannot be read leaves the one in use. */
#include "adapters/map_ref_impl.h"

#include <errno.h>
#include <stdio.h>

#include "adapters/reference/copy.h"
#include "bus/file.h"

static enum bus_err read_file(const char *path, FILE *f, char **text, size_t *n, struct bus_error *err)
{
	size_t cap = 64 * 1024, got;

	*n = 0;
	*text = bus_xmalloc(cap);
	while ((got = fread(*text + *n, 1, cap - *n, f)) > 0) {
		*n += got;
		if (*n > ADAPTER_REFERENCE_MAX)
			return bus_fail(err, BUS_ETOOBIG, "%s: over %zu bytes", path, ADAPTER_REFERENCE_MAX);
		if (*n == cap)
			*text = bus_xrealloc(*text, cap *= 2);
	}
	if (ferror(f))
		return bus_fail(err, BUS_EIO, "cannot read '%s': %m", path);
	return BUS_OK;
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

/* On failure too *out is to be released. */
static enum bus_err load_table(struct map_ref *r, FILE *f, struct map_table *out, uint8_t *digest,
			       struct bus_error *err)
{
	size_t n = 0, begin = 0;
	char *text = NULL;
	enum bus_err rc = read_file(r->path, f, &text, &n, err);

	if (rc == BUS_OK && r->topic)
		rc = adapter_reference_copy_check(r->path, text, n, digest, &begin, err);
	if (rc == BUS_OK)
		return adapter_map_table_read(out, r->path, text, n, begin, err);
	free(text);
	return rc;
}

static enum bus_err open_ref(struct adapter_map *m, struct bus_yaml_node *at, const char *name, bool topic,
			     struct map_ref **out, struct bus_error *err)
{
	struct map_ref *r;
	enum bus_err rc;
	FILE *f;

	for (r = m->refs; r; r = r->next) {
		if (r->topic == topic && strcmp(r->name, name) == 0) {
			*out = r;
			return BUS_OK;
		}
	}
	if (strchr(name, '/'))
		return bus_yaml_fail(m->yaml, at, err, "a reference table is a file name, without a folder");
	r = adapter_map_keep(m, sizeof(*r));
	r->name = name;
	r->topic = topic;
	r->next = m->refs;
	m->refs = r;
	if (topic) {
		r->path = adapter_reference_copy_path(m->ref_copies, name);
		f = bus_file_open(r->path);
		if (!f && errno == ENOENT)
			return bus_fail(
			    err, BUS_ENOENT,
			    "%s:%d: of the reference topic '%s' there is no copy '%s' yet; the running "
			    "adapter makes it from the bus",
			    bus_yaml_file(m->yaml), at->line, name, r->path);
	} else {
		f = find_file(m, name, &r->path);
	}
	if (!f)
		return bus_yaml_fail(m->yaml, at, err, "cannot open reference table '%s': %m", r->path);
	rc = load_table(r, f, &r->table, r->digest, err);
	fclose(f);
	if (rc != BUS_OK)
		return bus_fail_prefix(err, rc, "%s:%d", bus_yaml_file(m->yaml), at->line);
	*out = r;
	return BUS_OK;
}

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static enum bus_err make_index(struct adapter_map *m, struct bus_yaml_node *at, struct map_ref *r,
			       const struct map_index *want, const struct map_index **out,
			       struct bus_error *err)
{
	struct map_index *x;
	enum bus_err rc;

	for (x = r->index; x; x = x->next) {
		if (same_text(x->key, want->key) && same_text(x->give, want->give) &&
		    same_text(x->ignore, want->ignore) && same_text(x->from, want->from) &&
		    same_text(x->until, want->until)) {
			*out = x;
			return BUS_OK;
		}
	}
	x = adapter_map_keep(m, sizeof(*x));
	*x = *want;
	rc = adapter_map_index_make(&r->table, r->path, x, &x->now, err);
	if (rc != BUS_OK)
		return bus_fail_prefix(err, rc, "%s:%d", bus_yaml_file(m->yaml), at->line);
	x->next = r->index;
	r->index = x;
	*out = x;
	return BUS_OK;
}

enum bus_err adapter_map_ref_lookup(struct adapter_map *m, struct bus_yaml_node *at,
				    const struct map_ref_wish *wish, struct map_lookup **out,
				    struct bus_error *err)
{
	const struct map_index **index = adapter_map_keep(m, wish->n_keys * sizeof(*index));
	struct map_lookup *l = adapter_map_keep(m, sizeof(*l));
	struct map_ref *r = NULL;
	enum bus_err rc;

	rc = open_ref(m, at, wish->name, wish->topic, &r, err);
	for (size_t i = 0; i < wish->n_keys && rc == BUS_OK; i++) {
		const struct map_index want = { .key = wish->key[i],
						.give = wish->give,
						.ignore = wish->ignore,
						.from = wish->from,
						.until = wish->until };

		rc = make_index(m, at, r, &want, &index[i], err);
	}
	if (rc != BUS_OK)
		return rc;
	*l = (struct map_lookup){ .n_keys = wish->n_keys, .key = index, .give = wish->give != NULL };
	*out = l;
	return BUS_OK;
}

static enum bus_err refresh(struct map_ref *r, bool *changed, struct bus_error *err)
{
	uint8_t digest[BUS_SHA256_LEN];
	struct map_table fresh = { 0 };
	FILE *f = bus_file_open(r->path);
	enum bus_err rc;

	*changed = false;
	if (!f)
		return bus_fail(err, BUS_EIO, "cannot open '%s': %m", r->path);
	rc = load_table(r, f, &fresh, digest, err);
	fclose(f);
	if (rc == BUS_OK && memcmp(digest, r->digest, sizeof(digest)) == 0)
		goto out;
	for (struct map_index *x = r->index; x && rc == BUS_OK; x = x->next)
		rc = adapter_map_index_make(&fresh, r->path, x, &x->coming, err);
	if (rc != BUS_OK)
		goto out;
	/* All of it, or none: a mapping that looks into two columns must not see two tables. */
	for (struct map_index *x = r->index; x; x = x->next)
		x->now = x->coming;
	adapter_map_table_release(&r->table);
	r->table = fresh;
	fresh = (struct map_table){ 0 };
	memcpy(r->digest, digest, sizeof(digest));
	*changed = true;
out:
	adapter_map_table_release(&fresh);
	return rc;
}

enum bus_err adapter_map_refresh(struct adapter_map *m, size_t *n, struct bus_error *err)
{
	enum bus_err first = BUS_OK;

	*n = 0;
	for (struct map_ref *r = m->refs; r; r = r->next) {
		bool changed = false;
		enum bus_err rc = r->topic ? refresh(r, &changed, first == BUS_OK ? err : NULL) : BUS_OK;

		*n += changed;
		if (first == BUS_OK)
			first = rc;
	}
	return first;
}

void adapter_map_refs_free(struct adapter_map *m)
{
	for (struct map_ref *r = m->refs; r; r = r->next) {
		free(r->path);
		adapter_map_table_release(&r->table);
	}
	m->refs = NULL;
}
