/* schemas/avro/take.h - the primitive encodings, read (Avro specification, "Binary Encoding"); for the
 * machine. */
#ifndef SCHEMAS_AVRO_TAKE_H
#define SCHEMAS_AVRO_TAKE_H

#include <endian.h>
#include <stdint.h>

#include "bus/utf8.h"
#include "bus/mem.h"

/* A whole number of at most 64 bits, zigzag still on. NULL: the input ends, or more bits. */
static __attribute__((noinline, unused)) const char *schema_take_long_varint(const char *p, const char *end,
									     uint64_t *z)
{
	uint64_t byte;
	uint64_t v = 0;

	for (int shift = 0; p < end && shift < 70; shift += 7) {
		byte = (unsigned char)*p++;
		if (shift == 63 && byte > 1)
			return NULL;
		v |= (byte & 0x7f) << shift;
		if (!(byte & 0x80)) {
			*z = v;
			return p;
		}
	}
	return NULL;
}

static inline const char *schema_take_varint(const char *p, const char *end, uint64_t *z)
{
	if (__builtin_expect(end - p < 2, 0))
		return schema_take_long_varint(p, end, z);
	*z = (unsigned char)p[0];
	if (*z < 0x80)
		return p + 1;
	if ((unsigned char)p[1] >= 0x80)
		return schema_take_long_varint(p, end, z);
	*z = (*z & 0x7f) | (uint64_t)(unsigned char)p[1] << 7;
	return p + 2;
}

static inline int64_t schema_take_unzigzag(uint64_t z)
{
	return (int64_t)(z >> 1) ^ -(int64_t)(z & 1);
}

static inline uint64_t schema_take_load(const char *p)
{
	uint64_t word;

	memcpy(&word, p, sizeof(word));
	return word;
}

/* Is it UTF-8? Most text is ASCII: a word at a time, the last one overlapping; end: of what may be read. */
static inline bool schema_take_is_text(const char *p, size_t n, const char *end)
{
	const uint64_t high = UINT64_C(0x8080808080808080);
	uint64_t all = 0;

	if (n >= sizeof(all)) {
		for (size_t i = 0; i < n - sizeof(all); i += sizeof(all))
			all |= schema_take_load(p + i);
		all |= schema_take_load(p + n - sizeof(all));
	} else if (end - p >= (ptrdiff_t)sizeof(all)) {
		all = le64toh(schema_take_load(p)) & ~(UINT64_MAX << (8 * n));
	} else {
		for (size_t i = 0; i < n; i++)
			all |= (unsigned char)p[i];
	}
	return !(all & high) || bus_utf8_ok(p, n) == n;
}

static inline double schema_take_float_at(const char *p)
{
	uint32_t bits;
	float v;

	memcpy(&bits, p, sizeof(bits));
	bits = le32toh(bits);
	memcpy(&v, &bits, sizeof(v));
	return (double)v;
}

static inline double schema_take_double_at(const char *p)
{
	uint64_t bits = le64toh(schema_take_load(p));
	double v;

	memcpy(&v, &bits, sizeof(v));
	return v;
}

#endif
