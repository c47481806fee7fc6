/* A record as text. */
#include <stdio.h>
#include <string.h>

#include "bus/clock.h"
#include "bus/json_out.h"
#include "gateway/engine/engine.h"
#include "gateway/feed/records_impl.h"
#include "schemas/avro/mask.h"

#define POSITION 12 /* bytes in a cursor: partition, offset */

void gw_tail_put_cursor(const struct gw_tail *t, struct bus_buf *out)
{
	const struct gw_cursors cursors = gw_api_cursors(t->all->api);
	struct bus_buf place = { 0 };

	for (size_t i = 0; i < t->n_at; i++) {
		for (int shift = 24; shift >= 0; shift -= 8)
			bus_buf_putc(&place, (char)(t->at[i].partition >> shift));
		for (int shift = 56; shift >= 0; shift -= 8)
			bus_buf_putc(&place, (char)(t->at[i].next >> shift));
	}
	gw_cursor_put_records(&cursors, t->name, bus_buf_str(&place), out);
	bus_buf_release(&place);
}

static int64_t take_number(const char *p, int n)
{
	uint64_t v = 0;

	for (int i = 0; i < n; i++)
		v = v << 8 | (uint8_t)p[i];
	return (int64_t)v;
}

bool gw_tail_read_cursor(struct gw_tail *t, const char *text)
{
	const struct gw_cursors cursors = gw_api_cursors(t->all->api);
	struct bus_buf place = { 0 };
	bool good = gw_cursor_read_records(&cursors, t->name, text, &place) == BUS_OK &&
		    place.n % POSITION == 0 && place.n / POSITION <= GW_RECORDS_PARTITIONS_MAX;

	if (good) {
		t->n_at = place.n / POSITION;
		t->at = bus_xcalloc(t->n_at + 1, sizeof(*t->at));
		for (size_t i = 0; i < t->n_at; i++)
			t->at[i] = (struct gw_position){ (int32_t)take_number(place.p + i * POSITION, 4),
							 true, take_number(place.p + i * POSITION + 4, 8) };
	}
	bus_buf_release(&place);
	return good;
}

void gw_tail_put_event(const struct gw_tail *t, const char *event, bool cursor, struct bus_buf *out)
{
	if (t->way == GW_WAY_POLL)
		return;
	bus_buf_puts(out, t->way == GW_WAY_SSE ? "id: " : "{\"event\":\"");
	if (t->way == GW_WAY_NDJSON)
		bus_buf_printf(out, "%s\",\"cursor\":\"", event);
	if (cursor)
		gw_tail_put_cursor(t, out);
	if (t->way == GW_WAY_SSE)
		bus_buf_printf(out, "\nevent: %s\ndata: {}\n\n", event);
	else
		bus_buf_puts(out, "\"}\n");
}

/* One item: what goes around the object that j is to write; the cursor behind it is t's. */
static void begin_item(struct gw_tail *t, struct bus_json_out *j)
{
	if (t->way == GW_WAY_SSE) {
		bus_buf_puts(&t->out, "id: ");
		gw_tail_put_cursor(t, &t->out);
		bus_buf_puts(&t->out, "\nevent: record\ndata: ");
	} else if (t->way == GW_WAY_POLL && t->records > 0) {
		bus_buf_putc(&t->out, ',');
	}
	bus_json_object(j);
	if (t->way == GW_WAY_NDJSON) {
		bus_json_text_member(j, "event", "record");
		bus_buf_puts(&t->out, ",\"cursor\":\"");
		gw_tail_put_cursor(t, &t->out);
		bus_buf_putc(&t->out, '"');
	}
}

static void end_item(struct gw_tail *t, struct bus_json_out *j)
{
	bus_json_object_end(j);
	bus_buf_puts(&t->out, t->way == GW_WAY_SSE ? "\n\n" : t->way == GW_WAY_NDJSON ? "\n" : "");
	t->records++;
}

static void put_error(struct bus_json_out *j, const char *code, const char *detail)
{
	bus_json_key(j, "error");
	bus_json_object(j);
	bus_json_text_member(j, "code", code);
	bus_json_text_member(j, "detail", detail);
	bus_json_object_end(j);
}

void gw_tail_put_gap(struct gw_tail *t, int32_t partition, int64_t from, int64_t to)
{
	struct bus_json_out j = { .buf = &t->out };
	char detail[100];

	begin_item(t, &j);
	bus_json_int_member(&j, "partition", partition);
	bus_json_int_member(&j, "offset", from);
	snprintf(detail, sizeof(detail), "records %lld to %lld are not kept any more", (long long)from,
		 (long long)to - 1);
	put_error(&j, "gone", detail);
	end_item(t, &j);
}

static bool named_before(const struct bus_record *r, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (bus_str_eq(r->header[k].name, r->header[i].name))
			return true;
	return false;
}

static void put_headers(struct bus_json_out *j, const struct bus_record *r)
{
	bus_json_key(j, "headers");
	bus_json_object(j);
	for (size_t i = 0; i < r->n_headers; i++) {
		if (named_before(r, i))
			continue;
		bus_json_key_str(j, r->header[i].name);
		if (r->header[i].value.p)
			bus_json_put_str(j, r->header[i].value);
		else
			bus_json_put_null(j);
	}
	bus_json_object_end(j);
}

/* The version that an id has in the topic's subject; 0: none. */
static int version_of(struct gw_records_worker *w, const struct gw_tail *t, int32_t id)
{
	struct schema_version_list list = { 0 };
	char subject[300];
	int version = 0;

	for (size_t i = 0; i < w->n_known; i++)
		if (w->known[i].id == id)
			return w->known[i].version;
	snprintf(subject, sizeof(subject), "%s-value", t->topic);
	schema_store_versions(gw_engine_schemas(w->all->api->engine), subject, SCHEMA_WITH_DELETED, &list);
	for (size_t i = 0; i < list.n; i++)
		if (list.item[i].id == id)
			version = list.item[i].version;
	schema_version_list_release(&list);
	if (w->n_known < BUS_LEN(w->known)) {
		w->known[w->n_known].id = id;
		w->known[w->n_known++].version = version;
	}
	return version;
}

/* The value as JSON in w->value. */
static enum bus_err decode(struct gw_records_worker *w, const struct gw_tail *t, struct schema *writer,
			   struct bus_str avro, struct bus_error *err)
{
	const struct schema_mask_rule rule = { .word = GW_MASK,
					       .unclassed = true,
					       .clear = t->clear,
					       .n_clear = t->n_clear,
					       .also = w->newest ? schema_root(w->newest) : NULL };
	struct bus_json_out j = { .buf = &w->value };
	struct schema_plan *plan = NULL;
	struct schema_mask mask;
	enum bus_err rc;

	bus_buf_reset(&w->value);
	rc = schema_cache_plan(w->all->plans, writer, w->target, &plan, err);
	if (rc != BUS_OK)
		return rc;
	schema_mask_init(&mask, &rule, &j);
	rc = schema_read(w->reader, plan, avro, &mask.sink, err);
	schema_plan_free(&plan);
	return rc;
}

static void put_value(struct gw_records_worker *w, struct gw_tail *t, const struct bus_record *r,
		      struct bus_json_out *j)
{
	struct schema *writer = NULL;
	struct bus_error err = { 0 };
	struct bus_str avro;
	enum bus_err rc;
	int32_t id = 0;

	if (r->tombstone) {
		bus_json_key(j, "value");
		bus_json_put_null(j);
		return;
	}
	rc = bus_wire_open(r->value, &id, &avro, &err);
	if (rc == BUS_OK) {
		bus_json_key(j, "schema");
		bus_json_object(j);
		bus_json_int_member(j, "id", id);
		bus_json_int_member(j, "version", version_of(w, t, id));
		bus_json_object_end(j);
		rc = schema_store_by_id(gw_engine_schemas(w->all->api->engine), id, 0, &writer, &err);
	}
	if (rc != BUS_OK) {
		bus_metric_add(w->all->errors, 1);
		put_error(j, "undecodable", err.text);
		return;
	}
	rc = decode(w, t, writer, avro, &err);
	schema_unref(&writer);
	if (rc == BUS_OK) {
		bus_json_key(j, "value");
		bus_json_put_raw(j, bus_buf_str(&w->value));
		return;
	}
	bus_metric_add(w->all->errors, 1);
	put_error(j, w->target ? "unresolvable" : "undecodable", err.text);
}

/* Keys are text; one that is Avro may hold what is masked. */
static void put_key(const struct gw_tail *t, struct bus_str key, struct bus_json_out *j)
{
	bool clear = key.n == 0 || key.p[0] != '\0';

	for (size_t i = 0; i < t->n_clear; i++)
		clear |= strcmp(t->clear[i], "*") == 0;
	if (!key.p)
		bus_json_put_null(j);
	else if (clear)
		bus_json_put_str(j, key);
	else
		bus_json_put_text(j, GW_MASK);
}

void gw_tail_put_record(struct gw_records_worker *w, struct gw_tail *t, const struct bus_record *r)
{
	struct bus_json_out j = { .buf = &t->out };
	char when[40];

	begin_item(t, &j);
	bus_json_int_member(&j, "partition", r->partition);
	bus_json_int_member(&j, "offset", r->offset);
	bus_json_text_member(&j, "timestamp", bus_clock_iso_wib(r->timestamp_ms, when, sizeof(when)));
	bus_json_key(&j, "key");
	put_key(t, r->key, &j);
	put_headers(&j, r);
	put_value(w, t, r, &j);
	end_item(t, &j);
}
