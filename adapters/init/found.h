/* adapters/init/found.h - the tables of a workbook, as the person is told of them: where each stands, its rows, its header.
 * Thread: one.
 */
#ifndef ADAPTERS_INIT_FOUND_H
#define ADAPTERS_INIT_FOUND_H

#include "adapters/init/layout.h"
#include "adapters/init/shape.h"

#define ADAPTER_INIT_FOUND_MAX 256 /* further ones are counted */

struct adapter_init_found { /* zero-initialised: none */
	struct {
		char *sheet, *header; /* harmless on a terminal */
		char place[32];	      /* "B47:E63" */
		uint64_t records;
	} table[ADAPTER_INIT_FOUND_MAX];
	size_t n;
};

/* Remembers a table; returns its number, from 0. */
size_t adapter_init_found_add(struct adapter_init_found *f, const char *sheet,
			      const struct adapter_init_grid *g, const struct adapter_init_layout *l);
void adapter_init_found_release(struct adapter_init_found *f);

/* Where the table begins on its sheet: its header's row, or the first record's. */
uint32_t adapter_init_found_row(const struct adapter_init_grid *g, const struct adapter_init_layout *l);
/* This cell lies in the table, its title or its notes. row: of the sheet, from 1. */
bool adapter_init_found_holds(const struct adapter_init_grid *g, const struct adapter_init_layout *l,
			      uint32_t column, uint32_t row);

/* Which one is taken, asked for by the person or not, and how to have another, as notes. */
void adapter_init_found_note(const struct adapter_init_found *f, size_t taken, bool asked,
			     struct adapter_init_shape *out);
/* Their places, for a message. */
void adapter_init_found_places(const struct adapter_init_found *f, struct bus_buf *out);

#endif
