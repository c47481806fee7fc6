/* A record of the group's topic: whatever it holds, reading ends, stays within the bytes, and what was read is written
 * and read again as the same. */
#include <assert.h>

#include "gateway/engine/group_wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void item_again(const struct gw_group_item *i)
{
	static struct gw_group_item back;
	struct bus_buf bytes = { 0 };
	struct bus_str in;

	gw_group_put_item(&bytes, i);
	in = bus_buf_str(&bytes);
	assert(gw_group_read_item(&in, &back) == BUS_OK && in.n == 0);
	assert(back.what == i->what && back.n == i->n && back.part == i->part && back.hash == i->hash);
	assert(bus_str_eq(back.name, i->name) && bus_str_eq(back.text, i->text) &&
	       back.n_scope == i->n_scope);
	bus_buf_release(&bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct gw_group_item item;
	struct gw_group_record r, back;
	struct bus_buf bytes = { 0 };

	if (gw_group_read_record((struct bus_str){ (const char *)data, size }, &r) != BUS_OK)
		return 0;
	gw_group_put_record(&bytes, &r);
	assert(gw_group_read_record(bus_buf_str(&bytes), &back) == BUS_OK);
	assert(back.kind == r.kind && back.node == r.node && back.epoch == r.epoch && back.store == r.store &&
	       back.n == r.n && back.part == r.part && back.last == r.last && back.role == r.role &&
	       strcmp(back.name, r.name) == 0 && strcmp(back.url, r.url) == 0);
	bus_buf_release(&bytes);
	while (r.items.n > 0 && gw_group_read_item(&r.items, &item) == BUS_OK)
		item_again(&item);
	return 0;
}
