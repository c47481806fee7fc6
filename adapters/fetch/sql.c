/* The rows of a query, as JSON lines: each row an object, each column a text or null. Options: adapters/README.md. */
#include <pthread.h>
#include <stdio.h>

#include "adapters/fetch/kind.h"
#include "adapters/fetch/odbc.h"
#include "adapters/fetch/outbox.h"
#include "adapters/fetch/since.h"
#include "adapters/source.h"
#include "bus/clock.h"
#include "bus/conf.h"
#include "bus/json_out.h"

#define QUERY_MS (INT64_C(10) * 60 * 1000)

struct sql {
	const char *connection, *password_file, *query;
	int64_t query_ms;
	bool by_mark, by_outbox;
	struct adapter_outbox outbox;
	struct adapter_since since;
	const atomic_bool *stop;
	pthread_mutex_t lock;
	struct adapter_odbc *db; /* lock: while a run is in progress, for wake */
	struct bus_buf line, cell, id;
};

static void sql_close(void *fetch)
{
	struct sql *s = fetch;

	bus_buf_release(&s->line);
	bus_buf_release(&s->cell);
	bus_buf_release(&s->id);
	adapter_outbox_release(&s->outbox);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

static size_t count_marks(const char *query)
{
	size_t n = 0;
	char quote = '\0';

	for (; *query; query++) {
		if (quote)
			quote = *query == quote ? '\0' : quote;
		else if (*query == '\'' || *query == '"')
			quote = *query;
		else
			n += *query == '?';
	}
	return n;
}

static enum bus_err read_outbox(struct sql *s, struct bus_yaml *yaml, struct bus_yaml_node *conf,
				bool complete, struct bus_error *err)
{
	struct bus_yaml_node *outbox = bus_yaml_get(conf, "outbox");

	if (bus_yaml_get(conf, "query") || bus_yaml_get(conf, "mark") || complete)
		return bus_yaml_fail(yaml, outbox, err,
				     "an outbox is asked by its id: leave out query, mark and complete");
	s->by_outbox = true;
	return adapter_outbox_read(&s->outbox, yaml, outbox, err);
}

static enum bus_err read_query(struct sql *s, struct bus_yaml *yaml, struct bus_yaml_node *conf,
			       bool complete, struct bus_error *err)
{
	struct bus_yaml_node *mark = bus_yaml_get(conf, "mark"), *query = bus_yaml_get(conf, "query");
	enum bus_err rc;

	if (bus_yaml_get(conf, "outbox"))
		return read_outbox(s, yaml, conf, complete, err);
	rc = adapter_source_word(yaml, conf, "query", true, &s->query, err);
	if (rc)
		return rc;
	s->by_mark = mark != NULL;
	if (mark)
		rc = adapter_since_read(&s->since, yaml, mark, err);
	if (rc)
		return rc;
	if (mark && complete)
		return bus_yaml_fail(
		    yaml, mark, err,
		    "a query since a mark is not the whole register: leave out `mark`, or `complete`");
	if (mark && count_marks(s->query) == 0)
		return bus_yaml_fail(
		    yaml, query, err,
		    "with `mark` the query needs a `?` where the mark belongs: ... WHERE %s > ? ORDER BY %s",
		    s->since.column, s->since.column);
	if (!mark && count_marks(s->query) > 0)
		return bus_yaml_fail(yaml, query, err,
				     "the query has a `?`, and there is no `mark` to put there");
	return BUS_OK;
}

static enum bus_err sql_open(struct bus_yaml *yaml, struct bus_yaml_node *conf, bool complete,
			     const atomic_bool *stop, void **fetch, struct bus_error *err)
{
	struct sql *s = bus_xcalloc(1, sizeof(*s));
	const char *timeout = NULL;
	struct bus_error why;
	enum bus_err rc;

	*fetch = NULL;
	s->stop = stop;
	s->query_ms = QUERY_MS;
	pthread_mutex_init(&s->lock, NULL);
	if ((rc = adapter_source_word(yaml, conf, "connection", true, &s->connection, err)) == BUS_OK &&
	    (rc = adapter_source_word(yaml, conf, "password_file", false, &s->password_file, err)) ==
		BUS_OK &&
	    (rc = adapter_source_word(yaml, conf, "timeout", false, &timeout, err)) == BUS_OK &&
	    (rc = read_query(s, yaml, conf, complete, err)) == BUS_OK)
		rc = bus_yaml_no_more(yaml, conf, err);
	if (!rc && timeout && (bus_conf_ms(timeout, &s->query_ms, &why) || s->query_ms < 1000))
		rc = bus_yaml_fail(yaml, bus_yaml_get(conf, "timeout"), err, "timeout: from 1s, such as 10m");
	if (rc) {
		sql_close(s);
		return rc;
	}
	*fetch = s;
	return BUS_OK;
}

/* A row becomes a line; the text of column `keep` stays in s->id, which is empty when it is null. */
static enum bus_err write_row(struct sql *s, int keep, struct bus_error *err)
{
	struct bus_json_out j = { .buf = &s->line };
	enum bus_err rc = BUS_OK;

	bus_buf_reset(&s->line);
	bus_buf_reset(&s->id);
	bus_json_object(&j);
	for (size_t i = 0; i < adapter_odbc_columns(s->db) && !rc; i++) {
		bool null, cut;

		bus_buf_reset(&s->cell);
		/* A cell that is cut makes a line longer than any row may be: it is refused with its line, not shortened. */
		rc = adapter_odbc_text(s->db, i, ADAPTER_ROW_MAX, &s->cell, &null, &cut, err);
		if (rc)
			break;
		bus_json_key(&j, adapter_odbc_column(s->db, i));
		if (null)
			bus_json_put_null(&j);
		else
			bus_json_put_str(&j, bus_buf_str(&s->cell));
		if ((int)i == keep && !null)
			bus_buf_put(&s->id, s->cell.p, s->cell.n);
	}
	bus_json_object_end(&j);
	bus_buf_putc(&s->line, '\n');
	return rc;
}

static enum bus_err put_row(struct sql *s, int mark_at, struct adapter_haul *out, struct bus_error *err)
{
	enum bus_err rc = write_row(s, mark_at, err);

	if (!rc && s->id.n > 0)
		rc = adapter_since_see(&s->since, bus_buf_str(&s->id), err);
	adapter_haul_row(out);
	return rc ? rc : adapter_haul_put(out, bus_buf_str(&s->line), err);
}

static enum bus_err find_column(const struct sql *s, const char *what, const char *name, int *at,
				struct bus_error *err)
{
	const char *names[1024];
	size_t n = adapter_odbc_columns(s->db);
	const char *near;

	*at = -1;
	for (size_t i = 0; i < n; i++) {
		names[i] = adapter_odbc_column(s->db, i);
		if (strcmp(names[i], name) == 0)
			*at = (int)i;
	}
	if (*at >= 0)
		return BUS_OK;
	near = bus_nearest(name, names, n);
	return bus_fail(err, BUS_EINVAL, "%s: the query gives no column '%s'%s%s%s", what, name,
			near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

static enum bus_err read_all(struct sql *s, struct bus_str mark, struct adapter_haul *out,
			     struct bus_error *err)
{
	char from[ADAPTER_SINCE_MAX];
	int mark_at = -1;
	enum bus_err rc = BUS_OK;

	if (s->by_mark)
		rc = adapter_since_begin(&s->since, mark, from, err);
	if (!rc)
		rc = adapter_odbc_run(s->db, s->query, s->by_mark ? from : NULL,
				      (enum adapter_odbc_type)s->since.type, err);
	if (!rc && s->by_mark)
		rc = find_column(s, "mark", s->since.column, &mark_at, err);
	while (!rc) {
		rc = atomic_load(s->stop) ? bus_fail(err, BUS_ESTOPPED, "stopped")
					  : adapter_odbc_next(s->db, err);
		if (!rc)
			rc = put_row(s, mark_at, out, err);
	}
	if (rc != BUS_ENOENT)
		return rc;
	if (s->by_mark)
		adapter_haul_mark(out, adapter_since_mark(&s->since));
	return BUS_OK;
}

/* --- an outbox --------------------------------------------------------------------------------------- */

/* The file that was brought before has been read to its end: its rows are done with. */
static enum bus_err settle(struct sql *s, struct bus_error *err)
{
	struct bus_error why = { 0 };
	enum bus_err rc = BUS_OK;

	for (size_t i = 0; i < s->outbox.n_ranges && !rc; i++) {
		bus_buf_reset(&s->line);
		adapter_outbox_settle_sql(&s->outbox, &s->outbox.range[i], &s->line);
		rc = atomic_load(s->stop) ? bus_fail(&why, BUS_ESTOPPED, "stopped")
					  : adapter_odbc_do(s->db, bus_buf_cstr(&s->line), &why);
	}
	if (rc)
		return bus_fail(err, rc, "outbox: %.300s; the user needs %s on '%s'", why.text,
				s->outbox.after == ADAPTER_AFTER_DELETE ? "DELETE" : "UPDATE",
				s->outbox.table);
	return BUS_OK;
}

static bool whole_number(const struct bus_buf *b, int64_t *out)
{
	bool minus = b->n > 0 && b->p[0] == '-';
	int64_t v = 0;

	for (size_t i = minus; i < b->n; i++)
		if (b->p[i] < '0' || b->p[i] > '9' || __builtin_mul_overflow(v, 10, &v) ||
		    __builtin_add_overflow(v, b->p[i] - '0', &v))
			return false;
	*out = minus ? -v : v;
	return b->n > minus;
}

static enum bus_err look(struct sql *s, struct bus_error *err)
{
	int64_t max;
	bool null, cut;
	enum bus_err rc;

	bus_buf_reset(&s->line);
	bus_buf_reset(&s->cell);
	adapter_outbox_max_sql(&s->outbox, &s->line);
	rc = adapter_odbc_run(s->db, bus_buf_cstr(&s->line), NULL, ADAPTER_ODBC_INTEGER, err);
	if (!rc)
		rc = adapter_odbc_next(s->db, err);
	if (!rc)
		rc = adapter_odbc_text(s->db, 0, 64, &s->cell, &null, &cut, err);
	if (rc || null)
		return rc;
	if (!whole_number(&s->cell, &max))
		return bus_fail(err, BUS_EINVAL, "outbox: '%s' is no column of whole numbers", s->outbox.id);
	adapter_outbox_look(&s->outbox, max, bus_clock_mono_ms());
	return BUS_OK;
}

/* The row's place in the order; it has just been written into s->line. */
static enum bus_err take_row(struct sql *s, struct adapter_haul *out, bool *end, struct bus_error *err)
{
	int64_t id;

	if (!whole_number(&s->id, &id))
		return bus_fail(err, BUS_EINVAL, "outbox: '%s' is no column of whole numbers", s->outbox.id);
	*end = !adapter_outbox_may(&s->outbox, id, bus_clock_mono_ms());
	if (*end)
		return BUS_OK;
	adapter_outbox_take(&s->outbox, id);
	adapter_haul_row(out);
	return adapter_haul_put(out, bus_buf_str(&s->line), err);
}

static enum bus_err read_outbox_rows(struct sql *s, struct bus_str mark, struct adapter_haul *out,
				     struct bus_error *err)
{
	bool end = false;
	int id_at;
	enum bus_err rc = adapter_outbox_begin(&s->outbox, mark, err);

	if (!rc && adapter_haul_accepted(out))
		rc = settle(s, err);
	if (!rc) {
		adapter_outbox_settled(&s->outbox);
		rc = look(s, err);
	}
	bus_buf_reset(&s->line);
	adapter_outbox_rows_sql(&s->outbox, &s->line);
	if (!rc)
		rc = adapter_odbc_run(s->db, bus_buf_cstr(&s->line), NULL, ADAPTER_ODBC_INTEGER, err);
	if (!rc)
		rc = find_column(s, "outbox", s->outbox.id, &id_at, err);
	while (!rc && !end && adapter_haul_rows(out) < ADAPTER_OUTBOX_BATCH) {
		rc = atomic_load(s->stop) ? bus_fail(err, BUS_ESTOPPED, "stopped")
					  : adapter_odbc_next(s->db, err);
		if (!rc)
			rc = write_row(s, id_at, err);
		if (!rc)
			rc = take_row(s, out, &end, err);
	}
	if (rc && rc != BUS_ENOENT)
		return rc;
	if (adapter_haul_rows(out) == ADAPTER_OUTBOX_BATCH ||
	    (adapter_haul_rows(out) > 0 && s->outbox.after != ADAPTER_AFTER_KEEP))
		adapter_haul_more(out); /* also to settle these rows soon */
	adapter_haul_mark(out, adapter_outbox_mark(&s->outbox));
	return BUS_OK;
}

static void hold(struct sql *s, struct adapter_odbc *db)
{
	pthread_mutex_lock(&s->lock);
	s->db = db;
	pthread_mutex_unlock(&s->lock);
}

static enum bus_err sql_run(void *fetch, struct bus_str mark, struct adapter_haul *out, struct bus_error *err)
{
	struct sql *s = fetch;
	struct adapter_odbc *db = NULL;
	enum bus_err rc =
	    adapter_odbc_connect(s->connection, s->password_file, (int)(s->query_ms / 1000), &db, err);

	if (rc)
		return rc;
	hold(s, db);
	rc = s->by_outbox ? read_outbox_rows(s, mark, out, err) : read_all(s, mark, out, err);
	if (rc && atomic_load(s->stop))
		rc = BUS_ESTOPPED;
	hold(s, NULL);
	adapter_odbc_close(&db);
	return rc;
}

static void sql_wake(void *fetch)
{
	struct sql *s = fetch;

	pthread_mutex_lock(&s->lock);
	if (s->db)
		adapter_odbc_cancel(s->db);
	pthread_mutex_unlock(&s->lock);
}

const struct adapter_fetch_kind adapter_fetch_sql = {
	.name = "sql",
	.ending = ".jsonl",
	.open = sql_open,
	.run = sql_run,
	.wake = sql_wake,
	.close = sql_close,
};
