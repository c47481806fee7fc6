#include "adapters/sheet_head.h"

#include "adapters/source.h"
#include "adapters/source_rules.h"
#include "bus/buf.h"

static void release_row(struct adapter_head_row *r)
{
	for (size_t i = 0; i < r->n; i++)
		free(r->cell[i].text);
	free(r->cell);
	*r = (struct adapter_head_row){ 0 };
}

static void release_names(struct adapter_sheet_head *h)
{
	for (size_t i = 0; i < h->n; i++) {
		free(h->short_name[i]);
		free(h->long_name[i]);
	}
	free(h->short_name);
	free(h->long_name);
	h->short_name = h->long_name = NULL;
	h->n = h->bytes = 0;
}

void adapter_sheet_head_release(struct adapter_sheet_head *h)
{
	release_names(h);
	for (size_t i = 0; i < h->n_rows; i++)
		release_row(&h->row[i]);
	h->n_rows = 0;
}

/* Spaces, line breaks and no-break spaces in a run become one space. */
static char *one_line(struct bus_str s)
{
	char *out;
	size_t n = 0;
	bool space = false;

	s = adapter_source_trim(s);
	out = bus_xmalloc(s.n + 1);
	for (size_t i = 0; i < s.n; i++) {
		bool wide = s.p[i] == '\xc2' && i + 1 < s.n && s.p[i + 1] == '\xa0';

		if ((unsigned char)s.p[i] <= ' ' || wide) {
			i += wide;
			space = true;
			continue;
		}
		if (space)
			out[n++] = ' ';
		space = false;
		out[n++] = s.p[i];
	}
	out[n] = '\0';
	return out;
}

void adapter_sheet_head_put(struct adapter_sheet_head *h, const struct adapter_sheet_row *row, uint32_t first,
			    uint32_t last, size_t rows)
{
	struct adapter_head_row *r;
	size_t gone = 0;

	while (gone < h->n_rows && h->row[gone].number + rows <= row->number)
		release_row(&h->row[gone++]);
	memmove(h->row, h->row + gone, (h->n_rows - gone) * sizeof(h->row[0]));
	h->n_rows -= gone;
	r = &h->row[h->n_rows++];
	*r = (struct adapter_head_row){ .number = row->number };
	r->cell = bus_xcalloc(row->n + 1, sizeof(*r->cell));
	for (size_t i = 0; i < row->n; i++) {
		const struct adapter_sheet_cell *c = &row->cell[i];

		if (c->column < first || c->column > last || c->cell.kind == ADAPTER_BROKEN)
			continue;
		r->cell[r->n].text = one_line(c->cell.text);
		if (r->cell[r->n].text[0] == '\0')
			free(r->cell[r->n].text);
		else
			r->cell[r->n++].column = c->column;
	}
}

/* False: the names would be over their limit. */
static bool join(struct adapter_sheet_head *h, size_t at, const char *text)
{
	char **to = &h->long_name[at], *joined;

	h->bytes += strlen(text) + 3;
	if (h->bytes > ADAPTER_HEAD_MAX)
		return false;
	joined = bus_xasprintf("%s%s%s", *to, **to ? " / " : "", text);
	free(*to);
	*to = joined;
	return true;
}

static int by_place(const void *a, const void *b)
{
	const struct adapter_sheet_merge *x = a, *y = b;

	if (x->row != y->row)
		return x->row < y->row ? -1 : 1;
	return x->column < y->column ? -1 : x->column > y->column;
}

/* The last column the text of this cell stands for: that of its merge, but in the header's last row its own. */
static uint32_t reach(uint32_t row, uint32_t column, bool last, const struct adapter_sheet_merge *merge,
		      size_t n_merges)
{
	const struct adapter_sheet_merge key = { .row = row, .column = column }, *m = NULL;

	if (!last && n_merges > 0)
		m = bsearch(&key, merge, n_merges, sizeof(*merge), by_place);
	return m ? m->column_end : column;
}

enum bus_err adapter_sheet_head_name(struct adapter_sheet_head *h, const struct adapter_sheet_merge *merge,
				     size_t n_merges, struct bus_error *err)
{
	uint32_t first = UINT32_MAX, last = 0;

	release_names(h);
	for (size_t i = 0; i < h->n_rows; i++) {
		const struct adapter_head_row *r = &h->row[i];

		if (r->n > 0 && r->cell[0].column < first)
			first = r->cell[0].column;
		if (r->n > 0 && r->cell[r->n - 1].column > last)
			last = r->cell[r->n - 1].column;
	}
	if (first > last)
		return BUS_OK;
	h->first = first;
	h->n = last - first + 1;
	h->short_name = bus_xcalloc(h->n, sizeof(char *));
	h->long_name = bus_xcalloc(h->n, sizeof(char *));
	for (size_t i = 0; i < h->n; i++) {
		h->short_name[i] = bus_xstrdup("");
		h->long_name[i] = bus_xstrdup("");
	}
	for (size_t i = 0; i < h->n_rows; i++) {
		const struct adapter_head_row *r = &h->row[i];

		for (size_t k = 0; k < r->n; k++) {
			uint32_t c = r->cell[k].column,
				 to = reach(r->number, c, i + 1 == h->n_rows, merge, n_merges);

			free(h->short_name[c - first]);
			h->short_name[c - first] = bus_xstrdup(r->cell[k].text);
			for (; c <= to && c <= last; c++)
				if (!join(h, c - first, r->cell[k].text))
					return bus_fail(err, BUS_EDATA,
							"kepala tabel di baris %u terlalu panjang / the "
							"header in row %u is "
							"too long: over %zu MiB of names",
							r->number, r->number, ADAPTER_HEAD_MAX >> 20);
		}
	}
	return BUS_OK;
}

void adapter_sheet_head_give(struct adapter_sheet_head *h, struct bus_yaml_node *names, uint32_t first)
{
	size_t n = bus_yaml_count(names);

	h->first = first;
	h->short_name = bus_xcalloc(n, sizeof(char *));
	h->long_name = bus_xcalloc(n, sizeof(char *));
	for (struct bus_yaml_node *c = names->first; c; c = c->next, h->n++) {
		h->short_name[h->n] = bus_xstrdup(c->text);
		h->long_name[h->n] = bus_xstrdup(c->text);
	}
}

static bool is_named(const struct adapter_sheet_head *h, size_t i, const char *name)
{
	return strcmp(h->short_name[i], name) == 0 || strcmp(h->long_name[i], name) == 0;
}

bool adapter_sheet_head_has(const struct adapter_sheet_head *h, const char *name)
{
	for (size_t i = 0; i < h->n; i++)
		if (is_named(h, i, name))
			return true;
	return false;
}

enum bus_err adapter_sheet_head_find(const struct adapter_sheet_head *h, const char *name, size_t *at,
				     struct bus_error *err)
{
	size_t found = h->n;
	char a[4], b[4];

	for (size_t i = 0; i < h->n; i++) {
		if (!is_named(h, i, name))
			continue;
		if (found < h->n)
			return bus_fail(
			    err, BUS_EDATA,
			    "kolom '%s' ada dua kali / column '%s' is there twice: %s (%s) and %s (%s); "
			    "use the longer name, or set range",
			    name, name, h->long_name[found],
			    adapter_sheet_letters(h->first + (uint32_t)found, a), h->long_name[i],
			    adapter_sheet_letters(h->first + (uint32_t)i, b));
		found = i;
	}
	if (found == h->n)
		return adapter_source_no_column(name, (const char *const *)h->short_name, h->n, err);
	*at = found;
	return BUS_OK;
}
