/* Reading views: a read-only connection per thread, its statements kept by their text. */
#include "gateway/engine/read.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>

#include "bus/clock.h"
#include "gateway/engine/core.h"

#define STATEMENTS_MAX 64
#define READER_CACHE (4 * 1024 * 1024)
#define DEADLINE_MS 10000
#define DRIVEN_ROWS_MAX 2000 /* with filters: keys evaluated one by one, if no more than these */
#define KEYS_A_TURN 256

struct kept {
	char *sql;
	struct gw_stmt *stmt;
	uint64_t used;
};

struct gw_reader {
	struct gw_engine *e;
	struct gw_db *db; /* opened at first use */
	struct gw_reader *next;
	struct kept kept[STATEMENTS_MAX];
	uint64_t clock;
	struct gw_value *value; /* of one row */
	size_t n_values;
	struct bus_buf packed, sql, pattern;
	struct gw_keys keys;
};

struct gw_engine *gw_reader_engine(struct gw_reader *r)
{
	return r->e;
}

struct gw_db *gw_reader_db(struct gw_reader *r)
{
	return r->db;
}

struct gw_reader *gw_reader_of(struct gw_engine *e)
{
	struct gw_reader *r = pthread_getspecific(e->reader_key);

	if (r)
		return r;
	r = bus_xcalloc(1, sizeof(*r));
	r->e = e;
	pthread_setspecific(e->reader_key, r);
	pthread_mutex_lock(&e->lock);
	r->next = e->readers;
	e->readers = r;
	pthread_mutex_unlock(&e->lock);
	return r;
}

void gw_readers_free(struct gw_engine *e)
{
	struct gw_reader *r;

	while ((r = e->readers)) {
		e->readers = r->next;
		for (size_t i = 0; i < STATEMENTS_MAX; i++) {
			gw_stmt_free(&r->kept[i].stmt);
			free(r->kept[i].sql);
		}
		gw_db_close(&r->db);
		free(r->value);
		bus_buf_release(&r->packed);
		bus_buf_release(&r->sql);
		bus_buf_release(&r->pattern);
		gw_keys_release(&r->keys);
		free(r);
	}
}

enum bus_err gw_reader_stmt(struct gw_reader *r, const char *sql, struct gw_stmt **out, struct bus_error *err)
{
	struct kept *k, *oldest = &r->kept[0];
	enum bus_err rc;

	*out = NULL;
	if (!r->db) {
		rc = gw_db_open(r->e->db_path, GW_DB_READER, READER_CACHE, &r->db, err);
		if (rc != BUS_OK)
			return rc;
	}
	gw_db_deadline(r->db, DEADLINE_MS);
	for (size_t i = 0; i < STATEMENTS_MAX; i++) {
		k = &r->kept[i];
		if (k->sql && strcmp(k->sql, sql) == 0) {
			k->used = ++r->clock;
			*out = k->stmt;
			return BUS_OK;
		}
		if (k->used < oldest->used)
			oldest = k;
	}
	gw_stmt_free(&oldest->stmt);
	free(oldest->sql);
	oldest->sql = NULL;
	oldest->used = 0;
	rc = gw_db_prepare(r->db, sql, &oldest->stmt, err);
	if (rc != BUS_OK)
		return rc;
	oldest->sql = bus_xstrdup(sql);
	oldest->used = ++r->clock;
	*out = oldest->stmt;
	return BUS_OK;
}

static struct gw_live *live_of(struct gw_engine *e, const struct gw_view *v)
{
	for (size_t i = 0; i < e->n_views; i++) {
		if (&e->view[i].def->pub == v)
			return &e->view[i];
	}
	assert(!"a view of this engine");
	return NULL;
}

static void take_value(struct gw_stmt *s, int i, enum gw_type declared, struct gw_value *out)
{
	gw_stmt_value(s, i, out);
	if (declared == GW_BOOL && out->type == GW_INT) {
		out->type = GW_BOOL;
		out->i = out->i != 0;
	} else if (declared == GW_JSON && out->type == GW_TEXT) {
		out->type = GW_JSON;
	} else if (declared == GW_REAL && out->type == GW_INT) {
		out->type = GW_REAL;
		out->r = (double)out->i;
	}
}

static const struct gw_value *take_row(struct gw_reader *r, const struct gw_view *v, struct gw_stmt *s,
				       uint64_t *hash)
{
	if (r->n_values < v->n_columns) {
		r->value = bus_xrealloc(r->value, v->n_columns * sizeof(*r->value));
		r->n_values = v->n_columns;
	}
	bus_buf_reset(&r->packed);
	gw_stmt_pack(s, &r->packed);
	*hash = gw_hash(r->e->secret, r->packed.p, r->packed.n);
	for (size_t i = 0; i < v->n_columns; i++)
		take_value(s, (int)i, v->column[i].type, &r->value[i]);
	return r->value;
}

static enum bus_err check_date(const struct gw_view *v, const char *date, struct bus_error *err)
{
	int y, m, d, n = 0;
	int32_t days;

	if (!v->dated)
		return BUS_OK;
	if (!date)
		return bus_fail(err, BUS_EINVAL, "view '%s' is of a day: per_tanggal is missing", v->name);
	if (strlen(date) != 10 || sscanf(date, "%4d-%2d-%2d%n", &y, &m, &d, &n) != 3 || n != 10 ||
	    strspn(date, "0123456789-") != 10 || !bus_clock_days(y, m, d, &days))
		return bus_fail(err, BUS_EINVAL, "per_tanggal is not a day like 2025-12-31");
	return BUS_OK;
}

static void put_filter(struct bus_buf *b, const struct gw_view *v, const struct gw_filter *f, size_t i)
{
	static const char *const op[] = {
		[GW_EQ] = "=", [GW_NEQ] = "<>", [GW_LT] = "<", [GW_LTE] = "<=", [GW_GT] = ">", [GW_GTE] = ">="
	};
	const char *name = v->column[f->column].name;

	bus_buf_printf(b, " AND \"%s\" ", name);
	switch (f->op) {
	case GW_IS_NULL:
		bus_buf_puts(b, "IS NULL");
		break;
	case GW_NOT_NULL:
		bus_buf_puts(b, "IS NOT NULL");
		break;
	case GW_LIKE:
		bus_buf_printf(b, "LIKE :_f%zu_0 ESCAPE '\\'", i);
		break;
	case GW_IN:
		bus_buf_puts(b, "IN (");
		for (size_t k = 0; k < f->n; k++)
			bus_buf_printf(b, "%s:_f%zu_%zu", k ? "," : "", i, k);
		bus_buf_putc(b, ')');
		break;
	default:
		bus_buf_printf(b, "%s :_f%zu_0", op[f->op], i);
		break;
	}
}

static enum bus_err bind_one(struct gw_stmt *s, int at, const struct gw_column *c, const char *text,
			     struct bus_error *err)
{
	char *end = NULL;
	long long i;
	double x;

	switch (c->type) {
	case GW_INT:
		errno = 0;
		i = strtoll(text, &end, 10);
		if (end == text || *end != '\0' || errno)
			return bus_fail(err, BUS_EINVAL, "column '%s' wants a whole number", c->name);
		gw_stmt_bind_int(s, at, i);
		return BUS_OK;
	case GW_REAL:
		x = strtod(text, &end);
		if (end == text || *end != '\0')
			return bus_fail(err, BUS_EINVAL, "column '%s' wants a number", c->name);
		gw_stmt_bind_real(s, at, x);
		return BUS_OK;
	case GW_BOOL:
		if (strcmp(text, "true") != 0 && strcmp(text, "false") != 0)
			return bus_fail(err, BUS_EINVAL, "column '%s' wants true or false", c->name);
		gw_stmt_bind_int(s, at, text[0] == 't');
		return BUS_OK;
	default:
		gw_stmt_bind_text(s, at, bus_str(text));
		return BUS_OK;
	}
}

static enum bus_err bind_filters(struct gw_reader *r, struct gw_stmt *s, const struct gw_query *q,
				 struct bus_error *err)
{
	enum bus_err rc = BUS_OK;
	char name[56];

	for (size_t i = 0; i < q->n_filters && rc == BUS_OK; i++) {
		const struct gw_filter *f = &q->filter[i];
		const struct gw_column *c = &q->view->column[f->column];
		size_t n = f->op == GW_IN ? f->n : f->op == GW_IS_NULL || f->op == GW_NOT_NULL ? 0 : 1;

		if (f->op == GW_LIKE) {
			if (c->type != GW_TEXT && c->type != GW_JSON)
				return bus_fail(err, BUS_EINVAL, "column '%s' is no text", c->name);
			bus_buf_reset(&r->pattern);
			for (const char *p = f->value[0]; *p; p++) {
				if (*p == '%' || *p == '_' || *p == '\\')
					bus_buf_putc(&r->pattern, '\\');
				bus_buf_putc(&r->pattern, *p == '*' ? '%' : *p);
			}
			snprintf(name, sizeof(name), ":_f%zu_0", i);
			/* A second pattern would move the first: each gets its own copy. */
			gw_stmt_bind_copy(s, gw_stmt_param(s, name), bus_buf_str(&r->pattern));
			continue;
		}
		for (size_t k = 0; k < n && rc == BUS_OK; k++) {
			snprintf(name, sizeof(name), ":_f%zu_%zu", i, k);
			rc = bind_one(s, gw_stmt_param(s, name), c, f->value[k], err);
		}
	}
	return rc;
}

enum shape { ONE_KEY, KEYS_AFTER, COUNT };

static enum bus_err prepare_query(struct gw_reader *r, const struct gw_query *q, enum shape shape,
				  struct gw_stmt **out, struct bus_error *err)
{
	struct gw_live *live = live_of(r->e, q->view);
	const char *key = q->view->column[q->view->key].name;
	struct bus_buf *b = &r->sql;
	enum bus_err rc;

	bus_buf_reset(b);
	if (shape == COUNT)
		bus_buf_puts(b, "SELECT count(*) FROM (");
	if (live->def->full) {
		bus_buf_puts(b, "SELECT ");
		for (size_t i = 0; i < q->view->n_columns; i++)
			bus_buf_printf(b, "%s\"%s\"", i ? "," : "", q->view->column[i].name);
		bus_buf_printf(b, " FROM \"%s\" ", q->view->name);
	} else {
		gw_view_select(live->def, b);
	}
	bus_buf_printf(b, "WHERE \"%s\" %s :_key", key, shape == ONE_KEY ? "=" : ">");
	for (size_t i = 0; i < q->n_filters; i++)
		put_filter(b, q->view, &q->filter[i], i);
	if (shape == KEYS_AFTER)
		bus_buf_printf(b, " ORDER BY \"%s\" LIMIT :_limit", key);
	if (shape == COUNT)
		bus_buf_putc(b, ')');
	rc = gw_reader_stmt(r, bus_buf_cstr(b), out, err);
	if (rc != BUS_OK)
		return rc;
	if (q->date)
		gw_stmt_bind_text(*out, gw_stmt_param(*out, ":per_tanggal"), bus_str(q->date));
	return bind_filters(r, *out, q, err);
}

static enum bus_err begin_read(struct gw_reader *r, struct bus_error *err)
{
	struct gw_stmt *s;
	enum bus_err rc = gw_reader_stmt(r, "SELECT 1", &s, err); /* opens the connection */

	return rc == BUS_OK ? gw_db_exec(r->db, err, "BEGIN") : rc;
}

/* Keys from the view's state, each evaluated alone: what a page costs does not depend on the planner. */
static enum bus_err page_driven(struct gw_reader *r, const struct gw_query *q, gw_row_fn fn, void *ctx,
				struct bus_error *err)
{
	struct gw_stmt *keys, *one;
	struct bus_buf after = { 0 };
	const struct gw_value *value;
	int left = q->limit;
	char sql[200];
	uint64_t hash;
	enum bus_err rc;
	bool row, end = false;

	snprintf(sql, sizeof(sql),
		 "SELECT key FROM \"_view_%s\" WHERE key > ? AND hash IS NOT NULL ORDER BY key "
		 "LIMIT %d",
		 q->view->name, KEYS_A_TURN);
	bus_buf_put(&after, q->after.p, q->after.n);
	rc = begin_read(r, err);
	while (rc == BUS_OK && left > 0 && !end) {
		gw_keys_clear(&r->keys);
		rc = gw_reader_stmt(r, sql, &keys, err);
		if (rc != BUS_OK)
			break;
		gw_stmt_bind_text(keys, 1, bus_buf_str(&after));
		while ((rc = gw_stmt_step(keys, &row, err)) == BUS_OK && row)
			gw_keys_add(&r->keys, gw_stmt_text(keys, 0));
		gw_stmt_reset(keys);
		if (rc == BUS_OK)
			rc = prepare_query(r, q, ONE_KEY, &one, err);
		end = r->keys.n < KEYS_A_TURN;
		for (size_t i = 0; i < r->keys.n && rc == BUS_OK && left > 0; i++) {
			gw_stmt_bind_text(one, gw_stmt_param(one, ":_key"), gw_keys_at(&r->keys, i));
			rc = gw_stmt_step(one, &row, err);
			if (rc == BUS_OK && row) {
				value = take_row(r, q->view, one, &hash);
				left = fn(ctx, value, hash) ? left - 1 : 0;
			}
			gw_stmt_reset(one);
		}
		if (r->keys.n > 0) {
			struct bus_str last = gw_keys_at(&r->keys, r->keys.n - 1);

			bus_buf_reset(&after);
			bus_buf_put(&after, last.p, last.n);
		}
	}
	if (r->db)
		gw_db_rollback(r->db);
	bus_buf_release(&after);
	return rc;
}

enum bus_err gw_page(struct gw_reader *r, const struct gw_query *q, gw_row_fn fn, void *ctx,
		     struct bus_error *err)
{
	struct gw_live *live = live_of(r->e, q->view);
	const struct gw_value *value;
	struct gw_stmt *s;
	uint64_t hash;
	enum bus_err rc;
	bool row;

	rc = check_date(q->view, q->date, err);
	if (rc != BUS_OK)
		return rc;
	if (!live->def->full && live->def->pace == GW_PACE_ROW &&
	    ((!q->view->dated && q->n_filters == 0) || atomic_load(&live->public_rows) <= DRIVEN_ROWS_MAX))
		return page_driven(r, q, fn, ctx, err);
	rc = prepare_query(r, q, KEYS_AFTER, &s, err);
	if (rc != BUS_OK)
		return rc;
	gw_stmt_bind_text(s, gw_stmt_param(s, ":_key"), q->after);
	gw_stmt_bind_int(s, gw_stmt_param(s, ":_limit"), q->limit);
	while ((rc = gw_stmt_step(s, &row, err)) == BUS_OK && row) {
		value = take_row(r, q->view, s, &hash);
		if (!fn(ctx, value, hash))
			break;
	}
	gw_stmt_reset(s);
	return rc;
}

/* *value NULL: no such row. *s stands on it: to be reset by the caller. */
static enum bus_err get_one(struct gw_reader *r, const struct gw_query *q, struct bus_str key,
			    const struct gw_value **value, uint64_t *hash, struct gw_stmt **s,
			    struct bus_error *err)
{
	enum bus_err rc;
	bool row;

	*value = NULL;
	rc = prepare_query(r, q, ONE_KEY, s, err);
	if (rc != BUS_OK)
		return rc;
	gw_stmt_bind_text(*s, gw_stmt_param(*s, ":_key"), key);
	rc = gw_stmt_step(*s, &row, err);
	if (rc == BUS_OK && row)
		*value = take_row(r, q->view, *s, hash);
	return rc;
}

enum bus_err gw_get(struct gw_reader *r, const struct gw_view *v, const char *date, struct bus_str key,
		    gw_row_fn fn, void *ctx, struct bus_error *err)
{
	struct gw_query q = { .view = v, .date = date };
	const struct gw_value *value;
	struct gw_stmt *s = NULL;
	uint64_t hash;
	enum bus_err rc;

	rc = check_date(v, date, err);
	if (rc == BUS_OK)
		rc = get_one(r, &q, key, &value, &hash, &s, err);
	if (rc == BUS_OK && !value)
		rc = bus_fail(err, BUS_ENOENT, "view '%s' has no such row", v->name);
	if (rc == BUS_OK)
		fn(ctx, value, hash);
	if (s)
		gw_stmt_reset(s);
	return rc;
}

enum bus_err gw_count(struct gw_reader *r, const struct gw_query *q, int64_t *n, struct bus_error *err)
{
	struct gw_live *live = live_of(r->e, q->view);
	struct gw_stmt *s;
	enum bus_err rc;
	bool row;

	*n = atomic_load(&live->public_rows);
	rc = check_date(q->view, q->date, err);
	if (rc != BUS_OK || (q->n_filters == 0 && !q->view->dated))
		return rc;
	rc = prepare_query(r, q, COUNT, &s, err);
	if (rc != BUS_OK)
		return rc;
	gw_stmt_bind_text(s, gw_stmt_param(s, ":_key"), BUS_STR(""));
	rc = gw_stmt_step(s, &row, err);
	if (rc == BUS_OK)
		*n = gw_stmt_int(s, 0);
	gw_stmt_reset(s);
	return rc;
}

enum bus_err gw_changes(struct gw_reader *r, const struct gw_view *v, const char *date, int64_t after,
			int limit, gw_change_fn fn, void *ctx, int64_t *last, struct bus_error *err)
{
	struct gw_query q = { .view = v, .date = date };
	struct gw_stmt *log, *newest, *one = NULL;
	struct gw_change c;
	bool row, more = true;
	char sql[400];
	int n = 0;
	enum bus_err rc;

	*last = after;
	rc = check_date(v, date, err);
	if (rc == BUS_OK)
		rc = begin_read(r, err);
	if (rc != BUS_OK)
		return rc;
	/* An entry that its key has outlived is passed over: the newest one of the key comes later. */
	snprintf(sql, sizeof(sql),
		 "SELECT l.seq, l.key, s.hash IS NULL FROM \"_log_%s\" l CROSS JOIN \"_view_%s\" s ON s.key "
		 "= l.key "
		 "AND s.seq = l.seq WHERE l.seq > ? ORDER BY l.seq LIMIT ?",
		 v->name, v->name);
	rc = gw_reader_stmt(r, sql, &log, err);
	if (rc != BUS_OK)
		goto out;
	gw_stmt_bind_int(log, 1, after);
	gw_stmt_bind_int(log, 2, limit);
	while (more && (rc = gw_stmt_step(log, &row, err)) == BUS_OK && row) {
		c = (struct gw_change){ .seq = gw_stmt_int(log, 0),
					.key = gw_stmt_text(log, 1),
					.removed = true };
		n++;
		*last = c.seq;
		if (gw_stmt_int(log, 2) == 0) {
			rc = get_one(r, &q, c.key, &c.value, &c.hash, &one, err);
			c.removed = !c.value;
		}
		if (rc != BUS_OK)
			break;
		if (!c.removed || after > 0)
			more = fn(ctx, &c);
		if (one)
			gw_stmt_reset(one);
		one = NULL;
	}
	if (one)
		gw_stmt_reset(one);
	gw_stmt_reset(log);
	if (rc == BUS_OK && more && n < limit) {
		rc = gw_reader_stmt(r, "SELECT value FROM _meta WHERE name = 'seq'", &newest, err);
		if (rc == BUS_OK && (rc = gw_stmt_step(newest, &row, err)) == BUS_OK && row &&
		    strtoll(gw_stmt_text(newest, 0).p, NULL, 10) > *last)
			*last = strtoll(gw_stmt_text(newest, 0).p, NULL, 10);
		if (newest)
			gw_stmt_reset(newest);
	}
out:
	gw_db_rollback(r->db);
	return rc;
}
