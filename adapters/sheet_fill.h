/* adapters/sheet_fill.h - merged cells of a table's data, their value given to every place they cover. Thread: one. */
#ifndef ADAPTERS_SHEET_FILL_H
#define ADAPTERS_SHEET_FILL_H

#include "adapters/sheet.h"

struct adapter_sheet_fill;

/* merge (by first row) stays until free. */
struct adapter_sheet_fill *adapter_sheet_fill_new(const struct adapter_sheet_merge *merge, size_t n);
void adapter_sheet_fill_free(struct adapter_sheet_fill **f);

/* cell[0..n) are those of row `number` from column first on; rows come in order. What is filled in is borrowed until
 * the next row. */
void adapter_sheet_fill_row(struct adapter_sheet_fill *f, uint32_t number, uint32_t first,
			    struct adapter_cell *cell, size_t n);

#endif
