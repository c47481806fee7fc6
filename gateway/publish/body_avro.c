/* Avro bodies: the first bytes say what it is. */
#include <stdio.h>

#include "gateway/publish/body.h"
#include "gateway/publish/impl.h"
#include "schemas/avro/canon.h"
#include "schemas/avro/object.h"
#include "schemas/avro/ocf.h"

#define VERSIONS_LOOKED_AT 100 /* for a fingerprint, the newest first */

/* The live version of the topic's values that has this fingerprint; NULL: none. */
static struct schema *by_fingerprint(struct gw_body *body, uint64_t fingerprint)
{
	const struct gw_publish_batch *b = body->batch;
	struct schema_store *store = b->all->conf.schemas;
	struct schema_version_list list = { 0 };
	struct schema *found = NULL;
	char subject[GW_PUBLISH_TOPIC_MAX + 8];

	if (!store)
		return NULL;
	snprintf(subject, sizeof(subject), "%s-value", b->topic);
	schema_store_versions(store, subject, SCHEMA_LIVE, &list);
	for (size_t i = list.n; i > 0 && list.n - i < VERSIONS_LOOKED_AT && !found; i--) {
		struct schema_version v;

		if (schema_store_version(store, subject, list.item[i - 1].version, &v, NULL))
			continue;
		if (v.schema && schema_fingerprint(v.schema) == fingerprint)
			found = schema_ref(v.schema);
		schema_version_release(&v);
	}
	schema_version_list_release(&list);
	return found;
}

static bool is_object(struct bus_str text)
{
	return text.n >= SCHEMA_OBJECT_HEADER && memcmp(text.p, "\xc3\x01", 2) == 0;
}

void gw_body_avro_one(struct gw_body *body, struct gw_publish_record *r, struct bus_str text,
		      const char *pointer)
{
	struct gw_publish_batch *b = body->batch;
	struct schema *writer = schema_ref(body->schema.schema);
	struct bus_str datum = text;
	uint64_t fingerprint;
	int32_t id;

	if (is_object(text) && schema_object_parse(text, &fingerprint, &datum, NULL) == BUS_OK) {
		schema_unref(&writer);
		writer = by_fingerprint(body, fingerprint);
	} else if (text.n > BUS_WIRE_PREFIX && text.p[0] == 0 &&
		   bus_wire_open(text, &id, &datum, NULL) == BUS_OK) {
		struct gw_publish_schema framed;

		/* A datum alone may begin so too: it is a frame when the id is one of the topic's. */
		if (gw_publish_schema_find(b->all, b->topic, 0, id, &framed, NULL) == BUS_OK) {
			schema_unref(&writer);
			writer = schema_ref(framed.schema);
			gw_publish_schema_release(&framed);
		} else {
			datum = text;
		}
	}
	if (!writer)
		gw_publish_refuse(b, r, "schema-unknown", pointer,
				  "no version of the topic has this fingerprint");
	else
		(void)gw_publish_value_avro(body->encoder, b, r, datum, writer, pointer);
	schema_unref(&writer);
}

struct source {
	struct bus_str left;
};

static enum bus_err from_text(void *ctx, void *p, size_t n, size_t *got, struct bus_error *err)
{
	struct source *s = ctx;

	(void)err;
	*got = n < s->left.n ? n : s->left.n;
	memcpy(p, s->left.p, *got);
	s->left.p += *got;
	s->left.n -= *got;
	return BUS_OK;
}

static bool take_next(struct gw_body *body, struct schema_ocf_reader *file, struct schema *writer)
{
	struct gw_publish_record *r = gw_body_add(body);
	char place[32];

	if (!r)
		return false;
	/* Each block has its bound; so have all together, whatever the topic's schema leaves of them. */
	body->unpacked += schema_ocf_datum(file).n;
	if (body->unpacked > GW_PUBLISH_BODY_MAX)
		return gw_body_fail(body, "http-413", "more than %zu bytes unpacked", GW_PUBLISH_BODY_MAX);
	snprintf(place, sizeof(place), "/%zu", body->batch->n - 1);
	if (gw_publish_value_avro(body->encoder, body->batch, r, schema_ocf_datum(file), writer, place))
		gw_publish_key(body->encoder, body->batch, r, (struct bus_str){ 0 }, place);
	return true;
}

static bool read_file(struct gw_body *body, struct bus_str text)
{
	const struct schema_ocf_limits limits = { .header = SCHEMA_TEXT_MAX, .block = GW_PUBLISH_BODY_MAX };
	const struct schema_sink nobody = { 0 };
	struct source source = { text };
	struct schema_ocf_reader *file = NULL;
	struct schema_plan *plan = NULL;
	struct schema *writer;
	struct bus_error err = { 0 };
	enum bus_err rc = schema_ocf_open(from_text, &source, &limits, &file, &err);
	bool more = true, good = true;

	if (rc == BUS_OK)
		rc = schema_plan(schema_ocf_schema(file), NULL, &plan, &err);
	/* Of the same text as ours: the bytes go on as they are. */
	writer = rc == BUS_OK && schema_fingerprint(schema_ocf_schema(file)) ==
				     schema_fingerprint(body->schema.schema)
		     ? body->schema.schema
		 : rc == BUS_OK ? schema_ocf_schema(file)
				: NULL;
	while (rc == BUS_OK && good) {
		rc = schema_ocf_next(file, plan, &nobody, &more, &err);
		if (rc != BUS_OK || !more)
			break;
		good = take_next(body, file, writer);
	}
	schema_plan_free(&plan);
	schema_ocf_close(&file);
	if (rc != BUS_OK)
		return gw_body_fail(body, "body-invalid", "%s", err.text);
	return good;
}

bool gw_body_avro(struct gw_body *body, struct bus_str text)
{
	struct gw_publish_record *r;

	if (!gw_body_schema(body))
		return false;
	if (text.n >= 4 && memcmp(text.p, "Obj\1", 4) == 0)
		return read_file(body, text);
	r = gw_body_add(body);
	if (!r)
		return false;
	gw_body_avro_one(body, r, text, "");
	if (!r->problem)
		gw_publish_key(body->encoder, body->batch, r, (struct bus_str){ 0 }, "");
	return true;
}
