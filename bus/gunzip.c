#include "bus/gunzip.h"

#include <zlib.h>

#define STEP ((size_t)64 * 1024)

enum bus_err bus_gunzip(struct bus_str packed, size_t most, struct bus_buf *out, struct bus_error *err)
{
	z_stream z = { .next_in = (Bytef *)(uintptr_t)packed.p, .avail_in = (uInt)packed.n };
	size_t before = out->n;
	enum bus_err rc = BUS_OK;
	int said = Z_OK;

	if (packed.n > UINT32_MAX / 2)
		return bus_fail(err, BUS_ETOOBIG, "more than 2 GiB packed");
	if (inflateInit2(&z, 15 + 16) != Z_OK)
		return bus_fail(err, BUS_EDATA, "zlib does not start");
	while (rc == BUS_OK && (said != Z_STREAM_END || z.avail_in > 0)) {
		size_t left = most + 1 - (out->n - before), step = left < STEP ? left : STEP;

		if (said == Z_STREAM_END && inflateReset(&z) != Z_OK)
			break;
		bus_buf_reserve(out, step);
		z.next_out = (Bytef *)out->p + out->n;
		z.avail_out = (uInt)step;
		said = inflate(&z, Z_NO_FLUSH);
		out->n += step - z.avail_out;
		if (out->n - before > most)
			rc = bus_fail(err, BUS_ETOOBIG, "more than %zu bytes unpacked", most);
		else if (said != Z_OK && said != Z_STREAM_END)
			rc = bus_fail(err, BUS_EDATA, "not gzip, damaged, or cut off");
	}
	inflateEnd(&z);
	if (rc != BUS_OK)
		out->n = before;
	return rc;
}
