/* POST /topics/{topic}, POST /topics/{topic}/partitions/{partition}. */
#include <stdio.h>
#include <stdlib.h>

#include "bus/json_out.h"
#include "gateway/publish/ask.h"
#include "gateway/restproxy/body.h"
#include "gateway/restproxy/proxy.h"
#include "gateway/serve/problem.h"

struct asked { /* a request that waits for its batch */
	struct bus_http_ticket *ticket;
	int32_t key_schema_id;
};

/* --- the answer ---------------------------------------------------------------------------------------------- */

/* Why Kafka has not taken a record. */
static int error_of(const struct gw_publish_record *r)
{
	if (strcmp(r->problem, "topic-unavailable") == 0)
		return r->partition >= 0 ? GW_RP_PARTITION_UNKNOWN : GW_RP_TOPIC_UNKNOWN;
	if (strcmp(r->problem, "partition-unknown") == 0)
		return GW_RP_PARTITION_UNKNOWN;
	return gw_problem_find(r->problem)->status == 503 ? GW_RP_KAFKA_RETRY : GW_RP_KAFKA;
}

/* Digits by hand: a request may have thousands of records. */
static char *digits(char *end, uint64_t v)
{
	do
		*--end = (char)('0' + v % 10);
	while (v /= 10);
	return end;
}

static void put_number(struct bus_buf *out, const char *before, int64_t v)
{
	char text[24], *end = text + sizeof(text), *p = digits(end, (uint64_t)v);

	bus_buf_puts(out, before);
	bus_buf_put(out, p, (size_t)(end - p));
}

static void put_place(struct bus_json_out *j, const struct gw_publish_record *r)
{
	if (r->problem) {
		bus_json_object(j);
		bus_json_text_member(j, "partition", NULL);
		bus_json_text_member(j, "offset", NULL);
		bus_json_int_member(j, "error_code", error_of(r));
		bus_json_text_member(j, "error", r->detail ? r->detail : gw_problem_title(r->problem, true));
		bus_json_object_end(j);
		return;
	}
	bus_json_put_raw(j, BUS_STR("{"));
	put_number(j->buf, "\"partition\":", r->placed);
	put_number(j->buf, ",\"offset\":", r->offset);
	bus_buf_puts(j->buf, ",\"error_code\":null,\"error\":null}");
}

static void put_id(struct bus_json_out *j, const char *name, int32_t id)
{
	if (id > 0)
		bus_json_int_member(j, name, id);
	else
		bus_json_text_member(j, name, NULL);
}

/* 200 says, as with Confluent, look at each record; when none is there, the status says so too. */
static void reply_places(struct bus_http_request *req, const struct gw_publish_batch *b,
			 int32_t key_schema_id)
{
	const bool none = b->n_refused == b->n;
	const int error = none ? error_of(&b->record[0]) : 0;
	struct bus_buf body = { 0 };
	struct bus_json_out j = { .buf = &body };

	if (b->replayed)
		bus_http_set(req, "Idempotent-Replayed", "true");
	if (none && gw_rp_status(error) == 503)
		bus_http_set(req, "Retry-After", "1");
	bus_json_object(&j);
	if (none)
		gw_rp_put_error(&j, error, gw_problem_title(b->record[0].problem, true));
	bus_json_key(&j, "offsets");
	bus_json_array(&j);
	for (size_t i = 0; i < b->n; i++)
		put_place(&j, &b->record[i]);
	bus_json_array_end(&j);
	put_id(&j, "key_schema_id", key_schema_id);
	put_id(&j, "value_schema_id", b->schema_id);
	bus_json_object_end(&j);
	gw_rp_reply(req, none ? gw_rp_status(error) : 200, &body);
}

/* A problem's code in this API's shape. */
static void reply_problem(struct bus_http_request *req, const char *problem, const char *detail)
{
	const int status = gw_problem_find(problem)->status;

	if (status == 409 || status == 429)
		bus_http_set(req, "Retry-After", strcmp(problem, "idempotency-share") == 0 ? "60" : "1");
	gw_rp_fail(req, status == 503 ? GW_RP_KAFKA_RETRY : status,
		   detail ? detail : gw_problem_title(problem, true));
}

static void reply(struct bus_http_request *req, const struct gw_publish_batch *b, int32_t key_schema_id)
{
	if (b->problem)
		reply_problem(req, b->problem, NULL);
	else
		reply_places(req, b, key_schema_id);
}

/* A batch's `done`. */
static void answer(struct gw_publish_batch *b)
{
	struct asked *a = b->ctx;
	struct bus_http_ticket *ticket = a->ticket;

	reply(bus_http_ticket_request(ticket), b, a->key_schema_id);
	free(a);
	gw_publish_batch_free(&b);
	bus_http_ticket_done(ticket);
}

/* --- the question -------------------------------------------------------------------------------------------- */

/* Fills the batch, or has answered. */
static bool read_body(struct gw_rp_body *body, struct bus_http_request *req, struct gw_publish_batch *b)
{
	struct bus_buf unpacked = { 0 };
	struct bus_error err = { 0 };
	struct bus_str text;
	const char *problem = gw_publish_unpack(req, &unpacked, &text, &err);
	bool good = false;

	if (problem) {
		reply_problem(req, problem, err.text);
	} else if ((problem = gw_publish_read_key(req, b, text))) {
		reply_problem(req, problem, NULL);
	} else if (b->keyed && gw_publish_answered(b)) {
		reply(req, b, 0);
	} else if (!gw_rp_body_read(body, text)) {
		gw_rp_fail(req, body->error, body->detail[0] ? body->detail : NULL);
	} else {
		good = true;
	}
	bus_buf_release(&unpacked);
	return good;
}

static void submit(struct bus_http_request *req, struct gw_publish_batch *b, int32_t key_schema_id)
{
	const char *trace = bus_http_header(req, "traceparent");
	struct asked *a = bus_xcalloc(1, sizeof(*a));

	if (trace && strlen(trace) < sizeof(b->traceparent) && !gw_publish_holds_nik(bus_str(trace)))
		snprintf(b->traceparent, sizeof(b->traceparent), "%s", trace);
	a->key_schema_id = key_schema_id;
	a->ticket = bus_http_defer(req);
	b->ctx = a;
	b->done = answer;
	gw_publish_submit(b);
}

void gw_rp_produce(void *ctx, struct bus_http_request *req)
{
	struct gw_api *api = ctx;
	const char *topic = bus_http_part(req, "topic");
	struct gw_rp_body body = { .memo = gw_proxy_memo(api->proxy), .partition = -1 };
	char reader[GW_READER_NAME_MAX];
	struct gw_publish_batch *b;
	int32_t key_schema_id;
	bool good;

	if (!gw_rp_reader(api, req, reader) || !gw_rp_accept(req) || !gw_rp_content(req, &body.format) ||
	    (*bus_http_part(req, "partition") && !gw_rp_partition(req, &body.partition)))
		return;
	if (body.format == GW_RP_UNSAID)
		body.format = GW_RP_BINARY;
	if (strlen(topic) > GW_PUBLISH_TOPIC_MAX || !gw_rp_may_see(api, reader, topic)) {
		gw_rp_fail(req, GW_RP_TOPIC_UNKNOWN, NULL);
		return;
	}
	if (!gw_access_publish(api->access, reader, topic, &body.bytes)) {
		gw_rp_fail(req, GW_RP_FORBIDDEN, "the policy must say publish: {TOPIC: {}}");
		return;
	}
	if (!api->publish) {
		reply_problem(req, "unavailable", NULL);
		return;
	}
	b = gw_publish_batch_new(api->publish, topic, reader);
	body.base.batch = b;
	good = read_body(&body, req, b);
	if (body.keys == GW_RP_KEYS_BYTES)
		b->type = body.format == GW_RP_JSON ? "application/json" : "application/octet-stream";
	key_schema_id = body.key_schema_id;
	gw_rp_body_release(&body);
	if (good)
		submit(req, b, key_schema_id);
	else
		gw_publish_batch_free(&b);
}
