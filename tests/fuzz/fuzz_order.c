/* Any file as an order, and any text as the columns of a row: neither comes from us alone. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "adapters/care/cells.h"
#include "adapters/care/order.h"

static void read_order(const uint8_t *data, size_t size)
{
	char path[] = "/dev/shm/titian-fuzz-XXXXXX";
	struct adapter_order_reader *r = NULL;
	struct adapter_order_row row;
	struct adapter_order order;
	int64_t at, first = -1, rows = 0;
	static const uint8_t key[BUS_KEY_LEN] = { 5 };
	struct bus_pseudonym *seal = bus_pseudonym_new(key);
	uint8_t digest[BUS_SHA256_LEN];
	char hex[BUS_PSEUDONYM_LEN + 1];
	int fd = mkstemp(path);

	bus_sha256(data, size, digest);
	bus_pseudonym_make(seal, "order:", (struct bus_str){ (const char *)digest, sizeof(digest) }, hex);
	if (fd < 0 || write(fd, data, size) != (ssize_t)size || dprintf(fd, "{\"seal\":\"%s\"}\n", hex) < 0)
		abort();
	close(fd);
	if (adapter_order_open(path, seal, &r, &order, NULL) == BUS_OK) {
		while (adapter_order_next(r, &row, &at, NULL) == BUS_OK) {
			first = first < 0 ? at : first;
			rows++;
		}
		if (rows > order.rows || (first >= 0 && adapter_order_at(r, first, &row, NULL) != BUS_OK))
			abort();
	}
	adapter_order_close(&r);
	bus_pseudonym_free(&seal);
	unlink(path);
}

static void read_cells(struct bus_str text)
{
	static const char *const name[] = { "a", "b" };
	static const struct adapter_cell_change change = { BUS_STR("a"), BUS_STR("x") };
	struct bus_arena *arena = bus_arena_new((size_t)1 << 22);
	struct adapter_cell cell[2];
	struct bus_buf out = { 0 };

	(void)!adapter_cells_get(text, name, BUS_LEN(name), arena, cell, NULL);
	if (adapter_cells_change(text, &change, 1, arena, &out, NULL) == BUS_OK &&
	    (adapter_cells_get(bus_buf_str(&out), name, 1, arena, cell, NULL) != BUS_OK ||
	     cell[0].kind != ADAPTER_TEXT))
		abort();
	bus_buf_release(&out);
	bus_arena_free(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	read_order(data, size);
	read_cells((struct bus_str){ (const char *)data, size });
	return 0;
}
