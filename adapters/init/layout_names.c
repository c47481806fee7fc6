/* What the columns are called: by the last row of the header, or by all of them. */
#include "adapters/init/layout_impl.h"

/* As the sources name columns: a run of spaces and line breaks is one space. */
static char *one_line(struct bus_str s)
{
	char *out = bus_xmalloc(s.n + 1);
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++) {
		bool space = strchr(" \t\r\n", s.p[i]) && s.p[i];

		if (!space || (n > 0 && out[n - 1] != ' '))
			out[n++] = space ? ' ' : s.p[i];
	}
	out[n] = '\0';
	return out;
}

static char *short_name(const struct layout_work *w, uint32_t c)
{
	for (size_t h = w->l->header + w->l->n_header; h > w->l->header; h--)
		if (layout_at(w, h - 1, c).n > 0)
			return one_line(layout_at(w, h - 1, c));
	return bus_xstrdup("");
}

/* All header cells above the column, a merged cell standing for those right of it. */
static char *long_name(const struct layout_work *w, uint32_t c)
{
	struct bus_buf b = { 0 };
	char *out;

	for (size_t h = w->l->header; h < w->l->header + w->l->n_header; h++) {
		bool last = h + 1 == w->l->header + w->l->n_header;
		struct bus_str s = layout_at(w, h, c);

		for (uint32_t left = c; s.n == 0 && left > 0 && !last; left--)
			s = layout_at(w, h, left - 1);
		if (s.n == 0)
			continue;
		out = one_line(s);
		bus_buf_printf(&b, "%s%s", b.n > 0 ? " / " : "", out);
		free(out);
	}
	if (b.n == 0)
		bus_buf_printf(&b, "kolom_%u", (unsigned)c + 1);
	out = bus_xstrdup(bus_buf_cstr(&b));
	bus_buf_release(&b);
	return out;
}

static bool taken(const struct adapter_init_layout *l, uint32_t upto, const char *name)
{
	for (uint32_t i = 0; i < upto; i++)
		if (strcmp(l->name[i], name) == 0)
			return true;
	return false;
}

void adapter_init_layout_find_names(struct layout_work *w)
{
	struct adapter_init_layout *l = w->l;

	l->name = bus_xcalloc(l->n_columns, sizeof(*l->name));
	l->names_good = l->n_header > 0;
	for (uint32_t c = 0; c < l->n_columns; c++)
		l->name[c] = short_name(w, c);
	for (uint32_t c = 0; c < l->n_columns; c++) {
		if (l->name[c][0] ? taken(l, c, l->name[c]) : adapter_init_layout_uses(w->g, l, c))
			l->names_good = false;
		for (uint32_t k = 0; k < l->n_columns && l->n_header > 1 && l->names_good; k++) {
			char *other = long_name(w, k);

			l->names_good = k == c || strcmp(other, l->name[c]) != 0;
			free(other);
		}
	}
	for (size_t i = 0; i < l->n_rules; i++)
		if (l->rule[i].test != ADAPTER_INIT_FILLED && !l->name[l->rule[i].column][0])
			l->names_good = false;
	for (uint32_t c = 0; c < l->n_columns && !l->names_good; c++) {
		char *name = long_name(w, c);

		for (int k = 2; taken(l, c, name); k++) {
			char *again = long_name(w, c);

			free(name);
			name = bus_xasprintf("%s (%d)", again, k);
			free(again);
		}
		free(l->name[c]);
		l->name[c] = name;
	}
}
