#include "gateway/define/view.h"

#include <stdio.h>

#include "bus/crypto.h"
#include "gateway/define/front.h"
#include "gateway/define/rollup.h"

#define OPEN_MARK "/*---\n"
#define CLOSE_MARK "\n---*/"

static enum bus_err read_file(const char *path, struct bus_buf *out, struct bus_error *err)
{
	FILE *f = fopen(path, "re");
	enum bus_err rc = BUS_OK;

	if (!f)
		return bus_fail(err, BUS_EIO, "cannot open '%s': %m", path);
	bus_buf_reserve(out, GW_VIEW_TEXT_MAX + 1);
	out->n = fread(out->p, 1, GW_VIEW_TEXT_MAX + 1, f);
	if (ferror(f))
		rc = bus_fail(err, BUS_EIO, "cannot read '%s': %m", path);
	else if (out->n > GW_VIEW_TEXT_MAX)
		rc = bus_fail(err, BUS_ETOOBIG, "'%s' is longer than %zu bytes", path, GW_VIEW_TEXT_MAX);
	fclose(f);
	return rc;
}

static void digest(struct gw_def *d)
{
	struct bus_sha256_stream *s = bus_sha256_new();

	bus_sha256_add(s, d->body, strlen(d->body) + 1);
	bus_sha256_add(s, &d->full, 1);
	for (size_t i = 0; i < d->pub.n_columns; i++)
		bus_sha256_add(s, d->pub.column[i].name, strlen(d->pub.column[i].name) + 1);
	bus_sha256_add(s, &d->pub.key, sizeof(d->pub.key));
	bus_sha256_end(&s, d->digest);
}

enum bus_err gw_view_parse(const char *file, const char *text, size_t n, struct gw_def **out,
			   struct bus_error *err)
{
	struct gw_def *d = bus_xcalloc(1, sizeof(*d));
	struct gw_front front = { .d = d, .err = err };
	char *copy = bus_xstrndup(text, n); /* ended, for the search of its marks */
	const char *p = copy, *end = NULL;
	enum bus_err rc;
	size_t body;

	*out = NULL;
	atomic_init(&d->refs, 1);
	d->arena = bus_arena_new(0); /* of what is bounded: GW_VIEW_TEXT_MAX and the counts of each list */
	d->file = bus_arena_dup(d->arena, file, strlen(file));
	if (n > GW_VIEW_TEXT_MAX) {
		rc = bus_fail(err, BUS_ETOOBIG, "%s: a definition is longer than %zu bytes", file,
			      GW_VIEW_TEXT_MAX);
		goto out;
	}
	if (strlen(copy) != n || strncmp(p, OPEN_MARK, strlen(OPEN_MARK)) != 0 ||
	    !(end = strstr(p, CLOSE_MARK))) {
		rc = bus_fail(err, BUS_EPARSE,
			      "%s:1: a view begins with a line '/*---', YAML, a line '---*/'", file);
		goto out;
	}
	p += strlen(OPEN_MARK);
	rc = bus_yaml_parse(file, 2, p, (size_t)(end + 1 - p), &front.y, err);
	if (rc == BUS_OK)
		rc = gw_front_read(&front);
	if (rc != BUS_OK)
		goto out;
	end += strlen(CLOSE_MARK);
	end += strspn(end, " \t\r\n"); /* body_line is the SELECT's */
	d->body_line = 1;
	for (p = copy; p < end; p++)
		d->body_line += *p == '\n';
	body = strlen(end);
	while (body > 0 && strchr(" \t\r\n;", end[body - 1]))
		body--;
	if (body > GW_VIEW_SQL_MAX) {
		rc = bus_fail(err, BUS_ETOOBIG, "%s:%d: a SELECT is longer than %zu bytes", file,
			      d->body_line, GW_VIEW_SQL_MAX);
		goto out;
	}
	d->body = bus_arena_dup(d->arena, end, body);
	gw_rollup_find(d);
	digest(d);
	d->text = (struct bus_str){ bus_arena_dup(d->arena, text, n), n };
	*out = d;
	d = NULL;
out:
	bus_yaml_free(&front.y);
	free(copy);
	gw_view_free(&d);
	return rc;
}

enum bus_err gw_view_load(const char *path, struct gw_def **out, struct bus_error *err)
{
	struct bus_buf text = { 0 };
	enum bus_err rc;

	*out = NULL;
	rc = read_file(path, &text, err);
	if (rc == BUS_OK)
		rc = gw_view_parse(path, bus_buf_cstr(&text), text.n, out, err);
	bus_buf_release(&text);
	return rc;
}

void gw_view_free(struct gw_def **d)
{
	if (*d && atomic_fetch_sub(&(*d)->refs, 1) == 1) {
		bus_arena_free(&(*d)->arena);
		free(*d);
	}
	*d = NULL;
}

const struct gw_def *gw_view_def(const struct gw_view *v)
{
	return (const struct gw_def *)(const void *)v; /* pub is its first member */
}

static struct gw_def *counted(const struct gw_view *v)
{
	return (struct gw_def *)(uintptr_t)v; /* the count and the mark are all that ever changes in it */
}

const struct gw_view *gw_view_ref(const struct gw_view *v)
{
	atomic_fetch_add(&counted(v)->refs, 1);
	return v;
}

void gw_view_unref(const struct gw_view **v)
{
	struct gw_def *d = *v ? counted(*v) : NULL;

	gw_view_free(&d);
	*v = NULL;
}

enum gw_gone gw_view_gone(const struct gw_view *v)
{
	return (enum gw_gone)atomic_load(&counted(v)->gone);
}

bool gw_view_whole(const struct gw_view *v)
{
	return atomic_load(&counted(v)->whole);
}

bool gw_view_reads(const struct gw_def *d, const char *table)
{
	for (size_t i = 0; i < d->n_reads; i++) {
		if (strcmp(d->read[i].table, table) == 0)
			return true;
	}
	return false;
}

void gw_view_select(const struct gw_def *d, struct bus_buf *out)
{
	bus_buf_puts(out, "SELECT ");
	for (size_t i = 0; i < d->pub.n_columns; i++) {
		bus_buf_puts(out, i ? ",\"" : "\"");
		bus_buf_puts(out, d->pub.column[i].name);
		bus_buf_putc(out, '"');
	}
	bus_buf_puts(out, " FROM (\n");
	bus_buf_puts(out, d->body);
	bus_buf_puts(out, "\n) ");
}
