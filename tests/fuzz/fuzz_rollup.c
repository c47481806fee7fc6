/* A SELECT that is taken for a roll-up gives from its state the rows that it gives itself, when they are added up at once
 * and when some came and went. */
#include <stdint.h>
#include <stdio.h>
#include <strings.h>

#include "gateway/define/rollup.h"
#include "gateway/store/keys.h"
#include "gateway/store/sqlfun.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char head[] =
    "/*---\nname: v\nkey: k\ncolumns:\n  k: {type: text, pdp: N}\n  n: {type: int, pdp: N}\n---*/\n";
static const char *const column[] = { "_key", "g", "h", "x", "y" };

static void must(int what)
{
	if (!what)
		abort();
}

static bool has(void *ctx, const char *table, const char *name)
{
	bool found = name[0] == '\0';

	(void)ctx;
	for (size_t i = 0; i < BUS_LEN(column); i++)
		found |= strcasecmp(name, column[i]) == 0;
	return found && strcmp(table, "t") == 0;
}

static bool callable(void *ctx, const char *name)
{
	(void)ctx;
	return gw_sqlfun_allowed(name);
}

static struct gw_db *open_db(void)
{
	struct gw_db *db;

	must(gw_db_open(":memory:", GW_DB_WRITER, 1 << 20, &db, NULL) == BUS_OK);
	must(gw_db_exec(db, NULL, "%s",
			"CREATE TABLE t(_key TEXT PRIMARY KEY, g TEXT, h TEXT, x INTEGER, y INTEGER);"
			"CREATE INDEX tgx ON t(g, x); CREATE TABLE a(_r_sign, _key TEXT, g TEXT, h TEXT, x "
			"INTEGER, y INTEGER);"
			"INSERT INTO t "
			"VALUES('a','p','u',1,10),('b','p','v',2,NULL),('c','q','u',-3,0),('d',NULL,'v',4,5),"
			"('e','q',NULL,NULL,7),('f','',NULL,4503599627370499,1),('g','p','u',1,1);"
			/* all of it, once too much, and that taken out again */
			"INSERT INTO a SELECT 1, * FROM t UNION ALL SELECT 1, * FROM t UNION ALL SELECT -1, "
			"* FROM t;") == BUS_OK);
	return db;
}

/* The rows, unordered; false: SQLite says no, or a key is no text. */
static bool rows(struct gw_db *db, const char *sql, struct gw_keys *out, size_t *n)
{
	struct bus_buf b = { 0 };
	struct gw_stmt *s = NULL;
	struct gw_value key;
	bool row = false, good;

	good = gw_db_prepare(db, sql, &s, NULL) == BUS_OK;
	for (*n = 0; good && (good = gw_stmt_step(s, &row, NULL) == BUS_OK) && row; ++*n) {
		gw_stmt_value(s, 0, &key);
		good = key.type == GW_TEXT || key.type == GW_NULL;
		bus_buf_reset(&b);
		gw_stmt_pack(s, &b);
		gw_keys_add(out, bus_buf_str(&b));
	}
	gw_stmt_free(&s);
	bus_buf_release(&b);
	return good;
}

static bool readable(struct gw_db *db, struct gw_def *d)
{
	struct gw_db_guard guard = { .read = has, .function = callable };
	struct gw_stmt *s = NULL;
	bool good = gw_db_prepare_guarded(db, d->body, &guard, &s, NULL) == BUS_OK &&
		    gw_stmt_columns(s) == 2 && gw_stmt_params(s) == 0 &&
		    strcmp(gw_stmt_name(s, 0), "k") == 0 && strcmp(gw_stmt_name(s, 1), "n") == 0;

	gw_stmt_free(&s);
	return good;
}

static void compare(struct gw_db *db, const struct gw_def *d, const char *from, const char *sign)
{
	struct gw_keys want = { 0 }, got = { 0 };
	struct bus_buf sql = { 0 };
	struct gw_stmt *s = NULL;
	size_t n_want, n_got;
	bool row = true;

	must(gw_db_exec(db, NULL, "BEGIN") == BUS_OK);
	must(gw_rollup_create(db, d, &sql, NULL) == BUS_OK);
	must(gw_db_exec(db, NULL, "%s", bus_buf_cstr(&sql)) == BUS_OK);
	bus_buf_reset(&sql);
	gw_rollup_add(db, d, from, sign, true, &sql);
	must(gw_db_prepare(db, bus_buf_cstr(&sql), &s, NULL) == BUS_OK);
	while (row && gw_stmt_step(s, &row, NULL) == BUS_OK)
		;
	gw_stmt_free(&s);
	bus_buf_reset(&sql);
	gw_rollup_select(d, &sql);
	if (!row && rows(db, d->body, &want, &n_want) && rows(db, bus_buf_cstr(&sql), &got, &n_got)) {
		must(n_want == n_got && want.n == got.n);
		for (size_t i = 0; i < want.n; i++)
			must(!gw_keys_add(&got, gw_keys_at(&want, i)));
	}
	gw_db_rollback(db);
	bus_buf_release(&sql);
	gw_keys_release(&want);
	gw_keys_release(&got);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct gw_db *db;
	const struct gw_catalogue c = { .has = has };
	struct gw_read read = { .table = "t" };
	struct gw_def *d = NULL;
	struct bus_buf text = { 0 };

	if (!db)
		db = open_db();
	if (size > 4000)
		return -1;
	bus_buf_puts(&text, head);
	bus_buf_put(&text, data, size);
	if (gw_view_parse("v.sql", text.p, text.n, &d, NULL) == BUS_OK && d->rollup && readable(db, d)) {
		d->read = &read;
		d->n_reads = 1;
		if (gw_rollup_bind(db, d, &c)) {
			compare(db, d, "t", "1");
			compare(db, d, "a", "_r_sign");
		}
	}
	gw_view_free(&d);
	bus_buf_release(&text);
	return 0;
}
