/* What the adapter's own thread does with a followed table: message after message to Kafka, and what may be confirmed. */
#include <stdio.h>
#include <unistd.h>

#include "adapters/care/figures.h"
#include "adapters/change/impl.h"
#include "adapters/desk.h"
#include "adapters/pass.h"
#include "adapters/source.h"
#include "bus/clock.h"
#include "bus/log.h"

#define STEP_MS 50
#define STEP_ITEMS 32 /* between two looks at the clock */
#define LATER_MS 1000 /* what passes: a schema not there yet, a full disk */
#define TELL_MS 30000 /* between two `berkas` records */
#define FORGET_ROWS (UINT64_C(1) << 16)

static void call(struct adapter_change *c)
{
	uint64_t one = 1;

	(void)!write(c->call_fd, &one, sizeof(one));
}

static void drop_items(struct adapter_change *c)
{
	while (c->item) {
		struct adapter_item *next = c->item->next;

		adapter_queue_done(c->queue, c->item);
		c->item = next;
	}
}

/* The stream cannot go on as it is: a new snapshot. reason is for the log. */
static void anew(struct adapter_change *c, const char *reason, const char *detail)
{
	bus_log(
	    BUS_LOG_WARN, "adapter.change_anew", LOG_STR("feed", c->feed), LOG_STR("reason", reason),
	    LOG_STR("detail", detail),
	    LOG_STR("effect", "the whole table is read anew and compared; remove_max guards what is gone"));
	c->deaf = true;
	atomic_store(&c->redo, true);
	call(c);
}

/* What came is not what it should be, or could not be looked up: from what is confirmed on, once more. */
static void once_more(struct adapter_change *c, const struct bus_error *why)
{
	if (strcmp(c->said.text, why->text) != 0)
		bus_log(
		    BUS_LOG_WARN, "adapter.change_again", LOG_STR("feed", c->feed), LOG_ERR(why),
		    LOG_STR("effect", "nothing is lost: the stream is begun again from what is confirmed"));
	c->said = *why;
	c->deaf = true;
	atomic_store(&c->again, true);
	call(c);
}

/* The server says what cannot be. */
static void nonsense(struct adapter_change *c, const char *what)
{
	struct bus_error why;

	(void)bus_fail(&why, BUS_EDATA, "the stream of changes: %s", what);
	once_more(c, &why);
}

/* --- the first reading --- */

static bool file_waits(const struct adapter_change *c, const struct change_stream *s)
{
	char path[4096 + 512];

	snprintf(path, sizeof(path), "%s/%s", c->dir, s->name);
	return access(path, F_OK) == 0;
}

static uint64_t last_published(const struct adapter_change *c, const struct adapter_feed *f)
{
	const struct adapter_topic *t = &f->part->topic;
	uint64_t last = 0;

	for (int32_t i = 0; i < t->n; i++)
		if (t->stream[i].at.stream == c->at.stream && t->stream[i].at.lsn > last)
			last = t->stream[i].at.lsn;
	return last;
}

static void begin_stream(struct adapter_desk *d, struct adapter_feed *f, const struct change_stream *s,
			 const struct adapter_known *snapshot)
{
	struct adapter_change *c = f->change;
	struct adapter_tally *t = c->tally;

	if (!t)
		t = c->tally = bus_xcalloc(1, sizeof(*t));
	*t = (struct adapter_tally){ .feed = c->feed,
				     .status = ADAPTER_DONE,
				     .order = snapshot->past.order + 1,
				     .started = bus_clock_ms() };
	adapter_files_note_order(d->position.files, t->order);
	t->class = adapter_map_classes(f->map, &t->n_classes);
	memcpy(t->sha256, s->sha256, sizeof(t->sha256));
	snprintf(t->name, sizeof(t->name), "%s %.100s.%.100s", c->kind->title, c->conf.schema, c->conf.table);
	memcpy(c->file16, s->sha256, BUS_WIRE_FILE_LEN);
	c->reading.d = d;
	c->reading.f = f;
	c->reading.t = t;
	c->reading.at = &c->at;
	c->reading.origin = (struct adapter_origin){ .source = f->source, .file = c->file16 };
	(void)adapter_at_read(bus_str(c->file16), BUS_STR("0/0:0"), &c->at);
	c->done = c->at;
	c->relation_id = 0;
	atomic_store(&c->reached, last_published(c, f));
	c->told_ms = 0;
	c->told_rows = 0;
}

static void look_at_file(struct adapter_desk *d, struct adapter_feed *f, const struct change_stream *s)
{
	struct adapter_change *c = f->change;
	uint32_t number =
	    adapter_files_number(d->position.files, (struct bus_str){ s->file, BUS_WIRE_FILE_LEN });
	struct adapter_known *known = adapter_files_known(d->position.files, number, c->feed);

	if (known->recorded && known->past.status == ADAPTER_DONE) {
		begin_stream(d, f, s, known);
		pthread_mutex_lock(&c->lock);
		if (c->generation == c->known_generation)
			c->state = CHANGE_GOING;
		pthread_mutex_unlock(&c->lock);
		call(c);
	} else if (!file_waits(c, s) && !atomic_load(&c->redo)) {
		anew(c,
		     known->recorded ? "the table's first reading could not be read"
				     : "the table's first reading is gone",
		     s->name);
	}
}

/* --- one change --- */

static bool ours(const struct adapter_change *c, const struct adapter_pg_relation *rel)
{
	return strcmp(rel->name, c->conf.table) == 0 && strcmp(rel->schema, c->conf.schema) == 0;
}

/* Where each wanted column stands; a table that the mapping does not fit any more is looked at anew, and so is one whose
 * name went to another: what stood in that one before nobody has told. */
static void take_relation(struct adapter_change *c, const struct adapter_pg_relation *rel)
{
	if (c->relation_id != 0 && ours(c, rel) != (rel->id == c->relation_id)) {
		anew(c, "the table was renamed, or made anew", "");
		return;
	}
	if (!ours(c, rel))
		return;
	c->relation = rel;
	c->relation_id = rel->id;
	for (size_t i = 0; i < c->n_columns; i++) {
		c->place[i] = -1;
		for (size_t k = 0; k < rel->n; k++)
			if (strcmp(rel->column[k].name, c->column[i]) == 0)
				c->place[i] = (int)k;
		if (c->place[i] < 0) {
			anew(c, "the table has no longer a column that the mapping uses", c->column[i]);
			return;
		}
		if (c->in_key[i] && adapter_map_register(c->map) && rel->identity != 'f' &&
		    !rel->column[c->place[i]].key) {
			anew(c, "a deleted row no longer says a column that the key is made of",
			     c->column[i]);
			return;
		}
	}
}

/* The values that a message leaves out because they did not change, from the table. *gone: the row is no longer there;
 * what became of it follows in the stream. */
static enum bus_err fill(struct adapter_change *c, const struct adapter_pg_row *row, bool *gone,
			 struct bus_error *err)
{
	struct bus_buf sql = { 0 };
	bool some = false;
	enum bus_err rc = BUS_OK;

	if (!c->look)
		rc = adapter_change_open(c, false, &c->look, err);
	if (!rc)
		rc = adapter_change_select(c, c->look, &sql, err);
	for (size_t i = 0; !rc && i < c->relation->n; i++) {
		char *text;

		if (!c->relation->column[i].key || row->value[i].kind != ADAPTER_PG_TEXT)
			continue;
		bus_buf_puts(&sql, some || memmem(sql.p, sql.n, " WHERE (", 8) ? " AND " : " WHERE ");
		adapter_pg_name(c->look, c->relation->column[i].name, &sql);
		bus_buf_puts(&sql, " = ");
		text = bus_xstrndup(row->value[i].text.p, row->value[i].text.n);
		adapter_pg_quote(c->look, text, &sql);
		free(text);
		some = true;
	}
	if (!rc)
		rc = adapter_change_ask(c->look, bus_buf_cstr(&sql), CHANGE_STATEMENT_MS,
					&(struct change_shape){ .columns = c->n_columns }, err);
	bus_buf_release(&sql);
	if (rc)
		return rc;
	*gone = !some || adapter_pg_rows(c->look) != 1;
	for (size_t i = 0; !*gone && i < c->n_columns; i++) {
		const char *text = adapter_pg_text(c->look, 0, i);

		if (row->value[c->place[i]].kind == ADAPTER_PG_UNCHANGED)
			c->cell[i] =
			    text ? (struct adapter_cell){ .kind = ADAPTER_TEXT, .text = bus_str(text) }
				 : (struct adapter_cell){ .kind = ADAPTER_NULL };
	}
	return BUS_OK;
}

/* The wanted cells of row; what it leaves out comes from other (NULL value: none), and *hole says if something is
 * still missing. */
static size_t set_cells(struct adapter_change *c, const struct adapter_pg_row *row,
			const struct adapter_pg_row *other, bool *hole)
{
	size_t bytes = 0;

	*hole = false;
	for (size_t i = 0; i < c->n_columns; i++) {
		size_t at = (size_t)c->place[i];
		const struct adapter_pg_value *v = &row->value[at];

		if (v->kind == ADAPTER_PG_UNCHANGED && other->value && !other->key_only)
			v = &other->value[at];
		*hole |= v->kind == ADAPTER_PG_UNCHANGED;
		c->cell[i] =
		    (struct adapter_cell){ .kind = v->kind == ADAPTER_PG_TEXT ? ADAPTER_TEXT : ADAPTER_NULL,
					   .text = v->text };
		if (row->key_only && !c->relation->column[at].key)
			c->cell[i].kind = ADAPTER_MISSING;
		bytes += v->kind == ADAPTER_PG_TEXT ? v->text.n : 0;
	}
	return bytes;
}

static struct adapter_row row_of(struct adapter_change *c, size_t bytes)
{
	struct adapter_row row = { .line = c->at.lsn, .cell = c->cell, .n_cells = c->n_columns };

	bus_buf_reset(&c->raw);
	if (bytes > ADAPTER_ROW_MAX) {
		row.defect = ADAPTER_DEFECT_LONG;
		row.detail = ADAPTER_DETAIL_LONG;
	} else if (!adapter_change_line(c, c->cell, &c->raw)) {
		row.defect = ADAPTER_DEFECT_JSON; /* as the same row in a first reading */
		row.detail = "bukan UTF-8 / not UTF-8";
	}
	row.raw = bus_buf_str(&c->raw);
	return row;
}

/* Each change has room for two records: the old key's tombstone and the row. */
static void stand_at(struct adapter_change *c, bool second)
{
	c->at.n = 2 * c->nth + second;
	c->reading.origin.extra =
	    (struct bus_header){ BUS_STR(ADAPTER_LSN_HEADER), bus_str(adapter_at_put(&c->at, c->lsn)) };
}

static enum bus_err take_new(struct adapter_change *c, const struct adapter_pg_change *m,
			     struct bus_error *err)
{
	struct adapter_row row;
	bool hole, gone = false;
	size_t bytes = set_cells(c, &m->new, &m->old, &hole);

	if (hole) {
		struct bus_error why;
		enum bus_err rc = fill(c, &m->new, &gone, &why);

		if (rc) {
			adapter_pg_close(&c->look);
			once_more(c, &why);
			return BUS_OK;
		}
		if (gone)
			return BUS_OK;
	}
	row = row_of(c, bytes);
	stand_at(c, true);
	c->reading.file_time_ms = c->time_ms;
	return adapter_row_take(&c->reading, &row, err);
}

/* The record of the row that was there goes. What has no key, or was refused, is on no topic. */
static enum bus_err take_old(struct adapter_change *c, const struct adapter_pg_row *old,
			     struct bus_error *err)
{
	static const struct adapter_pg_row none;
	struct adapter_row row;
	struct adapter_result res;
	bool hole;
	enum bus_err rc;

	(void)set_cells(c, old, &none, &hole);
	row = row_of(c, 0);
	row.defect = NULL; /* however it was: its key is all that is asked for */
	rc = adapter_map_row(c->map, &row, &res, err);
	if (rc || res.key.n == 0)
		return rc;
	stand_at(c, false);
	return adapter_row_remove(&c->reading, res.key, err);
}

static bool same_value(const struct adapter_pg_value *a, const struct adapter_pg_value *b)
{
	return b->kind == ADAPTER_PG_UNCHANGED ||
	       (a->kind == b->kind && (a->kind != ADAPTER_PG_TEXT || bus_str_eq(a->text, b->text)));
}

static bool key_changed(const struct adapter_change *c, const struct adapter_pg_change *m)
{
	for (size_t i = 0; m->old.value && i < c->n_columns; i++)
		if (c->in_key[i] && !same_value(&m->old.value[c->place[i]], &m->new.value[c->place[i]]))
			return true;
	return false;
}

static enum bus_err take_change(struct adapter_change *c, const struct adapter_pg_change *m,
				struct bus_error *err)
{
	bool is_register = adapter_map_register(c->map);
	enum bus_err rc = BUS_OK;

	if (!c->relation || m->relation->id != c->relation_id)
		return BUS_OK;
	c->at.n = 2 * c->nth + 1;
	if (adapter_at_reached(&c->done, &c->at)) { /* the connection was lost, and this comes again */
		c->nth++;
		return BUS_OK;
	}
	if (is_register && m->old.value && (m->kind == ADAPTER_PG_DELETE || key_changed(c, m)))
		rc = take_old(c, &m->old, err);
	if (!rc && m->new.value)
		rc = take_new(c, m, err);
	if (rc || c->deaf)
		return rc;
	c->at.n = 2 * c->nth + 1;
	c->done = c->at;
	c->nth++;
	/* Two rows of an event's id are told apart for as long as a file of this many would. */
	if (c->tally->rows % FORGET_ROWS == 0)
		rc = adapter_map_begin(c->map, err);
	return rc;
}

static void note_spot(struct adapter_change *c, const struct adapter_publisher *p, uint64_t lsn)
{
	struct change_spot *last = c->n_spots > 0 ? &c->spot[c->n_spots - 1] : NULL;
	uint64_t token = adapter_publisher_sent(p);

	if (last && (last->token == token || c->n_spots == CHANGE_SPOTS))
		*last = (struct change_spot){ lsn, token };
	else
		c->spot[c->n_spots++] = (struct change_spot){ lsn, token };
}

static void confirm(struct adapter_change *c, struct adapter_publisher *p)
{
	uint64_t acked = adapter_publisher_acked(p);
	size_t n = 0;

	while (n < c->n_spots && c->spot[n].token <= acked)
		n++;
	if (n == 0)
		return;
	atomic_store(&c->confirmed, c->spot[n - 1].lsn);
	c->n_spots -= n;
	memmove(c->spot, c->spot + n, c->n_spots * sizeof(*c->spot));
}

static void take_truncate(struct adapter_change *c, const struct adapter_pg_change *m)
{
	for (size_t i = 0; i < m->n_truncated; i++)
		if (ours(c, m->truncated[i]) && adapter_map_register(c->map))
			anew(c, "the table was emptied (TRUNCATE)", "");
}

static enum bus_err take_message(struct adapter_desk *d, struct adapter_change *c, struct bus_str bytes,
				 struct bus_error *err)
{
	struct adapter_pg_change m;
	struct bus_error why;
	uint64_t nth = c->nth;

	if (adapter_pg_read(c->reader, bytes, &m, &why)) {
		once_more(c, &why);
		return BUS_OK;
	}
	switch (m.kind) {
	case ADAPTER_PG_BEGIN:
		if (c->in_transaction || m.lsn <= c->last) {
			nonsense(c, c->in_transaction ? "a transaction begins within a transaction"
						      : "its transactions go back");
			break;
		}
		c->in_transaction = true;
		c->at.lsn = c->last = m.lsn;
		c->nth = 0;
		c->time_ms = m.time_ms;
		break;
	case ADAPTER_PG_COMMIT:
		if (!c->in_transaction || m.lsn != c->at.lsn) {
			nonsense(c, c->in_transaction ? "a transaction ends at another place than it said"
						      : "a commit outside a transaction");
			break;
		}
		c->in_transaction = false;
		c->said.text[0] = '\0';
		if (m.lsn > atomic_load(&c->reached))
			atomic_store(&c->reached, m.lsn);
		note_spot(c, d->publisher, m.end);
		break;
	case ADAPTER_PG_RELATION:
		take_relation(c, m.relation);
		break;
	case ADAPTER_PG_INSERT:
	case ADAPTER_PG_UPDATE:
	case ADAPTER_PG_DELETE: {
		enum bus_err rc;

		if (!c->in_transaction) {
			nonsense(c, "a change outside a transaction");
			break;
		}
		rc = take_change(c, &m, err);
		if (rc)
			c->nth = nth; /* it is taken once more */
		return rc;
	}
	case ADAPTER_PG_TRUNCATE:
		take_truncate(c, &m);
		break;
	case ADAPTER_PG_MESSAGE:
		if (!c->in_transaction)
			note_spot(c, d->publisher, m.lsn);
		break;
	case ADAPTER_PG_OTHER:
		break;
	}
	return BUS_OK;
}

static uint64_t number(const char *p)
{
	uint64_t v = 0;

	for (size_t i = 0; i < 8; i++)
		v = v << 8 | (unsigned char)p[i];
	return v;
}

#define DATA_HEAD 25 /* 'w', begin, end, clock */
#define KEEPALIVE 18 /* 'k', end, clock, whether an answer is wanted */

static enum bus_err take_item(struct adapter_desk *d, struct adapter_change *c,
			      const struct adapter_item *item, struct bus_error *err)
{
	if (item->kind == ADAPTER_ITEM_START) {
		adapter_pg_reader_free(&c->reader);
		c->reader = adapter_pg_reader_new();
		c->relation = NULL;
		c->in_transaction = c->deaf = false;
		c->last = 0;
		return adapter_map_begin(c->map, err);
	}
	if (c->deaf)
		return BUS_OK;
	if (item->n < (item->data[0] == 'w' ? DATA_HEAD : KEEPALIVE) || !strchr("wk", item->data[0])) {
		nonsense(c, strchr("wk", item->data[0]) ? "a message that is cut short" : "no message of it");
		return BUS_OK;
	}
	if (item->data[0] == 'w')
		return take_message(d, c, (struct bus_str){ item->data + DATA_HEAD, item->n - DATA_HEAD },
				    err);
	/* A keepalive between two transactions: everything up to there has been sent. */
	if (!c->in_transaction)
		note_spot(c, d->publisher, number(item->data + 1));
	return BUS_OK;
}

/* --- the record that says how the stream is doing --- */

static enum bus_err tell(struct adapter_desk *d, struct adapter_change *c, struct bus_error *err)
{
	struct adapter_tally *t = c->tally;
	int64_t now = bus_clock_mono_ms(), held = atomic_load(&c->held) / 1024 / 1024;
	bool lagging = atomic_load(&c->lagging);
	struct bus_buf state = { 0 };
	enum bus_err rc;

	adapter_figures_followed(t);
	if (c->told_ms > 0 && lagging == c->told_lag &&
	    (now - c->told_ms < TELL_MS || t->rows == c->told_rows))
		return BUS_OK;
	c->told_ms = now;
	c->told_rows = t->rows;
	c->told_lag = lagging;
	t->reason[0] = '\0';
	if (lagging)
		snprintf(t->reason, sizeof(t->reason), "%lld MB %s / %lld MB %s", (long long)held,
			 c->kind->lag_id, (long long)held, c->kind->lag_en);
	t->ended = bus_clock_ms();
	adapter_position_put_state(&d->position, &state);
	c->reading.origin.extra = (struct bus_header){ { 0 }, { 0 } };
	rc = adapter_pass_tell(&c->reading, bus_buf_str(&state), err);
	bus_buf_release(&state);
	return rc;
}

static enum bus_err work(struct adapter_desk *d, struct adapter_feed *f, bool *more, struct bus_error *err)
{
	struct adapter_change *c = f->change;
	int64_t until = bus_clock_mono_ms() + STEP_MS;
	enum bus_err rc = BUS_OK;

	if (!c->item)
		c->item = adapter_queue_take(c->queue);
	if (c->item)
		rc = adapter_desk_bind(d, f, err);
	for (size_t n = 1; c->item && !rc; n++) {
		struct adapter_item *item = c->item;

		rc = take_item(d, c, item, err);
		if (rc)
			break;
		c->item = item->next;
		adapter_queue_done(c->queue, item);
		if (n % STEP_ITEMS == 0 && bus_clock_mono_ms() >= until)
			break;
		if (adapter_plug_pulled(d, ADAPTER_AT_ROW))
			return bus_fail(err, BUS_ESTOPPED, "plug pulled");
	}
	*more = c->item != NULL;
	if (!rc && !c->deaf)
		rc = tell(d, c, err);
	confirm(c, d->publisher);
	return rc;
}

enum bus_err adapter_change_step(struct adapter_desk *d, struct adapter_feed *f, bool *more,
				 struct bus_error *err)
{
	struct adapter_change *c = f->change;
	struct change_stream stream;
	enum change_state state;
	struct bus_error why;
	uint32_t generation;
	enum bus_err rc;

	*more = false;
	pthread_mutex_lock(&c->lock);
	stream = c->stream;
	state = c->state;
	generation = c->generation;
	pthread_mutex_unlock(&c->lock);
	if (generation != c->known_generation) {
		c->known_generation = generation;
		c->deaf = true;
		c->n_spots = 0;
		drop_items(c);
	}
	if (state == CHANGE_READING)
		look_at_file(d, f, &stream);
	if (state != CHANGE_GOING || bus_clock_mono_ms() < c->not_before)
		return BUS_OK;
	rc = work(d, f, more, &why);
	if (!bus_err_retriable(rc) && rc != BUS_ENOENT && rc != BUS_EDENIED) {
		if (rc && err)
			*err = why;
		return rc;
	}
	bus_log(BUS_LOG_WARN, "adapter.change_later", LOG_STR("feed", c->feed), LOG_ERR(&why),
		LOG_STR("effect", "nothing is lost: it is tried again"));
	c->not_before = bus_clock_mono_ms() + LATER_MS;
	*more = false;
	return BUS_OK;
}
