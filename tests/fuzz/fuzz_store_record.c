/* Key and value of a `_schemas` record, split at the first newline: anything a stranger may have written to
 * the topic. What is read is applied to a table and written again. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "schemas/store/table.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	const char *cut = size > 0 ? memchr(text, '\n', size) : NULL;
	struct bus_str key = { text, cut ? (size_t)(cut - text) : size };
	struct bus_str value = { cut ? cut + 1 : NULL, cut ? size - key.n - 1 : 0 };
	struct bus_arena *arena = bus_arena_new((size_t)64 * 1024 * 1024);
	struct schema_table *table = schema_table_new();
	struct schema_record record;

	if (schema_record_read(key, value, arena, &record, NULL) == BUS_OK &&
	    schema_table_apply(table, &record, 0, 0, NULL) == BUS_OK)
		schema_table_settle(table);
	schema_table_free(&table);
	bus_arena_free(&arena);
	return 0;
}
