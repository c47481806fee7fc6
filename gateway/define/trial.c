#include "gateway/define/trial.h"

#include <stdio.h>

#include "bus/clock.h"
#include "gateway/define/trial_rows.h"
#include "gateway/store/hash.h"
#include "gateway/store/keys.h"

#define ROWS 12		 /* of a table, to begin with */
#define CHANGES 60	 /* of a table at least, and */
#define CHANGES_MAX 600	 /* until */
#define MATTERED 12	 /* of them altered the view */
#define OUTPUT_MAX 20000 /* rows of the view that are looked at */
#define IMAGE_MAX 256	 /* columns of a table that a route may need */

struct state { /* the view's rows: key -> hash, in the order of keys */
	struct gw_keys key;
	uint64_t *hash;
};

struct image { /* a row before or after its change */
	struct gw_value *value;
	struct bus_arena *arena; /* with the values' texts; NULL: no such row */
};

struct trial {
	struct gw_db *db;
	const struct gw_def *d;
	const struct gw_world *w;
	struct gw_maker *maker;
	struct gw_stmt *all, *one;
	struct gw_stmt **route; /* those that are SELECTs */
	struct state before, after;
	struct bus_buf sql;
	struct gw_trial *out;
	struct bus_error *err;
	int64_t until;
};

static void state_release(struct state *s)
{
	gw_keys_release(&s->key);
	free(s->hash);
	*s = (struct state){ 0 };
}

/* --- the view, computed from nothing ------------------------------------------------------------------ */

static void look_at_types(struct trial *t)
{
	struct gw_value v;

	for (size_t i = 0; i < t->d->pub.n_columns; i++) {
		enum gw_type want = t->d->pub.column[i].type;

		gw_stmt_value(t->all, (int)i, &v);
		if (v.type == GW_NULL || v.type == want || (want == GW_JSON && v.type == GW_TEXT) ||
		    (want == GW_REAL && v.type == GW_INT) ||
		    (want == GW_BOOL && v.type == GW_INT && (v.i == 0 || v.i == 1)))
			continue;
		t->out->wrong_type++;
		t->out->wrong_column = (int)i;
	}
}

static enum bus_err evaluate(struct trial *t, struct state *out)
{
	static const struct gw_hash_key fixed = { 1, 2 };
	struct bus_buf row = { 0 };
	struct gw_value key;
	enum bus_err rc;
	bool more;

	state_release(out);
	gw_stmt_reset(t->all);
	while ((rc = gw_stmt_step(t->all, &more, t->err)) == BUS_OK && more && out->key.n < OUTPUT_MAX) {
		look_at_types(t);
		gw_stmt_value(t->all, (int)t->d->pub.key, &key);
		if (key.type != GW_TEXT || key.s.n == 0) {
			t->out->nulls++;
			continue;
		}
		if (!gw_keys_add(&out->key, key.s)) {
			t->out->twice++;
			continue;
		}
		if ((out->key.n & (out->key.n - 1)) == 0)
			out->hash = bus_xrealloc(out->hash, out->key.n * 2 * sizeof(*out->hash));
		bus_buf_reset(&row);
		gw_stmt_pack(t->all, &row);
		out->hash[out->key.n - 1] = gw_hash(fixed, row.p, row.n);
	}
	gw_stmt_reset(t->all);
	bus_buf_release(&row);
	return rc;
}

static bool find(const struct state *s, struct bus_str key, uint64_t *hash)
{
	for (size_t i = 0; i < s->key.n; i++) {
		if (bus_str_eq(gw_keys_at(&s->key, i), key)) {
			*hash = s->hash[i];
			return true;
		}
	}
	return false;
}

/* Keys whose row is other, new or gone. */
static void differences(const struct state *a, const struct state *b, struct gw_keys *out)
{
	uint64_t hash;

	for (size_t i = 0; i < a->key.n; i++) {
		if (!find(b, gw_keys_at(&a->key, i), &hash) || hash != a->hash[i])
			gw_keys_add(out, gw_keys_at(&a->key, i));
	}
	for (size_t i = 0; i < b->key.n; i++) {
		if (!find(a, gw_keys_at(&b->key, i), &hash))
			gw_keys_add(out, gw_keys_at(&b->key, i));
	}
}

/* --- what the routes give ----------------------------------------------------------------------------- */

static enum bus_err ask_route(struct trial *t, size_t r, const struct gw_world_table *table,
			      const struct image *image, struct gw_keys *out)
{
	const struct gw_route_def *route = &t->d->route[r];
	struct gw_stmt *s = t->route[r];
	struct gw_value v;
	enum bus_err rc;
	bool more;

	if (route->column) {
		v = image->value[gw_world_column(table, route->column)];
		if (v.type == GW_TEXT && v.s.n > 0)
			gw_keys_add(out, v.s);
		return BUS_OK;
	}
	gw_stmt_reset(s);
	for (int i = 1; i <= gw_stmt_params(s); i++) {
		v = image->value[gw_world_column(table, gw_stmt_param_name(s, i) + 1)];
		gw_stmt_bind_value(s, i, &v);
	}
	while ((rc = gw_stmt_step(s, &more, t->err)) == BUS_OK && more) {
		gw_stmt_value(s, 0, &v);
		if (v.type == GW_TEXT && v.s.n > 0)
			gw_keys_add(out, v.s);
	}
	gw_stmt_reset(s);
	return rc;
}

static enum bus_err ask_routes(struct trial *t, const struct gw_world_table *table, const struct image *image,
			       struct gw_keys *out)
{
	enum bus_err rc = BUS_OK;

	if (!image->arena)
		return BUS_OK;
	for (size_t r = 0; r < t->d->n_routes && rc == BUS_OK; r++) {
		if (strcmp(t->d->route[r].table, table->name) == 0)
			rc = ask_route(t, r, table, image, out);
	}
	return rc;
}

/* --- changes ------------------------------------------------------------------------------------------ */

static enum bus_err run(struct trial *t)
{
	return gw_db_exec(t->db, t->err, "%s", bus_buf_cstr(&t->sql));
}

static bool is_key(const struct gw_world_table *table, size_t column)
{
	const char *name = table->column[column].name;

	return strcmp(name, table->key) == 0 || (table->twin && strcmp(name, table->twin) == 0);
}

static enum bus_err put_row(struct trial *t, const struct gw_world_table *table, const struct bus_buf *key)
{
	bus_buf_reset(&t->sql);
	bus_buf_printf(&t->sql, "INSERT OR REPLACE INTO \"%s\" VALUES(", table->name);
	for (size_t i = 0; i < table->n_columns; i++) {
		bus_buf_puts(&t->sql, i ? "," : "");
		if (is_key(table, i))
			bus_buf_put(&t->sql, key->p, key->n);
		else
			gw_maker_value(t->maker, table, i, &t->sql);
	}
	bus_buf_putc(&t->sql, ')');
	return run(t);
}

static enum bus_err take_image(struct trial *t, const struct gw_world_table *table, const struct bus_buf *key,
			       struct image *out)
{
	struct gw_stmt *s = NULL;
	enum bus_err rc;
	bool row = false;

	bus_buf_reset(&t->sql);
	bus_buf_printf(&t->sql, "SELECT * FROM \"%s\" WHERE \"%s\" = %.*s", table->name, table->key,
		       (int)key->n, key->p);
	rc = gw_db_prepare(t->db, bus_buf_cstr(&t->sql), &s, t->err);
	if (rc == BUS_OK)
		rc = gw_stmt_step(s, &row, t->err);
	if (rc == BUS_OK && row) {
		out->arena = bus_arena_new(0); /* of a row that we made up */
		out->value = bus_arena_zalloc(out->arena, table->n_columns * sizeof(*out->value));
		for (size_t i = 0; i < table->n_columns; i++) {
			gw_stmt_value(s, (int)i, &out->value[i]);
			if (out->value[i].type == GW_TEXT)
				out->value[i].s.p =
				    bus_arena_dup(out->arena, out->value[i].s.p, out->value[i].s.n);
		}
	}
	gw_stmt_free(&s);
	return rc;
}

static enum bus_err change(struct trial *t, const struct gw_world_table *table, const struct gw_read *read,
			   const struct bus_buf *key, bool there, char *column)
{
	uint64_t dice = gw_maker_random(t->maker, 10);
	int at;

	column[0] = '\0';
	bus_buf_reset(&t->sql);
	if (there && dice < 2) {
		bus_buf_printf(&t->sql, "DELETE FROM \"%s\" WHERE \"%s\" = %.*s", table->name, table->key,
			       (int)key->n, key->p);
		return run(t);
	}
	if (!there || dice == 2 || read->n == 0)
		return put_row(t, table, key);
	/* one of the columns that the view reads */
	at = gw_world_column(table, read->column[gw_maker_random(t->maker, read->n)]);
	if (at < 0 || is_key(table, (size_t)at))
		return BUS_OK;
	snprintf(column, 64, "%s", table->column[at].name);
	bus_buf_printf(&t->sql, "UPDATE \"%s\" SET \"%s\" = ", table->name, table->column[at].name);
	gw_maker_value(t->maker, table, (size_t)at, &t->sql);
	bus_buf_printf(&t->sql, " WHERE \"%s\" = %.*s", table->key, (int)key->n, key->p);
	return run(t);
}

static enum bus_err evaluate_one(struct trial *t, struct bus_str key, struct gw_trial_table *x)
{
	enum bus_err rc = BUS_OK;
	int64_t steps;
	bool more = true;

	(void)gw_stmt_steps(t->one);
	gw_stmt_bind_text(t->one, gw_stmt_param(t->one, ":_key"), key);
	while (rc == BUS_OK && more)
		rc = gw_stmt_step(t->one, &more, t->err);
	gw_stmt_reset(t->one);
	steps = gw_stmt_steps(t->one);
	x->steps = steps > x->steps ? steps : x->steps;
	return rc;
}

static enum bus_err compare(struct trial *t, const struct gw_world_table *table, const struct image *was,
			    const struct image *is, const char *column, struct gw_trial_table *x)
{
	struct gw_keys differ = { 0 }, given = { 0 };
	bool missed = false;
	enum bus_err rc;
	size_t n;

	rc = ask_routes(t, table, was, &given);
	if (rc == BUS_OK)
		rc = ask_routes(t, table, is, &given);
	if (rc == BUS_OK)
		rc = evaluate(t, &t->after);
	if (rc == BUS_OK) {
		differences(&t->before, &t->after, &differ);
		n = given.n;
		for (size_t i = 0; i < differ.n; i++)
			missed |= gw_keys_add(&given, gw_keys_at(&differ, i));
		x->changes++;
		x->mattered += differ.n > 0;
		x->missed += missed;
		if (missed)
			snprintf(x->column, sizeof(x->column), "%s", column);
		if (n > 0 && n < 100)
			rc = evaluate_one(t, gw_keys_at(&given, 0), x);
	}
	gw_keys_release(&differ);
	gw_keys_release(&given);
	return rc;
}

static enum bus_err one_change(struct trial *t, const struct gw_world_table *table,
			       const struct gw_read *read, struct gw_trial_table *x)
{
	struct image was = { 0 }, is = { 0 };
	struct bus_buf key = { 0 };
	struct state swap;
	char column[64];
	enum bus_err rc;
	int at = gw_world_column(table, table->key);

	gw_maker_value(t->maker, table, (size_t)at, &key);
	rc = take_image(t, table, &key, &was);
	if (rc == BUS_OK)
		rc = change(t, table, read, &key, was.arena, column);
	if (rc == BUS_OK)
		rc = take_image(t, table, &key, &is);
	if (rc == BUS_OK)
		rc = compare(t, table, &was, &is, column, x);
	bus_arena_free(&was.arena);
	bus_arena_free(&is.arena);
	bus_buf_release(&key);
	swap = t->before;
	t->before = t->after;
	t->after = swap;
	return rc;
}

/* --- all of it ---------------------------------------------------------------------------------------- */

static enum bus_err prepare(struct trial *t)
{
	struct bus_buf sql = { 0 };
	enum bus_err rc;

	gw_view_select(t->d, &sql);
	rc = gw_db_prepare(t->db, bus_buf_cstr(&sql), &t->all, t->err);
	bus_buf_printf(&sql, "WHERE \"%s\" = :_key", t->d->pub.column[t->d->pub.key].name);
	if (rc == BUS_OK)
		rc = gw_db_prepare(t->db, bus_buf_cstr(&sql), &t->one, t->err);
	bus_buf_release(&sql);
	t->route = bus_xcalloc(t->d->n_routes + 1, sizeof(struct gw_stmt *));
	for (size_t i = 0; i < t->d->n_routes && rc == BUS_OK; i++) {
		if (t->d->route[i].select)
			rc = gw_db_prepare(t->db, t->d->route[i].select, &t->route[i], t->err);
	}
	return rc;
}

static enum bus_err fill(struct trial *t)
{
	struct bus_buf key = { 0 };
	enum bus_err rc = BUS_OK;

	for (size_t i = 0; i < t->d->n_reads && rc == BUS_OK; i++) {
		const struct gw_world_table *table = gw_world_find(t->w, t->d->read[i].table);

		for (int k = 0; k < ROWS && rc == BUS_OK; k++) {
			bus_buf_reset(&key);
			gw_maker_value(t->maker, table, (size_t)gw_world_column(table, table->key), &key);
			rc = put_row(t, table, &key);
		}
	}
	bus_buf_release(&key);
	return rc;
}

static enum bus_err changes(struct trial *t)
{
	enum bus_err rc = BUS_OK;

	t->out->n = t->d->n_reads < GW_TRIAL_TABLES_MAX ? t->d->n_reads : GW_TRIAL_TABLES_MAX;
	for (size_t i = 0; i < t->out->n; i++)
		t->out->table[i].table = t->d->read[i].table;
	for (int k = 0; k < CHANGES_MAX; k++) {
		for (size_t i = 0; i < t->out->n; i++) {
			const struct gw_world_table *table = gw_world_find(t->w, t->d->read[i].table);

			if (k >= CHANGES && t->out->table[i].mattered >= MATTERED)
				continue;
			if (bus_clock_mono_ms() > t->until) {
				t->out->cut = true;
				return BUS_OK;
			}
			rc = one_change(t, table, &t->d->read[i], &t->out->table[i]);
			if (rc == BUS_ETIMEOUT) {
				t->out->cut = true;
				return BUS_OK;
			}
			if (rc != BUS_OK)
				return rc;
		}
	}
	return rc;
}

enum bus_err gw_trial_run(struct gw_db *db, const struct gw_def *d, const struct gw_world *w, int ms,
			  struct gw_trial *out, struct bus_error *err)
{
	struct trial t = { .db = db, .d = d, .w = w, .out = out, .err = err };
	enum bus_err rc;

	memset(out, 0, sizeof(*out));
	t.maker = gw_maker_new(d, 5);
	t.until = bus_clock_mono_ms() + ms;
	gw_db_deadline(db, ms);
	rc = prepare(&t);
	if (rc == BUS_OK)
		rc = fill(&t);
	if (rc == BUS_OK)
		rc = evaluate(&t, &t.before);
	if (rc == BUS_OK)
		rc = changes(&t);
	gw_db_deadline(db, 0);
	gw_stmt_free(&t.all);
	gw_stmt_free(&t.one);
	for (size_t i = 0; i < d->n_routes && t.route; i++)
		gw_stmt_free(&t.route[i]);
	free(t.route);
	state_release(&t.before);
	state_release(&t.after);
	bus_buf_release(&t.sql);
	gw_maker_free(&t.maker);
	return rc;
}
