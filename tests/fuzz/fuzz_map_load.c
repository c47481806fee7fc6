/* Any text as a mapping. One that is accepted must also run: on a row of a text for every column. */
#include "tests/support/map_support.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct adapter_map_env env = map_support_env();
	struct adapter_map *m = NULL;
	struct bus_error err;
	char path[] = "/dev/shm/titian-fuzz-XXXXXX";
	int fd = mkstemp(path);

	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	close(fd);
	if (adapter_map_load(path, &env, &m, &err) == BUS_OK) {
		struct adapter_cell cell[128];
		struct adapter_row row = {
			.line = 1, .cell = cell, .n_cells = BUS_LEN(cell), .raw = BUS_STR("x")
		};
		struct adapter_result result;

		for (size_t i = 0; i < BUS_LEN(cell); i++)
			cell[i] = (struct adapter_cell){ .kind = ADAPTER_TEXT,
							 .text = BUS_STR("1406130310869001") };
		if (adapter_map_begin(m, &err) != BUS_OK || adapter_map_row(m, &row, &result, &err) != BUS_OK)
			abort();
	}
	adapter_map_free(&m);
	unlink(path);
	(void)map_support_load;
	(void)map_support_json;
	(void)map_support_json_free;
	return 0;
}
