/* adapters/sheet_head.h - the header of a table on a sheet: rows that are looked at together, and the columns' names.
 *
 * A column has a short name, its last header cell that is not empty, and a long one, all of them joined by " / "; a
 * merged cell stands for every column it covers. Line breaks and runs of spaces in a name are one space. Thread: one.
 */
#ifndef ADAPTERS_SHEET_HEAD_H
#define ADAPTERS_SHEET_HEAD_H

#include "adapters/sheet.h"

#define ADAPTER_HEAD_ROWS 10
#define ADAPTER_HEAD_MAX ((size_t)4 * 1024 * 1024) /* bytes of all names together */

struct adapter_head_row {
	uint32_t number;
	struct {
		uint32_t column;
		char *text;
	} * cell;
	size_t n;
};

struct adapter_sheet_head {				/* zero-initialised: empty */
	struct adapter_head_row row[ADAPTER_HEAD_ROWS]; /* the last ones, oldest first */
	size_t n_rows;
	uint32_t first; /* column of name[0] */
	char **short_name, **long_name;
	size_t n;     /* names */
	size_t bytes; /* of the long ones */
};

void adapter_sheet_head_release(struct adapter_sheet_head *h);

/* One row more, its cells from column first to last; of older ones those stay that are among the `rows` rows that end
 * with it. */
void adapter_sheet_head_put(struct adapter_sheet_head *h, const struct adapter_sheet_row *row, uint32_t first,
			    uint32_t last, size_t rows);
/* Names the columns by the rows at hand; merge is in order of row and column. BUS_EDATA: the names are over
 * ADAPTER_HEAD_MAX (one long text, merged over 16,384 columns). */
enum bus_err adapter_sheet_head_name(struct adapter_sheet_head *h, const struct adapter_sheet_merge *merge,
				     size_t n_merges, struct bus_error *err) BUS_MUSTCHECK;
/* Names given, for tables without a header: column first is names[0]. */
void adapter_sheet_head_give(struct adapter_sheet_head *h, struct bus_yaml_node *names, uint32_t first);

bool adapter_sheet_head_has(const struct adapter_sheet_head *h, const char *name);
/* BUS_EDATA: there is none (the nearest is named), or there are two (both places are). */
enum bus_err adapter_sheet_head_find(const struct adapter_sheet_head *h, const char *name, size_t *at,
				     struct bus_error *err) BUS_MUSTCHECK;

#endif
