/* adapters/xlsx_strings.h - a workbook's shared strings (ECMA-376-1, 18.4), found by number.
 *
 * Up to 16 MiB of them are kept in memory; beyond that all are in a temporary file without a name. Thread: one.
 */
#ifndef ADAPTERS_XLSX_STRINGS_H
#define ADAPTERS_XLSX_STRINGS_H

#include "adapters/package.h"
#include "bus/buf.h"

struct adapter_xlsx_strings;

/* Reads the part `name`. BUS_EIO, BUS_EFULL: the temporary file (adapter_input_tmp). */
enum bus_err adapter_xlsx_strings_read(struct adapter_package *p, const char *name,
				       struct adapter_xlsx_strings **out,
				       struct bus_error *err) BUS_MUSTCHECK;
void adapter_xlsx_strings_free(struct adapter_xlsx_strings **s);

/* Appends string number i to out. BUS_ENOENT: there is none. */
enum bus_err adapter_xlsx_strings_get(struct adapter_xlsx_strings *s, uint64_t i, struct bus_buf *out,
				      struct bus_error *err) BUS_MUSTCHECK;

/* Appends text in which _x000D_ stands for a character, as spreadsheets write what XML cannot hold (ST_Xstring,
 * 22.9.2.19). What stands for no character of Unicode, or for NUL, stays as it is. */
void adapter_xlsx_unescape(struct bus_str text, struct bus_buf *out);

#endif
