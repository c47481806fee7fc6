/* Structured fields from outside: what is read is written in one way, which reads the same; a signature of it is
 * refused, never more. */
#include <assert.h>

#include "gateway/national/signature.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool component(void *ctx, struct bus_str name, bool request, struct bus_buf *out)
{
	(void)ctx;
	bus_buf_put(out, name.p, name.n);
	return name.n > 0 && !request;
}

static void write_all(const struct gw_field_member *m, struct bus_buf *out)
{
	for (; m; m = m->next) {
		bus_buf_put(out, m->key.p, m->key.n);
		bus_buf_putc(out, '=');
		gw_field_put(&m->value, out);
		if (m->next)
			bus_buf_putc(out, ',');
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t key[BUS_ED25519_LEN] = { 1 };
	const struct gw_message message = { component, NULL };
	struct bus_arena *arena = bus_arena_new((size_t)1 << 20);
	struct bus_buf once = { 0 }, twice = { 0 };
	struct gw_field_member *m;
	struct bus_error err;

	if (gw_field_dictionary((struct bus_str){ (const char *)data, size }, arena, &m, &err) == BUS_OK) {
		for (const struct gw_field_member *i = m; i; i = i->next)
			assert(gw_signature_verify(&i->value, i->value.text, key, &message, &err) != BUS_OK);
		write_all(m, &once);
		if (once.n <= GW_FIELD_TEXT_MAX) { /* `a` is written `a=?1` */
			assert(gw_field_dictionary(bus_buf_str(&once), arena, &m, &err) == BUS_OK);
			write_all(m, &twice);
			assert(bus_str_eq(bus_buf_str(&once), bus_buf_str(&twice)));
		}
	}
	bus_buf_release(&once);
	bus_buf_release(&twice);
	bus_arena_free(&arena);
	return 0;
}
