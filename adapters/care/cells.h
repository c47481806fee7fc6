/* adapters/care/cells.h - the columns of one row as JSON, so that the row can be mapped anew without its file.
 *
 * An object with a member for each column that the mapping reads: a text as it is, null, and else an object: {} for a column
 * that the row does not have, {"angka":"12.5"} for a number ("bulat":true when a spreadsheet rounded it), {"rusak":N} for a
 * cell that shows no value (enum adapter_broken), {"pohon":...} for an array or object. It is personal data: it is only ever
 * stored sealed. One thread.
 */
#ifndef ADAPTERS_CARE_CELLS_H
#define ADAPTERS_CARE_CELLS_H

#include "adapters/adapter.h"

void adapter_cells_put(const char *const *name, size_t n, const struct adapter_row *row, struct bus_buf *out);

/* The cells of these columns, in their order; they borrow from text and arena. BUS_EDATA: a column was not kept (named), or
 * the text is not of ours. */
enum bus_err adapter_cells_get(struct bus_str text, const char *const *name, size_t n,
			       struct bus_arena *arena, struct adapter_cell *cell,
			       struct bus_error *err) BUS_MUSTCHECK;

struct adapter_cell_change {
	struct bus_str name, text;
};
/* The same columns, those in `change` now these texts; a column that was not kept is added. text n 0: none were. */
enum bus_err adapter_cells_change(struct bus_str text, const struct adapter_cell_change *change, size_t n,
				  struct bus_arena *arena, struct bus_buf *out,
				  struct bus_error *err) BUS_MUSTCHECK;

/* What a person reads of one member: its text or number, or "" when it has none. */
struct bus_str adapter_cells_text(const struct bus_json *member);

#endif
