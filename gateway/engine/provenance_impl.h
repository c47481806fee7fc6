/* gateway/engine/provenance_impl.h - shared by provenance.c (rows traced) and provenance_cell.c (cells told). */
#ifndef GATEWAY_ENGINE_PROVENANCE_IMPL_H
#define GATEWAY_ENGINE_PROVENANCE_IMPL_H

#include "gateway/define/trace.h"
#include "gateway/engine/reading.h"

#define VERSIONS_KEPT 32

struct gw_trail { /* a row of a view, traced */
	const struct gw_view *view;
	struct bus_str key;
	const char *reason; /* of the row as a whole: "pending", "untraceable"; NULL: good */
	const char *detail;
	struct gw_trace_column *column;
	struct bus_str *text; /* of each column, then of the row */
	struct gw_trail *next;
};

struct gw_run {
	struct gw_reader *r;
	struct gw_views *views;
	struct bus_arena *arena;
	const char *date;
	struct gw_trail *trail;
	int n_trails;
	struct {
		int64_t id;
		const char *topic;
		int version; /* 0: not known */
	} version[VERSIONS_KEPT];
	size_t n_versions;
	struct bus_error *err;
};

/* A row of a view, traced once a request. NULL: u->err says why. *hash: of what was traced. */
struct gw_trail *gw_trail_of(struct gw_run *u, const struct gw_view *v, struct bus_str key, uint64_t *hash);
/* Where the row's cells came from, as JSON (gateway/engine/provenance.h). */
void gw_trail_put(struct gw_run *u, const struct gw_trail *t, uint64_t shown, uint64_t clear,
		  struct bus_buf *out);

#endif
