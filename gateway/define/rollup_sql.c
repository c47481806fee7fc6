/* A roll-up's SQL, and its check against the tables. */
#include <stdio.h>
#include <strings.h>

#include "gateway/define/rollup.h"
#include "gateway/store/sqlfun.h"

/* Whole numbers up to here add up exactly, 2,000 of them at a time even as real numbers. */
#define WHOLE "BETWEEN -4503599627370496 AND 4503599627370496"
/* Of an argument: it has a value; one that adds up so; another one. */
#define SAID "(_r_a%1$zu IS NOT NULL)"
#define IS_WHOLE "(typeof(_r_a%1$zu) = 'integer' AND _r_a%1$zu " WHOLE ")"
#define OTHER "(" SAID " AND NOT " IS_WHOLE ")"

/* rows: whose columns from the second on have the groups' types; NULL: none is written. */
static void put_state_columns(const struct gw_rollup *r, const char *before, const char *const after[3], struct gw_stmt *rows,
			      struct bus_buf *out)
{
	bus_buf_printf(out, "%s_r_id%s, %s_r_key%s", before, after[0], before, after[1]);
	for (size_t i = 0; i < r->n_groups; i++)
		bus_buf_printf(out, ", %s_r_g%zu%s", before, i, rows ? gw_stmt_type(rows, (int)i + 1) : "");
	bus_buf_printf(out, ", %s_r_n%s", before, after[2]);
	for (size_t i = 0; i < r->n_args; i++) {
		bus_buf_printf(out, ", %s_r_c%zu%s", before, i, after[2]);
		if (r->arg[i].summed)
			bus_buf_printf(out, ", %s_r_s%zu%s, %s_r_x%zu%s", before, i, after[2], before, i,
				       after[2]);
	}
}

/* The table's rows as key, groups, arguments, under plain names. */
static void put_rows(const struct gw_rollup *r, const char *from, const char *sign, struct bus_buf *out)
{
	bus_buf_printf(out, "SELECT %s AS _r_key", r->key);
	for (size_t i = 0; i < r->n_groups; i++)
		bus_buf_printf(out, ", %s AS _r_g%zu", r->group[i], i);
	for (size_t i = 0; i < r->n_args; i++)
		bus_buf_printf(out, ", %s AS _r_a%zu", r->arg[i].text, i);
	bus_buf_printf(out, ", %s AS _r_sign FROM \"%s\" AS \"%s\" WHERE (%s)", sign, from, r->alias,
		       r->where);
}

enum bus_err gw_rollup_create(struct gw_db *db, const struct gw_def *d, struct bus_buf *out, struct bus_error *err)
{
	static const char *const type[3] = { " TEXT PRIMARY KEY", " TEXT", " INTEGER" };
	const struct gw_rollup *r = d->rollup;
	struct bus_buf rows = { 0 };
	struct gw_stmt *s = NULL;
	enum bus_err rc;

	put_rows(r, r->table, "1", &rows);
	rc = gw_db_prepare(db, bus_buf_cstr(&rows), &s, err);
	bus_buf_release(&rows);
	if (rc != BUS_OK)
		return rc;
	bus_buf_printf(out, "CREATE TABLE IF NOT EXISTS \"_sum_%s\"(", d->pub.name);
	put_state_columns(r, "", type, s, out);
	bus_buf_printf(out, ") WITHOUT ROWID; CREATE INDEX IF NOT EXISTS \"_ix__sum_%s\" ON \"_sum_%s\"(_r_key)", d->pub.name,
		       d->pub.name);
	gw_stmt_free(&s);
	return BUS_OK;
}

static void put_sum(const struct gw_def *d, const char *column, const char *at, struct bus_buf *out)
{
	bus_buf_printf(out, "%s%s = \"_sum_%s\".%s%s + excluded.%s%s", column, at, d->pub.name, column, at, column, at);
}

void gw_rollup_sums(struct gw_db *db, const struct gw_def *d, const char *from, const char *sign, bool all, struct bus_buf *out)
{
	const struct gw_rollup *r = d->rollup;

	bus_buf_puts(out, "SELECT ''");
	for (size_t i = 0; i < r->n_groups && gw_db_is_typed(db); i++)
		bus_buf_printf(out, " || quote(_r_g%zu) || ','", i);
	for (size_t i = 0; i < r->n_groups && !gw_db_is_typed(db); i++) /* 1 and 1.0 are one group */
		bus_buf_printf(out,
			       " || quote(CASE WHEN typeof(_r_g%zu) = 'real' AND _r_g%zu = CAST(_r_g%zu AS "
			       "INTEGER) THEN CAST(_r_g%zu AS INTEGER) ELSE _r_g%zu END) || ','",
			       i, i, i, i, i);
	bus_buf_printf(out, ", %s", r->whole	      ? r->key /* of no rows, too */
				  : gw_db_is_typed(db) ? "max(_r_key)"
						       : "_r_key");
	for (size_t i = 0; i < r->n_groups; i++)
		bus_buf_printf(out, ", _r_g%zu", i);
	bus_buf_puts(out, ", coalesce(sum(_r_sign), 0) AS _d_n");
	for (size_t i = 0; i < r->n_args; i++) {
		bus_buf_printf(out, ", coalesce(sum(_r_sign * " SAID "), 0) AS _d_c%1$zu", i);
		if (r->arg[i].summed)
			bus_buf_printf(out,
				       ", coalesce(sum(CASE WHEN " IS_WHOLE
				       " THEN _r_sign * _r_a%1$zu END), 0) AS _d_s%1$zu"
				       ", coalesce(sum(_r_sign * " OTHER "), 0)",
				       i);
	}
	bus_buf_puts(out, " FROM (");
	put_rows(r, from, sign, out);
	bus_buf_puts(out, ") WHERE true");
	for (size_t i = 0; i < r->n_groups; i++)
		bus_buf_printf(out, "%s_r_g%zu", i ? ", " : " GROUP BY ", i);
	if (!all && !r->rereads) {
		bus_buf_puts(out, " HAVING _d_n <> 0");
		for (size_t i = 0; i < r->n_args; i++) {
			bus_buf_printf(out, " OR _d_c%zu <> 0", i);
			if (r->arg[i].summed)
				bus_buf_printf(out, " OR _d_s%1$zu <> 0 OR max(" OTHER ")", i);
		}
	}
}

static void put_insert(const struct gw_def *d, struct bus_buf *out)
{
	static const char *const none[3] = { "", "", "" };

	bus_buf_printf(out, "INSERT INTO \"_sum_%s\"(", d->pub.name);
	put_state_columns(d->rollup, "", none, NULL, out);
	bus_buf_puts(out, ") ");
}

void gw_rollup_put(const struct gw_def *d, struct bus_buf *out)
{
	put_insert(d, out);
	bus_buf_puts(out, "VALUES (?, ?, ?");
	for (size_t i = 0; i < d->rollup->n_groups; i++)
		bus_buf_puts(out, ", ?");
	for (size_t i = 0; i < d->rollup->n_args; i++)
		bus_buf_puts(out, d->rollup->arg[i].summed ? ", ?, ?, ?" : ", ?");
	bus_buf_putc(out, ')');
}

void gw_rollup_add(struct gw_db *db, const struct gw_def *d, const char *from, const char *sign, bool all, struct bus_buf *out)
{
	const struct gw_rollup *r = d->rollup;

	put_insert(d, out);
	gw_rollup_sums(db, d, from, sign, all, out);
	bus_buf_puts(out, " ON CONFLICT(_r_id) DO UPDATE SET ");
	put_sum(d, "_r_n", "", out);
	for (size_t i = 0; i < r->n_args; i++) {
		char at[24];

		snprintf(at, sizeof(at), "%zu", i);
		bus_buf_puts(out, ", ");
		put_sum(d, "_r_c", at, out);
		if (!r->arg[i].summed)
			continue;
		bus_buf_puts(out, ", ");
		put_sum(d, "_r_s", at, out);
		bus_buf_puts(out, ", ");
		put_sum(d, "_r_x", at, out);
	}
	bus_buf_puts(out, " RETURNING _r_id, _r_key, _r_n");
}

static void put_select(const struct gw_def *d, const char *const *item, const char *key, const char *state,
		       struct bus_buf *out)
{
	const struct gw_rollup *r = d->rollup;

	bus_buf_puts(out, "SELECT ");
	for (size_t i = 0; i < r->n_items; i++)
		bus_buf_printf(out, "%s\"%s\"", i ? "," : "", d->pub.column[i].name);
	bus_buf_puts(out, " FROM (SELECT ");
	for (size_t i = 0; i < r->n_items; i++)
		bus_buf_printf(out, "%s%s AS \"%s\"", i ? "," : "", i == d->pub.key ? key : item[i],
			       d->pub.column[i].name);
	bus_buf_printf(out, " FROM %s AS _r WHERE (%s)) ", state, r->having);
}

static void select_kept(const struct gw_def *d, const char *const *item, struct bus_buf *out)
{
	struct bus_buf state = { 0 };

	bus_buf_printf(&state, "\"_sum_%s\"", d->pub.name);
	put_select(d, item, "_r._r_key", bus_buf_cstr(&state), out);
	bus_buf_release(&state);
}

void gw_rollup_select(const struct gw_def *d, struct bus_buf *out)
{
	select_kept(d, d->rollup->item, out);
}

void gw_rollup_select_plain(const struct gw_def *d, struct bus_buf *out)
{
	select_kept(d, d->rollup->plain_item, out);
}

static bool prepares(struct gw_db *db, const char *sql)
{
	struct bus_buf explain = { 0 }; /* which is SQLite's to say, whatever the store is */
	struct gw_stmt *s = NULL;
	bool good;

	bus_buf_printf(&explain, "EXPLAIN %s", sql);
	good = gw_db_prepare(db, bus_buf_cstr(&explain), &s, NULL) == BUS_OK;
	gw_stmt_free(&s);
	bus_buf_release(&explain);
	return good;
}

struct reads {
	const struct gw_rollup *r;
	const struct gw_catalogue *c;
};

static bool may_read(void *ctx, const char *table, const char *column)
{
	const struct reads *x = ctx;

	return strcmp(table, x->r->table) == 0 && x->c->has(x->c->ctx, table, column);
}

static bool may_call(void *ctx, const char *name)
{
	(void)ctx;
	return gw_sqlfun_allowed(name);
}

/* The SELECT's own words, put together anew, are held to what it may do once more. */
static bool prepares_guarded(struct gw_db *db, const struct gw_rollup *r, const struct gw_catalogue *c,
			     const char *sql)
{
	struct reads x = { r, c };
	struct gw_db_guard guard = { .ctx = &x, .read = may_read, .function = may_call };
	struct gw_stmt *s = NULL;
	bool good = gw_db_prepare_guarded(db, sql, &guard, &s, NULL) == BUS_OK;

	gw_stmt_free(&s);
	return good;
}

/* Every way to the table's rows goes through an index. SQLite calls a search for min or max so without one too. */
static bool rereads_are_short(struct gw_db *db, const char *select, const char *alias)
{
	static const char *const way[] = { "SCAN ", "SEARCH " };
	struct bus_buf sql = { 0 };
	struct gw_stmt *s = NULL;
	bool row, good;
	size_t n;

	bus_buf_printf(&sql, "EXPLAIN QUERY PLAN %s", select);
	good = gw_db_prepare(db, bus_buf_cstr(&sql), &s, NULL) == BUS_OK;
	while (good && gw_stmt_step(s, &row, NULL) == BUS_OK && row) {
		struct bus_str detail = gw_stmt_text(s, 3);
		char line[256];

		snprintf(line, sizeof(line), "%.*s", (int)detail.n, detail.p);
		for (size_t i = 0; i < BUS_LEN(way); i++) {
			n = strlen(way[i]);
			if (strncmp(line, way[i], n) != 0 || strncasecmp(line + n, alias, strlen(alias)) != 0)
				continue;
			n += strlen(alias);
			if (line[n] == '\0' || line[n] == ' ')
				good = i == 1 && strstr(line, " USING ");
		}
	}
	gw_stmt_free(&s);
	bus_buf_release(&sql);
	return good;
}

/* Sums of real numbers depend on the order in which they are added. */
static bool sums_reals(struct gw_db *db, const struct gw_rollup *r)
{
	int64_t real = 0;

	for (size_t i = 0; i < r->n_args && !real; i++) {
		size_t n = strcspn(r->arg[i].text, " ");

		if (r->arg[i].summed && r->arg[i].text[n] == ' ' && r->arg[i].text[n + 1] == '\0' &&
		    gw_db_int(
			db, 0, &real, NULL,
			"SELECT 1 FROM pragma_table_info('%s') WHERE lower(name) = lower('%.*s') AND type = "
			"'REAL'",
			r->table, strchr(r->arg[i].text, '\'') ? 0 : (int)n, r->arg[i].text) != BUS_OK)
			real = 1;
	}
	return real != 0;
}

static const char *why_not(struct gw_db *db, const struct gw_def *d, const struct gw_catalogue *c)
{
	static const char *const null[3] = { "", "", "" };
	const struct gw_rollup *r = d->rollup;
	struct bus_buf sql = { 0 }, state = { 0 };
	const char *why = NULL;

	if (d->n_reads != 1 || strcmp(d->read[0].table, r->table) != 0 || r->n_items != d->pub.n_columns)
		return "it is read in another way than it looks";
	for (size_t i = 0; i < r->n_named; i++) {
		if (c->has(c->ctx, r->table, r->named[i]))
			return "GROUP BY names a column of the table and an output at once";
	}
	if (sums_reals(db, r))
		return "a sum of real numbers depends on their order: sum whole numbers (rupiah, grams)";
	put_rows(r, r->table, "1", &sql);
	if (!prepares_guarded(db, r, c, bus_buf_cstr(&sql)))
		why = "WHERE, GROUP BY or an aggregate uses the name of an output";
	/* The state as it will be: nothing but its columns' names is needed to see what is neither a group nor
	 * an aggregate. */
	bus_buf_puts(&state, "(SELECT * FROM (SELECT ");
	put_state_columns(r, "NULL AS ", null, NULL, &state);
	bus_buf_puts(&state, "))");
	bus_buf_reset(&sql);
	put_select(d, r->item, r->item[d->pub.key], bus_buf_cstr(&state), &sql);
	if (!why && !prepares(db, bus_buf_cstr(&sql)))
		why = "an output is neither grouped by nor an aggregate";
	bus_buf_reset(&sql);
	put_select(d, r->plain_item, "_r._r_key", bus_buf_cstr(&state), &sql);
	if (!why && r->rereads && !rereads_are_short(db, bus_buf_cstr(&sql), r->alias))
		why = "min and max want an index on the groups' columns and then their own";
	bus_buf_release(&sql);
	bus_buf_release(&state);
	return why;
}

bool gw_rollup_bind(struct gw_db *db, struct gw_def *d, const struct gw_catalogue *c)
{
	if (!d->rollup)
		return false;
	d->no_rollup = why_not(db, d, c);
	if (d->no_rollup)
		d->rollup = NULL;
	return d->rollup != NULL;
}
