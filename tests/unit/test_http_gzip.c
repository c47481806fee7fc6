#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <zlib.h>

#include "bus/http_impl.h"

/* RFC 9110, 12.5.3 */
static void who_takes_gzip_says_so(void **state)
{
	static const char *const yes[] = { "gzip", "GZIP",    "deflate, gzip;q=1.0, *;q=0.5",
					   "*",	   "br,gzip", "gzip ;q=0.1" };
	static const char *const no[] = { NULL,	       "",	   "identity",
					  "br",	       "gzip;q=0", "gzip; q=0.0, br",
					  "x-gzipped", "*;q=0" };

	(void)state;
	for (size_t i = 0; i < BUS_LEN(yes); i++)
		if (!bus_http_takes_gzip(yes[i]))
			fail_msg("'%s' does", yes[i]);
	for (size_t i = 0; i < BUS_LEN(no); i++)
		if (bus_http_takes_gzip(no[i]))
			fail_msg("'%s' does not", no[i]);
}

/* What zlib makes of it again. */
static void assert_unpacks(const struct bus_buf *packed, const struct bus_buf *want, bool whole)
{
	z_stream z = { 0 };
	char *out = malloc(want->n + 100);
	int rc;

	assert_int_equal(inflateInit2(&z, 15 + 16), Z_OK);
	z.next_in = (Bytef *)packed->p;
	z.avail_in = (uInt)packed->n;
	z.next_out = (Bytef *)out;
	z.avail_out = (uInt)want->n + 100;
	rc = inflate(&z, Z_SYNC_FLUSH);
	assert_int_equal(rc, whole ? Z_STREAM_END : Z_OK);
	assert_int_equal(z.total_out, want->n);
	assert_memory_equal(out, want->p, want->n);
	inflateEnd(&z);
	free(out);
}

static void pieces_of_any_size_come_out_as_they_went_in(void **state)
{
	static const size_t size[] = { 0, 1, 1000, 100000, 1 };
	struct bus_http h = { .gzip = true };
	struct bus_http_request req = { .h = &h };
	struct bus_buf all = { 0 }, packed = { 0 }, body = { 0 };
	struct http_gzip *g;

	(void)state;
	/* a whole body below the least, or for one who did not ask, stays as it is */
	bus_buf_puts(&body, "{}");
	bus_http_gzip_body(&req, "application/json", &body);
	assert_int_equal(body.n, 2);
	g = bus_http_gzip_new();
	for (size_t i = 0; i < BUS_LEN(size); i++) {
		bus_buf_reset(&body);
		for (size_t k = 0; k < size[i]; k++)
			bus_buf_putc(&body, (char)(k * 2654435761u >> 13));
		bus_buf_put(&all, body.p, body.n);
		bus_http_gzip_put(g, body.p, body.n, i == 2 ? HTTP_GZIP_NOW : HTTP_GZIP_MORE, &packed);
		if (i == 2)
			assert_unpacks(&packed, &all, false); /* a parked stream has told all it knows */
	}
	bus_http_gzip_put(g, NULL, 0, HTTP_GZIP_END, &packed);
	assert_unpacks(&packed, &all, true);
	bus_http_gzip_free(&g);
	bus_buf_release(&all);
	bus_buf_release(&packed);
	bus_buf_release(&body);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_takes_gzip_says_so),
		cmocka_unit_test(pieces_of_any_size_come_out_as_they_went_in),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
