/* gateway/engine/reading.h - the inside of reading, shared by the files behind gateway/engine/read.h: one reader a
 * thread, a read-only connection with its statements kept by their text. Thread: the reader's. */
#ifndef GATEWAY_ENGINE_READING_H
#define GATEWAY_ENGINE_READING_H

#include "gateway/engine/core.h"

#define GW_READ_STATEMENTS_MAX 64

struct kept {
	char *sql;
	struct gw_stmt *stmt;
	uint64_t used;
	uint64_t judged; /* engine/walk.c: at which set_epoch; 0: not yet */
	bool fit;
};

struct gw_reader {
	struct gw_engine *e;
	struct gw_db *db; /* opened at first use */
	struct gw_reader *next;
	struct kept kept[GW_READ_STATEMENTS_MAX];
	uint64_t clock;
	struct gw_value *value; /* of one row */
	size_t n_values;
	struct bus_buf packed, sql, pattern;
	struct gw_keys keys;
	struct gw_reader *past; /* of its own, for moments gone by (engine/past.c); NULL: not needed yet */
	bool bounded;		/* statements do not renew the deadline: gw_read_begin_bounded */
	pthread_mutex_t held;	/* the connection: while it is read in a bounded transaction, or its snapshot stands */
	bool stands;		/* held: there is an open transaction, and nobody in it (engine/stand.c) */
	bool kept_one;		/* it may still stand */
	uint64_t seen;		/* commits when the transaction began */
	bool of_past;		/* it is one: what is stored is not what is asked for */
	bool as_tables;		/* of_past: stored views are tables, of one moment and view */
	struct bus_buf state;	/* of_past: for which views and tables its names are made */
};

struct gw_reader *gw_reader_new(struct gw_engine *e);
/* A prepared statement, kept by its text; borrowed. */
enum bus_err gw_reader_kept(struct gw_reader *r, const char *sql, struct kept **out,
			    struct bus_error *err) BUS_MUSTCHECK;
void gw_reader_deadline(struct gw_reader *r); /* renewed */
void gw_stand_end(struct gw_reader *r); /* before its connection is used otherwise than between begin_bounded and end */
void gw_reader_empty(struct gw_reader *r); /* statements and connection; it may go on with others */

enum bus_err gw_read_check_date(const struct gw_view *v, const char *date,
				struct bus_error *err) BUS_MUSTCHECK;
/* A transaction for several statements that must see one state; gw_db_rollback ends it. */
enum bus_err gw_read_begin(struct gw_reader *r, struct bus_error *err) BUS_MUSTCHECK;
/* The same, and one deadline for all that is read until gw_read_end, however many statements it takes. It may be the
 * transaction of the call before, if nothing was committed since. All of its statements are reset before the end. */
enum bus_err gw_read_begin_bounded(struct gw_reader *r, struct bus_error *err) BUS_MUSTCHECK;
void gw_read_end(struct gw_reader *r);
/* The values of the row that s stands on, as declared; and its hash. Borrowed until the next row. */
const struct gw_value *gw_read_values(struct gw_reader *r, const struct gw_view *v, struct gw_stmt *s);
const struct gw_value *gw_read_row(struct gw_reader *r, const struct gw_view *v, struct gw_stmt *s,
				   uint64_t *hash);

/* Scope as SQL, ` AND <prefix>NAME" IN (...)` for each part, and what it is bound to. */
void gw_scope_put_sql(const struct gw_scope *s, const char *prefix, struct bus_buf *out);
void gw_scope_bind_sql(struct gw_stmt *stmt, const struct gw_view *v, const struct gw_scope *s);

/* The view's SELECT with the query's filters: of one key (:_key), of a page, the first two
 * that match, or the number of rows. Day, filters
 * and place are bound. Borrowed; reset it after use. */
enum gw_select { GW_ONE_KEY, GW_PAGE, GW_MATCHES, GW_COUNT };
enum bus_err gw_read_prepare(struct gw_reader *r, const struct gw_query *q, enum gw_select shape,
			     struct gw_stmt **out, struct bus_error *err) BUS_MUSTCHECK;
/* How SQLite would answer. */
struct gw_plan {
	bool scans; /* a whole table is read */
	bool sorts;
};
enum bus_err gw_read_plan(struct gw_reader *r, struct bus_str sql, struct gw_plan *out,
			  struct bus_error *err) BUS_MUSTCHECK;
/* Once the statement is prepared: what a reader's own filters and order may take of a thread's time; and that it
 * has taken more, said as such. */
void gw_read_limit(struct gw_reader *r, const struct gw_query *q);
enum bus_err gw_read_over(const struct gw_query *q, enum bus_err rc, struct bus_error *err);
/* *value NULL: no such row. *s stands on it: to be reset by the caller. */
enum bus_err gw_read_one(struct gw_reader *r, const struct gw_query *q, struct bus_str key,
			 const struct gw_value **value, uint64_t *hash, struct gw_stmt **s,
			 struct bus_error *err) BUS_MUSTCHECK;

/* walk.c: a page without filters in the order of the keys, inside a transaction. after, left and pass begin as the
 * query's after, limit and offset; all keys up to `after` are done when it is over. */
struct gw_walk {
	struct bus_buf after, upto;
	int left, pass; /* rows still wanted; rows to be passed over first */
	bool fit;	/* false: SQLite would not look the rows up key by key; nothing was done */
	bool end;	/* there are no more keys */
};
/* most: keys of a dated view it may look at; more of them than are rows of the day. */
enum bus_err gw_walk(struct gw_reader *r, const struct gw_query *q, int64_t most, struct gw_walk *w, gw_row_fn fn,
		     void *ctx, struct bus_error *err) BUS_MUSTCHECK;

#endif
