/* adapters/report.h - the text beside a file: what was refused, where, why, and what to do.
 *
 * For the people of the department, Indonesian first, then English. Never a row's content. Written before the
 * file's last record as a hidden file, so that a restart finds it; renamed when the file has its place.
 * Thread: one.
 */
#ifndef ADAPTERS_REPORT_H
#define ADAPTERS_REPORT_H

#include "adapters/tally.h"

/* There is something to say: the file was not read to its end, or rows were refused, or totals differ. */
bool adapter_report_needed(const struct adapter_tally *t);
void adapter_report_text(const struct adapter_tally *t, struct bus_buf *out);
/* Writes it to "<folder>/.<feed>.<16 hex>.laporan", whole or not at all. BUS_EFULL, BUS_EDENIED, BUS_EIO. */
enum bus_err adapter_report_prepare(const struct adapter_tally *t, const char *folder,
				    struct bus_error *err) BUS_MUSTCHECK;
/* The same for a text of one's own. feed NULL: of no feed. */
enum bus_err adapter_report_write(const char *feed, const char *sha256, struct bus_str text,
				  const char *folder, struct bus_error *err) BUS_MUSTCHECK;
/* Gives a prepared report its name, "<moved>.laporan.txt"; nothing when none was prepared. */
enum bus_err adapter_report_place(const char *feed, const char *sha256, const char *folder, const char *moved,
				  struct bus_error *err) BUS_MUSTCHECK;

#endif
