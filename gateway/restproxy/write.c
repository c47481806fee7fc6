/* Records of consumers: sent, and awaited. */
#include "bus/clock.h"
#include "bus/log.h"
#include "gateway/restproxy/log_impl.h"

#define WAIT_MS 10000 /* for a record to be read back */
#define GONE_MS 60000 /* an instance that is over is forgotten by then */
#define SWEEP_MAX 500 /* records of one sweep */

/* `record` is the number of a write; 0: of a barrier; NULL would be the same, so it has one added. */
static void *tag(uint64_t write)
{
	return (void *)(uintptr_t)(write | 1);
}

void gw_rp_log_sent(void *ctx, void *record, const struct bus_sent *a)
{
	struct gw_rp_log *l = ctx;
	const uint64_t write = (uint64_t)(uintptr_t)record;

	if (a->rc == BUS_OK)
		return;
	bus_log(BUS_LOG_WARN, "restproxy.log", LOG_STR("why", a->why));
	pthread_mutex_lock(&l->lock);
	for (struct gw_rp_pending *p = l->pending; p; p = p->next)
		if ((p->write | 1) == write && p->state == WAITS)
			p->state = FAILED;
	if (write == 1)
		l->barrier_failed = true;
	pthread_cond_broadcast(&l->moved);
	pthread_mutex_unlock(&l->lock);
}

static enum bus_err send(struct gw_rp_log *l, char kind, const uint8_t *id, const struct bus_buf *value,
			 uint64_t write, struct bus_error *err)
{
	const struct bus_str v = value ? bus_buf_str(value) : (struct bus_str){ 0 };
	struct bus_buf key = { 0 };
	enum bus_err rc;

	gw_rp_put_key(kind, id, &key);
	pthread_rwlock_rdlock(&l->sender_lock);
	rc = l->sender ? bus_sender_send(l->sender, l->topic, 0, bus_buf_str(&key), value ? &v : NULL, NULL,
					 0, 0, tag(write), err)
		       : bus_fail(err, BUS_ESTOPPED, "stopping");
	pthread_rwlock_unlock(&l->sender_lock);
	bus_buf_release(&key);
	return rc;
}

/* --- waiting for what was sent ------------------------------------------------------------------------------- */

enum bus_err gw_rp_log_write(struct gw_rp_log *l, const struct gw_rp_instance *i, size_t *bytes,
			     struct bus_error *err)
{
	const int64_t until = bus_clock_mono_ms() + WAIT_MS;
	struct gw_rp_pending p = { .write = i->write }, **at;
	struct bus_error ignored = { 0 };
	struct gw_rp_instance *back = NULL;
	struct bus_buf value = { 0 };
	enum bus_err rc;

	gw_rp_put_instance(i, &value);
	*bytes = value.n;
	/* Nobody could read it, and it would be waited for in vain. */
	rc = gw_rp_read_instance(bus_buf_str(&value), &back, err);
	gw_rp_instance_unref(&back);
	if (rc != BUS_OK) {
		bus_buf_release(&value);
		return rc;
	}
	pthread_mutex_lock(&l->lock);
	p.next = l->pending;
	l->pending = &p;
	pthread_mutex_unlock(&l->lock);
	rc = send(l, 'i', i->id, &value, i->write, err);
	bus_buf_release(&value);
	pthread_mutex_lock(&l->lock);
	while (rc == BUS_OK && p.state == WAITS && !l->stop && gw_rp_log_wait_until(l, until))
		;
	if (rc == BUS_OK && p.state == VOID)
		rc = bus_fail(err, BUS_ECONFLICT, "somebody was faster");
	else if (rc == BUS_OK && p.state != TAKEN)
		rc = bus_fail(err, l->stop ? BUS_ESTOPPED : BUS_ETIMEOUT,
			      "the consumer's state cannot be written");
	for (at = &l->pending; *at != &p; at = &(*at)->next)
		;
	*at = p.next;
	pthread_mutex_unlock(&l->lock);
	/* Compaction would keep it for ever, and no one sweeps what never was. */
	if (p.state == VOID && i->seq == 1 && send(l, 'i', i->id, NULL, 0x8000, &ignored) != BUS_OK)
		bus_log(BUS_LOG_WARN, "restproxy.log", LOG_ERR(&ignored));
	return rc;
}

/* Under the lock, which is let go meanwhile. */
static enum bus_err send_barrier(struct gw_rp_log *l, struct bus_error *err)
{
	const uint64_t number = ++l->barrier_sent;
	struct bus_buf value = { 0 };
	uint8_t id[GW_RP_ID_LEN];
	enum bus_err rc;

	memcpy(id, &l->node, sizeof(id));
	l->barrier_failed = false;
	pthread_mutex_unlock(&l->lock);
	gw_rp_put_barrier(l->node, number, &value);
	rc = send(l, 'b', id, &value, 0, err);
	bus_buf_release(&value);
	pthread_mutex_lock(&l->lock);
	if (rc != BUS_OK)
		l->barrier_failed = true;
	return rc;
}

enum bus_err gw_rp_log_barrier(struct gw_rp_log *l, struct bus_error *err)
{
	const int64_t until = bus_clock_mono_ms() + WAIT_MS;
	enum bus_err rc = BUS_OK;
	uint64_t mine;

	pthread_mutex_lock(&l->lock);
	mine = l->barrier_sent + 1; /* one that is on its way may be older than the question */
	while (rc == BUS_OK && l->barrier_read < mine) {
		if (l->stop)
			rc = bus_fail(err, BUS_ESTOPPED, "stopping");
		else if (l->barrier_sent < mine && (l->barrier_read == l->barrier_sent || l->barrier_failed))
			rc = send_barrier(l, err);
		else if (!gw_rp_log_wait_until(l, until))
			rc = bus_fail(err, BUS_ETIMEOUT, "the topic of consumers cannot be read");
	}
	if (rc == BUS_ETIMEOUT)
		l->barrier_failed = true; /* the next one does not wait for it */
	pthread_cond_broadcast(&l->moved);
	pthread_mutex_unlock(&l->lock);
	return rc;
}

void gw_rp_log_confirm(struct gw_rp_log *l, const uint8_t id[GW_RP_ID_LEN], uint64_t seq, bool given)
{
	struct bus_buf value = { 0 };
	struct bus_error err = { 0 };

	gw_rp_put_confirm(seq, given, &value);
	if (send(l, 'c', id, &value, 0x8000, &err) != BUS_OK)
		bus_log(BUS_LOG_WARN, "restproxy.log", LOG_ERR(&err));
	bus_buf_release(&value);
}

/* --- those that are not heard of ----------------------------------------------------------------------------- */

struct sweep {
	struct gw_rp_instance *i[SWEEP_MAX];
	size_t n;
	int64_t now, live_ms;
};

static void look(void *ctx, struct gw_rp_instance *i)
{
	struct sweep *s = ctx;

	if (s->n < SWEEP_MAX && i->seen_ms + (i->gone ? GONE_MS : s->live_ms) < s->now)
		s->i[s->n++] = gw_rp_instance_ref(i);
}

void gw_rp_log_sweep(struct gw_rp_log *l)
{
	struct sweep s = { .now = bus_clock_ms(), .live_ms = l->conf.live_ms };
	struct gw_rp_instance *over;
	struct bus_buf value = { 0 };
	enum bus_err rc = BUS_OK;
	struct bus_error err;

	pthread_mutex_lock(&l->lock);
	gw_rp_state_each(l->state, look, &s);
	pthread_mutex_unlock(&l->lock);
	for (size_t k = 0; k < s.n; k++) {
		bus_buf_reset(&value);
		if (rc == BUS_OK && s.i[k]->gone) {
			rc = send(l, 'c', s.i[k]->id, NULL, 0x8000, &err);
			rc = rc == BUS_OK ? send(l, 'i', s.i[k]->id, NULL, 0x8000, &err) : rc;
		} else if (rc == BUS_OK) {
			over = gw_rp_instance_next(s.i[k]);
			over->gone = true;
			over->node = l->node;
			gw_rp_hold_nothing(over);
			gw_rp_put_instance(over, &value);
			rc = send(l, 'i', over->id, &value, over->write, &err);
			gw_rp_instance_unref(&over);
		}
		gw_rp_instance_unref(&s.i[k]);
	}
	bus_buf_release(&value);
}
