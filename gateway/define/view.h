/* gateway/define/view.h - a view's definition: a file of YAML front matter and one SELECT.
 *
 * The format is described in gateway/views/README.md. gw_view_load reads one file, gw_view_parse a text, gw_view_bind checks it
 * against the tables that are there: what it may read, that every table it reads has a route, that one key
 * can be evaluated without reading a whole table, that every column is declared.
 * Thread: at start; afterwards a definition is immutable.
 */
#ifndef GATEWAY_DEFINE_VIEW_H
#define GATEWAY_DEFINE_VIEW_H

#include <stdatomic.h>

#include "bus/arena.h"
#include "gateway/define/shape.h"
#include "gateway/define/world.h"
#include "gateway/store/db.h"

enum gw_pace {
	GW_PACE_ROW,   /* one key's evaluation reads a few rows */
	GW_PACE_GROUP, /* it reads a group, through an index: at most once a second while records keep coming
			*/
	GW_PACE_TOTAL, /* it reads whole tables, which its few keys justify; paced as a group */
};

enum gw_fate { GW_FATE_FLAG, GW_FATE_REFUSE, GW_FATE_LOOSE }; /* `tanda`, `tolak`, `lepas` */

struct gw_route_def {
	const char *table;
	const char *column; /* of the changed row: the key itself; or NULL */
	const char *select; /* gives keys; may use :column of the changed row */
	int line;	    /* in the definition; 0: found by us */
};

struct gw_index_def {
	const char *table;
	const char *const *column;
	size_t n;
};

struct gw_read { /* a relation that the SELECT reads, and which of its columns (by name) */
	const char *table;
	const char **column;
	size_t n;
};

struct gw_def {
	struct gw_view pub; /* first; column and source are complete after gw_view_bind */
	_Atomic int refs;
	_Atomic int gone;	      /* enum gw_gone */
	_Atomic bool whole;	      /* once: gw_view_whole */
	_Atomic int64_t id;	      /* of this definition in the store, which knows which one runs */
	_Atomic int64_t rows, newest; /* keys now present, newest sequence number */
	struct bus_arena *arena;      /* all that hangs here */
	const char *file;
	struct bus_str text; /* the definition as it was given */
	int body_line;
	const char *body;
	bool full; /* a table of its own, that others may read */
	enum gw_pace pace;
	struct gw_route_def *route;
	size_t n_routes;
	struct gw_index_def *index;
	size_t n_indexes;
	bool quality;
	const char *opd, *feed, *class_name;
	enum gw_fate fate;
	uint8_t digest[32]; /* SHA-256 of what decides its rows: a change means evaluating anew */
	struct gw_read *read;
	size_t n_reads;
	const struct gw_rollup *rollup; /* kept by what changed (gateway/define/rollup.h); NULL: evaluated */
	const char *no_rollup;		/* why it is not; NULL: it is */
};

#define GW_VIEW_TEXT_MAX ((size_t)256 * 1024) /* bytes of a definition */
#define GW_VIEW_SQL_MAX ((size_t)100 * 1000)  /* of its SELECT */

/* A definition from text; file is its name in messages, and kept. BUS_EPARSE: `file:line: what`; BUS_ETOOBIG. */
enum bus_err gw_view_parse(const char *file, const char *text, size_t n, struct gw_def **out,
			   struct bus_error *err) BUS_MUSTCHECK;
enum bus_err gw_view_load(const char *path, struct gw_def **out, struct bus_error *err) BUS_MUSTCHECK;
void gw_view_free(struct gw_def **d);			   /* lets go of the caller's reference */
const struct gw_def *gw_view_def(const struct gw_view *v); /* the definition that v is the outside of */

/* Could the areas of the indicator v be the keys of `areas`? They are told to everybody: no day, not internal, keys of class N.
 * BUS_EPARSE. */
enum bus_err gw_figures_fit(const struct gw_view *v, const struct gw_view *areas, struct bus_error *err) BUS_MUSTCHECK;

struct gw_catalogue { /* what there is to read */
	void *ctx;
	bool (*has)(void *ctx, const char *table, const char *column); /* column "": the table itself */
	const struct gw_world *world; /* NULL: every table wants a route of its author's */
};

enum bus_err gw_view_bind(struct gw_db *db, struct gw_def *d, const struct gw_catalogue *c,
			  struct bus_error *err) BUS_MUSTCHECK;
/* The tables the SELECT names, before they need exist as tables: for the order of evaluation, filled into
 * d->read by gw_view_bind. */
bool gw_view_reads(const struct gw_def *d, const char *table);

/* "SELECT "a","b" FROM (<body>) <tail>": every reader of a view goes through this. */
void gw_view_select(const struct gw_def *d, struct bus_buf *out);

#endif
