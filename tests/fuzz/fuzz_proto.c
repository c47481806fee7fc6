/* Any text as a .proto file, with itself as a reference: its canonical text has the same canonical text, and
 * what it is as a descriptor can be read back. */
#include <assert.h>
#include <stdint.h>

#include "schemas/kinds/kind.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct bus_str text = { (const char *)data, size };
	const struct schema_kind_reference self = { "self.proto", text };
	struct bus_buf out = { 0 };
	struct bus_buf again = { 0 };
	struct bus_error err;

	if (size > 0 && schema_kind_check("PROTOBUF", text, &self, 1, 0, &out, &err) == BUS_OK) {
		assert(schema_kind_format("PROTOBUF", "", bus_buf_str(&out), &self, 1, &again, &err) ==
		       BUS_OK);
		assert(bus_str_eq(bus_buf_str(&out), bus_buf_str(&again)));
		bus_buf_reset(&again);
		assert(schema_kind_format("PROTOBUF", "serialized", bus_buf_str(&out), &self, 1, &again,
					  &err) == BUS_OK);
		bus_buf_reset(&out);
		assert(schema_kind_format("PROTOBUF", "", bus_buf_str(&again), &self, 1, &out, &err) ==
		       BUS_OK);
		bus_buf_reset(&out);
		(void)!schema_kind_check("PROTOBUF", text, &self, 1, SCHEMA_KIND_NORMALIZE, &out, &err);
	}
	bus_buf_release(&out);
	bus_buf_release(&again);
	return 0;
}
