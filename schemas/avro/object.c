#include "schemas/avro/object.h"

#include "schemas/avro/canon.h"

static const char marker[] = { '\xc3', '\x01' };

void schema_object_begin(uint64_t fingerprint, struct bus_buf *out)
{
	uint8_t bytes[SCHEMA_FINGERPRINT_LEN];

	schema_fingerprint_bytes(fingerprint, bytes);
	bus_buf_put(out, marker, sizeof(marker));
	bus_buf_put(out, bytes, sizeof(bytes));
}

enum bus_err schema_object_parse(struct bus_str message, uint64_t *fingerprint, struct bus_str *datum,
				 struct bus_error *err)
{
	if (message.n < SCHEMA_OBJECT_HEADER)
		return bus_fail(err, BUS_EDATA, "a message of %zu bytes: a single object begins with %d",
				message.n, SCHEMA_OBJECT_HEADER);
	if (memcmp(message.p, marker, sizeof(marker)) != 0)
		return bus_fail(err, BUS_EDATA, "begins with %02x %02x: a single object begins with c3 01",
				(unsigned char)message.p[0], (unsigned char)message.p[1]);
	*fingerprint = 0;
	for (int i = 0; i < SCHEMA_FINGERPRINT_LEN; i++)
		*fingerprint |= (uint64_t)(unsigned char)message.p[sizeof(marker) + (size_t)i] << (8 * i);
	*datum = (struct bus_str){ message.p + SCHEMA_OBJECT_HEADER, message.n - SCHEMA_OBJECT_HEADER };
	return BUS_OK;
}
