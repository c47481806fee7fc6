/* gateway/catalogue/dcat.h - inside dcat*.c: the pen, and what is written with it.
 *
 *   dcat.c      documents: pages, one data set, which form
 *   dcat_put.c  the catalogue's node, data sets, and the terms they point at
 */
#ifndef GATEWAY_CATALOGUE_DCAT_H
#define GATEWAY_CATALOGUE_DCAT_H

#include "gateway/catalogue/rdf.h"
#include "gateway/catalogue/shelf.h"

struct gw_dcat {
	struct gw_rdf r;
	const struct gw_shelf *shelf;
	const char *base;
	struct bus_buf iri[4]; /* texts in hand */
	int next;
};

/* Good until four more are asked for. */
const char *gw_dcat_iri(struct gw_dcat *d, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void gw_dcat_put_catalogue(struct gw_dcat *d, const struct gw_shelf_item *item, size_t n);
void gw_dcat_put_dataset(struct gw_dcat *d, const struct gw_shelf_item *item);
/* The things that they point at, and what they are. */
void gw_dcat_put_terms(struct gw_dcat *d, const struct gw_shelf_item *item, size_t n);

#endif
