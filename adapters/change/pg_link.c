/* The stream of a slot of PostgreSQL, read into the queue. */
#include <stdio.h>

#include "adapters/change/impl.h"
#include "bus/clock.h"
#include "bus/log.h"

#define STATUS_MS 5000 /* the server gives a silent reader up after a minute */
#define CONFIRM_MS 200
#define LOOK_MS 100
#define SLOT_EVERY_MS 10000
#define EPOCH_US (INT64_C(946684800) * 1000000) /* 2000-01-01 */

struct link {
	struct adapter_change *c;
	struct adapter_pg *pg; /* the stream */
	uint64_t received, confirmed;
	int64_t status_at, beat_at; /* monotonic */
};

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
	enum bus_err rc;

	put_number(m + 1, l->received > confirmed ? l->received : confirmed);
	put_number(m + 9, confirmed);
	put_number(m + 17, confirmed);
	put_number(m + 25, (uint64_t)(bus_clock_ms() * 1000 - EPOCH_US));
	rc = adapter_pg_put(l->pg, (struct bus_str){ m, sizeof(m) }, err);
	if (rc == BUS_EFULL) /* it does not read: later */
		return BUS_OK;
	l->confirmed = confirmed;
	l->status_at = bus_clock_mono_ms();
	return rc;
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
	adapter_change_look_at_lag(c, slot->held,
				   "the server keeps this much on its disk until it has been published; "
				   "max_slot_wal_keep_size limits it");
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
	if (rc || c->mute || c->conf.heartbeat_ms == 0)
		return rc;
	rc = adapter_pg_run(c->side, "SELECT pg_logical_emit_message(false, 'titian', '')",
			    CHANGE_STATEMENT_MS, err);
	if (rc != BUS_EDB)
		return rc;
	/* Keepalives still tell us how far the server is; only a quiet database's place moves more seldom. */
	c->mute = true;
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

/* While the queue is full the server hears of us. */
static enum bus_err meanwhile(void *link, struct bus_error *err)
{
	enum bus_err rc = tell_place_if_due(link, err);

	return rc ? rc : look_beside_if_due(link, err);
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
			rc = adapter_change_hand_over(c, ADAPTER_ITEM_DATA, data, n, meanwhile, l, err);
			if (!rc && answer)
				rc = tell_place(l, err);
		} else if (rc == BUS_ETIMEOUT) {
			rc = BUS_OK;
		}
		if (!rc)
			rc = meanwhile(l, err);
		if (!rc)
			rc = adapter_change_go_on(c, err);
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
		adapter_change_give_up(c, !slot.there
					      ? "the slot is not there any more"
					      : "the server has given the slot up (max_slot_wal_keep_size)");
		return bus_fail(err, BUS_ECONFLICT, "no slot");
	}
	return BUS_OK;
}

/* The server is still the one whose stream this is, and has not gone back: what it would tell from there on, under the
 * numbers of what it told before, would be taken for that. */
static enum bus_err check_server(struct link *l, struct bus_error *err)
{
	struct adapter_change *c = l->c;
	struct change_system now;
	char timeline[12] = "";
	const char *why = NULL;
	enum bus_err rc = adapter_change_identify(l->pg, &now, err);

	if (rc)
		return rc;
	(void)sscanf(c->stream.place, "timeline %11[0-9]", timeline);
	if (strcmp(now.id, c->stream.system) != 0)
		why = "it is another server, or one that was set up anew";
	else if (timeline[0] && strcmp(now.timeline, timeline) != 0)
		why = "the server is on another timeline: a standby took over, or it was restored";
	else if (now.end < atomic_load(&c->reached))
		why = "the server's log ends before what was read from it: it was restored as it had been";
	if (!why)
		return BUS_OK;
	adapter_change_give_up(c, why);
	return bus_fail(err, BUS_ECONFLICT, "another server");
}

static enum bus_err begin(struct link *l, struct bus_error *err)
{
	struct adapter_change *c = l->c;
	struct bus_buf name = { 0 }, sql = { 0 };
	enum bus_err rc = check_server(l, err);

	if (!rc) {
		atomic_store(&c->again, false);
		rc = adapter_change_hand_over(c, ADAPTER_ITEM_START, NULL, 0, meanwhile, l, err);
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

enum bus_err adapter_change_pg_follow(struct adapter_change *c, bool *well, struct bus_error *err)
{
	struct link link = { .c = c }, *l = &link;
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
		adapter_change_give_up(c, "the publication is gone, or was made after the slot");
	adapter_pg_close(&l->pg);
	if (rc)
		adapter_pg_close(&c->side);
	return rc;
}
