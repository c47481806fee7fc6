/* POST /v1/topics/{topic}/records: the question, and its answer. */
#include "gateway/publish/ask.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "bus/base64.h"
#include "bus/cloudevent.h"
#include "bus/gunzip.h"
#include "bus/json_out.h"
#include "gateway/publish/body.h"
#include "gateway/publish/impl.h"
#include "gateway/publish/slice.h"
#include "gateway/serve/api.h"

#define KEY_MAX 255

struct asked { /* a request that waits for its batch */
	struct bus_http_ticket *ticket;
	bool english;
};

struct question {
	struct gw_body body;
	bool atomic;
	const char *problem, *hint;
	char detail[100];
};

/* --- the answer ---------------------------------------------------------------------------------------------- */

static void reply(const struct gw_publish_batch *b, struct bus_http_request *req, bool english)
{
	bool none = b->n_refused == b->n;
	struct bus_buf body = { 0 };

	if (b->problem) {
		if (strcmp(b->problem, "idempotency-other") != 0)
			bus_http_set(req, "Retry-After",
				     strcmp(b->problem, "idempotency-share") == 0 ? "60" : "1");
		gw_problem_in(req, english, b->problem, b->detail, NULL);
		return;
	}
	if (b->replayed)
		bus_http_set(req, "Idempotent-Replayed", "true");
	bus_http_set(req, "Content-Language", english ? "en" : "id");
	gw_publish_receipt(b, english, &body);
	bus_http_reply(req,
		       none		  ? 422
		       : b->n_refused > 0 ? 207
					  : 200,
		       none ? "application/problem+json" : "application/json", &body);
}

/* A batch's `done`. */
static void answer(struct gw_publish_batch *b)
{
	struct asked *a = b->ctx;
	struct bus_http_ticket *ticket = a->ticket;

	reply(b, bus_http_ticket_request(ticket), a->english);
	free(a);
	gw_publish_batch_free(&b);
	bus_http_ticket_done(ticket);
}

/* --- the question -------------------------------------------------------------------------------------------- */

static bool refuse(struct question *q, const char *problem, const char *detail, const char *hint)
{
	q->problem = problem;
	snprintf(q->detail, sizeof(q->detail), "%.90s", detail ? detail : "");
	q->hint = hint;
	return false;
}

static bool number(const char *text, int64_t *out)
{
	char *end;

	errno = 0;
	*out = strtoll(text, &end, 10);
	return end != text && *end == '\0' && !errno && *out >= 1 && *out <= INT32_MAX;
}

static bool add(void *ctx, const char *name, const char *value)
{
	struct question *q = ctx;
	int64_t n;

	if (strcmp(name, "atomic") == 0 && (strcmp(value, "true") == 0 || strcmp(value, "false") == 0)) {
		q->atomic = value[0] == 't';
		return true;
	}
	if (strcmp(name, "schema") == 0 && (strcmp(value, "latest") == 0 || number(value, &n))) {
		q->body.version = value[0] == 'l' ? 0 : (int)n;
		q->body.schema_asked = true;
		return true;
	}
	if (strcmp(name, "schema_id") == 0 && number(value, &n)) {
		q->body.schema_id = (int32_t)n;
		q->body.schema_asked = true;
		return true;
	}
	if (strcmp(name, "form") == 0 && (strcmp(value, "record") == 0 || strcmp(value, "value") == 0)) {
		q->body.records = value[0] == 'r';
		q->body.rows = value[0] == 'v';
		return true;
	}
	if (strcmp(name, "spelling") == 0 && (strcmp(value, "avro") == 0 || strcmp(value, "plain") == 0)) {
		q->body.avro_spelling = value[0] == 'a';
		return true;
	}
	return refuse(
	    q, "parameter-invalid", name,
	    "atomic=true, schema=latest|VERSION, schema_id=ID, form=value|record, spelling=plain|avro");
}

static const char types[] = "application/json, application/x-ndjson, application/vnd.apache.avro, "
			    "application/vnd.apache.avro+json, application/cloudevents+json, "
			    "application/cloudevents-batch+json";

static bool is(struct bus_str type, const char *name)
{
	return type.n == strlen(name) && strncasecmp(type.p, name, type.n) == 0;
}

static bool read_type(struct question *q, struct bus_http_request *req)
{
	const char *header = bus_http_header(req, "Content-Type");
	struct bus_str type = { header, header ? strcspn(header, "; \t") : 0 };

	if (is(type, "application/json")) {
		q->body.kind = GW_BODY_JSON;
	} else if (is(type, "application/x-ndjson") || is(type, "application/jsonl") ||
		   is(type, "application/ndjson")) {
		q->body.kind = GW_BODY_NDJSON;
	} else if (is(type, "application/vnd.apache.avro") || is(type, "application/avro") ||
		   is(type, "avro/binary") || is(type, "application/vnd.apache.avro+binary")) {
		q->body.kind = GW_BODY_AVRO;
	} else if (is(type, "application/vnd.apache.avro+json") || is(type, "avro/json")) {
		q->body.kind = GW_BODY_JSON;
		q->body.avro_spelling = true;
	} else if (is(type, "application/cloudevents+json")) {
		q->body.kind = GW_BODY_EVENT;
	} else if (is(type, "application/cloudevents-batch+json")) {
		q->body.kind = GW_BODY_EVENTS;
	} else if (!header && bus_http_header(req, "ce-specversion") && bus_http_body(req).n == 0) {
		q->body.kind = GW_BODY_JSON; /* a tombstone has no type */
	} else {
		return refuse(q, "type-unknown", NULL, types);
	}
	return true;
}

const char *gw_publish_unpack(struct bus_http_request *req, struct bus_buf *fresh, struct bus_str *out,
			      struct bus_error *err)
{
	const char *coding = bus_http_header(req, "Content-Encoding");
	enum bus_err rc;

	*out = bus_http_body(req);
	if (!coding || strcasecmp(coding, "identity") == 0)
		return NULL;
	if (strcasecmp(coding, "gzip") != 0 && strcasecmp(coding, "x-gzip") != 0) {
		(void)bus_fail(err, BUS_EINVAL, "Content-Encoding: gzip");
		return "type-unknown";
	}
	rc = bus_gunzip(*out, GW_PUBLISH_BODY_MAX, fresh, err);
	*out = bus_buf_str(fresh);
	return rc == BUS_OK ? NULL : rc == BUS_ETOOBIG ? "http-413" : "body-invalid";
}

static bool unpack(struct question *q, struct bus_http_request *req, struct bus_buf *fresh,
		   struct bus_str *out)
{
	struct bus_error err = { 0 };
	const char *problem = gw_publish_unpack(req, fresh, out, &err);

	return !problem || refuse(q, problem, err.text, NULL);
}

/* --- idempotency --- */

static bool put_event_header(void *ctx, const char *name, const char *value)
{
	if (strncasecmp(name, "ce-", 3) == 0) {
		bus_sha256_add(ctx, name, strlen(name) + 1);
		bus_sha256_add(ctx, value, strlen(value) + 1);
	}
	return true;
}

/* The draft writes it as a string of structured fields, in quotes; nearly all send it bare. */
const char *gw_publish_read_key(struct bus_http_request *req, struct gw_publish_batch *b, struct bus_str text)
{
	const char *sent = bus_http_header(req, "Idempotency-Key"),
		   *type = bus_http_header(req, "Content-Type"), *partition = bus_http_part(req, "partition");
	struct bus_sha256_stream *s;
	uint8_t print[BUS_SHA256_LEN];
	char key[KEY_MAX + 1];
	size_t n;

	if (!sent)
		return NULL;
	n = strlen(sent);
	if (n >= 2 && sent[0] == '"' && sent[n - 1] == '"') {
		sent++;
		n -= 2;
	}
	if (n == 0 || n > KEY_MAX)
		return "idempotency-invalid";
	for (size_t i = 0; i < n; i++)
		if (sent[i] <= 0x20 || sent[i] > 0x7e)
			return "idempotency-invalid";
	/* Its hash stands on Kafka, and a NIK is guessed from its hash. */
	if (gw_publish_holds_nik((struct bus_str){ sent, n }))
		return "idempotency-invalid";
	memcpy(key, sent, n);
	key[n] = '\0';
	s = bus_sha256_new();
	bus_sha256_add(s, bus_http_raw_query(req), strlen(bus_http_raw_query(req)) + 1);
	if (*partition)
		bus_sha256_add(s, partition, strlen(partition) + 1);
	if (type)
		bus_sha256_add(s, type, strlen(type) + 1);
	bus_http_each_header(req, put_event_header, s);
	bus_sha256_add(s, text.p, text.n);
	bus_sha256_end(&s, print);
	gw_publish_set_key(b, key, (struct bus_str){ (const char *)print, sizeof(print) });
	return NULL;
}

/* --- CloudEvents, binary: the attributes are headers --- */

static bool put_attribute(void *ctx, const char *name, const char *value)
{
	bus_cloudevent_header(ctx, name, value);
	return true;
}

/* Or none. What came after it would be read as attributes of the event. */
static bool one_value(struct bus_str text)
{
	struct gw_slice s = { .p = text.p, .end = text.p + text.n };
	struct bus_str value;

	return text.n == 0 || (gw_slice_value(&s, &value) && gw_slice_over(&s));
}

/* As the structured form has it: one way to read an event. */
static bool structure(struct question *q, struct bus_http_request *req, struct bus_str data,
		      struct bus_buf *out)
{
	struct bus_cloudevent event;
	struct bus_str members;
	struct bus_error err;
	bool good;

	bus_cloudevent_begin(&event);
	bus_http_each_header(req, put_attribute, &event);
	good = !bus_cloudevent_end(&event, &members, &err) || refuse(q, "body-invalid", err.text, NULL);
	if (good) {
		bus_buf_putc(out, '{');
		bus_buf_put(out, members.p, members.n);
		if (data.n > 0 && q->body.kind == GW_BODY_JSON) {
			bus_buf_puts(out, ",\"data\":");
			bus_buf_put(out, data.p, data.n);
		} else if (data.n > 0) {
			bus_buf_puts(out, ",\"data_base64\":\"");
			bus_base64_put(data, out);
			bus_buf_putc(out, '"');
		}
		bus_buf_putc(out, '}');
	}
	bus_cloudevent_release(&event);
	return good;
}

/* --- */

static bool read_question(struct question *q, struct bus_http_request *req, struct gw_publish_batch *b)
{
	struct bus_buf unpacked = { 0 }, event = { 0 };
	struct bus_str text;
	const char *problem;
	bool good;

	q->body.batch = b;
	bus_http_each_query(req, add, q);
	good = !q->problem && read_type(q, req) && unpack(q, req, &unpacked, &text);
	if (good && (problem = gw_publish_read_key(req, b, text)))
		good = refuse(q, problem, NULL, NULL);
	if (good && b->keyed && gw_publish_answered(b))
		goto out;
	if (good && bus_http_header(req, "ce-specversion") && q->body.kind <= GW_BODY_AVRO &&
	    q->body.kind != GW_BODY_NDJSON) {
		if (q->body.kind == GW_BODY_JSON && !one_value(text)) {
			good = refuse(q, "body-invalid", "not one JSON value", NULL);
			goto out;
		}
		if (!structure(q, req, text, &event)) {
			good = false;
			goto out;
		}
		q->body.kind = GW_BODY_EVENT;
		text = bus_buf_str(&event);
	}
	if (good && !gw_body_read(&q->body, text))
		good = refuse(q, q->body.problem, q->body.detail, NULL);
	b->atomic = q->atomic;
out:
	gw_body_release(&q->body);
	bus_buf_release(&unpacked);
	bus_buf_release(&event);
	return good;
}

static bool may_publish(struct gw_api *api, struct bus_http_request *req, const char *reader,
			const char *topic)
{
	const char *const *clear;
	bool known = strlen(topic) <= GW_PUBLISH_TOPIC_MAX;
	size_t n;

	if (known && gw_access_publish(api->access, reader, topic, NULL))
		return true;
	if (known && gw_access_topic(api->access, reader, topic, &clear,
				     &n)) /* then it is no secret that there is one */
		gw_problem(req, "not-granted",
			   "boleh dibaca, tidak boleh diisi / may be read, not published to",
			   "publish: {TOPIC: {}}");
	else
		gw_problem(req, "topic-unknown", NULL, "publish: {TOPIC: {}}");
	return false;
}

void gw_publish_post(void *ctx, struct bus_http_request *req)
{
	struct gw_api *api = ctx;
	const char *topic = bus_http_part(req, "topic"), *trace = bus_http_header(req, "traceparent");
	char reader[GW_READER_NAME_MAX];
	struct question q = { 0 };
	struct gw_publish_batch *b;
	struct asked *a;

	if (!gw_api_reader(api, req, reader) || !may_publish(api, req, reader, topic))
		return;
	if (!api->publish) {
		gw_problem(req, "unavailable", NULL, NULL);
		return;
	}
	b = gw_publish_batch_new(api->publish, topic, reader);
	if (!read_question(&q, req, b)) {
		gw_problem(req, q.problem, q.detail[0] ? q.detail : NULL, q.hint);
		gw_publish_batch_free(&b);
		return;
	}
	if (b->problem || b->replayed) {
		reply(b, req, gw_english(req));
		gw_publish_batch_free(&b);
		return;
	}
	if (trace && strlen(trace) < sizeof(b->traceparent) && !gw_publish_holds_nik(bus_str(trace)))
		snprintf(b->traceparent, sizeof(b->traceparent), "%s", trace);
	a = bus_xcalloc(1, sizeof(*a));
	a->english = gw_english(req);
	a->ticket = bus_http_defer(req);
	b->ctx = a;
	b->done = answer;
	gw_publish_submit(b);
}
