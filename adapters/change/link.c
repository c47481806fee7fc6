/* The thread of a followed table: makes the slot and the first reading, then reads the stream into the queue. */
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#include "adapters/change/impl.h"
#include "bus/clock.h"
#include "bus/log.h"

#define AGAIN_MIN_MS 500
#define AGAIN_MAX_MS 2000
#define SNAPSHOT_MIN_MS 2000 /* between two of them */
#define STATUS_MS 5000	     /* the server gives a silent reader up after a minute */
#define CONFIRM_MS 200
#define LOOK_MS 100
#define SLOT_EVERY_MS 10000
#define EPOCH_US (INT64_C(946684800) * 1000000) /* 2000-01-01 */

struct link {
	struct adapter_change *c;
	struct adapter_pg *pg; /* the stream */
	uint64_t received, confirmed;
	int64_t status_at, beat_at; /* monotonic */
	bool mute;		    /* the server does not let us send heartbeats */
};

static bool stopping(const struct adapter_change *c)
{
	struct pollfd fd = { .fd = c->stop_fd, .events = POLLIN };

	return poll(&fd, 1, 0) > 0;
}

/* Until the adapter's own thread has something to say, ms are over (-1: never), or we are to stop. */
static void rest(struct adapter_change *c, int64_t ms)
{
	struct pollfd fd[2] = { { .fd = c->stop_fd, .events = POLLIN },
				{ .fd = c->call_fd, .events = POLLIN } };
	uint64_t n;

	poll(fd, 2, (int)ms);
	if (fd[1].revents)
		(void)!read(c->call_fd, &n, sizeof(n));
}

static void offer(struct adapter_change *c, const struct change_stream *s, enum change_state state)
{
	uint64_t one = 1;

	pthread_mutex_lock(&c->lock);
	if (s)
		c->stream = *s;
	c->state = state;
	c->generation++;
	pthread_mutex_unlock(&c->lock);
	(void)!write(c->wake_fd, &one, sizeof(one));
}

static enum change_state state_of(struct adapter_change *c)
{
	enum change_state s;

	pthread_mutex_lock(&c->lock);
	s = c->state;
	pthread_mutex_unlock(&c->lock);
	return s;
}

/* What was followed cannot be followed further. */
static void forget(struct adapter_change *c)
{
	atomic_store(&c->redo, false);
	offer(c, NULL,
	      CHANGE_NOTHING); /* before the queue is empty: what was taken already is thrown away too */
	adapter_queue_clear(c->queue);
	atomic_store(&c->confirmed, 0);
}

static void give_up(struct adapter_change *c, const char *why)
{
	bus_log(
	    BUS_LOG_WARN, "adapter.change_anew", LOG_STR("feed", c->feed), LOG_STR("slot", c->conf.slot),
	    LOG_STR("reason", why),
	    LOG_STR("effect", "the whole table is read anew and compared; remove_max guards what is gone"));
	atomic_store(&c->redo, true);
}

/* --- to the server --- */

static void put_number(char *out, uint64_t v)
{
	for (int i = 7; i >= 0; i--, v >>= 8)
		out[i] = (char)(v & 0xff);
}

/* Standby status update: up to here it is ours, and in Kafka. */
static enum bus_err tell_place(struct link *l, struct bus_error *err)
{
	uint64_t confirmed = atomic_load(&l->c->confirmed);
	char m[34] = { 'r' };

	put_number(m + 1, l->received > confirmed ? l->received : confirmed);
	put_number(m + 9, confirmed);
	put_number(m + 17, confirmed);
	put_number(m + 25, (uint64_t)(bus_clock_ms() * 1000 - EPOCH_US));
	l->confirmed = confirmed;
	l->status_at = bus_clock_mono_ms();
	return adapter_pg_put(l->pg, (struct bus_str){ m, sizeof(m) }, err);
}

static enum bus_err tell_place_if_due(struct link *l, struct bus_error *err)
{
	int64_t age = bus_clock_mono_ms() - l->status_at;

	if (age < STATUS_MS && (age < CONFIRM_MS || atomic_load(&l->c->confirmed) == l->confirmed))
		return BUS_OK;
	return tell_place(l, err);
}

/* --- beside the stream --- */

static void look_at_lag(struct adapter_change *c, const struct change_slot *slot)
{
	bool lagging = slot->held > c->conf.lag_warn;

	atomic_store(&c->held, slot->held);
	if (lagging != atomic_load(&c->lagging))
		bus_log(lagging ? BUS_LOG_WARN : BUS_LOG_INFO, "adapter.change_lag", LOG_STR("feed", c->feed),
			LOG_STR("slot", c->conf.slot), LOG_INT("held_mb", slot->held / 1024 / 1024),
			LOG_INT("warn_mb", c->conf.lag_warn / 1024 / 1024),
			LOG_STR("effect", lagging
					      ? "the server keeps this much on its disk until it has been "
						"published; max_slot_wal_keep_size limits it"
					      : "caught up"));
	atomic_store(&c->lagging, lagging);
}

static enum bus_err beside(struct link *l, struct bus_error *err)
{
	struct adapter_change *c = l->c;
	struct change_slot slot;
	enum bus_err rc = BUS_OK;

	if (!c->side)
		rc = adapter_change_open(c, false, &c->side, err);
	if (!rc)
		rc = adapter_change_slot(c, c->side, &slot, err);
	if (!rc)
		look_at_lag(c, &slot);
	if (rc || l->mute || c->conf.heartbeat_ms == 0)
		return rc;
	rc = adapter_pg_run(c->side, "SELECT pg_logical_emit_message(false, 'titian', '')",
			    CHANGE_STATEMENT_MS, err);
	if (rc != BUS_EDB)
		return rc;
	/* Keepalives still tell us how far the server is; only a quiet database's place moves more seldom. */
	l->mute = true;
	bus_log(BUS_LOG_WARN, "adapter.change_no_heartbeat", LOG_STR("feed", c->feed), LOG_ERR(err),
		LOG_STR("remedy",
			"GRANT EXECUTE ON FUNCTION pg_logical_emit_message(boolean, text, text) TO <user>;"));
	return BUS_OK;
}

static enum bus_err look_beside_if_due(struct link *l, struct bus_error *err)
{
	int64_t now = bus_clock_mono_ms();
	struct bus_error why;
	enum bus_err rc;

	if (now < l->beat_at)
		return BUS_OK;
	l->beat_at = now + (l->c->conf.heartbeat_ms ? l->c->conf.heartbeat_ms : SLOT_EVERY_MS);
	rc = beside(l, &why);
	if (rc == BUS_ESTOPPED)
		return bus_fail(err, rc, "stopped");
	if (rc) /* the stream itself will tell when the server is away */
		adapter_pg_close(&l->c->side);
	return BUS_OK;
}

/* --- from the server --- */

/* Keepalive: 'k', end of WAL, clock, whether an answer is wanted. */
static bool wants_answer(const char *data, size_t n)
{
	return n >= 18 && data[0] == 'k' && data[17];
}

static uint64_t number(const char *p)
{
	uint64_t v = 0;

	for (size_t i = 0; i < 8; i++)
		v = v << 8 | (unsigned char)p[i];
	return v;
}

/* Into the queue, however long that takes: the server hears of us meanwhile. */
static enum bus_err hand_over(struct link *l, enum adapter_item_kind kind, char *data, size_t n,
			      struct bus_error *err)
{
	struct adapter_change *c = l->c;
	enum bus_err rc = BUS_OK;

	while (adapter_queue_put(c->queue, kind, data, n, LOOK_MS)) {
		rc = stopping(c) ? bus_fail(err, BUS_ESTOPPED, "stopped") : tell_place_if_due(l, err);
		if (!rc && (atomic_load(&c->redo) || atomic_load(&c->again)))
			rc = bus_fail(err, BUS_ECONFLICT, "begun again");
		if (!rc)
			rc = look_beside_if_due(l, err);
		if (rc) {
			adapter_pg_give_back(data);
			return rc;
		}
	}
	return BUS_OK;
}

static enum bus_err read_stream(struct link *l, struct bus_error *err)
{
	struct adapter_change *c = l->c;

	for (;;) {
		char *data = NULL;
		size_t n = 0;
		bool answer;
		enum bus_err rc = adapter_pg_take(l->pg, LOOK_MS, &data, &n, err);

		if (rc == BUS_OK) {
			answer = wants_answer(data, n);
			if (n >= 17)
				l->received = number(data + (data[0] == 'w' ? 9 : 1));
			rc = hand_over(l, ADAPTER_ITEM_DATA, data, n, err);
			if (!rc && answer)
				rc = tell_place(l, err);
		} else if (rc == BUS_ETIMEOUT) {
			rc = BUS_OK;
		}
		if (!rc)
			rc = tell_place_if_due(l, err);
		if (!rc)
			rc = look_beside_if_due(l, err);
		if (!rc && (atomic_load(&c->redo) || atomic_load(&c->again)))
			rc = bus_fail(err, BUS_ECONFLICT, "begun again");
		if (rc == BUS_ESTOPPED)
			(void)!tell_place(l, NULL);
		if (rc)
			return rc;
	}
}

/* --- a stream's beginning --- */

static enum bus_err check_slot(struct link *l, struct bus_error *err)
{
	struct adapter_change *c = l->c;
	struct change_slot slot;
	enum bus_err rc = BUS_OK;

	if (!c->side)
		rc = adapter_change_open(c, false, &c->side, err);
	if (!rc)
		rc = adapter_change_slot(c, c->side, &slot, err);
	if (rc)
		return rc;
	look_at_lag(c, &slot);
	if (!slot.there || slot.lost) {
		give_up(c, !slot.there ? "the slot is not there any more"
				       : "the server has given the slot up (max_slot_wal_keep_size)");
		return bus_fail(err, BUS_ECONFLICT, "no slot");
	}
	return BUS_OK;
}

static enum bus_err begin(struct link *l, struct bus_error *err)
{
	struct adapter_change *c = l->c;
	struct bus_buf name = { 0 }, sql = { 0 };
	enum bus_err rc = adapter_change_run(l->pg, "IDENTIFY_SYSTEM", CHANGE_STATEMENT_MS, err);

	if (!rc && strcmp(adapter_pg_text(l->pg, 0, 0), c->stream.system) != 0) {
		give_up(c, "it is another server, or one that was set up anew");
		rc = bus_fail(err, BUS_ECONFLICT, "another server");
	}
	if (!rc) {
		atomic_store(&c->again, false);
		rc = hand_over(l, ADAPTER_ITEM_START, NULL, 0, err);
	}
	if (rc)
		return rc;
	adapter_pg_name(l->pg, c->conf.publication, &name);
	bus_buf_printf(&sql, "START_REPLICATION SLOT %s LOGICAL 0/0 (proto_version '1', publication_names ",
		       c->conf.slot);
	adapter_pg_quote(l->pg, bus_buf_cstr(&name), &sql);
	bus_buf_puts(&sql, adapter_pg_version(l->pg) >= 140000 ? ", messages 'true')" : ")");
	rc = adapter_pg_stream(l->pg, bus_buf_cstr(&sql), CHANGE_STATEMENT_MS, err);
	bus_buf_release(&name);
	bus_buf_release(&sql);
	return rc;
}

/* The publication of a moment that lies behind is not there: what came before it was made cannot be read. */
static bool publication_gone(const struct link *l, enum bus_err rc)
{
	return rc == BUS_EDB && strcmp(adapter_pg_state(l->pg), "42704") == 0;
}

static enum bus_err follow(struct link *l, bool *well, struct bus_error *err)
{
	struct adapter_change *c = l->c;
	enum bus_err rc = check_slot(l, err);

	if (!rc)
		rc = adapter_change_open(c, true, &l->pg, err);
	if (!rc)
		rc = begin(l, err);
	if (!rc) {
		*well = true;
		bus_log(BUS_LOG_INFO, "adapter.change_following", LOG_STR("feed", c->feed),
			LOG_STR("slot", c->conf.slot));
		l->status_at = bus_clock_mono_ms();
		rc = read_stream(l, err);
	}
	if (l->pg && publication_gone(l, rc))
		give_up(c, "the publication is gone, or was made after the slot");
	adapter_pg_close(&l->pg);
	if (rc)
		adapter_pg_close(&c->side);
	return rc;
}

static enum bus_err turn(struct link *l, int64_t *snapshot_at, bool *well, struct bus_error *err)
{
	struct adapter_change *c = l->c;
	struct change_stream s;
	enum bus_err rc;

	if (atomic_load(&c->redo))
		forget(c);
	switch (state_of(c)) {
	case CHANGE_NOTHING:
		while (!stopping(c) && bus_clock_mono_ms() < *snapshot_at)
			rest(c, *snapshot_at - bus_clock_mono_ms());
		*snapshot_at = bus_clock_mono_ms() + SNAPSHOT_MIN_MS;
		rc = adapter_change_snapshot(c, &s, err);
		if (!rc) {
			*well = true;
			offer(c, &s, CHANGE_READING);
		}
		return rc;
	case CHANGE_READING:
		rest(c, -1);
		return BUS_OK;
	case CHANGE_GOING:
		break;
	}
	return follow(l, well, err);
}

void *adapter_change_link(void *change)
{
	struct adapter_change *c = change;
	struct link l = { .c = c };
	struct bus_error why = { 0 }, told = { 0 };
	struct change_stream s;
	int64_t again_ms = AGAIN_MIN_MS, snapshot_at = 0;

	if (adapter_change_remember(c, &s))
		offer(c, &s, CHANGE_READING);
	while (!stopping(c)) {
		bool well = false;
		enum bus_err rc = turn(&l, &snapshot_at, &well, &why);

		if (rc == BUS_ESTOPPED)
			break;
		if (well) {
			if (told.text[0])
				bus_log(BUS_LOG_INFO, "adapter.change_back", LOG_STR("feed", c->feed));
			told.text[0] = '\0';
			again_ms = AGAIN_MIN_MS;
		}
		if (rc == BUS_OK || atomic_load(&c->redo))
			continue;
		if (rc != BUS_ECONFLICT && strcmp(told.text, why.text) != 0) {
			bus_log(BUS_LOG_WARN, "adapter.change_waiting", LOG_STR("feed", c->feed),
				LOG_ERR(&why), LOG_STR("effect", "nothing is lost: it is tried again"));
			told = why;
		}
		rest(c, again_ms);
		again_ms = again_ms < AGAIN_MAX_MS / 2 ? 2 * again_ms : AGAIN_MAX_MS;
	}
	adapter_pg_close(&c->side);
	return NULL;
}
