/* Key and value of a record of `_dek_registry_keys`, split at the first newline: anything a stranger may have written to
 * the topic. What is taken, written again and taken again, is the same; and its key takes it away. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "schemas/registry/dek_record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void same_again(const struct schema_keys_table *t, struct bus_arena *arena)
{
	struct bus_buf key = { 0 }, value = { 0 };
	struct schema_keys_table again = { 0 };

	if (t->n_keks == 1) {
		schema_kek_key(t->kek[0]->name, &key);
		schema_kek_value(t->kek[0], &value);
	} else {
		schema_dek_key(t->dek[0], &key);
		schema_dek_value(t->dek[0], &value);
	}
	if (schema_keys_apply(&again, bus_buf_str(&key), bus_buf_str(&value), false, 0, arena, NULL) !=
		BUS_OK ||
	    again.n_keks != t->n_keks || again.n_deks != t->n_deks ||
	    (t->n_keks == 1 && !schema_kek_same(t->kek[0], again.kek[0])) ||
	    (t->n_deks == 1 && !schema_dek_same(t->dek[0], again.dek[0])))
		abort();
	if (schema_keys_apply(&again, bus_buf_str(&key), bus_buf_str(&value), true, 0, arena, NULL) !=
		BUS_OK ||
	    again.n_keks + again.n_deks != 0)
		abort();
	schema_keys_release(&again);
	bus_buf_release(&key);
	bus_buf_release(&value);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	const char *cut = size > 0 ? memchr(text, '\n', size) : NULL;
	struct bus_str key = { text, cut ? (size_t)(cut - text) : size };
	struct bus_str value = { cut ? cut + 1 : NULL, cut ? size - key.n - 1 : 0 };
	struct bus_arena *arena = bus_arena_new((size_t)64 * 1024 * 1024);
	struct schema_keys_table table = { 0 };

	if (schema_keys_apply(&table, key, value, false, 0, arena, NULL) == BUS_OK)
		same_again(&table, arena);
	schema_keys_release(&table);
	bus_arena_free(&arena);
	return 0;
}
