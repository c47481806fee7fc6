/* schemas/avro/cells.h - cells (avro/read.h) -> other forms: Avro bytes, a row of CSV.
 *
 * root is the datum's root, cell any of its cells, type that cell's type. Appends to out; cannot fail.
 */
#ifndef SCHEMAS_AVRO_CELLS_H
#define SCHEMAS_AVRO_CELLS_H

#include "schemas/avro/read.h"

/* The value in the reader's schema: with a plan, one schema's data become another's. Arrays and maps are one
 * block each, as Avro Java writes them. */
void schema_write_cells(const struct schema_node *type, const struct schema_cell *root,
			const struct schema_cell *cell, struct bus_buf *out);

#endif
