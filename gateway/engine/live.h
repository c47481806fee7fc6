/* gateway/engine/live.h - views defined, changed and dropped while the gateway runs.
 *
 * A wish is what the definitions' topic says of a name: a text, or none. A view without a wish is as its file
 * of views.dir says. The materialiser grants wishes one at a time, between two batches:
 *
 *   checked      against the tables that are there, and the views that read it; refused wishes leave what runs
 *                as it is, say why (state, log, metric), and are tried again when the set changes
 *   built        beside the running view: a scan of a snapshot (engine/snapshot.h) in bounded pieces, then the keys
 *                that records touched since. Nobody reads it; a crash throws it away
 *   switched     in one transaction: rows that differ get an entry in the change log, state and table are
 *                exchanged, the definition with them. Before it the old one runs, after it the new one
 *
 * Readers of the old definition see gw_view_gone(); gw_changes() refuses it, so no cursor passes over a change.
 * A build that takes too long is given up (FAILED) until the definition is given anew, or the gateway starts again.
 * A running view whose SELECT fails on the rows there are, or takes too long (STUCK) keeps its state and its log as they were, and is tried
 * again now and then; all others go on.
 *
 * A definition whose rows cannot differ (words, titles, classes) is exchanged at once. Columns that were added,
 * taken away or retyped make every row differ. Views that read a full view which was exchanged are evaluated
 * again as a whole. A view that others read is not dropped, and loses no column that they read.
 */
#ifndef GATEWAY_ENGINE_LIVE_H
#define GATEWAY_ENGINE_LIVE_H

#include "bus/buf.h"
#include "bus/error.h"
#include "gateway/engine/read.h"

struct gw_def; /* gateway/define/view.h */

#define GW_WISHES_MAX 2000 /* names on the topic; more are not taken */
#define GW_STATE_FAULT_MAX 480

struct gw_wish {
	const char *name;
	struct bus_str text; /* p NULL: none */
	const char *by;	     /* reader who defined it; "" */
	int64_t when_ms;
};

/* Copied. A later wish of the name replaces it. Thread: any. */
void gw_wish(struct gw_engine *e, const struct gw_wish *w);
/* The topic has been read to its end once: what it defined before and no longer names is dropped. Any thread. */
void gw_wishes_read(struct gw_engine *e);

enum gw_state { GW_STATE_RUNNING, GW_STATE_BUILDING, GW_STATE_WAITING, GW_STATE_REFUSED, GW_STATE_STUCK, GW_STATE_FAILED };

const char *gw_state_name(enum gw_state s); /* "running", "building", "waiting", "refused", "stuck", "failed" */

struct gw_view_state { /* by value */
	char name[64];
	enum gw_state state; /* of the newest wish; RUNNING: it is granted */
	bool runs;	     /* some definition of it does */
	bool defined;	     /* by the topic; else by a file */
	bool dropping;	     /* the wish is that it goes */
	int percent;	     /* of BUILDING */
	char by[64];
	int64_t when_ms;
	char fault[GW_STATE_FAULT_MAX]; /* of REFUSED, FAILED; or why the rows of what runs stand still */
};
/* BUS_ENOENT: neither a view nor a wish has that name. Any thread. */
enum bus_err gw_view_state(struct gw_engine *e, const char *name, struct gw_view_state *out) BUS_MUSTCHECK;
/* Whether the views could go on with def in the place of the view of that name (NULL: with nothing in it):
 * BUS_ECONFLICT names who reads it, and what would be missing; BUS_EPARSE: areas of figures that may not be told. Any
 * thread. */
enum bus_err gw_view_fits(const struct gw_views *views, const char *name, const struct gw_def *def,
			  struct bus_error *err) BUS_MUSTCHECK;
/* A definition looked at from all sides without touching what runs (engine/try.h): its outcome would be "new",
 * "changed", "words" (no row differs), "same" or "refused". report: what was found, a JSON object; empty when it
 * could not be looked at. BUS_EPARSE, BUS_ECONFLICT: why it is refused. Takes up to a second or two: not for a handler. */
enum bus_err gw_view_try(struct gw_engine *e, const struct gw_views *views, const char *name,
			 struct bus_str text, struct bus_buf *report, const char **outcome,
			 struct bus_error *err) BUS_MUSTCHECK;
bool gw_view_shipped(struct gw_engine *e,
		     const char *name); /* a file of views.dir defines it, too. Any thread */
/* In no order. Any thread; under a lock: fn must not call back. */
void gw_view_states(struct gw_engine *e, void (*fn)(void *ctx, const struct gw_view_state *s), void *ctx);

#endif
