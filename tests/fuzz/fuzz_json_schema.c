/* Any text as a JSON Schema, with itself as a reference: its canonical text is a schema with the same text.
 */
#include <assert.h>
#include <stdint.h>

#include "schemas/kinds/kind.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct bus_str text = { (const char *)data, size };
	const struct schema_kind_reference self = { "self", text };
	struct bus_buf out = { 0 };
	struct bus_buf again = { 0 };
	struct bus_error err;

	if (size > 0 && schema_kind_check("JSON", text, &self, 1, 0, &out, &err) == BUS_OK) {
		assert(schema_kind_check("JSON", bus_buf_str(&out), &self, 1, 0, &again, &err) == BUS_OK);
		assert(bus_str_eq(bus_buf_str(&out), bus_buf_str(&again)));
	}
	bus_buf_release(&out);
	bus_buf_release(&again);
	return 0;
}
