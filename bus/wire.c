#include "bus/wire.h"

#include <assert.h>

#define MAGIC 0

void bus_wire_put_prefix(struct bus_buf *b, int32_t schema_id)
{
	uint32_t id = (uint32_t)schema_id;
	const char prefix[BUS_WIRE_PREFIX] = { MAGIC, (char)(id >> 24), (char)(id >> 16), (char)(id >> 8),
					       (char)id };

	bus_buf_put(b, prefix, sizeof(prefix));
}

enum bus_err bus_wire_open(struct bus_str value, int32_t *schema_id, struct bus_str *avro,
			   struct bus_error *err)
{
	const unsigned char *p = (const unsigned char *)value.p;

	if (value.n < BUS_WIRE_PREFIX)
		return bus_fail(err, BUS_EDATA, "value of %zu bytes is shorter than its frame (%d)", value.n,
				BUS_WIRE_PREFIX);
	if (p[0] != MAGIC)
		return bus_fail(err, BUS_EDATA, "value begins with 0x%02x, not with Confluent's 0x00", p[0]);
	*schema_id = (int32_t)((uint32_t)p[1] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 8 | p[4]);
	*avro = (struct bus_str){ value.p + BUS_WIRE_PREFIX, value.n - BUS_WIRE_PREFIX };
	return BUS_OK;
}

/* Decimal digits only, within int64_t; anything else is 0, as if the header were not there. */
static int64_t read_number(struct bus_str s)
{
	int64_t v = 0;

	if (s.n == 0 || s.n > 19)
		return 0;
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return 0;
		if (__builtin_mul_overflow(v, 10, &v) || __builtin_add_overflow(v, s.p[i] - '0', &v))
			return 0;
	}
	return v;
}

void bus_wire_read_origin(const struct bus_header *h, size_t n, struct bus_origin *out)
{
	*out = (struct bus_origin){ .stream = BUS_STR(""), .file = BUS_STR(""), .time = BUS_STR("") };
	for (size_t i = 0; i < n; i++) {
		if (bus_str_is(h[i].name, "titian_stream"))
			out->stream = h[i].value;
		else if (bus_str_is(h[i].name, "titian_seq"))
			out->seq = read_number(h[i].value);
		else if (bus_str_is(h[i].name, "titian_file"))
			out->file = h[i].value;
		else if (bus_str_is(h[i].name, "titian_line"))
			out->line = read_number(h[i].value);
		else if (bus_str_is(h[i].name, "ce_time"))
			out->time = h[i].value;
	}
}

/* MurmurHash2, 32 bits, with the seed of Kafka's Java client (Utils.murmur2). */
static uint32_t murmur2(struct bus_str key)
{
	const uint32_t m = 0x5bd1e995;
	const unsigned char *p = (const unsigned char *)key.p;
	size_t n = key.n;
	uint32_t h = 0x9747b28c ^ (uint32_t)n;

	for (; n >= 4; n -= 4, p += 4) {
		uint32_t k = (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0];

		k *= m;
		k ^= k >> 24;
		h = h * m ^ k * m;
	}
	for (size_t i = n; i > 0; i--)
		h ^= (uint32_t)p[i - 1] << 8 * (i - 1);
	if (n > 0)
		h *= m;
	h ^= h >> 13;
	h *= m;
	return h ^ h >> 15;
}

int32_t bus_wire_partition(struct bus_str key, int32_t n_partitions)
{
	assert(n_partitions > 0);
	return (int32_t)(murmur2(key) & 0x7fffffff) % n_partitions;
}

#define JUMP_MAX INT64_C(1000000)
#define SEQ_MAX (INT64_C(1) << 53) /* what every JSON reader can hold */

bool bus_wire_follows(const struct bus_origin *o, const char *topic, int32_t partition, int64_t last,
		      int64_t offset)
{
	size_t n = strlen(topic);
	int32_t number = 0;

	if (o->seq <= 0 || o->seq > SEQ_MAX || o->seq - last > JUMP_MAX + offset)
		return false;
	if (o->stream.n < n + 2 || o->stream.n > n + 8 || memcmp(o->stream.p, topic, n) != 0 ||
	    o->stream.p[n] != '/')
		return false;
	for (size_t i = n + 1; i < o->stream.n; i++) {
		if (o->stream.p[i] < '0' || o->stream.p[i] > '9')
			return false;
		number = number * 10 + (o->stream.p[i] - '0');
	}
	return number == partition;
}
