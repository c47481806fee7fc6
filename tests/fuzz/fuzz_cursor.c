/* A cursor from outside: no text but our own is ever taken, neither as a page's place nor as a feed's; and
 * the same bytes, signed by us, come back as they were. */
#include <assert.h>
#include <stdint.h>

#include "gateway/serve/cursor.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct gw_view view = { .name = "v" };
	static const struct gw_cursors ours = { .key = { 7 }, .store = 1 };
	char *text = bus_xstrndup((const char *)data, size);
	struct bus_buf made = { 0 }, key = { 0 };
	int64_t seq = 0;

	assert(gw_cursor_read_page(&ours, &view, text, &key) != BUS_OK);
	assert(gw_cursor_read_feed(&ours, &view, text, &seq) != BUS_OK);
	if (size <= 2048) {
		gw_cursor_put_page(&ours, &view, (struct bus_str){ (const char *)data, size }, &made);
		assert(gw_cursor_read_page(&ours, &view, bus_buf_cstr(&made), &key) == BUS_OK);
		assert(key.n == size && (size == 0 || memcmp(key.p, data, size) == 0));
	}
	bus_buf_release(&made);
	bus_buf_release(&key);
	free(text);
	return 0;
}
