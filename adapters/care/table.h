/* adapters/care/table.h - refused rows as CSV for a spreadsheet, and back: `list --csv` and `mend --from`.
 *
 * Columns whose names begin with '#' tell of the row (#id, #kelas ...) and are only read back for #id; the others are the
 * columns of its feed's mapping, present with --show-personal --feed. How values are kept from being formulas, dates or rounded
 * numbers: form.h. A cell that differs from what was kept mends that column. A line that does not fit is refused by its number,
 * and the others go on. One thread.
 */
#ifndef ADAPTERS_CARE_TABLE_H
#define ADAPTERS_CARE_TABLE_H

#include "adapters/care/care.h"

/* Of the rows that the arguments choose, to stdout. BUS_EINVAL: asked for wrongly. */
enum bus_err adapter_care_table(struct adapter_care *care, struct bus_error *err) BUS_MUSTCHECK;
/* One order for all lines that change something. *status: the command's; 1 when a line was refused. */
enum bus_err adapter_care_from(struct adapter_care *care, const char *path, int *status,
			       struct bus_error *err) BUS_MUSTCHECK;

#endif
