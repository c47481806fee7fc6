/* Any text as JSON for a schema, in both spellings. What is taken must come back: its bytes give JSON that
 * encodes to the same bytes. */
#include <assert.h>
#include <stdint.h>

#include "tests/fuzz/avro_schemas.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bus_buf datum = { 0 };
	struct bus_buf json = { 0 };
	struct bus_buf again = { 0 };
	enum schema_json spelling;
	struct bus_error err;
	struct schema *s;
	size_t i;

	if (size == 0)
		return 0;
	/* Reading bytes back through a union of text and numbers is not exact in the plain spelling:
	 * schema 4. */
	i = data[0] % (FUZZ_SCHEMAS - 2);
	spelling = data[0] & 0x80 ? SCHEMA_JSON_PLAIN : SCHEMA_JSON_AVRO;
	s = fuzz_schema_at(i);
	if (schema_encode_json(s, (struct bus_str){ (const char *)data + 1, size - 1 }, spelling, &datum,
			       &err) == BUS_OK &&
	    fuzz_decode(i, i, bus_buf_str(&datum), spelling, &json) == BUS_OK) {
		assert(schema_encode_json(s, bus_buf_str(&json), spelling, &again, &err) == BUS_OK);
		assert(bus_str_eq(bus_buf_str(&datum), bus_buf_str(&again)));
	}
	bus_buf_release(&datum);
	bus_buf_release(&json);
	bus_buf_release(&again);
	return 0;
}
