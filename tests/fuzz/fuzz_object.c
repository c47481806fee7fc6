/* Any bytes as a single-object message: a header that is taken is written back the same. */
#include <assert.h>
#include <stdint.h>

#include "schemas/avro/object.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct bus_str message = { (const char *)data, size };
	struct bus_buf again = { 0 };
	struct bus_str datum;
	uint64_t fingerprint;

	if (schema_object_parse(message, &fingerprint, &datum, NULL) != BUS_OK)
		return 0;
	schema_object_begin(fingerprint, &again);
	bus_buf_put(&again, datum.p, datum.n);
	assert(bus_str_eq(bus_buf_str(&again), message));
	bus_buf_release(&again);
	return 0;
}
