/* What stands on Kafka: frames and headers of any bytes. Headers are "name\nvalue\n" pairs. */
#include <stdint.h>

#include "bus/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct bus_str line(const char **p, const char *end)
{
	const char *from = *p;
	const char *stop = from < end ? memchr(from, '\n', (size_t)(end - from)) : NULL;

	stop = stop ? stop : end;
	*p = stop < end ? stop + 1 : end;
	return (struct bus_str){ from, (size_t)(stop - from) };
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *p = (const char *)data;
	const char *end = p + size;
	struct bus_header h[16];
	struct bus_origin origin;
	struct bus_str avro;
	int32_t id;
	size_t n = 0;

	if (size == 0)
		return 0;
	if (bus_wire_open((struct bus_str){ p, size }, &id, &avro, NULL) == BUS_OK && avro.p + avro.n != end)
		abort();
	while (p < end && n < BUS_LEN(h)) {
		h[n].name = line(&p, end);
		h[n++].value = line(&p, end);
	}
	bus_wire_read_origin(h, n, &origin);
	if (origin.seq < 0 || origin.line < 0 || !origin.stream.p)
		abort();
	for (int32_t parts = 1; parts < 8; parts++) {
		int32_t part = bus_wire_partition((struct bus_str){ (const char *)data, size }, parts);

		if (part < 0 || part >= parts)
			abort();
	}
	return 0;
}
