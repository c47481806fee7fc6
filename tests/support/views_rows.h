/* tests/support/views_rows.h - a view's rows as somebody holds them: by key, in order, cells as text. */
#ifndef TESTS_SUPPORT_VIEWS_ROWS_H
#define TESTS_SUPPORT_VIEWS_ROWS_H

#include <stdio.h>

#include "bus/buf.h"
#include "gateway/store/value.h"

struct rows {
	struct row {
		char *key, *cells;
		size_t n_cells;
	} * row;
	size_t n;
};

static inline size_t place_of(const struct rows *r, const char *key, size_t n_key, bool *there)
{
	size_t i;
	int c = 1;

	for (i = 0; i < r->n; i++) {
		c = strncmp(r->row[i].key, key, n_key);
		c = c ? c : r->row[i].key[n_key] != '\0';
		if (c >= 0)
			break;
	}
	*there = i < r->n && c == 0;
	return i;
}

static inline void rows_remove(struct rows *r, struct bus_str key)
{
	bool there;
	size_t i = place_of(r, key.p, key.n, &there);

	if (!there)
		return;
	free(r->row[i].key);
	free(r->row[i].cells);
	memmove(&r->row[i], &r->row[i + 1], (--r->n - i) * sizeof(*r->row));
}

static inline void rows_put(struct rows *r, struct bus_str key, struct bus_buf *cells)
{
	bool there;
	size_t i;

	rows_remove(r, key);
	i = place_of(r, key.p, key.n, &there);
	r->row = bus_xrealloc(r->row, (r->n + 1) * sizeof(*r->row));
	memmove(&r->row[i + 1], &r->row[i], (r->n++ - i) * sizeof(*r->row));
	r->row[i] = (struct row){ bus_xstrndup(key.p, key.n), bus_xstrndup(cells->p, cells->n), cells->n };
}

static inline void rows_clear(struct rows *r)
{
	for (size_t i = 0; i < r->n; i++) {
		free(r->row[i].key);
		free(r->row[i].cells);
	}
	free(r->row);
	*r = (struct rows){ 0 };
}

static inline bool rows_same(const struct rows *a, const struct rows *b)
{
	for (size_t i = 0; i < a->n && i < b->n; i++) {
		if (strcmp(a->row[i].key, b->row[i].key) != 0 || a->row[i].n_cells != b->row[i].n_cells ||
		    memcmp(a->row[i].cells, b->row[i].cells, a->row[i].n_cells) != 0)
			return false;
	}
	return a->n == b->n;
}

static inline void rows_show(const char *who, const struct rows *r)
{
	fprintf(stderr, "%s:\n", who);
	for (size_t i = 0; i < r->n; i++)
		fprintf(stderr, "  %s = %s\n", r->row[i].key, r->row[i].cells);
}

static inline void cell(struct bus_buf *b, const struct gw_value *v)
{
	switch (v->type) {
	case GW_NULL:
		bus_buf_puts(b, "null;");
		break;
	case GW_REAL:
		bus_buf_printf(b, "%.17g;", v->r);
		break;
	case GW_TEXT:
	case GW_JSON:
		bus_buf_printf(b, "'%.*s';", (int)v->s.n, v->s.p ? v->s.p : "");
		break;
	default:
		bus_buf_printf(b, "%lld;", (long long)v->i);
	}
}

#endif
