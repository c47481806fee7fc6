/* A cursor from outside: no text but our own is ever taken, neither as a page's place nor as a feed's; and
 * the same bytes, signed by us, come back as they were. */
#include <assert.h>
#include <stdint.h>

#include "gateway/serve/answer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A place as bytes, as if we had sealed it for another definition of the view. */
static void place(struct bus_str bytes)
{
	static const struct gw_column columns[] = { { .name = "id", .type = GW_TEXT }, { .name = "n", .type = GW_INT } };
	static const struct gw_view view = { .name = "v", .column = columns, .n_columns = 2 };
	struct bus_arena *arena = bus_arena_new(64 * 1024);
	struct gw_params p;

	gw_params_begin(&p, &view, (struct gw_grant){ .allowed = true, .shown = 3, .clear = 3 }, arena);
	assert(gw_params_add(&p, "order", "n.desc"));
	if (gw_place_take(&p, bytes))
		assert(p.query.after.n > 0 && p.query.after.n < bytes.n);
	bus_arena_free(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct gw_view view = { .name = "v" };
	static const struct gw_cursors ours = { .key = { 7 }, .store = 1 };
	char *text = bus_xstrndup((const char *)data, size);
	struct bus_buf made = { 0 }, key = { 0 };
	int64_t seq = 0;

	assert(gw_cursor_read_page(&ours, &view, text, &key) != BUS_OK);
	assert(gw_cursor_read_feed(&ours, &view, text, &seq) != BUS_OK);
	place((struct bus_str){ (const char *)data, size });
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
