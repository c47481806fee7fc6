/* Without a transaction: whoever submits sends, one thread takes the answers. */
#include "bus/clock.h"
#include "bus/log.h"
#include "gateway/publish/impl.h"

#define POLL_MS 100
#define LINGER_MS 1
#define TIMEOUT_MS 20000
#define STOP_MS 5000

/* One record less is waited for. */
static void one_less(struct gw_publish_batch *b)
{
	if (atomic_fetch_sub(&b->waiting, 1) == 1)
		gw_publish_finish(b, NULL, NULL);
}

static void on_sent(void *ctx, void *record, const struct bus_sent *a)
{
	struct gw_publish_record *r = record;

	(void)ctx;
	if (!r) /* the journal's own */
		return;
	if (a->rc == BUS_OK) {
		r->placed = a->partition;
		r->offset = a->offset;
	} else {
		gw_publish_refuse(r->of, r, gw_publish_problem_of(r, a->rc), NULL, a->why);
	}
	one_less(r->of);
}

void gw_plain_submit(struct gw_publish_batch *b)
{
	struct gw_publish *p = b->all;
	struct bus_error err = { 0 };
	struct gw_stamp stamp;
	size_t lost = 1; /* ours: it is not over before every record is sent */

	gw_stamp_batch(&stamp, b);
	atomic_store(&b->waiting, b->n - b->n_refused + 1);
	pthread_rwlock_rdlock(&p->plain_lock);
	for (size_t i = 0; i < b->n; i++) {
		struct gw_publish_record *r = &b->record[i];
		const struct bus_str key = { r->has_key ? b->bytes.p + r->key_at : NULL, r->key_n };
		const struct bus_str value = { b->bytes.p + r->value_at, r->value_n };

		if (r->problem)
			continue;
		gw_stamp_record(&stamp, b, r);
		if (!p->plain) { /* stopped meanwhile */
			r->problem = "publish-busy";
			lost++;
		} else if (bus_sender_send(p->plain, b->topic, r->partition, key,
					   r->tombstone ? NULL : &value, stamp.header, stamp.n,
					   r->timestamp_ms, r, &err)) {
			r->problem = gw_publish_problem_of(r, err.code);
			lost++;
		}
	}
	pthread_rwlock_unlock(&p->plain_lock);
	for (; lost > 0; lost--)
		one_less(b);
}

static enum bus_err open_sender(struct gw_publish *p, struct bus_sender **out, struct bus_error *err)
{
	const struct bus_sender_conf conf = {
		.kafka = p->conf.kafka, .linger_ms = LINGER_MS, .timeout_ms = TIMEOUT_MS, .sent = on_sent
	};

	return bus_sender_open(&conf, out, err);
}

/* What was on its way is answered by the old one's end. */
static void replace(struct gw_publish *p)
{
	struct bus_sender *fresh = NULL, *old;
	struct bus_error err;

	if (open_sender(p, &fresh, &err)) {
		bus_log(BUS_LOG_ERROR, "publish.sender", LOG_ERR(&err));
		return;
	}
	bus_log(BUS_LOG_WARN, "publish.sender_replaced");
	pthread_rwlock_wrlock(&p->plain_lock);
	old = p->plain;
	p->plain = fresh;
	pthread_rwlock_unlock(&p->plain_lock);
	bus_sender_close(&old);
}

static void *run(void *ctx)
{
	struct gw_publish *p = ctx;

	while (!atomic_load(&p->stop)) {
		bus_sender_poll(p->plain, POLL_MS);
		if (bus_sender_dead(p->plain))
			replace(p);
	}
	return NULL;
}

enum bus_err gw_plain_start(struct gw_publish *p, struct bus_error *err)
{
	enum bus_err rc = open_sender(p, &p->plain, err);

	if (rc == BUS_OK && pthread_create(&p->plain_thread, NULL, run, p) != 0)
		rc = bus_fail(err, BUS_EIO, "cannot start a thread");
	p->plain_runs = rc == BUS_OK;
	return rc;
}

static bool under_way(struct gw_publish *p)
{
	bool any;

	pthread_mutex_lock(&p->held_lock);
	any = p->batches > 0;
	pthread_mutex_unlock(&p->held_lock);
	return any;
}

void gw_plain_stop(struct gw_publish *p)
{
	if (p->plain_runs)
		pthread_join(p->plain_thread, NULL);
	p->plain_runs = false;
	for (int64_t until = bus_clock_mono_ms() + STOP_MS;
	     p->plain && under_way(p) && bus_clock_mono_ms() < until;)
		bus_sender_poll(p->plain, POLL_MS);
	pthread_rwlock_wrlock(&p->plain_lock);
	if (p->plain)
		bus_sender_flush(p->plain, STOP_MS);
	bus_sender_close(&p->plain);
	pthread_rwlock_unlock(&p->plain_lock);
}
