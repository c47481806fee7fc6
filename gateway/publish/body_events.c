/* CloudEvents 1.0, structured and in batches: the event's attributes become headers (Kafka protocol binding), its data
 * the value. An event without data is a tombstone; `partitionkey` is the key. */
#include <stdio.h>

#include "bus/arena.h"
#include "bus/base64.h"
#include "gateway/publish/body.h"
#include "gateway/publish/impl.h"

#define ATTRIBUTE_MAX 2048

struct event {
	struct bus_str data, base64, type, partitionkey; /* as in the text; p NULL: not there */
	bool version;
};

static bool refuse(struct gw_body *body, struct gw_publish_record *r, const char *place, struct bus_str name,
		   const char *why)
{
	char pointer[128];

	snprintf(pointer, sizeof(pointer), "%s/%.*s", place, (int)name.n, name.p);
	gw_publish_refuse(body->batch, r, "record-invalid", pointer, why);
	return false;
}

/* Names of attributes: lower-case letters and digits. */
static bool good_name(struct bus_str name)
{
	for (size_t i = 0; i < name.n; i++)
		if (!((name.p[i] >= 'a' && name.p[i] <= 'z') || (name.p[i] >= '0' && name.p[i] <= '9')))
			return false;
	return name.n > 0 && name.n <= 40;
}

static bool extension(struct gw_body *body, struct gw_publish_record *r, struct bus_str name,
		      struct bus_str value)
{
	char header[64];

	snprintf(header, sizeof(header), "ce_%.*s", (int)name.n, name.p);
	name = bus_str(header);
	name.p = bus_arena_dup(body->batch->arena, name.p, name.n);
	return name.p && gw_body_header(body, r, name, value);
}

static bool attribute(struct gw_body *body, struct gw_publish_record *r, struct event *e, struct bus_str name,
		      struct bus_str json, const char *place)
{
	struct bus_str value;

	if (bus_str_is(name, "data")) {
		e->data = json;
		return true;
	}
	if (bus_str_is(name, "data_base64")) {
		e->base64 = json;
		return true;
	}
	if (!good_name(name))
		return refuse(body, r, place, BUS_STR(""), "a name that is no attribute's");
	if (gw_publish_holds_nik(name)) {
		gw_publish_refuse(body->batch, r, "record-key-personal", place, NULL);
		return false;
	}
	if (json.p[0] == '"') {
		if (!gw_body_text(body, json, ATTRIBUTE_MAX, &value))
			return refuse(body, r, place, name, "not a string of at most 2,048 bytes");
	} else if (bus_str_is(json, "null")) {
		return true;
	} else if (json.p[0] == '{' || json.p[0] == '[') {
		return refuse(body, r, place, name, "an attribute is a string, a number, true or false");
	} else {
		value = json; /* as it is written */
		value.p = bus_arena_dup(body->batch->arena, json.p, json.n);
		if (!value.p || json.n > 32)
			return refuse(body, r, place, name, "not a number");
	}
	if (gw_publish_holds_nik(value)) { /* headers are in clear, as keys are */
		char pointer[128];

		snprintf(pointer, sizeof(pointer), "%s/%.*s", place, (int)name.n, name.p);
		gw_publish_refuse(body->batch, r, "record-key-personal", pointer, NULL);
		return false;
	}
	if (bus_str_is(name, "specversion")) {
		e->version = bus_str_is(value, "1.0");
		return true;
	}
	if (bus_str_is(name, "datacontenttype"))
		e->type = value;
	else if (bus_str_is(name, "partitionkey"))
		e->partitionkey = value;
	else if (bus_str_is(name, "id"))
		r->id = value;
	else if (bus_str_is(name, "source"))
		r->source = value;
	else if (bus_str_is(name, "type"))
		r->type = value;
	else if (bus_str_is(name, "subject"))
		r->subject = value;
	else if (bus_str_is(name, "time"))
		r->time = value;
	else if (!extension(body, r, name, value))
		return refuse(body, r, place, name, "too many attributes");
	return true;
}

static void read_data(struct gw_body *body, struct gw_publish_record *r, const struct event *e,
		      const char *place)
{
	struct bus_buf datum = { 0 };
	struct bus_str packed;
	char pointer[80];

	snprintf(pointer, sizeof(pointer), "%s/data", place);
	if (e->data.p && !bus_str_is(e->data, "null")) {
		(void)gw_publish_value_json(body->encoder, body->batch, r, e->data, body->avro_spelling,
					    pointer);
		return;
	}
	if (!e->base64.p) {
		r->tombstone = true;
		return;
	}
	packed = e->base64;
	packed.p++;
	packed.n = packed.n > 1 ? packed.n - 2 : 0;
	if (e->base64.p[0] != '"' || !bus_base64_parse(packed, &datum))
		refuse(body, r, place, BUS_STR("data_base64"), "not base64");
	else if (e->type.p && memmem(e->type.p, e->type.n, "json", 4))
		(void)gw_publish_value_json(body->encoder, body->batch, r, bus_buf_str(&datum),
					    body->avro_spelling, pointer);
	else
		gw_body_avro_one(body, r, bus_buf_str(&datum), pointer);
	bus_buf_release(&datum);
}

static bool good_event(struct gw_body *body, struct gw_publish_record *r, const struct event *e,
		       const char *place)
{
	if (!e->version)
		return refuse(body, r, place, BUS_STR("specversion"), "not \"1.0\"");
	if (r->id.n == 0)
		return refuse(body, r, place, BUS_STR("id"), "missing");
	if (r->source.n == 0)
		return refuse(body, r, place, BUS_STR("source"), "missing");
	if (r->type.n == 0)
		return refuse(body, r, place, BUS_STR("type"), "missing");
	if (e->data.p && e->base64.p)
		return refuse(body, r, place, BUS_STR("data_base64"), "there is data too");
	return true;
}

void gw_body_event(struct gw_body *body, struct bus_str json, const char *place)
{
	struct gw_publish_record *r = gw_body_add(body);
	struct event e = { 0 };
	enum gw_slice_next next;
	struct bus_str name, value;
	struct gw_slice s;

	if (!r)
		return;
	if (json.p[0] != '{') {
		gw_publish_refuse(body->batch, r, "record-invalid", place, "not an object");
		return;
	}
	gw_slice_enter(&s, json);
	while ((next = gw_slice_member(&s, &name, &value)) == GW_SLICE_ONE)
		if (!attribute(body, r, &e, name, value, place))
			return;
	if (next != GW_SLICE_END) {
		gw_publish_refuse(body->batch, r, "record-invalid", place, "not JSON");
		return;
	}
	if (!good_event(body, r, &e, place))
		return;
	read_data(body, r, &e, place);
	if (!r->problem)
		gw_publish_key(body->encoder, body->batch, r, e.partitionkey, place);
}
