/* GET /v1/topics/{topic}/records: the question. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "bus/clock.h"
#include "gateway/engine/engine.h"
#include "gateway/feed/records_impl.h"

#define DAY_MS INT64_C(86400000)
#define WIB_MS (7 * 3600 * INT64_C(1000))
#define TOPIC_MAX 249 /* Kafka's */
#define LIMIT_DEFAULT 100

struct question {
	struct gw_tail *t;
	const char *problem;
	char detail[120];
	const char *hint;
};

static bool refuse(struct question *q, const char *problem, const char *detail, const char *hint)
{
	q->problem = problem;
	snprintf(q->detail, sizeof(q->detail), "%.100s", detail);
	q->hint = hint;
	return false;
}

static bool number(const char *text, int64_t least, int64_t most, int64_t *out)
{
	char *end;

	errno = 0;
	*out = strtoll(text, &end, 10);
	return end != text && *end == '\0' && !errno && *out >= least && *out <= most;
}

/* Milliseconds since 1970; a day (of the city: WIB); a moment with its zone, 2025-12-31T08:00:00+07:00 or Z. A plus
 * sign in a URL may arrive as a space. */
static bool moment(const char *text, int64_t *out)
{
	int y, m, d, hh = 0, mm = 0, ss = 0, zh = 7, zm = 0, n = 0;
	int32_t days;
	char sign = '+', zone;

	if (strspn(text, "0123456789") == strlen(text))
		return number(text, 0, INT64_MAX / 4, out);
	if (sscanf(text, "%4d-%2d-%2d%n", &y, &m, &d, &n) != 3 || !bus_clock_days(y, m, d, &days))
		return false;
	if (text[n]) {
		text += n;
		if (sscanf(text, "T%2d:%2d:%2d%n", &hh, &mm, &ss, &n) != 3 || hh > 23 || mm > 59 || ss > 59)
			return false;
		text += n;
		n = 0;
		if (sscanf(text, "%c%n", &zone, &n) == 1 && zone == 'Z' && !text[n]) {
			zh = 0;
		} else if (sscanf(text, "%c%2d:%2d%n", &sign, &zh, &zm, &n) != 3 || !strchr("+- ", sign) ||
			   text[n] || zh > 14 || zm > 59) {
			return false;
		}
	}
	*out = days * DAY_MS + ((hh * 60 + mm) * 60 + ss) * INT64_C(1000) -
	       (sign == '-' ? -1 : 1) * ((zh * 60 + zm) * 60) * INT64_C(1000);
	return *out >= -WIB_MS;
}

static bool add(void *ctx, const char *name, const char *value)
{
	struct question *q = ctx;
	struct gw_tail *t = q->t;
	int64_t n;

	if (strcmp(name, "partition") == 0 || strcmp(name, "after") == 0 || strcmp(name, "ticket") == 0)
		return true;
	if (strcmp(name, "offset") == 0)
		return number(value, 0, INT64_MAX / 2, &t->from_offset) ||
		       refuse(q, "parameter-invalid", "offset", "partition=0&offset=0");
	if (strcmp(name, "time") == 0)
		return moment(value, &t->from_ms) ||
		       refuse(q, "parameter-invalid", "time", "time=2025-12-31T08:00:00Z");
	if (strcmp(name, "limit") == 0 && number(value, 1, GW_RECORDS_LIMIT_MAX, &n)) {
		t->limit = (int)n;
		return true;
	}
	if (strcmp(name, "wait") == 0 && number(value, 0, GW_POLL_WAIT_MAX, &n)) {
		t->wait_until = bus_clock_mono_ms() + n * 1000;
		return true;
	}
	if (strcmp(name, "schema") == 0 && number(value, 1, INT32_MAX, &n)) {
		t->version = (int)n;
		return true;
	}
	if (strcmp(name, "until") == 0 && strcmp(value, "now") == 0) {
		t->until_now = true;
		return true;
	}
	return refuse(q, "parameter-invalid", name,
		      "partition, offset, time, after, limit=1..1000, wait=0..60, schema, until=now");
}

static bool schema_there(const struct gw_tail *t)
{
	struct schema_version v;
	char subject[300];
	bool there;

	snprintf(subject, sizeof(subject), "%s-value", t->topic);
	if (schema_store_version(gw_engine_schemas(t->all->api->engine), subject, t->version, &v, NULL) !=
	    BUS_OK)
		return false;
	there = v.schema != NULL;
	schema_version_release(&v);
	return there;
}

/* Partition first: it is part of what a cursor is of. */
static bool read_question(struct question *q, struct bus_http_request *req)
{
	const char *partition = bus_http_query(req, "partition"),
		   *after = bus_http_header(req, "Last-Event-ID");
	struct gw_tail *t = q->t;
	int64_t n = -1;

	if (partition && !number(partition, 0, INT32_MAX, &n))
		return refuse(q, "parameter-invalid", "partition", "partition=0");
	t->only = (int32_t)n;
	t->name = partition ? bus_xasprintf("%s/%d", t->topic, t->only) : bus_xstrdup(t->topic);
	if (!gw_feeds_way(req, &t->way))
		return refuse(q, "accept-unknown", "Accept",
			      "application/json, text/event-stream, application/x-ndjson");
	bus_http_each_query(req, add, q);
	if (q->problem)
		return false;
	if (t->from_offset >= 0 && t->only < 0)
		return refuse(q, "parameter-invalid", "offset", "partition=0&offset=0");
	if (t->version && !schema_there(t))
		return refuse(q, "schema-unknown", "schema", NULL);
	if (!after || !*after)
		after = bus_http_query(req, "after");
	if (!after || !*after || strcmp(after, "0") == 0)
		return true;
	if (strcmp(after, "now") == 0)
		t->from_end = true;
	else if (!gw_tail_read_cursor(t, after))
		return refuse(q, "cursor-invalid", "after", NULL);
	return true;
}

static struct gw_tail *tail_new(struct gw_api *api, const char *topic)
{
	struct gw_tail *t = bus_xcalloc(1, sizeof(*t));

	t->all = api->records;
	t->topic = bus_xstrdup(topic);
	t->from_offset = t->from_ms = -1;
	t->spoke = bus_clock_mono_ms();
	return t;
}

static void answer(struct gw_api *api, struct bus_http_request *req, struct gw_tail *t)
{
	static const char *const type[] = { "text/event-stream", "application/json", "application/x-ndjson" };
	struct question q = { .t = t };

	if (read_question(&q, req) && t->way != GW_WAY_POLL) {
		t->who = gw_feeds_who_enter(api->feeds, t->reader, gw_access_streams(api->access, t->reader));
		if (!t->who) {
			bus_http_set(req, "Retry-After", "15");
			refuse(&q, "too-many-streams", "", NULL);
		}
	}
	if (t->limit == 0)
		t->limit = t->way == GW_WAY_POLL ? LIMIT_DEFAULT : GW_RECORDS_LIMIT_MAX;
	if (q.problem) {
		gw_problem(req, q.problem, q.detail[0] ? q.detail : NULL, q.hint);
		gw_tail_free(&t);
		return;
	}
	if (t->way == GW_WAY_POLL) {
		t->ticket = bus_http_defer(req);
		if (!gw_records_submit(t)) {
			t->rc = bus_fail(&t->err, BUS_ESTOPPED, "too many questions wait");
			gw_records_answer(t);
		}
		return;
	}
	if (t->way == GW_WAY_SSE)
		bus_http_set(req, "X-Accel-Buffering", "no");
	t->stream = bus_http_stream(req, 200, type[t->way], gw_tail_piece, gw_tail_over, t);
	gw_records_enter(t);
	bus_http_slim(req);
}

void gw_feeds_records(void *ctx, struct bus_http_request *req)
{
	struct gw_api *api = ctx;
	const char *topic = bus_http_part(req, "topic");
	char reader[GW_READER_NAME_MAX], key_id[GW_KEY_ID_LEN + 1] = "";
	const char *const *clear;
	struct gw_tail *t;
	size_t n;

	if (!gw_feeds_ask_who(api, req, reader, key_id))
		return;
	if (strlen(topic) > TOPIC_MAX || !gw_access_topic(api->access, reader, topic, &clear, &n)) {
		gw_problem(req, "topic-unknown", NULL, "/v1/topics");
		return;
	}
	t = tail_new(api, topic);
	memcpy(t->reader, reader, sizeof(reader));
	memcpy(t->key_id, key_id, sizeof(key_id));
	t->clear = clear;
	t->n_clear = n;
	answer(api, req, t);
}
