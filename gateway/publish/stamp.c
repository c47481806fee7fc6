/* The headers of a record: CloudEvents' Kafka binding, as adapters write them (bus/wire.h). No number of a stream: a
 * stream has one owner, and here several gateways write. What a number would show, the transaction prevents. */
#include <assert.h>
#include <stdio.h>

#include "bus/clock.h"
#include "gateway/publish/impl.h"

static void put(struct gw_stamp *s, struct bus_str name, struct bus_str value)
{
	assert(s->n < BUS_LEN(s->header));
	s->header[s->n++] = (struct bus_header){ name, value };
}

void gw_stamp_batch(struct gw_stamp *s, const struct gw_publish_batch *b)
{
	const char *rest = strncmp(b->topic, "pku.", 4) == 0 ? b->topic + 4 : b->topic;

	bus_hex(b->key + GW_PUBLISH_READER_LEN, sizeof(b->key) - GW_PUBLISH_READER_LEN, s->id);
	s->id_prefix = strlen(s->id);
	s->id[s->id_prefix++] = '/';
	snprintf(s->source, sizeof(s->source), "urn:titian:publish:%s", b->reader);
	snprintf(s->type, sizeof(s->type), "id.go.pekanbaru.bus.%s", rest);
	bus_clock_iso_wib(bus_clock_ms(), s->time, sizeof(s->time));
}

static struct bus_str or (struct bus_str given, const char *ours)
{
	return given.p ? given : bus_str(ours);
}

void gw_stamp_record(struct gw_stamp *s, const struct gw_publish_batch *b, const struct gw_publish_record *r)
{
	const struct bus_str key = { b->bytes.p + r->key_at, r->key_n };

	s->n = 0;
	if (!b->bare) {
		snprintf(s->id + s->id_prefix, sizeof(s->id) - s->id_prefix, "%zu", (size_t)(r - b->record));
		put(s, BUS_STR("ce_specversion"), BUS_STR("1.0"));
		put(s, BUS_STR("ce_id"), or (r->id, s->id));
		put(s, BUS_STR("ce_source"), or (r->source, s->source));
		put(s, BUS_STR("ce_type"), or (r->type, s->type));
		if (r->has_key || r->subject.p)
			put(s, BUS_STR("ce_subject"), r->subject.p ? r->subject : key);
		put(s, BUS_STR("ce_time"), or (r->time, s->time));
		put(s, BUS_STR("content-type"), b->type ? bus_str(b->type) : BUS_STR("application/avro"));
		put(s, BUS_STR("titian_publisher"), bus_str(b->reader));
		if (b->traceparent[0])
			put(s, BUS_STR("ce_traceparent"), bus_str(b->traceparent));
	}
	for (size_t i = 0; i < r->n_headers; i++)
		put(s, r->header[i].name, r->header[i].value);
}
