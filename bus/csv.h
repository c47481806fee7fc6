/* bus/csv.h - one cell of CSV (RFC 4180). Thread: any. */
#ifndef BUS_CSV_H
#define BUS_CSV_H

#include "bus/buf.h"

/* Quoted when it must be, for any separator in use. What a spreadsheet would take for a formula, and is no number,
 * gets a leading apostrophe (OWASP, CSV injection). NUL and what is no UTF-8 become U+FFFD. */
void bus_csv_put(struct bus_buf *out, struct bus_str s, char separator);

#endif
