/* GET .../records: what is behind the instance's places, and the places moved before it is given. */
#include <stdio.h>

#include "bus/clock.h"
#include "bus/log.h"
#include "gateway/restproxy/change.h"

#define LOOK_MS 1000 /* until it is looked again whether the instance is what it was */
#define POLL_MS 100
#define FIRST_MS 1000 /* a first fetch takes longer than a short timeout; an empty answer would be a lie */
#define LINGER_MS 5   /* for more, when there is something */
#define OUT_FIRST ((size_t)64 * 1024)
#define UNREADABLE                                                                                           \
	"value deserialization error for format %s: topic %s, partition %d, offset %lld: %.200s. Seek "      \
	"behind it "                                                                                         \
	"(POST .../positions) to go on"

/* --- word of what became of an answer ------------------------------------------------------------------------ */

struct given {
	struct gw_consumers *all;
	struct bus_http_request *req;
	uint8_t id[GW_RP_ID_LEN];
	uint64_t seq;
	char reader[GW_READER_NAME_MAX];
	int64_t bytes;
};

static void on_over(void *p)
{
	struct given *g = p;

	gw_rp_log_confirm(g->all->log, g->id, g->seq, bus_http_sent(g->req));
	gw_rp_hold_bytes(g->all, g->reader, -g->bytes);
	free(g);
}

/* --- the answer ---------------------------------------------------------------------------------------------- */

/* The type of the answer, by the instance's format; false: answered. */
static bool accepts(struct gw_rp_job *job, const struct gw_rp_instance *i)
{
	const char *type = gw_rp_type_of((enum gw_rp_format)i->format);
	enum gw_rp_format f;

	if (gw_rp_quality(job->accept, type) == 0 && gw_rp_quality(job->accept, GW_RP_TYPE) == 0) {
		for (f = GW_RP_BINARY; f <= GW_RP_AVRO; f++)
			if (gw_rp_quality(job->accept, gw_rp_type_of(f)) > 0)
				break;
		if (f <= GW_RP_AVRO) {
			gw_rp_say(job, GW_RP_FORMAT_OTHER, NULL);
			return false;
		}
		if (gw_rp_quality(job->accept, "application/json") == 0) {
			gw_rp_say(job, 406, type);
			return false;
		}
		type = "application/json";
	}
	bus_http_set_type(job->req, type);
	return true;
}

struct gathered {
	int64_t records, bytes;
	bool waits; /* none are there; somebody else wants the thread */
};

/* BUS_EDATA: the first record cannot be given. */
static enum bus_err gather(struct gw_rp_worker *w, struct gw_rp_job *job, const struct gw_rp_instance *i,
			   struct gathered *g, struct bus_error *err)
{
	const int64_t now = bus_clock_mono_ms(),
		      until = job->deadline < now + LOOK_MS ? job->deadline : now + LOOK_MS;
	const struct bus_record *r;
	enum bus_err rc;

	*g = (struct gathered){ 0 };
	w->out.n = 0;
	bus_buf_reserve(&w->out, w->out_hint > OUT_FIRST ? w->out_hint : OUT_FIRST);
	bus_buf_putc(&w->out, '[');
	gw_rp_text_begin(w, job);
	while (g->bytes < job->max_bytes) {
		const int64_t left = (g->records ? job->deadline : until) - bus_clock_mono_ms();
		const bool enough = g->records > 0 && g->bytes >= i->fetch_min;
		int wait = left <= 0 ? LINGER_MS : left < POLL_MS ? (int)left : POLL_MS;

		rc = gw_rp_source_next(w, enough ? LINGER_MS : wait, &r, err);
		if (rc != BUS_OK)
			return rc;
		if (!r) {
			g->waits = gw_rp_others_wait(w->all);
			if (enough || ((g->waits || left <= 0) && (g->records > 0 || gw_rp_source_at_end(w) ||
								   bus_clock_mono_ms() > now + FIRST_MS)))
				break;
			continue;
		}
		if (g->records > 0 && g->bytes + (int64_t)(r->key.n + r->value.n) > job->max_bytes)
			break;
		if (g->records > 0)
			bus_buf_putc(&w->out, ',');
		rc = gw_rp_text_put(w, i, r, err);
		if (rc != BUS_OK && g->records > 0) {
			w->out.n--;
			break;
		}
		if (rc != BUS_OK) {
			char text[400];

			snprintf(text, sizeof(text), UNREADABLE,
				 gw_rp_format_name((enum gw_rp_format)i->format), r->topic, (int)r->partition,
				 (long long)r->offset, err->text);
			return bus_fail(err, BUS_EDATA, "%s", text);
		}
		g->bytes += (int64_t)(r->key.n + r->value.n);
		g->records++;
		gw_rp_source_take(w);
	}
	bus_buf_putc(&w->out, ']');
	return BUS_OK;
}

/* The log does not have a place any more (or not yet): as auto.offset.reset says. True: some was moved. */
static bool reset_places(struct gw_rp_worker *w, struct gw_rp_instance *next)
{
	bool any = false;
	int64_t begin, end;

	for (size_t t = 0; t < next->n_held; t++)
		for (size_t p = 0; p < next->held[t].n; p++) {
			struct gw_rp_place *at = &next->held[t].at[p];

			if (gw_rp_source_open(w, NULL) != BUS_OK ||
			    bus_consumer_bounds(w->source.consumer, next->held[t].topic, at->partition,
						&begin, &end, GW_RP_ASK_MS, NULL) != BUS_OK ||
			    (at->next >= begin && at->next <= end))
				continue;
			at->next = at->back = next->earliest ? begin : end;
			any = true;
		}
	return any;
}

static void give(struct gw_rp_worker *w, struct gw_rp_job *job, const struct gw_rp_instance *i,
		 const struct gathered *g)
{
	struct gw_consumers *c = w->all;
	struct given *given = bus_xcalloc(1, sizeof(*given));
	struct bus_buf body = w->out;

	given->all = c;
	given->req = job->req;
	memcpy(given->id, i->id, sizeof(given->id));
	given->seq = i->seq;
	memcpy(given->reader, job->reader, sizeof(given->reader));
	given->bytes = (int64_t)body.n;
	gw_rp_hold_bytes(c, given->reader, given->bytes);
	w->out_hint = body.n + body.n / 16;
	w->out = (struct bus_buf){ 0 };
	bus_metric_add(c->records, g->records);
	bus_metric_add(c->bytes, g->bytes);
	bus_metric_add(c->answers, 1);
	bus_http_attach(job->req, given, on_over);
	gw_rp_answer(job, 200, &body);
}

/* There was nothing in all the time it had. */
static void give_nothing(struct gw_rp_job *job, struct gw_rp_at *at)
{
	struct bus_buf body = { 0 };

	gw_rp_touch(job, at);
	bus_buf_puts(&body, "[]");
	gw_rp_answer(job, 200, &body);
}

/* at->i holds what it shall: one look for records. True: again. */
static bool look(struct gw_rp_worker *w, struct gw_rp_job *job, struct gw_rp_at *at, int *tries)
{
	struct bus_error err = { 0 };
	struct gathered g;
	enum bus_err rc;
	bool again = false;
	size_t k = 0;

	rc = gw_rp_source_set(w, at->next, &err);
	if (rc == BUS_OK) {
		gw_rp_serves(w, at->i);
		rc = gather(w, job, at->i, &g, &err);
	}
	if (rc == BUS_EDATA || rc == BUS_EDENIED) {
		gw_rp_say(job, 422, err.text);
		return false;
	}
	if (rc != BUS_OK) {
		gw_rp_source_release(w);
		if (rc == BUS_ECONFLICT && reset_places(w, at->next))
			return gw_rp_write(job, at, tries, &again) || again;
		gw_rp_say_err(job, &err);
		return false;
	}
	if (g.records == 0) {
		if (bus_clock_mono_ms() >= job->deadline)
			give_nothing(job, at);
		else if (gw_rp_stale(job->all, at->i))
			gw_rp_touch(job, at);
		else if (g.waits)
			gw_rp_park(job, at->next, at->changes);
		return !job->answered && !job->parked;
	}
	for (size_t t = 0; t < at->next->n_held; t++)
		for (size_t p = 0; p < at->next->held[t].n; p++, k++)
			at->next->held[t].at[p].next = w->source.slot[k].next;
	at->next->answer = true;
	if (!gw_rp_write(job, at, tries, &again)) {
		gw_rp_source_forget(w);
		return again;
	}
	gw_rp_source_settled(w);
	give(w, job, at->next, &g);
	return false;
}

void gw_rp_do_records(struct gw_rp_worker *w, struct gw_rp_job *job)
{
	struct gw_consumers *c = w->all;
	struct gw_rp_at at;
	bool again = true;
	int tries = 0;

	if (!gw_rp_bytes_left(c, job->reader)) {
		gw_rp_say(job, GW_RP_KAFKA_RETRY, "too many bytes of answers are under way");
		return;
	}
	while (again && !c->stop && gw_rp_current(job, &at)) {
		again = false;
		if (job->deadline == 0)
			job->deadline =
			    bus_clock_mono_ms() + (job->timeout_ms >= 0 ? job->timeout_ms : at.i->timeout_ms);
		if (!accepts(job, at.i))
			;
		else if (at.i->mode == GW_RP_NOTHING)
			gw_rp_say(job, GW_RP_ILLEGAL_STATE,
				  "Consumer is not subscribed to any topics or assigned any partitions");
		else if (at.i->mode == GW_RP_ASSIGNED ? !gw_rp_still_allowed(w, job, &at)
						      : !gw_rp_settle_own(w, job, &at, &tries, &again))
			;
		else {
			gw_rp_commit_places(c, at.next, false);
			again = look(w, job, &at, &tries);
		}
		gw_rp_at_release(&at);
	}
}
