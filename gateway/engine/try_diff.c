#include "gateway/engine/try_diff.h"

#include "bus/clock.h"

#define TELL_ROWS 2000

struct side { /* a definition's rows, in the order of their keys */
	const struct gw_def *d;
	struct gw_stmt *s; /* NULL: none */
	bool row;
	struct bus_buf key, last;
	int64_t rows, without_key, same_key;
};

struct diff {
	struct side now, before;
	int64_t added, changed, removed, looked;
	int64_t column[GW_COLUMNS_MAX]; /* of now: rows in which it differs */
	int64_t wrong[GW_COLUMNS_MAX];	/* of now: values that are not of its type */
	int other[GW_COLUMNS_MAX];	/* of now: its place in before; -1: new */
	gw_diff_fn fn;
	void *ctx;
};

static enum bus_err open_side(struct gw_db *db, struct side *a, const struct gw_def *d, struct bus_error *err)
{
	struct bus_buf sql = { 0 };
	enum bus_err rc;

	a->d = d;
	if (!d)
		return BUS_OK;
	gw_view_select(d, &sql);
	bus_buf_printf(&sql, "ORDER BY \"%s\"", d->pub.column[d->pub.key].name);
	rc = gw_db_prepare(db, bus_buf_cstr(&sql), &a->s, err);
	bus_buf_release(&sql);
	return rc;
}

/* To the next row with a key of its own. */
static enum bus_err advance(struct side *a, struct bus_error *err)
{
	struct bus_buf swap = a->last;
	struct gw_value v;
	enum bus_err rc;

	a->last = a->key;
	a->key = swap;
	for (;;) {
		if (!a->s) {
			a->row = false;
			return BUS_OK;
		}
		rc = gw_stmt_step(a->s, &a->row, err);
		if (rc != BUS_OK || !a->row)
			return rc;
		gw_stmt_value(a->s, (int)a->d->pub.key, &v);
		if (v.type != GW_TEXT || v.s.n == 0) {
			a->without_key++;
			continue;
		}
		bus_buf_reset(&a->key);
		bus_buf_put(&a->key, v.s.p, v.s.n);
		if (a->rows > 0 && bus_str_eq(bus_buf_str(&a->key), bus_buf_str(&a->last))) {
			a->same_key++;
			continue;
		}
		a->rows++;
		return BUS_OK;
	}
}

static bool equal(const struct gw_value *a, const struct gw_value *b)
{
	if (a->type != b->type)
		return false;
	return a->type == GW_TEXT ? bus_str_eq(a->s, b->s) : a->type == GW_REAL ? a->r == b->r : a->i == b->i;
}

static bool fits(const struct gw_value *v, enum gw_type want)
{
	return v->type == GW_NULL || v->type == want || (want == GW_JSON && v->type == GW_TEXT) ||
	       (want == GW_REAL && v->type == GW_INT) ||
	       (want == GW_BOOL && v->type == GW_INT && (v->i == 0 || v->i == 1));
}

static void look_at_types(struct diff *f)
{
	struct gw_value v;

	for (size_t i = 0; i < f->now.d->pub.n_columns; i++) {
		gw_stmt_value(f->now.s, (int)i, &v);
		f->wrong[i] += !fits(&v, f->now.d->pub.column[i].type);
	}
}

static void compare_rows(struct diff *f)
{
	struct gw_value a, b;
	bool differ = f->now.d->pub.n_columns != f->before.d->pub.n_columns;

	for (size_t i = 0; i < f->now.d->pub.n_columns; i++) {
		if (f->other[i] < 0) {
			differ = true;
			continue;
		}
		gw_stmt_value(f->now.s, (int)i, &a);
		gw_stmt_value(f->before.s, f->other[i], &b);
		if (!equal(&a, &b)) {
			f->column[i]++;
			differ = true;
		}
	}
	f->changed += differ;
}

static int order(const struct diff *f)
{
	struct bus_str a = bus_buf_str(&f->now.key), b = bus_buf_str(&f->before.key);
	int c;

	if (!f->now.row || !f->before.row)
		return f->now.row ? -1 : 1;
	c = memcmp(a.p, b.p, a.n < b.n ? a.n : b.n);
	return c ? c : (a.n > b.n) - (a.n < b.n);
}

static enum bus_err walk(struct diff *f, struct bus_error *err)
{
	enum bus_err rc = advance(&f->now, err);
	int c;

	if (rc == BUS_OK)
		rc = advance(&f->before, err);
	while (rc == BUS_OK && (f->now.row || f->before.row)) {
		c = order(f);
		f->added += c < 0;
		f->removed += c > 0;
		if (c <= 0)
			look_at_types(f);
		if (c == 0)
			compare_rows(f);
		if (++f->looked % TELL_ROWS == 0)
			f->fn(f->ctx, f->looked);
		if (c <= 0)
			rc = advance(&f->now, err);
		if (rc == BUS_OK && c >= 0)
			rc = advance(&f->before, err);
	}
	return rc;
}

static int place_of(const struct gw_def *d, const char *name)
{
	for (size_t i = 0; d && i < d->pub.n_columns; i++) {
		if (strcmp(d->pub.column[i].name, name) == 0)
			return (int)i;
	}
	return -1;
}

/* Of so few rows a condition may have picked one person: null, and none is not told from one. */
static void put_rows(struct bus_json_out *j, const char *key, int64_t rows)
{
	bus_json_key(j, key);
	if (rows < GW_DIFF_FEW)
		bus_json_put_null(j);
	else
		bus_json_put_int(j, rows);
}

static void put_column(struct bus_json_out *j, const char *name, const char *what, int64_t rows,
		       int64_t wrong)
{
	bus_json_object(j);
	bus_json_text_member(j, "name", name);
	bus_json_text_member(j, "what", what);
	put_rows(j, "rows", rows);
	put_rows(j, "wrong_type", wrong);
	bus_json_object_end(j);
}

static void put(const struct diff *f, bool complete, int64_t ms, struct bus_json_out *j)
{
	const struct gw_view *now = &f->now.d->pub, *before = f->before.d ? &f->before.d->pub : NULL;

	bus_json_key(j, "complete");
	bus_json_put_bool(j, complete);
	bus_json_int_member(j, "ms", ms);
	bus_json_int_member(j, "few_below", GW_DIFF_FEW);
	if (before)
		put_rows(j, "rows_before", f->before.rows);
	else
		bus_json_int_member(j, "rows_before", 0);
	put_rows(j, "rows_now", f->now.rows);
	put_rows(j, "added", f->added);
	if (before) {
		put_rows(j, "changed", f->changed);
		put_rows(j, "removed", f->removed);
	} else { /* of no rows none can be */
		bus_json_int_member(j, "changed", 0);
		bus_json_int_member(j, "removed", 0);
	}
	put_rows(j, "without_key", f->now.without_key);
	put_rows(j, "same_key", f->now.same_key);
	bus_json_key(j, "columns");
	bus_json_array(j);
	for (size_t i = 0; i < now->n_columns; i++)
		put_column(j, now->column[i].name,
			   !before						     ? "new"
			   : f->other[i] < 0					     ? "new"
			   : f->column[i] >= GW_DIFF_FEW			     ? "changed"
			   : before->column[f->other[i]].type != now->column[i].type ? "retyped"
										     : "same",
			   f->column[i], f->wrong[i]);
	for (size_t i = 0; before && i < before->n_columns; i++) {
		if (place_of(f->now.d, before->column[i].name) < 0)
			put_column(j, before->column[i].name, "gone", 0, 0);
	}
	bus_json_array_end(j);
}

static void close_side(struct side *a)
{
	gw_stmt_free(&a->s);
	bus_buf_release(&a->key);
	bus_buf_release(&a->last);
}

enum bus_err gw_try_diff(struct gw_db *db, const struct gw_def *now, const struct gw_def *before, int ms,
			 gw_diff_fn fn, void *ctx, struct bus_json_out *j, struct bus_error *err)
{
	struct diff f = { .fn = fn, .ctx = ctx };
	int64_t begin = bus_clock_mono_ms();
	enum bus_err rc;

	for (size_t i = 0; i < now->pub.n_columns; i++)
		f.other[i] = place_of(before, now->pub.column[i].name);
	gw_db_deadline(db, ms);
	rc = open_side(db, &f.now, now, err);
	if (rc == BUS_OK)
		rc = open_side(db, &f.before, before, err);
	if (rc == BUS_OK)
		rc = walk(&f, err);
	gw_db_deadline(db, 0);
	if (rc == BUS_OK || rc == BUS_ETIMEOUT)
		put(&f, rc == BUS_OK, bus_clock_mono_ms() - begin, j);
	close_side(&f.now);
	close_side(&f.before);
	return rc == BUS_ETIMEOUT ? BUS_OK : rc;
}
