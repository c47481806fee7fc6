/* gateway/engine/standing.h - how a view stands: which topics are behind it, how new they are, how much of it says
 * something. Thread: any; gw_measure is a reader's.
 */
#ifndef GATEWAY_ENGINE_STANDING_H
#define GATEWAY_ENGINE_STANDING_H

#include "gateway/engine/read.h"

#define GW_INPUTS_MAX 64

/* The state of every topic behind v, through the views it reads; at most max. Departments' file lists (berkas)
 * are not among them. Texts are borrowed from the engine. */
size_t gw_view_inputs(struct gw_engine *e, const struct gw_view *v, struct gw_topic_state *out, size_t max);

struct gw_standing {
	int64_t newest_ms; /* time of the newest record applied, over all inputs; 0: none yet */
	int64_t behind;	   /* records of them not yet applied */
};
void gw_view_standing(struct gw_engine *e, const struct gw_view *v, struct gw_standing *out);

/* When a department last said that it had read a file of this feed to its end (table `<opd>_berkas`); 0: never. A
 * department with one feed means that one. */
enum bus_err gw_feed_seen(struct gw_reader *r, const struct gw_topic_state *input, int64_t *ms,
			  struct bus_error *err) BUS_MUSTCHECK;

/* Rows of v, and in how many of them each column says something (is not NULL and not empty), as it is stored now: one
 * snapshot, read from end to end. columns: one bit each. BUS_ETIMEOUT after a minute. */
enum bus_err gw_measure(struct gw_reader *r, const struct gw_view *v, uint64_t columns, int64_t *rows,
			int64_t said[GW_COLUMNS_MAX], struct bus_error *err) BUS_MUSTCHECK;

#endif
