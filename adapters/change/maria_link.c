/* The binary log of MariaDB, read into the queue in the words of PostgreSQL's stream: what is behind the queue (pgoutput.h,
 * follow.c) is one for both. */
#include <stdio.h>

#include "adapters/change/maria_impl.h"
#include "adapters/change/statement.h"
#include "bus/clock.h"
#include "bus/crypto.h"
#include "bus/log.h"

#define KEEPALIVE_MS 100
#define NOTE_MS                                                                                              \
	10000 /* how often the place is written down: after a kill so much is read again, and passed over */
#define LAG_EVERY_MS 10000
#define SPOTS 64
#define PREPARED_MAX 1024
#define XID_BYTES 8
#define EPOCH_US (INT64_C(946684800) * 1000000) /* 2000-01-01 */
#define DATA_HEAD 25				/* of XLogData */
#define RELATION 1				/* our table's number there */

#define NO_PLACE 1236 /* ER_MASTER_FATAL_ERROR_READING_BINLOG: the log does not have our place (any more) */

struct spot { /* behind a transaction */
	uint64_t lsn;
	struct adapter_gtid_place place;
};

struct link {
	struct adapter_change *c;
	struct adapter_maria *m, *side;
	struct adapter_binlog *log;
	struct change_described described;

	struct adapter_gtid_place at; /* what has been read */
	uint64_t lsn;		      /* of it */
	uint32_t end;		      /* of the event before; 0: not known */
	bool open;		      /* within a transaction */
	bool alone;		      /* it is one statement */
	bool prepared;		      /* and another one will decide on it */
	bool begun;		      /* the queue knows of it */
	bool ours;		      /* it has rows of ours */
	uint32_t time_s;
	uint8_t xid[XID_BYTES];
	uint8_t (*strangers)[XID_BYTES]; /* prepared, without a row of ours */
	size_t n_strangers;

	bool *there; /* columns as they were described last */
	bool described_once;
	uint64_t told; /* the place that the queue knows of */
	struct spot *spot;
	size_t n_spots;
	int64_t spot_ms, told_ms, noted_ms, lag_ms; /* monotonic */
	struct adapter_gtid_place kept;		    /* confirmed: where a connection begins */
	bool moved;				    /* since it was written down */
};

/* --- what is confirmed --- */

static void note_place(struct link *l)
{
	struct adapter_change *c = l->c;
	struct bus_buf text = { 0 };
	struct change_stream s;
	struct bus_error why;

	adapter_gtid_place_put(&l->kept, &text);
	l->noted_ms = bus_clock_mono_ms();
	if (text.n < sizeof(c->stream.place)) {
		pthread_mutex_lock(&c->lock);
		snprintf(c->stream.place, sizeof(c->stream.place), "%s", bus_buf_cstr(&text));
		s = c->stream;
		pthread_mutex_unlock(&c->lock);
		l->moved = false;
		if (adapter_change_note(c, &s, &why))
			bus_log(BUS_LOG_WARN, "adapter.change_mark", LOG_STR("feed", c->feed), LOG_ERR(&why),
				LOG_STR("effect", "after a restart more is read again, and passed over"));
	}
	bus_buf_release(&text);
}

static void look_at_confirmed(struct link *l)
{
	uint64_t confirmed = atomic_load(&l->c->confirmed);
	size_t n = 0;

	while (n < l->n_spots && l->spot[n].lsn <= confirmed)
		n++;
	if (n > 0) {
		l->kept = l->spot[n - 1].place;
		l->moved = true;
		l->n_spots -= n;
		memmove(l->spot, l->spot + n, l->n_spots * sizeof(*l->spot));
	}
}

/* Behind a transaction. Of many that follow each other closely only some are remembered. */
static void note_spot(struct link *l)
{
	int64_t now = bus_clock_mono_ms();

	if (l->n_spots == 0 || (l->n_spots < SPOTS && now - l->spot_ms >= KEEPALIVE_MS)) {
		l->n_spots++;
		l->spot_ms = now;
	}
	l->spot[l->n_spots - 1] = (struct spot){ l->lsn, l->at };
}

/* --- how far behind --- */

static void look_at_lag(struct link *l)
{
	struct bus_error why;
	int64_t held = 0;
	bool behind = false;

	l->lag_ms = bus_clock_mono_ms();
	if (!l->side && adapter_change_maria_open(l->c, &l->side, &why))
		return;
	if (adapter_change_maria_run(l->side, "SHOW BINARY LOGS", &why)) {
		adapter_maria_close(&l->side);
		return;
	}
	for (size_t i = 0; i < adapter_maria_rows(l->side); i++) {
		const char *file = adapter_maria_text(l->side, i, 0),
			   *size = adapter_maria_text(l->side, i, 1);
		bool here = file && strcmp(file, l->kept.file) == 0;

		behind |= here;
		if (behind && size)
			held += strtoll(size, NULL, 10) - (here ? (int64_t)l->kept.position : 0);
	}
	adapter_change_look_at_lag(l->c, held > 0 ? held : 0,
				   "the server purges its log whether it has been read or not; "
				   "binlog_expire_logs_seconds must be longer than this takes");
}

/* What is to be done meanwhile, in any case. */
static enum bus_err meanwhile(void *link, struct bus_error *err)
{
	struct link *l = link;
	int64_t now = bus_clock_mono_ms();

	(void)err;
	look_at_confirmed(l);
	if (l->moved && now - l->noted_ms >= NOTE_MS)
		note_place(l);
	if (now - l->lag_ms >= LAG_EVERY_MS)
		look_at_lag(l);
	return BUS_OK;
}

/* --- messages --- */

static void put_number(struct bus_buf *b, uint64_t v, size_t bytes)
{
	while (bytes-- > 0)
		bus_buf_putc(b, (char)(v >> (8 * bytes) & 0xff));
}

static void begin_message(struct bus_buf *b, char kind)
{
	static const char head[DATA_HEAD] = { 'w' };

	bus_buf_put(b, head, sizeof(head));
	bus_buf_putc(b, kind);
}

static enum bus_err send(struct link *l, struct bus_buf *b, struct bus_error *err)
{
	size_t n;
	char *data = bus_buf_take(b, &n);

	return adapter_change_hand_over(l->c, ADAPTER_ITEM_DATA, data, n, meanwhile, l, err);
}

static uint64_t clock_of(const struct link *l)
{
	return (uint64_t)((int64_t)l->time_s * 1000000 - EPOCH_US);
}

static enum bus_err send_begin(struct link *l, struct bus_error *err)
{
	struct bus_buf b = { 0 };

	begin_message(&b, 'B');
	put_number(&b, l->lsn, 8);
	put_number(&b, clock_of(l), 8);
	put_number(&b, 0, 4);
	l->begun = true;
	return send(l, &b, err);
}

static enum bus_err send_commit(struct link *l, struct bus_error *err)
{
	struct bus_buf b = { 0 };

	begin_message(&b, 'C');
	put_number(&b, 0, 1);
	put_number(&b, l->lsn, 8);
	put_number(&b, l->lsn, 8);
	put_number(&b, clock_of(l), 8);
	l->told = l->lsn;
	return send(l, &b, err);
}

static enum bus_err send_keepalive(struct link *l, struct bus_error *err)
{
	struct bus_buf b = { 0 };

	bus_buf_putc(&b, 'k');
	put_number(&b, l->lsn, 8);
	put_number(&b, 0, 9);
	l->told = l->lsn;
	l->told_ms = bus_clock_mono_ms();
	return send(l, &b, err);
}

/* The columns that are there, all of them in the rows that go: identity `full`. */
static enum bus_err send_relation(struct link *l, struct bus_error *err)
{
	struct adapter_change *c = l->c;
	struct bus_buf b = { 0 };
	bool same = l->described_once;
	size_t n = 0;

	for (size_t i = 0; i < c->n_columns; i++) {
		same &= l->there[i] == adapter_binlog_has(l->log, i);
		l->there[i] = adapter_binlog_has(l->log, i);
		n += l->there[i];
	}
	if (same)
		return BUS_OK;
	l->described_once = true;
	begin_message(&b, 'R');
	put_number(&b, RELATION, 4);
	bus_buf_put(&b, c->conf.schema, strlen(c->conf.schema) + 1);
	bus_buf_put(&b, c->conf.table, strlen(c->conf.table) + 1);
	bus_buf_putc(&b, 'f');
	put_number(&b, n, 2);
	for (size_t i = 0; i < c->n_columns; i++) {
		if (!l->there[i])
			continue;
		put_number(&b, 0, 1);
		bus_buf_put(&b, c->column[i], strlen(c->column[i]) + 1);
		put_number(&b, 0, 8);
	}
	return send(l, &b, err);
}

static void put_row(struct link *l, char kind, const struct adapter_binlog_value *value, struct bus_buf *b)
{
	size_t n = 0;

	for (size_t i = 0; i < l->c->n_columns; i++)
		n += l->there[i];
	bus_buf_putc(b, kind);
	put_number(b, n, 2);
	for (size_t i = 0; i < l->c->n_columns; i++) {
		if (!l->there[i])
			continue;
		if (value[i].null) {
			bus_buf_putc(b, 'n');
			continue;
		}
		bus_buf_putc(b, 't');
		put_number(b, value[i].text.n, 4);
		bus_buf_put(b, value[i].text.p, value[i].text.n);
	}
}

static enum bus_err send_rows(struct link *l, enum adapter_binlog_op op, struct bus_error *err)
{
	static const char kind[] = {
		[ADAPTER_BINLOG_INSERT] = 'I', [ADAPTER_BINLOG_UPDATE] = 'U', [ADAPTER_BINLOG_DELETE] = 'D'
	};
	const struct adapter_binlog_value *old, *new;
	enum bus_err rc = l->begun ? BUS_OK : send_begin(l, err);

	while (!rc && !(rc = adapter_binlog_next(l->log, &old, &new, err))) {
		struct bus_buf b = { 0 };

		begin_message(&b, kind[op]);
		put_number(&b, RELATION, 4);
		if (old)
			put_row(l, 'O', old, &b);
		if (new)
			put_row(l, 'N', new, &b);
		rc = send(l, &b, err);
	}
	return rc == BUS_ENOENT ? BUS_OK : rc;
}

/* --- transactions --- */

static enum bus_err anew(struct link *l, const char *why, struct bus_error *err)
{
	adapter_change_give_up(l->c, why);
	return bus_fail(err, BUS_ECONFLICT, "begun anew");
}

static enum bus_err end_transaction(struct link *l, uint32_t position, struct bus_error *err)
{
	bool begun = l->begun;

	if (position > 0)
		l->at.position = position;
	l->open = l->begun = false;
	note_spot(l);
	return begun ? send_commit(l, err) : BUS_OK;
}

static size_t stranger(const struct link *l, const uint8_t *xid)
{
	size_t i = 0;

	while (i < l->n_strangers && memcmp(l->strangers[i], xid, XID_BYTES) != 0)
		i++;
	return i;
}

/* Its rows become true with another transaction, much later perhaps, or never. */
static void end_prepared(struct link *l)
{
	if (l->ours || stranger(l, l->xid) < l->n_strangers)
		return;
	if (l->n_strangers == PREPARED_MAX) /* the oldest: should it be committed, the table is read anew */
		memmove(l->strangers, l->strangers + 1, --l->n_strangers * sizeof(*l->strangers));
	memcpy(l->strangers[l->n_strangers++], l->xid, XID_BYTES);
}

static enum bus_err end_xa(struct link *l, struct bus_error *err)
{
	size_t i = stranger(l, l->xid);

	if (i == l->n_strangers)
		return anew(l, "a transaction of two phases (XA), perhaps of this table, was committed", err);
	l->n_strangers--;
	memmove(l->strangers + i, l->strangers + i + 1, (l->n_strangers - i) * sizeof(*l->strangers));
	return BUS_OK;
}

static enum bus_err take_gtid(struct link *l, const struct adapter_binlog_event *ev, struct bus_error *err)
{
	uint8_t digest[BUS_SHA256_LEN];
	enum bus_err rc = l->open ? end_transaction(l, l->end, err) : BUS_OK;

	if (rc)
		return rc;
	rc = adapter_gtid_add(&l->at, ev->domain, ev->server_id, ev->seq, err);
	if (rc == BUS_ECONFLICT)
		return anew(l, "the server's transaction numbers go back: it was set up anew, or restored",
			    err);
	if (rc)
		return rc;
	l->lsn = adapter_gtid_sum(&l->at);
	l->time_s = ev->time_s;
	l->open = true;
	l->alone = ev->flags & ADAPTER_BINLOG_STANDALONE;
	l->prepared = ev->flags & ADAPTER_BINLOG_PREPARED;
	l->ours = false;
	bus_sha256(ev->xid.p, ev->xid.n, digest);
	memcpy(l->xid, digest, XID_BYTES);
	return BUS_OK;
}

static enum bus_err take_statement(struct link *l, const struct adapter_binlog_event *ev,
				   struct bus_error *err)
{
	enum bus_err rc = BUS_OK;

	switch (adapter_statement_of(ev->text, ev->database, l->described.schema, l->described.table)) {
	case ADAPTER_STATEMENT_NOTHING:
		break;
	case ADAPTER_STATEMENT_COMMIT:
		return end_transaction(l, ev->end, err);
	case ADAPTER_STATEMENT_ROLLBACK:
	case ADAPTER_STATEMENT_ROLLBACK_TO:
		/* It is logged at all because of tables without transactions. */
		if (l->ours)
			return anew(l, "changes were logged and taken back", err);
		break;
	case ADAPTER_STATEMENT_XA_COMMIT:
		rc = end_xa(l, err);
		break;
	case ADAPTER_STATEMENT_TRUNCATE:
		if (adapter_map_register(l->c->map))
			return anew(l, "the table was emptied (TRUNCATE)", err);
		break;
	case ADAPTER_STATEMENT_ALTERS:
		return anew(l, "the table was altered, or made anew", err);
	case ADAPTER_STATEMENT_CHANGES:
		return anew(
		    l, "rows were changed and logged as a statement (a session's binlog_format is not ROW)",
		    err);
	}
	return !rc && l->alone ? end_transaction(l, ev->end, err) : rc;
}

static enum bus_err take_format(struct link *l, const struct adapter_binlog_event *ev, struct bus_error *err)
{
	if (l->at.begun != 0 && l->at.begun != ev->time_s)
		return anew(l, "the binary log was begun anew (RESET MASTER), or is another server's", err);
	l->at.begun = ev->time_s;
	if (l->kept.begun == 0 && strcmp(l->kept.file, l->at.file) == 0) {
		l->kept.begun = ev->time_s;
		l->moved = true;
	}
	return BUS_OK;
}

/* Of a rotation into the file that is known nothing changes; into another one, it begins. */
static void take_rotation(struct link *l, const struct adapter_binlog_event *ev)
{
	if (bus_str_is(ev->file, l->at.file) || ev->file.n >= sizeof(l->at.file) ||
	    memchr(ev->file.p, ' ', ev->file.n))
		return;
	snprintf(l->at.file, sizeof(l->at.file), "%.*s", (int)ev->file.n, ev->file.p);
	l->at.position = ev->position;
	l->at.begun = 0;
	note_spot(l);
	l->told = ~l->lsn; /* the place is another one, though nothing happened */
}

static enum bus_err take_event(struct link *l, const struct adapter_binlog_event *ev, struct bus_error *err)
{
	switch (ev->kind) {
	case ADAPTER_BINLOG_OTHER:
	case ADAPTER_BINLOG_HEARTBEAT:
		return BUS_OK;
	case ADAPTER_BINLOG_ROTATE:
		take_rotation(l, ev);
		return BUS_OK;
	case ADAPTER_BINLOG_FORMAT:
		return take_format(l, ev, err);
	case ADAPTER_BINLOG_GTID:
		return take_gtid(l, ev, err);
	case ADAPTER_BINLOG_QUERY:
	case ADAPTER_BINLOG_STATEMENT:
		return take_statement(l, ev, err);
	case ADAPTER_BINLOG_PREPARE:
		end_prepared(l);
		return end_transaction(l, ev->end, err);
	case ADAPTER_BINLOG_COMMIT:
		return end_transaction(l, ev->end, err);
	case ADAPTER_BINLOG_TABLE:
		return send_relation(l, err);
	case ADAPTER_BINLOG_ROWS:
		l->ours = true;
		return l->prepared ? BUS_OK : send_rows(l, ev->op, err);
	case ADAPTER_BINLOG_INCIDENT:
		return anew(l, "the server says that something is missing in its binary log", err);
	}
	return BUS_OK;
}

static enum bus_err read_stream(struct link *l, struct bus_error *err)
{
	enum bus_err rc;

	for (;;) {
		struct adapter_binlog_event ev;
		struct bus_str bytes;

		rc = adapter_maria_take(l->m, &bytes, err);
		if (!rc) {
			rc = adapter_binlog_read(l->log, bytes, &ev, err);
			if (!rc)
				rc = take_event(l, &ev, err);
			l->end = ev.end;
			if (rc ==
			    BUS_EINVAL) /* what is needed is not in the log: from here on it cannot be */
				rc = anew(l, err->text, err);
		}
		if (!rc && !l->open && l->told != l->lsn && bus_clock_mono_ms() - l->told_ms >= KEEPALIVE_MS)
			rc = send_keepalive(l, err);
		if (!rc)
			rc = meanwhile(l, err);
		if (!rc)
			rc = adapter_change_go_on(l->c, err);
		if (rc)
			return rc;
	}
}

/* --- a stream's beginning --- */

/* The place is still what it was: the same transactions, in the same file. */
static enum bus_err check_place(struct link *l, struct bus_error *err)
{
	struct bus_buf sql = { 0 };
	struct adapter_gtid_place now;
	uint64_t begun = 0;
	const char *text;
	enum bus_err rc = adapter_change_maria_run(l->side, "SELECT @@global.server_id", err);

	if (rc)
		return rc;
	text = adapter_maria_text(l->side, 0, 0);
	if (!text || strcmp(text, l->c->stream.system) != 0)
		return anew(l, "it is another server", err);
	bus_buf_puts(&sql, "SELECT BINLOG_GTID_POS(");
	adapter_maria_quote(l->kept.file, &sql);
	bus_buf_printf(&sql, ", %llu)", (unsigned long long)l->kept.position);
	rc = adapter_change_maria_run(l->side, bus_buf_cstr(&sql), err);
	bus_buf_release(&sql);
	if (rc && rc != BUS_EDB)
		return rc;
	text = rc ? NULL : adapter_maria_text(l->side, 0, 0);
	if (!text)
		return anew(
		    l,
		    "the server's binary log does not reach back so far any more (purged, or RESET MASTER)",
		    err);
	rc = l->kept.begun ? adapter_change_maria_begun(l->c, l->kept.file, &begun, err) : BUS_OK;
	if (rc && rc != BUS_ENOENT)
		return rc;
	if (rc || begun != l->kept.begun || adapter_gtid_read(text, &now, err) ||
	    !adapter_gtid_same(&now, &l->kept))
		return anew(l, "the binary log is another one now (RESET MASTER, or a restored server)", err);
	return BUS_OK;
}

static enum bus_err begin(struct link *l, struct bus_error *err)
{
	struct adapter_change *c = l->c;
	const char *checksum;
	enum bus_err rc = adapter_change_maria_open(c, &l->side, err);

	if (!rc)
		rc = check_place(l, err);
	if (!rc) {
		rc = adapter_change_maria_describe(c, l->side, &l->described, err);
		if (rc == BUS_EINVAL)
			rc = anew(l, err->text, err);
	}
	if (!rc)
		rc = adapter_change_maria_run(l->side, "SELECT @@global.binlog_checksum", err);
	if (rc)
		return rc;
	checksum = adapter_maria_text(l->side, 0, 0);
	l->log = adapter_binlog_new(l->described.schema, l->described.table, l->described.column,
				    c->n_columns, checksum && strcmp(checksum, "NONE") != 0);
	rc = adapter_change_maria_open(c, &l->m, err);
	if (rc)
		return rc;
	pthread_mutex_lock(&c->lock);
	c->line = l->m;
	pthread_mutex_unlock(&c->lock);
	atomic_store(&c->again, false);
	rc = adapter_change_hand_over(c, ADAPTER_ITEM_START, NULL, 0, meanwhile, l, err);
	if (!rc)
		rc = adapter_change_maria_dump(c, l->m, &l->kept, false, err);
	return rc;
}

static void end_link(struct link *l)
{
	struct adapter_change *c = l->c;

	pthread_mutex_lock(&c->lock);
	c->line = NULL;
	pthread_mutex_unlock(&c->lock);
	adapter_maria_close(&l->m);
	adapter_maria_close(&l->side);
	adapter_binlog_free(&l->log);
	adapter_change_described_release(&l->described);
	free(l->strangers);
	free(l->there);
	free(l->spot);
}

enum bus_err adapter_change_maria_follow(struct adapter_change *c, bool *well, struct bus_error *err)
{
	struct link link = { .c = c }, *l = &link;
	enum bus_err rc = BUS_OK;

	l->there = bus_xcalloc(c->n_columns + 1, sizeof(*l->there));
	l->spot = bus_xcalloc(SPOTS, sizeof(*l->spot));
	l->strangers = bus_xcalloc(PREPARED_MAX, sizeof(*l->strangers));
	l->noted_ms = bus_clock_mono_ms();
	if (!adapter_gtid_place_read(c->stream.place, &l->kept))
		rc = anew(l, "it is not known where to begin", err);
	l->at = l->kept;
	l->lsn = l->told = adapter_gtid_sum(&l->at);
	if (!rc)
		rc = begin(l, err);
	if (!rc) {
		*well = true;
		bus_log(BUS_LOG_INFO, "adapter.change_following", LOG_STR("feed", c->feed));
		rc = read_stream(l, err);
	}
	if (rc == BUS_EDB && l->m && adapter_maria_number(l->m) == NO_PLACE)
		rc = anew(l, err->text, err);
	look_at_confirmed(l);
	if (l->moved && !atomic_load(&c->redo))
		note_place(l);
	end_link(l);
	return rc;
}
