#include "schemas/avro/write.h"

/* Little-endian on every machine. */
static void put_little(struct bus_buf *b, uint64_t bits, size_t n)
{
	char byte[8];

	for (size_t i = 0; i < n; i++)
		byte[i] = (char)(bits >> (8 * i));
	bus_buf_put(b, byte, n);
}

void schema_put_float(struct bus_buf *b, float v)
{
	uint32_t bits;

	memcpy(&bits, &v, sizeof(bits));
	put_little(b, bits, sizeof(bits));
}

void schema_put_double(struct bus_buf *b, double v)
{
	uint64_t bits;

	memcpy(&bits, &v, sizeof(bits));
	put_little(b, bits, sizeof(bits));
}
