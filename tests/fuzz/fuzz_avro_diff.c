/* Two schemas, a line break between them: explained and compared in both directions. A schema differs in
 * nothing from itself; the verdicts are schema_can_read's; what is written is JSON; a place is a place in the
 * text. */
#include <assert.h>
#include <stddef.h>

#include "schemas/avro/diff.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_json(struct bus_buf *b)
{
	struct bus_arena *arena = bus_arena_new(0);
	const struct bus_json_limits limits = { .text = (size_t)16 * 1024 * 1024 };
	struct bus_json *tree;
	bool ok = bus_json_parse(bus_buf_str(b), &limits, arena, &tree, NULL) == BUS_OK;

	bus_arena_free(&arena);
	return ok;
}

static void compare(const struct schema *old, const struct schema *new)
{
	struct bus_buf b = { 0 };
	struct bus_json_out j = { .buf = &b };
	struct schema_diff d;

	schema_diff(old, new, &d);
	assert(d.backward.ok == schema_can_read(new, old, NULL));
	assert(d.forward.ok == schema_can_read(old, new, NULL));
	assert(d.backward.ok || d.backward.n > 0);
	assert(d.forward.ok || d.forward.n > 0);
	assert(old != new || d.cut || d.n == 0);
	schema_diff_put(&j, &d);
	assert(is_json(&b));
	bus_buf_reset(&b);
	schema_diff_say(&d, false, &b);
	schema_diff_say(&d, true, &b);
	schema_diff_release(&d);
	bus_buf_release(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	const char *end = size > 0 ? memchr(text, '\n', size) : NULL;
	struct schema *old = NULL, *new = NULL;

	if (!end || schema_parse((struct bus_str){ text, (size_t)(end - text) }, SCHEMA_LENIENT, NULL, 0,
				 &old, NULL) != BUS_OK)
		return 0;
	compare(old, old);
	if (schema_parse((struct bus_str){ end + 1, size - (size_t)(end - text) - 1 }, SCHEMA_LENIENT, NULL,
			 0, &new, NULL) == BUS_OK) {
		compare(old, new);
		compare(new, old);
	}
	schema_unref(&old);
	schema_unref(&new);
	return 0;
}
