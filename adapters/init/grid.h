/* adapters/init/grid.h - the rows of a file as they stand, before anyone knows which of them are data.
 *
 * Bounded: the first rows up to ADAPTER_INIT_GRID_ROWS or ADAPTER_INIT_GRID_BYTES, and of a longer file its last ones:
 * what is no data stands at the two ends. Thread: one.
 */
#ifndef ADAPTERS_INIT_GRID_H
#define ADAPTERS_INIT_GRID_H

#include <stdint.h>

#include "adapters/sheet.h"

#define ADAPTER_INIT_GRID_ROWS 40000
#define ADAPTER_INIT_GRID_TAIL 500
#define ADAPTER_INIT_GRID_BYTES ((size_t)48 * 1024 * 1024)
#define ADAPTER_INIT_GRID_WIDTH 1024 /* columns; further ones are not looked at */

struct adapter_init_cell {
	struct bus_str text; /* without the spaces around it; n 0: empty */
};

struct adapter_init_row {
	uint32_t number; /* of the record, or of the sheet's row; from 1 */
	uint32_t n;	 /* cells */
	bool broken;	 /* has no readable shape; data all the same */
	struct adapter_init_cell cell[];
};

struct adapter_init_grid { /* zero-initialised: empty */
	struct adapter_init_row **row;
	size_t n, cap;
	uint32_t width;
	uint64_t left_out; /* rows between the first and the last ones */
	size_t head;	   /* rows before them */
	size_t bytes;
	struct adapter_sheet_merge *merge; /* owned */
	size_t n_merges;
};

void adapter_init_grid_release(struct adapter_init_grid *g);
/* A row of n texts, copied. */
void adapter_init_grid_put(struct adapter_init_grid *g, uint32_t number, const struct bus_str *text, size_t n,
			   bool broken);
/* Empty where there is none. */
struct bus_str adapter_init_grid_at(const struct adapter_init_grid *g, size_t row, uint32_t column);

#endif
