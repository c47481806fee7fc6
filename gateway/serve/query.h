/* gateway/serve/query.h - a page's parameters: `limit`, `after`, `select`, `per_tanggal`, and filters in PostgREST's
 * grammar (`kode_kel=eq.1471011003`, `nama=like.A*`, `tgl_mati=is.null`, `kode_kec=in.(147101,147102)`).
 * Everything unknown is refused with the nearest known name. Thread: any; memory is the request's.
 */
#ifndef GATEWAY_SERVE_QUERY_H
#define GATEWAY_SERVE_QUERY_H

#include "bus/arena.h"
#include "gateway/serve/access.h"
#include "gateway/engine/read.h"

#define GW_FILTERS_MAX 16
#define GW_IN_MAX 200
#define GW_LIMIT_DEFAULT 100
#define GW_LIMIT_MAX 10000

struct gw_params {
	struct gw_query query; /* view, date, filters, limit; `after` is filled by the caller from the cursor */
	struct gw_filter filter[GW_FILTERS_MAX];
	const char *after; /* cursor text or NULL */
	bool has_limit;
	bool excel;
	uint8_t column[GW_COLUMNS_MAX]; /* the answer's columns, in order */
	size_t n_columns;
	/* while parsing */
	const struct gw_view *view;
	struct gw_grant grant;
	struct bus_arena *arena;
	const char *problem; /* code of gw_problem; NULL: good */
	char detail[200];
	char hint[120];
};

/* Start, then one call a parameter (false: stop, p->problem says why), then the end. */
void gw_params_begin(struct gw_params *p, const struct gw_view *v, struct gw_grant grant, struct bus_arena *arena);
bool gw_params_add(void *params, const char *name, const char *value);
bool gw_params_end(struct gw_params *p);

bool gw_date_ok(const char *text); /* YYYY-MM-DD, a day that exists */

#endif
