/* A reference table's text: CSV (comma, quotes, UTF-8, a header), read once. */
#include "adapters/map_ref_impl.h"
#include "bus/utf8.h"

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

static enum bus_err read_rows(struct map_table *t, const char *path, char *p, char *end,
			      struct bus_error *err)
{
	size_t row = 1;

	if (end - p >= 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0)
		p += 3;
	for (; p < end; row++) {
		struct bus_str cell[REF_COLUMNS];
		size_t c = 0;
		bool more = true;

		while (more) {
			if (c == REF_COLUMNS)
				return bus_fail(err, BUS_EPARSE, "%s: record %zu: more than %d columns", path,
						row, REF_COLUMNS);
			if (!field(&p, end, &cell[c], &more))
				return bus_fail(err, BUS_EPARSE,
						"%s: record %zu: a quote that does not close", path, row);
			cell[c] = adapter_map_trim(cell[c]);
			c++;
		}
		if (c == 1 && cell[0].n == 0)
			continue; /* an empty line */
		if (t->n_columns == 0) {
			t->n_columns = c;
			for (size_t i = 0; i < c; i++)
				t->column[i] = bus_arena_dup(t->arena, cell[i].p, cell[i].n);
			continue;
		}
		if (c != t->n_columns)
			return bus_fail(err, BUS_EPARSE, "%s: record %zu: %zu columns, the header has %zu",
					path, row, c, t->n_columns);
		if (t->n_rows == t->cap) {
			t->cap = t->cap ? t->cap * 2 : 256;
			t->cell = bus_xrealloc(t->cell, t->cap * c * sizeof(*t->cell));
		}
		memcpy(t->cell + t->n_rows * c, cell, c * sizeof(*cell));
		t->n_rows++;
	}
	if (t->n_columns == 0)
		return bus_fail(err, BUS_EPARSE, "%s: empty; a header is needed", path);
	return BUS_OK;
}

enum bus_err adapter_map_table_read(struct map_table *t, const char *path, char *text, size_t n, size_t begin,
				    struct bus_error *err)
{
	*t = (struct map_table){ .arena = bus_arena_new(0), .text = text };
	if (bus_utf8_ok(text, n) != n)
		return bus_fail(err, BUS_EPARSE, "%s: not UTF-8", path);
	return read_rows(t, path, text + begin, text + n, err);
}

void adapter_map_table_release(struct map_table *t)
{
	bus_arena_free(&t->arena);
	free(t->cell);
	free(t->text);
	*t = (struct map_table){ 0 };
}
