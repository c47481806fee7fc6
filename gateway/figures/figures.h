/* gateway/figures/figures.h - counts per area and month for everybody: `nasional/agregat`.
 *
 *   suppress.[ch]  what is not told of a month
 *   releases.[ch]  what has been told: a topic, never changed
 *   make.c         a month from a view's rows
 *   figures.c      the desk: asking, and publishing a month
 *
 * An indicator is a view with `figures` in its front matter, itself internal: its small counts are served nowhere. A
 * month is published by somebody who may (`define: true`), once it is over; what is told then is told for ever, so
 * yesterday's and today's answers differ by whole months only. Sums over months are not published: for an area with a
 * month left out they would say it.
 */
#ifndef GATEWAY_FIGURES_FIGURES_H
#define GATEWAY_FIGURES_FIGURES_H

#include "gateway/figures/releases.h"
#include "gateway/serve/api.h"

#define GW_FIGURES_REST "LAINNYA" /* what is in none of the areas */

struct gw_figures_conf {
	struct gw_releases_conf releases;
	int64_t k; /* BUS_EINVAL below GW_FIGURES_K */
};
struct gw_figures_desk; /* one thread */
enum bus_err gw_figures_new(struct gw_api *api, const struct gw_figures_conf *conf,
			    struct gw_figures_desk **out, struct bus_error *err) BUS_MUSTCHECK;
void gw_figures_free(struct gw_figures_desk **d);

/* The month as it is told, JSON. On a thread that may take seconds. BUS_EDATA: the view it takes areas from is not
 * there, or they are too many; others: the rows cannot be read now. */
enum bus_err gw_figures_make(struct gw_api *api, const struct gw_views *views, const struct gw_view *v,
			     const char *month, int64_t k, struct bus_buf *out,
			     struct bus_error *err) BUS_MUSTCHECK;

#endif
