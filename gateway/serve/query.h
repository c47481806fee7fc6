/* gateway/serve/query.h - a page's parameters, in PostgREST's grammar as far as it serves here: `select=a,name:b`,
 * `order=a.desc.nullslast,b`, `limit`, `offset`, filters (`kode_kel=eq.1471011003`, `nama=not.ilike.a*`,
 * `tgl_mati=is.null`, `or=(a.eq.1,and(b.gt.2,c.in.(3,4)))`); and our own `after`, `per_tanggal`, `excel`.
 * Everything unknown is refused, with the nearest known name. Thread: any; memory is the request's.
 *
 *   query.c    parameters, columns, order
 *   filter.c   filters
 */
#ifndef GATEWAY_SERVE_QUERY_H
#define GATEWAY_SERVE_QUERY_H

#include "bus/arena.h"
#include "gateway/serve/access.h"
#include "gateway/engine/read.h"

#define GW_FILTERS_MAX 16      /* that stand beside each other */
#define GW_FILTER_PARTS_MAX 64 /* in all */
#define GW_FILTER_DEPTH_MAX 8
#define GW_IN_MAX 200
#define GW_PATTERN_MAX 200 /* bytes of a like, and */
#define GW_WILDCARDS_MAX 8 /* of these in it: each may cost the text's length once more */
#define GW_LIMIT_DEFAULT 100
#define GW_LIMIT_MAX 10000
#define GW_OFFSET_MAX 10000

struct gw_params {
	struct gw_query query; /* all but `after` and `place`, which the caller fills from the cursor */
	struct gw_filter filter[GW_FILTERS_MAX];
	struct gw_order order[GW_ORDER_MAX];
	const char *after; /* cursor text or NULL */
	bool has_limit;
	bool excel;
	bool as_of;			  /* of a moment gone by, moment_ms (gateway/serve/moment.h) */
	int64_t moment_ms;
	bool provenance;		  /* with `_provenance` in every row */
	bool no_nulls;			  /* JSON without the members that are null; the caller sets it */
	uint8_t column[GW_COLUMNS_MAX];	  /* the answer's columns, in order */
	const char *name[GW_COLUMNS_MAX]; /* and what they are called there */
	size_t n_columns;
	/* while parsing */
	const struct gw_view *view;
	struct gw_grant grant;
	struct bus_arena *arena;
	size_t n_parts;
	const char *problem; /* code of gw_problem; NULL: good */
	char detail[200];
	char hint[200];
};

/* Start, then one call a parameter (false: stop, p->problem says why), then the end. */
void gw_params_begin(struct gw_params *p, const struct gw_view *v, struct gw_grant grant,
		     struct bus_arena *arena);
bool gw_params_add(void *params, const char *name, const char *value);
bool gw_params_end(struct gw_params *p);

/* The column's index if the reader may see it and, for `use`, may use its values; else -1, refused. */
enum gw_use { GW_USE_SHOW, GW_USE_VALUE };
int gw_params_column(struct gw_params *p, struct bus_str name, enum gw_use use);
bool gw_params_refuse(struct gw_params *p, const char *code, const char *hint, const char *fmt, ...)
    BUS_PRINTF(4, 5); /* false */

bool gw_date_ok(const char *text); /* YYYY-MM-DD, a day that exists */

/* filter.c: `name=value` as a filter of p. */
bool gw_filter_add(struct gw_params *p, const char *name, const char *value);

#endif
