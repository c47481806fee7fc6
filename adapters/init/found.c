#include "adapters/init/found.h"

#include <stdio.h>

#include "bus/plain.h"

#define TOLD_MAX 24	 /* tables beside the one taken */
#define HEADER_BYTES 100 /* of a table's header */

uint32_t adapter_init_found_row(const struct adapter_init_grid *g, const struct adapter_init_layout *l)
{
	return g->row[l->n_header > 0 ? l->header : l->data]->number;
}

/* A header that words alone speak for may be a record: it is not shown, for it may be a person's. */
static char *header_of(const struct adapter_init_layout *l)
{
	struct bus_buf b = { 0 };
	uint32_t c = 0;
	char *out;

	if (l->n_header == 0 || !l->header_sure)
		return bus_xstrdup(l->n_header == 0 ? "tanpa kepala / no header"
						    : "kepala tak pasti / header not sure");
	for (; c < l->n_columns && b.n + strlen(l->name[c]) <= HEADER_BYTES; c++)
		if (l->name[c][0])
			bus_buf_printf(&b, "%s%s", b.n > 0 ? " | " : "", l->name[c]);
	if (c < l->n_columns)
		bus_buf_puts(&b, b.n > 0 ? " | ..." : "...");
	out = bus_xstrdup(bus_buf_cstr(&b));
	bus_buf_release(&b);
	bus_plain(out, strlen(out), false);
	return out;
}

size_t adapter_init_found_add(struct adapter_init_found *f, const char *sheet,
			      const struct adapter_init_grid *g, const struct adapter_init_layout *l)
{
	size_t i = f->n++;
	char from[4], to[4];

	if (i >= ADAPTER_INIT_FOUND_MAX)
		return i;
	f->table[i].sheet = bus_xstrdup(sheet);
	bus_plain(f->table[i].sheet, strlen(sheet), false);
	f->table[i].header = header_of(l);
	f->table[i].records = l->records;
	snprintf(f->table[i].place, sizeof(f->table[i].place), "%s%u:%s%u",
		 adapter_sheet_letters(l->column, from), (unsigned)adapter_init_found_row(g, l),
		 adapter_sheet_letters(l->column + l->n_columns - 1, to), (unsigned)g->row[l->last]->number);
	return i;
}

void adapter_init_found_release(struct adapter_init_found *f)
{
	for (size_t i = 0; i < f->n && i < ADAPTER_INIT_FOUND_MAX; i++) {
		free(f->table[i].sheet);
		free(f->table[i].header);
	}
	*f = (struct adapter_init_found){ 0 };
}

bool adapter_init_found_holds(const struct adapter_init_grid *g, const struct adapter_init_layout *l,
			      uint32_t column, uint32_t row)
{
	return column >= l->column && column - l->column < l->n_columns && row >= g->row[l->first]->number &&
	       row <= g->row[l->end - 1]->number;
}

static void note_one(const struct adapter_init_found *f, size_t i, const char *what, bool many,
		     struct adapter_init_shape *out)
{
	adapter_init_note(out, many ? ADAPTER_INIT_MEDIUM : ADAPTER_INIT_HIGH, many,
			  "%s: '%s' %s, %llu baris/rows: %s", what, f->table[i].sheet, f->table[i].place,
			  (unsigned long long)f->table[i].records, f->table[i].header);
}

void adapter_init_found_note(const struct adapter_init_found *f, size_t taken, bool asked,
			     struct adapter_init_shape *out)
{
	size_t told = 0, other = taken == 0 ? 1 : 0;
	bool sheets = false; /* there are tables on several */

	if (taken < ADAPTER_INIT_FOUND_MAX)
		note_one(f, taken,
			 asked	    ? "tabel yang diminta / the table asked for"
			 : f->n > 1 ? "tabel dengan baris terbanyak / the table with the most rows"
				    : "tabel / table",
			 !asked && f->n > 1, out);
	if (asked || f->n < 2)
		return;
	for (size_t i = 0; i < f->n && i < ADAPTER_INIT_FOUND_MAX && told < TOLD_MAX; i++)
		if (i != taken) {
			note_one(f, i, "tabel lain / another table", true, out);
			told++;
		}
	if (told + 1 < f->n)
		adapter_init_note(out, ADAPTER_INIT_MEDIUM, true, "%zu tabel lagi / %zu tables more",
				  f->n - told - 1, f->n - told - 1);
	for (size_t i = 1; i < f->n && i < ADAPTER_INIT_FOUND_MAX; i++)
		sheets |= strcmp(f->table[i].sheet, f->table[0].sheet) != 0;
	adapter_init_note(out, ADAPTER_INIT_MEDIUM, true,
			  "pilih tabel dengan sel mana pun di dalamnya / choose a table by any cell in it: "
			  "%s%s%s--table %.*s",
			  sheets ? "--sheet '" : "", sheets ? f->table[other].sheet : "", sheets ? "' " : "",
			  (int)strcspn(f->table[other].place, ":"), f->table[other].place);
}

void adapter_init_found_places(const struct adapter_init_found *f, struct bus_buf *out)
{
	for (size_t i = 0; i < f->n && i < TOLD_MAX; i++)
		bus_buf_printf(out, "%s'%s' %s", i > 0 ? ", " : "", f->table[i].sheet, f->table[i].place);
	if (f->n > TOLD_MAX)
		bus_buf_puts(out, ", ...");
}
