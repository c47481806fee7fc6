/* adapters/json_row.h - one JSON object as a row: wanted members by path ("faskes.kode") become cells.
 *
 * A path leads through objects by name and through arrays by number ("telepon.0"). At its end `@lon` or `@lat` is where the
 * GeoJSON geometry that it led to is (adapters/geojson.h). Else, at its end a string is TEXT, a number NUMBER with its text as written, null
 * NULL, the rest TREE; what is not there is MISSING. Cells point into the text read. Thread: one.
 */
#ifndef ADAPTERS_JSON_ROW_H
#define ADAPTERS_JSON_ROW_H

#include "adapters/adapter.h"

struct adapter_json_row;

/* BUS_EPARSE (with conf's file:line): a path has an empty part or too many. */
enum bus_err adapter_json_row_new(struct bus_yaml *yaml, struct bus_yaml_node *conf,
				  const char *const *wanted, size_t n_wanted, struct adapter_json_row **out,
				  struct bus_error *err) BUS_MUSTCHECK;
void adapter_json_row_free(struct adapter_json_row **r);

/* Sets the cells of row; borrowed until the next call, and while text stays.
 * BUS_EPARSE: no JSON, the message begins with its place in text. BUS_EDATA: JSON, but no object.
 * BUS_ETOOBIG: over a limit of depth or number of values. The messages hold none of the data. */
enum bus_err adapter_json_row_read(struct adapter_json_row *r, struct bus_str text, struct adapter_row *row,
				   struct bus_error *err) BUS_MUSTCHECK;

#endif
