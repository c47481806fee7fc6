/* Any bytes as a FileDescriptorProto: what is taken has a text that is taken and stays the same. */
#include <assert.h>
#include <stdint.h>

#include "bus/base64.h"
#include "schemas/kinds/kind.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bus_buf base64 = { 0 };
	struct bus_buf out = { 0 };
	struct bus_buf again = { 0 };
	struct bus_error err;

	bus_base64_put((struct bus_str){ (const char *)data, size }, &base64);
	if (size > 0 &&
	    schema_kind_check("PROTOBUF", bus_buf_str(&base64), NULL, 0, 0, &out, &err) == BUS_OK) {
		assert(schema_kind_check("PROTOBUF", bus_buf_str(&out), NULL, 0, 0, &again, &err) == BUS_OK);
		assert(bus_str_eq(bus_buf_str(&out), bus_buf_str(&again)));
		bus_buf_reset(&again);
		(void)!schema_kind_check("PROTOBUF", bus_buf_str(&base64), NULL, 0, SCHEMA_KIND_NORMALIZE,
					 &again, &err);
		bus_buf_reset(&again);
		assert(schema_kind_format("PROTOBUF", "serialized", bus_buf_str(&out), NULL, 0, &again,
					  &err) == BUS_OK);
	}
	bus_buf_release(&base64);
	bus_buf_release(&out);
	bus_buf_release(&again);
	return 0;
}
