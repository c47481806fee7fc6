/* schemas/avro/write.h - the primitive encodings (Avro specification, "Binary Encoding"), for code that
 * already knows the schema: the adapter's mapper, the JSON encoder. Appends to b; cannot fail. */
#ifndef SCHEMAS_AVRO_WRITE_H
#define SCHEMAS_AVRO_WRITE_H

#include <stdint.h>

#include "bus/buf.h"

static inline void schema_put_long(struct bus_buf *b, int64_t v)
{
	uint64_t z = ((uint64_t)v << 1) ^ (uint64_t)(v >> 63);
	char byte[10];
	size_t n = 0;

	while (z > 0x7f) {
		byte[n++] = (char)(z | 0x80);
		z >>= 7;
	}
	byte[n++] = (char)z;
	bus_buf_put(b, byte, n);
}

static inline void schema_put_text(struct bus_buf *b, struct bus_str s) /* string and bytes */
{
	schema_put_long(b, (int64_t)s.n);
	bus_buf_put(b, s.p, s.n);
}

static inline void schema_put_boolean(struct bus_buf *b, bool v)
{
	bus_buf_putc(b, v ? 1 : 0);
}

void schema_put_float(struct bus_buf *b, float v);
void schema_put_double(struct bus_buf *b, double v);

#endif
