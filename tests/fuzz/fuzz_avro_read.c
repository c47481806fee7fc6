/* Any bytes as a datum. What can be read must come back: its JSON encodes to bytes that give the same JSON,
 * and written as the reader's datum it is read as the same again. */
#include <assert.h>
#include <stdint.h>

#include "tests/fuzz/avro_schemas.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_back(size_t i, enum schema_json spelling, struct bus_str json)
{
	struct bus_buf datum = { 0 };
	struct bus_buf again = { 0 };

	assert(schema_encode_json(fuzz_schema_at(i), json, spelling, &datum, NULL) == BUS_OK);
	assert(fuzz_decode(i, i, bus_buf_str(&datum), spelling, &again) == BUS_OK);
	assert(bus_str_eq(json, bus_buf_str(&again)));
	bus_buf_release(&datum);
	bus_buf_release(&again);
}

static void check_rewritten(size_t writer, size_t reader, struct bus_str datum)
{
	struct bus_buf once = { 0 };
	struct bus_buf twice = { 0 };

	if (fuzz_rewrite(writer, reader, datum, &once) == BUS_OK) {
		assert(fuzz_rewrite(reader, reader, bus_buf_str(&once), &twice) == BUS_OK);
		assert(bus_str_eq(bus_buf_str(&once), bus_buf_str(&twice)));
	}
	bus_buf_release(&once);
	bus_buf_release(&twice);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const size_t reader[FUZZ_SCHEMAS] = { 4, 5, 2, 3, 0, 1 };
	struct bus_buf json = { 0 };
	struct bus_str datum;
	size_t i;

	if (size == 0)
		return 0;
	i = data[0] % FUZZ_SCHEMAS;
	datum = (struct bus_str){ (const char *)data + 1, size - 1 };
	if (fuzz_decode(i, i, datum, SCHEMA_JSON_AVRO, &json) == BUS_OK)
		check_back(i, SCHEMA_JSON_AVRO, bus_buf_str(&json));
	bus_buf_reset(&json);
	(void)!fuzz_decode(i, reader[i], datum, SCHEMA_JSON_PLAIN, &json);
	check_rewritten(i, reader[i], datum);
	bus_buf_release(&json);
	return 0;
}
