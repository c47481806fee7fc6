/* gateway/engine/read.h - reading views: what REST, SSE and exports stand on.
 *
 * One struct gw_reader a thread (gw_reader_of() keeps one per calling thread): a read-only SQLite
 * connection with its prepared statements. Every call is short: no statement outlives it, and a snapshot only
 * while nothing is committed (engine/stand.c).
 * Values are handed over one by one, typed, so that formats and masks live outside.
 */
#ifndef GATEWAY_ENGINE_READ_H
#define GATEWAY_ENGINE_READ_H

#include <stdatomic.h>
#include <stdint.h>

#include "bus/buf.h"
#include "bus/error.h"
#include "gateway/define/shape.h"

struct gw_engine; /* gateway/engine/engine.h */
struct gw_reader;

/* The views at one moment, in the order of their names. Immutable and counted; its views live as long as it
 * does. A request holds one from its first question to its end (gw_api_views). Who follows a view for long
 * keeps that view (gw_view_ref) and looks at gw_view_gone(). Thread: any. */
struct gw_views {
	_Atomic int refs;
	size_t n;
	const struct gw_view *view[];
};
struct gw_views *gw_views_hold(struct gw_engine *e);
void gw_views_release(struct gw_views **set);
const struct gw_view *gw_views_find(const struct gw_views *set, const char *name); /* NULL: none */

/* The set as it is now, without holding it: for the materialiser's thread, and while nothing can change it. */
size_t gw_view_count(struct gw_engine *e);
const struct gw_view *gw_view_at(struct gw_engine *e, size_t i);
const struct gw_view *gw_view_find(struct gw_engine *e, const char *name); /* NULL: none */
/* Of a group of gateways with one numbering: a cursor may be ahead of this one. */
bool gw_grouped(struct gw_engine *e);
int64_t gw_seq(struct gw_engine *e); /* the newest number that readers can see, of all views */
int gw_view_column(const struct gw_view *v, const char *name);		   /* -1: none */

/* One row. value[i] belongs to column i of the view. hash: keyed hash of the row (an ETag); 0 in pages,
 * which do without. Return false to stop. */
typedef bool (*gw_row_fn)(void *ctx, const struct gw_value *value, uint64_t hash);

enum gw_operator {
	GW_EQ,
	GW_NEQ,
	GW_LT,
	GW_LTE,
	GW_GT,
	GW_GTE,
	GW_IN,
	GW_IS_NULL,
	GW_NOT_NULL,
	GW_LIKE,  /* PostgREST's: * or % any run, _ one character, \ before either takes it as it is */
	GW_ILIKE, /* the same, A-Z as a-z */
	GW_IS_TRUE,
	GW_IS_FALSE,
	GW_AND, /* of parts; column does not count */
	GW_OR
};
struct gw_filter {
	int column;
	enum gw_operator op;
	const char *const *value; /* IN: n of them; AND, OR, IS_*, NOT_NULL: none; else one */
	size_t n;
	const struct gw_filter *part; /* AND, OR: n of them */
	bool negated;		      /* rows where it is false; as in SQL, null is neither */
};

#define GW_ORDER_MAX 4
struct gw_order {
	int column;
	bool descending, nulls_first;
};

/* Part of a view: rows whose column is one of the values, for every part. Only scope columns of the view
 * (gw_view.scope), and values that gw_scope_value_ok takes. */
#define GW_SCOPE_PARTS_MAX 8
struct gw_scope_part {
	const char *column; /* by name: a definition may be replaced */
	const char *const *value;
	size_t n;
};
struct gw_scope {
	const struct gw_scope_part *part;
	size_t n; /* 0: the whole view */
};
bool gw_scope_ok(const struct gw_view *v, const char *column); /* a scope column of it */
bool gw_scope_value_ok(const struct gw_column *c, const char *text);

struct gw_query {
	const struct gw_view *view;
	const char *date;		/* "2025-12-31" or NULL */
	const struct gw_filter *filter; /* all must hold; with their parts at most 64 */
	size_t n_filters;
	const struct gw_scope *rows; /* what this reader may see: any other row is a missing one; NULL: all */
	const struct gw_order *order; /* at most GW_ORDER_MAX, then the key; none: by the key alone */
	size_t n_order;
	struct bus_str after;	      /* key: rows behind this one; n 0: from the first */
	const struct gw_value *place; /* with order and after: what that row had, n_order of them */
	int offset;		      /* rows passed over */
	int limit;		      /* 0..10,000 */
};

struct gw_reader *gw_reader_of(struct gw_engine *e);

/* Rows in order. BUS_EINVAL: date missing or not a day; a value that does not fit its column. BUS_ETOOBIG: what
 * the reader asks for (filter, order, count) takes more rows or time than a request may; the text says what
 * would serve it. */
enum bus_err gw_page(struct gw_reader *r, const struct gw_query *q, gw_row_fn fn, void *ctx,
		     struct bus_error *err) BUS_MUSTCHECK;
enum bus_err gw_get(struct gw_reader *r, const struct gw_view *v, const char *date, struct bus_str key,
		    const struct gw_scope *rows, gw_row_fn fn, void *ctx,
		    struct bus_error *err) BUS_MUSTCHECK; /* BUS_ENOENT */
enum bus_err gw_count(struct gw_reader *r, const struct gw_query *q, int64_t *n,
		      struct bus_error *err) BUS_MUSTCHECK;
/* About how many rows: exact where that costs nothing, else from a sample of the view's keys. */
enum bus_err gw_estimate(struct gw_reader *r, const struct gw_query *q, int64_t *n,
			 struct bus_error *err) BUS_MUSTCHECK;
/* The row whose column has each of value[n], from one state of the view: fn once a value, in their order; row NULL:
 * there is none. BUS_EINVAL: no index leads from this column to its rows. BUS_ECONFLICT: a value has several
 * rows; which one stands in the text. */
typedef void (*gw_found_fn)(void *ctx, size_t i, const struct gw_value *row, uint64_t hash);
enum bus_err gw_lookup(struct gw_reader *r, const struct gw_query *q, int column, const char *const *value,
		       size_t n, gw_found_fn fn, void *ctx, struct bus_error *err) BUS_MUSTCHECK;

/* The change log. seq counts 1, 2, ... over all views of this store; the log keeps the last entry of
 * every key for ever: after=0 gives a full snapshot, any later value an exact delta. Removed keys that the
 * reader never had are not sent when after is 0. */
struct gw_change {
	int64_t seq;
	struct bus_str key;
	bool removed;		      /* then value is NULL */
	const struct gw_value *value; /* the row as it is now */
	uint64_t hash;
};
typedef bool (*gw_change_fn)(void *ctx, const struct gw_change *change);

/* Somebody who follows a view. Whoever follows a part of it is told of a row that leaves the part as of one
 * that is removed, and is never told of a key that was not in it. */
struct gw_following {
	const struct gw_view *view;
	const char *date;	     /* of a dated view */
	const struct gw_scope *rows; /* NULL: the whole view */
	int64_t after;		     /* 0: the snapshot */
	int64_t to;		     /* no further; 0: to the end */
	int64_t fresh; /* removals up to here are not told: the follower's snapshot began there, and it never had
			* them. 0 with after 0: it begins in this call, which tells none */
	int limit;
};
/* At most limit entries with seq > after, in order, and no more than a short call may look at. *last: go on from
 * there; it is `to`, or the store's newest seq, when there was nothing more. BUS_ECONFLICT: the view is not the
 * definition that runs any more: nothing was handed over; ask for the view again, and go on with the same cursor. */
enum bus_err gw_follow(struct gw_reader *r, const struct gw_following *f, gw_change_fn fn, void *ctx,
		       int64_t *last, struct bus_error *err) BUS_MUSTCHECK;
/* The same, of the whole view. */
enum bus_err gw_changes(struct gw_reader *r, const struct gw_view *v, const char *date, int64_t after,
			int limit, gw_change_fn fn, void *ctx, int64_t *last,
			struct bus_error *err) BUS_MUSTCHECK;
int64_t gw_newest(struct gw_engine *e, const struct gw_view *v); /* newest seq of the view, from memory */
/* A place in the log that everything committed at ms (wall clock) or later stands behind; at most a minute too early. */
enum bus_err gw_seq_at(struct gw_reader *r, int64_t ms, int64_t *seq, struct bus_error *err) BUS_MUSTCHECK;
uint64_t gw_store_id(struct gw_engine *e); /* made with the database: a cursor of another store is unknown */

/* Told on the materialiser's thread after each commit that changed a view; must not block. */
typedef void (*gw_changed_fn)(void *ctx, const struct gw_view *v, int64_t newest);
void gw_on_change(struct gw_engine *e, gw_changed_fn fn, void *ctx); /* once, before gw_engine_start */
/* Told on the materialiser's thread after the set of views became another one. */
void gw_on_views(struct gw_engine *e, void (*fn)(void *ctx), void *ctx); /* once, before gw_engine_start */

/* What stands behind the answers. */
struct gw_topic_state {
	const char *topic, *table;
	const char *opd, *entity; /* parts of the topic's name */
	int64_t applied;	  /* sum over partitions: records applied */
	int64_t behind;		  /* records not yet applied, as last seen at the broker */
	int64_t rows;		  /* in the table */
	int64_t gaps;		  /* sequence numbers that never came */
	int64_t repeated;	  /* records dropped because they had been applied */
	int64_t undecodable;
	int32_t schema_id; /* that its table is read with */
	char held[200];	   /* why a newer schema is not taken up; "": none is */
	int64_t newest_ms; /* ce_time or timestamp of the newest record */
};
/* Snapshot for /v1/topics; returns the number written. */
size_t gw_topics(struct gw_engine *e, struct gw_topic_state *out, size_t max);
int64_t gw_view_rows(struct gw_engine *e, const struct gw_view *v); /* keys now present, from memory */
bool gw_caught_up(struct gw_engine *e); /* what there was when it started is read, and views are evaluated on it */
void gw_waits_for(struct gw_engine *e, char *out, size_t n); /* while it has not; for people */
bool gw_idle(struct gw_engine *e);	/* now: nothing behind and no view waiting to be evaluated */

/* Quality per feed, as JSON: [{"opd","umpan","berkas":[...],"baris_fisik","baris_data","diterima","ditolak",
 * "tak_tergabung","kelas":{...},"pengamatan":{...},"kendali":[...],"sha256","status"}]. Adds up what
 * adapters counted (table <opd>_berkas) and what quality views settle. */
enum bus_err gw_quality_json(struct gw_reader *r, struct bus_buf *out, struct bus_error *err) BUS_MUSTCHECK;

#endif
