/* What REST Proxy's clients send: the first byte chooses. A body (gateway/restproxy/body.h), to a topic with a schema, with
 * Avro keys, or without: refused as a whole, or each record lies within the batch's bytes, and no NIK in a key that is
 * text. Or a Content-Type, Accept and Authorization header. */
#include <assert.h>
#include <stdint.h>

#include "bus/arena.h"
#include "gateway/publish/impl.h"
#include "gateway/restproxy/body.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char value_text[] =
    "{\"type\":\"record\",\"name\":\"R\",\"x_jenis\":\"register\",\"x_kunci\":\"id\",\"fields\":["
    "{\"name\":\"id\",\"type\":\"string\",\"x_pdp\":\"P\"},{\"name\":\"n\",\"type\":[\"null\",\"long\"],"
    "\"default\":null}]}";
static const char event_text[] =
    "{\"type\":\"record\",\"name\":\"E\",\"fields\":[{\"name\":\"isi\",\"type\":\"string\"}]}";
static const char key_text[] =
    "{\"type\":\"record\",\"name\":\"K\",\"fields\":[{\"name\":\"k\",\"type\":\"string\"},"
    "{\"name\":\"u\",\"type\":[\"null\",\"long\",\"bytes\"]}]}";

static struct schema *parse(const char *text)
{
	struct schema *s;
	const enum bus_err rc = schema_parse(bus_str(text), SCHEMA_STRICT, NULL, 0, &s, NULL);

	assert(rc == BUS_OK);
	return s;
}

static void look(const struct gw_rp_body *body)
{
	const struct gw_publish_batch *b = body->base.batch;

	assert(b->n > 0 && b->n <= GW_PUBLISH_RECORDS_MAX && b->n_refused == 0);
	for (size_t i = 0; i < b->n; i++) {
		const struct gw_publish_record *r = &b->record[i];

		assert(!r->problem);
		assert(r->has_key || !r->tombstone);
		assert((size_t)r->key_at + r->key_n <= b->bytes.n);
		assert((size_t)r->value_at + r->value_n <= b->bytes.n);
		assert(body->keys == GW_RP_KEYS_AVRO ||
		       !gw_publish_holds_nik((struct bus_str){ b->bytes.p + r->key_at, r->key_n }));
	}
}

static void read_body(uint8_t how, struct bus_str text)
{
	static struct gw_publish all = { .known_lock = PTHREAD_MUTEX_INITIALIZER };
	static struct gw_publish_schema with_key, event;
	static struct schema *key;
	struct gw_rp_body body = { .partition = -1, .bytes = true };

	if (!key) {
		with_key = (struct gw_publish_schema){ .schema = parse(value_text),
						       .id = 1,
						       .register_topic = true };
		with_key.key = &schema_root(with_key.schema)->field[0];
		event = (struct gw_publish_schema){ .schema = parse(event_text), .id = 2 };
		key = parse(key_text);
	}
	body.base.batch = gw_publish_batch_new(&all, "t", "r");
	body.format = (enum gw_rp_format)(GW_RP_BINARY + (how & 3) % 3);
	if (how & 4) { /* a topic with a schema; else one without */
		const struct gw_publish_schema *s = how & 8 ? &event : &with_key;
		const enum bus_err rc = schema_plan(key, NULL, &body.key_plan, NULL);

		assert(rc == BUS_OK);
		body.base.schema = *s;
		body.base.schema.schema = schema_ref(s->schema);
		body.base.encoder = gw_publish_encoder_new(&all, s);
		body.key_schema = schema_ref(key);
		body.key_schema_id = 3;
		body.key_reader = schema_reader_new(NULL);
	}
	if (gw_rp_body_read(&body, text))
		look(&body);
	else
		assert(gw_rp_status(body.error) >= 400);
	gw_publish_batch_free(&body.base.batch);
	gw_rp_body_release(&body);
}

static void read_headers(const char *text)
{
	char key[GW_KEY_LEN + 1];
	enum gw_rp_format f;
	const int q = gw_rp_quality(text, "application/json");

	assert(q >= 0 && q <= 1000);
	if (gw_rp_format_of(text, &f))
		assert(f <= GW_RP_AVRO);
	if (gw_access_basic(text, key))
		assert(strlen(key) == GW_KEY_LEN);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *copy;

	if (size == 0)
		return 0;
	copy = bus_xmalloc(size + 1); /* of its own: reading beyond it shows */
	memcpy(copy, data + 1, size - 1);
	if (data[0] & 0x80) {
		copy[size - 1] = '\0';
		read_headers(copy);
	} else {
		copy = bus_xrealloc(copy, size);
		read_body(data[0], (struct bus_str){ copy, size - 1 });
	}
	free(copy);
	return 0;
}
