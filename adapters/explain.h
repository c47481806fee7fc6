/* adapters/explain.h - what happened to one row of a file, and by which rule: its cells, each step of the mapping, the checks
 * that held, the record or the refusal. Needs no Kafka. Thread: one.
 *
 * Values of columns that are personal by the schema or by their name are shown as dots and a length, unless `personal`.
 */
#ifndef ADAPTERS_EXPLAIN_H
#define ADAPTERS_EXPLAIN_H

#include "adapters/preview.h"

/* row: the line of a file, the row of a sheet, or, with by_record, the record's number from 1. All rows before it are read
 * too: what came before decides about what is repeated. BUS_ENOENT: no record is there; the nearest is named. */
enum bus_err adapter_explain(const struct adapter_preview_conf *conf, uint64_t row, bool by_record, FILE *out,
			     struct bus_error *err) BUS_MUSTCHECK;

#endif
