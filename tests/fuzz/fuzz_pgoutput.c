/* A stream of messages, each after its length in two bytes: what is read of one lies within it. */
#include <assert.h>
#include <stdint.h>

#include "adapters/change/pgoutput.h"

static void within(struct bus_str message, const struct adapter_pg_row *row,
		   const struct adapter_pg_relation *rel)
{
	for (size_t i = 0; row->value && i < rel->n; i++) {
		const struct adapter_pg_value *v = &row->value[i];

		assert(v->kind != ADAPTER_PG_TEXT ||
		       (v->text.p >= message.p && v->text.p + v->text.n <= message.p + message.n));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct adapter_pg_reader *r = adapter_pg_reader_new();
	struct adapter_pg_change c;
	struct bus_error err;

	while (size > 2) {
		size_t n = (size_t)data[0] << 8 | data[1];
		char *copy; /* of its own size, so that a byte too far is seen */
		enum bus_err rc;

		data += 2;
		size -= 2;
		if (n > size)
			n = size;
		copy = bus_xmalloc(n ? n : 1);
		memcpy(copy, data, n);
		rc = adapter_pg_read(r, (struct bus_str){ copy, n }, &c, &err);
		if (!rc && c.relation) {
			within((struct bus_str){ copy, n }, &c.old, c.relation);
			within((struct bus_str){ copy, n }, &c.new, c.relation);
		}
		free(copy);
		data += n;
		size -= n;
		if (rc)
			break;
	}
	adapter_pg_reader_free(&r);
	return 0;
}
