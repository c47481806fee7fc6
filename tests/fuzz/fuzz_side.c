/* Values of the side topic: what a program uses, and states. A state that was taken is written and read
 * again. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "schemas/store/side.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bus_str json = { (const char *)data, size };
	struct bus_arena *arena = bus_arena_new((size_t)8 * 1024 * 1024);
	struct schema_state state, again;
	struct bus_buf text = { 0 };
	struct bus_json_out j = { .buf = &text };
	struct schema_use *use;
	bool deprecated;
	int64_t valid_s;
	size_t n;

	if (schema_uses_read(json, "fuzz", arena, &use, &n, &valid_s, NULL) == BUS_OK &&
	    (n > SCHEMA_SIDE_USES_MAX || valid_s < 0))
		abort();
	if (schema_state_read(json, arena, &state, &deprecated, NULL) == BUS_OK && deprecated) {
		schema_state_put(&j, &state);
		if (schema_state_read(bus_buf_str(&text), arena, &again, &deprecated, NULL) != BUS_OK ||
		    !deprecated || again.successor_version != state.successor_version)
			abort();
	}
	bus_buf_release(&text);
	bus_arena_free(&arena);
	return 0;
}
