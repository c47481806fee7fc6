/* Any body, of any type: what is taken is one JSON object a line, as many as are counted. (A name may stand twice in it: that is
 * for the source `jsonl` to refuse, as of a file.) The same text as an Idempotency-Key. */
#include <assert.h>

#include "adapters/intake/body.h"
#include "adapters/intake/key.h"
#include "bus/arena.h"
#include "bus/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bus_arena *arena = bus_arena_new((size_t)64 * 1024 * 1024);
	struct bus_buf rows = { 0 };
	const struct bus_json_limits lax = { .lax = true };
	struct bus_error err;
	uint32_t n, lines = 0;
	uint8_t hash[BUS_SHA256_LEN];
	char *key = bus_xstrndup((const char *)data, size);

	(void)adapter_key_read(key, hash);
	free(key);
	if (size > 0 && adapter_body_rows((enum adapter_body_kind)(data[0] % 6),
					  (struct bus_str){ (const char *)data + 1, size - 1 },
					  BUS_STR("\"id\":\"1\""), &rows, &n, &err) == BUS_OK) {
		for (char *p = rows.p, *lf; p < rows.p + rows.n; p = lf + 1, lines++) {
			struct bus_json *tree;

			lf = memchr(p, '\n', (size_t)(rows.p + rows.n - p));
			assert(lf);
			assert(bus_json_parse((struct bus_str){ p, (size_t)(lf - p) }, &lax, arena, &tree,
					      &err) == BUS_OK);
			assert(tree->type == BUS_JSON_OBJECT);
			bus_arena_reset(arena);
		}
		assert(lines == n);
	}
	bus_buf_release(&rows);
	bus_arena_free(&arena);
	return 0;
}
