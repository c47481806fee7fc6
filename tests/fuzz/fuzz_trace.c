/* A SELECT that SQLite takes: written with its traces it gives the same rows, or is not taken. */
#include <stdint.h>
#include <stdio.h>
#include <strings.h>

#include "gateway/define/trace.h"
#include "gateway/store/keys.h"
#include "gateway/store/origin.h"
#include "gateway/store/sqlfun.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int what)
{
	if (!what)
		abort();
}

static const struct gw_world_column topic[] = { { "_key", GW_TEXT, 'N' }, { "_part", GW_INT, 'N' },
						{ "_off", GW_INT, 'N' },  { "_ts", GW_INT, 'N' },
						{ "_sid", GW_INT, 'N' },  { "id", GW_NULL, 'N' },
						{ "nama", GW_NULL, 'N' }, { "n", GW_INT, 'N' } };
static const struct gw_world_column view[] = { { "id", GW_TEXT, 'N' }, { "nama", GW_NULL, 'N' } };
static const struct gw_world_table table[] = {
	{ .name = "t", .topic = "t", .key = "_key", .column = topic, .n_columns = BUS_LEN(topic) },
	{ .name = "v", .key = "id", .column = view, .n_columns = BUS_LEN(view) },
};
static const struct gw_world world = { table, 2 };

static bool readable(void *ctx, const char *name, const char *column)
{
	(void)ctx;
	(void)column;
	return strcasecmp(name, "t") == 0 || strcasecmp(name, "v") == 0;
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
			"CREATE TABLE t(_key TEXT PRIMARY KEY, _part, _off, _ts, _sid, id, nama, n INTEGER);"
			"CREATE TABLE v(id TEXT PRIMARY KEY, nama);"
			"INSERT INTO t VALUES('a',0,1,5,7,'a','Ani',1),('b',0,2,6,7,'a',NULL,2);"
			"INSERT INTO v VALUES('a','Ani'),('c','')") == BUS_OK);
	return db;
}

static bool has(const char *text, const char *const *word)
{
	for (; *word; word++) {
		if (strcasestr(text, *word))
			return true;
	}
	return false;
}

/* The first n columns of every row, as a set; false: it cannot be run (a value that is too large). */
static bool rows(struct gw_stmt *s, int n, struct gw_keys *out)
{
	struct bus_buf b = { 0 };
	struct gw_origin o;
	struct bus_str text;
	bool row = true, ok;

	while ((ok = gw_stmt_step(s, &row, NULL) == BUS_OK) && row) {
		bus_buf_reset(&b);
		gw_stmt_pack_first(s, n, &b);
		gw_keys_add(out, bus_buf_str(&b));
		for (int i = n; i < gw_stmt_columns(s); i++) {
			text = gw_stmt_text(s, i);
			while (gw_origin_next(&text, &o))
				must(o.kind == GW_ORIGIN_NUMBER ||
				     (o.table.n == 1 && strchr("tv", o.table.p[0])));
			must(text.n == 0);
		}
	}
	bus_buf_release(&b);
	return ok;
}

static void compare(const struct gw_def *d, struct gw_stmt *own, struct gw_stmt *traced)
{
	/* What stands in no order, SQLite may give in another one. */
	static const char *const loose[] = { "limit", "count", "sum",	"total",  "avg",
					     "min",   "max",   "group", "having", NULL };
	struct gw_keys a = { 0 }, b = { 0 };

	if (rows(own, (int)d->pub.n_columns, &a) && rows(traced, (int)d->pub.n_columns, &b) &&
	    !has(d->body, loose)) {
		must(a.n == b.n);
		for (size_t i = 0; i < a.n; i++)
			must(!gw_keys_add(&b, gw_keys_at(&a, i)));
	}
	gw_keys_release(&a);
	gw_keys_release(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const other[] = { "with", ";", ":", "?", "@", "$", "#", NULL };
	static struct gw_db *db;
	struct gw_db_guard guard = { .read = readable, .function = callable };
	struct gw_column column[GW_COLUMNS_MAX] = { 0 };
	struct gw_trace_column traces[GW_COLUMNS_MAX];
	struct gw_stmt *own = NULL, *traced = NULL;
	struct bus_arena *arena = bus_arena_new(16 << 20);
	struct bus_buf sql = { 0 };
	struct gw_def d = { 0 };
	char *text = size < 1000 ? bus_arena_dup(arena, (const char *)data, size) : NULL;
	int tables_named = 0;

	if (!db)
		db = open_db();
	for (const char *p = text; p && *p; p++)
		tables_named += (*p == 't' || *p == 'T' || *p == 'v' || *p == 'V') && tables_named < 1000;
	if (!text || strlen(text) != size || strncasecmp(text, "select", 6) != 0 || has(text, other) ||
	    tables_named > 40 || gw_db_prepare_guarded(db, text, &guard, &own, NULL) != BUS_OK ||
	    gw_stmt_columns(own) > GW_COLUMNS_MAX)
		goto out;
	d.body = text;
	d.pub.column = column;
	d.pub.n_columns = (size_t)gw_stmt_columns(own);
	for (size_t i = 0; i < d.pub.n_columns; i++) {
		column[i].name = gw_stmt_name(own, (int)i);
		if (strspn(column[i].name, "abcdefghijklmnopqrstuvwxyz_") != strlen(column[i].name) ||
		    !column[i].name[0])
			goto out;
		for (size_t k = 0; k < i; k++)
			if (strcasecmp(column[i].name, column[k].name) == 0)
				goto out;
	}
	if (gw_trace_select(&d, &world, arena, &sql, traces, NULL) != BUS_OK)
		goto out;
	for (size_t i = 0; i < d.pub.n_columns; i++)
		if (traces[i].reason && strcmp(traces[i].reason, "a column without a name") == 0)
			goto out;
	/* A name or a depth that only the longer text stumbles over: then there is no trace. */
	if (gw_db_prepare(db, bus_buf_cstr(&sql), &traced, NULL) != BUS_OK)
		goto out;
	compare(&d, own, traced);
out:
	gw_stmt_free(&own);
	gw_stmt_free(&traced);
	bus_buf_release(&sql);
	bus_arena_free(&arena);
	return 0;
}
