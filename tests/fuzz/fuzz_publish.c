/* A body that somebody publishes, in every form (gateway/publish/body.h): the first byte chooses. Whatever comes, each
 * record is refused or lies whole within the batch's bytes, its key and value apart; and an answer of another gateway
 * (claims.h) is read within its bytes. */
#include <assert.h>
#include <stdint.h>

#include "bus/arena.h"
#include "gateway/publish/body.h"
#include "gateway/publish/claims.h"
#include "gateway/publish/impl.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char text[] =
    "{\"type\":\"record\",\"name\":\"R\",\"x_jenis\":\"register\",\"x_kunci\":\"id\",\"fields\":["
    "{\"name\":\"id\",\"type\":\"string\",\"x_pdp\":\"P\"},{\"name\":\"n\",\"type\":[\"null\",\"long\"],"
    "\"default\":null},"
    "{\"name\":\"a\",\"type\":{\"type\":\"array\",\"items\":\"string\"},\"default\":[]}]}";

static void look(const struct gw_publish_batch *b)
{
	assert(b->n <= GW_PUBLISH_RECORDS_MAX);
	for (size_t i = 0; i < b->n; i++) {
		const struct gw_publish_record *r = &b->record[i];

		assert(r->n_headers <= GW_PUBLISH_HEADERS_MAX);
		if (r->problem)
			continue;
		assert(r->has_key && r->key_n > 0); /* of a register */
		assert((size_t)r->key_at + r->key_n <= b->bytes.n);
		assert(r->tombstone || r->value_n > BUS_WIRE_PREFIX);
		assert((size_t)r->value_at + r->value_n <= b->bytes.n);
		assert(!gw_publish_holds_nik((struct bus_str){ b->bytes.p + r->key_at, r->key_n }));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct gw_publish all = { .known_lock = PTHREAD_MUTEX_INITIALIZER };
	static struct gw_publish_schema schema;
	struct gw_publish_batch *b;
	struct gw_body body = { 0 };
	char *copy;

	if (!schema.schema) {
		assert(schema_parse(bus_str(text), SCHEMA_STRICT, NULL, 0, &schema.schema, NULL) == BUS_OK);
		schema.id = 1;
		schema.register_topic = true;
		schema.key = &schema_root(schema.schema)->field[0];
	}
	if (size == 0)
		return 0;
	b = gw_publish_batch_new(&all, "t", "r");
	copy = bus_xmalloc(size); /* of its own: reading beyond it shows */
	memcpy(copy, data + 1, size - 1);
	body.batch = b;
	body.kind = (enum gw_body_kind)(data[0] % 5);
	body.records = data[0] & 0x10;
	body.rows = !body.records && data[0] & 0x20;
	body.avro_spelling = data[0] & 0x40;
	body.schema = schema;
	body.schema.schema = schema_ref(schema.schema);
	body.encoder = gw_publish_encoder_new(&all, &schema);
	if (data[0] == 0xff) {
		(void)gw_claims_get_answer((struct bus_str){ copy, size - 1 }, b);
	} else if (gw_body_read(&body, (struct bus_str){ copy, size - 1 })) {
		look(b);
	}
	gw_body_release(&body);
	gw_publish_batch_free(&b);
	free(copy);
	return 0;
}
