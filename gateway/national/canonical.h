/* gateway/national/canonical.h - a row as canonical JSON (RFC 8785): one spelling, whoever writes it. Whole numbers are
 * written out also beyond 2^53, where the RFC has none. Thread: any. */
#ifndef GATEWAY_NATIONAL_CANONICAL_H
#define GATEWAY_NATIONAL_CANONICAL_H

#include "bus/buf.h"
#include "gateway/serve/access.h"

/* The columns that are shown to a reader, by name: as pages and feeds write them, masks included. */
struct gw_canonical {
	const struct gw_view *view;
	struct gw_grant grant;
	size_t column[GW_COLUMNS_MAX]; /* in the order of their names */
	size_t n;
	bool possible; /* false: a column holds JSON, which this does not spell anew */
};

void gw_canonical_begin(struct gw_canonical *c, const struct gw_view *v, struct gw_grant grant);
void gw_canonical_row(const struct gw_canonical *c, const struct gw_value *value, struct bus_buf *out);
void gw_canonical_number(double v,
			 struct bus_buf *out); /* finite; as ECMAScript writes it (RFC 8785, 3.2.2.3) */

#endif
