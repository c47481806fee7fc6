/* adapters/sheet_table.h - a table on a sheet of a workbook, as departments send it: titles, merged headers, several tables
 * on a sheet, totals. What struct adapter_source_kind asks for, over any kind of workbook. Options: adapters/README.md. */
#ifndef ADAPTERS_SHEET_TABLE_H
#define ADAPTERS_SHEET_TABLE_H

#include "adapters/sheet_book.h"

enum bus_err adapter_sheet_table_open(const struct adapter_sheet_book_kind *kind, struct bus_yaml *yaml,
				      struct bus_yaml_node *conf, struct adapter_input *in,
				      const char *const *wanted, size_t n_wanted, void **source,
				      struct bus_error *err) BUS_MUSTCHECK;
enum bus_err adapter_sheet_table_next(void *source, struct adapter_row *row, struct bus_error *err);
void adapter_sheet_table_end(void *source, struct adapter_end *out);
void adapter_sheet_table_close(void *source);

#endif
