/* The thread of a followed table: makes the first reading, then has the stream read into the queue. */
#include <poll.h>
#include <unistd.h>

#include "adapters/change/impl.h"
#include "bus/clock.h"
#include "bus/log.h"

#define AGAIN_MIN_MS 500
#define AGAIN_MAX_MS 2000
#define SNAPSHOT_MIN_MS 2000 /* between two of them */
#define LOOK_MS 100
#define STEADY_MS 5000 /* a stream that lasts so long has come back; else what ends it is told once */

bool adapter_change_stopping(const struct adapter_change *c)
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

/* The same, whatever the adapter's own thread has said. */
static void pause_for(struct adapter_change *c, int64_t ms)
{
	struct pollfd fd = { .fd = c->stop_fd, .events = POLLIN };

	poll(&fd, 1, (int)ms);
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

void adapter_change_give_up(struct adapter_change *c, const char *why)
{
	bus_log(
	    BUS_LOG_WARN, "adapter.change_anew", LOG_STR("feed", c->feed), LOG_STR("reason", why),
	    LOG_STR("effect", "the whole table is read anew and compared; remove_max guards what is gone"));
	atomic_store(&c->redo, true);
}

enum bus_err adapter_change_go_on(struct adapter_change *c, struct bus_error *err)
{
	if (adapter_change_stopping(c))
		return bus_fail(err, BUS_ESTOPPED, "stopped");
	if (atomic_load(&c->redo) || atomic_load(&c->again))
		return bus_fail(err, BUS_ECONFLICT, "begun again");
	return BUS_OK;
}

void adapter_change_look_at_lag(struct adapter_change *c, int64_t held, const char *effect)
{
	bool lagging = held > c->conf.lag_warn;

	atomic_store(&c->held, held);
	if (lagging != atomic_load(&c->lagging))
		bus_log(lagging ? BUS_LOG_WARN : BUS_LOG_INFO, "adapter.change_lag", LOG_STR("feed", c->feed),
			LOG_INT("held_mb", held / 1024 / 1024),
			LOG_INT("warn_mb", c->conf.lag_warn / 1024 / 1024),
			LOG_STR("effect", lagging ? effect : "caught up"));
	atomic_store(&c->lagging, lagging);
}

enum bus_err adapter_change_hand_over(struct adapter_change *c, enum adapter_item_kind kind, char *data,
				      size_t n, adapter_change_meanwhile_fn meanwhile, void *ctx,
				      struct bus_error *err)
{
	while (adapter_queue_put(c->queue, kind, data, n, LOOK_MS)) {
		enum bus_err rc = adapter_change_go_on(c, err);

		if (!rc)
			rc = meanwhile(ctx, err);
		if (rc) {
			free(data);
			return rc;
		}
	}
	return BUS_OK;
}

static enum bus_err turn(struct adapter_change *c, int64_t *snapshot_at, bool *well, struct bus_error *err)
{
	struct change_stream s;
	enum bus_err rc;

	if (atomic_load(&c->redo))
		forget(c);
	switch (state_of(c)) {
	case CHANGE_NOTHING:
		while (!adapter_change_stopping(c) && bus_clock_mono_ms() < *snapshot_at)
			rest(c, *snapshot_at - bus_clock_mono_ms());
		*snapshot_at = bus_clock_mono_ms() + SNAPSHOT_MIN_MS;
		rc = c->kind->snapshot(c, &s, err);
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
	return c->kind->follow(c, well, err);
}

void *adapter_change_link(void *change)
{
	struct adapter_change *c = change;
	struct bus_error why = { 0 }, told = { 0 };
	struct change_stream s;
	int64_t again_ms = AGAIN_MIN_MS, snapshot_at = 0;

	if (adapter_change_remember(c, &s))
		offer(c, &s, CHANGE_READING);
	while (!adapter_change_stopping(c)) {
		bool well = false;
		int64_t began = bus_clock_mono_ms();
		enum bus_err rc = turn(c, &snapshot_at, &well, &why);

		if (rc == BUS_ESTOPPED)
			break;
		if (well && (rc == BUS_OK || bus_clock_mono_ms() - began >= STEADY_MS)) {
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
		pause_for(c, again_ms);
		again_ms = again_ms < AGAIN_MAX_MS / 2 ? 2 * again_ms : AGAIN_MAX_MS;
	}
	return NULL;
}
