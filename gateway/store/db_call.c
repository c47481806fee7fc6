/* Functions of ours that SQL calls. */
#include <assert.h>

#include "gateway/store/db_impl.h"

struct gw_call {
	sqlite3_context *ctx;
	sqlite3_value **arg;
	int n;
};

static void on_call(sqlite3_context *ctx, int n, sqlite3_value **arg)
{
	struct gw_call c = { ctx, arg, n };

	((gw_function)sqlite3_user_data(ctx))(&c);
}

void gw_db_function(struct gw_db *db, const char *name, int n_args, gw_function fn)
{
	int rc = sqlite3_create_function_v2(db->handle, name, n_args,
					    SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS, (void *)fn,
					    on_call, NULL, NULL, NULL);

	assert(rc == SQLITE_OK);
}

struct aggregate { /* what a registered aggregate calls */
	gw_function step, end;
};

static void on_step(sqlite3_context *ctx, int n, sqlite3_value **arg)
{
	struct gw_call c = { ctx, arg, n };

	((const struct aggregate *)sqlite3_user_data(ctx))->step(&c);
}

static void on_end(sqlite3_context *ctx)
{
	struct gw_call c = { ctx, NULL, 0 };

	((const struct aggregate *)sqlite3_user_data(ctx))->end(&c);
}

void gw_db_aggregate(struct gw_db *db, const char *name, int n_args, gw_function step, gw_function end)
{
	struct aggregate *a = bus_xcalloc(1, sizeof(*a));
	int rc;

	*a = (struct aggregate){ step, end };
	rc = sqlite3_create_function_v2(db->handle, name, n_args,
					SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS, a, NULL, on_step, on_end,
					free);
	assert(rc == SQLITE_OK);
}

void *gw_call_state(struct gw_call *c, size_t n)
{
	return sqlite3_aggregate_context(c->ctx, c->arg ? (int)n : 0);
}

int gw_call_args(struct gw_call *c)
{
	return c->n;
}

int64_t gw_call_int(struct gw_call *c, int i)
{
	return sqlite3_value_int64(c->arg[i]);
}

bool gw_call_null(struct gw_call *c, int i)
{
	return sqlite3_value_type(c->arg[i]) == SQLITE_NULL;
}

struct bus_str gw_call_text(struct gw_call *c, int i)
{
	return gw_db_text_of(c->arg[i]);
}

void gw_call_return_text(struct gw_call *c, struct bus_str v)
{
	sqlite3_result_text64(c->ctx, v.p ? v.p : "", v.n, SQLITE_TRANSIENT, SQLITE_UTF8);
}

void gw_call_return_int(struct gw_call *c, int64_t v)
{
	sqlite3_result_int64(c->ctx, v);
}

void gw_call_return_arg(struct gw_call *c, int i)
{
	sqlite3_result_value(c->ctx, c->arg[i]);
}
