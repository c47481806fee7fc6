/* gateway/serve/rows.h - rows on their way out: a page whole, or a view piece by piece. Thread: one at a time. */
#ifndef GATEWAY_SERVE_ROWS_H
#define GATEWAY_SERVE_ROWS_H

#include "gateway/serve/answer.h"
#include "gateway/serve/format.h"

struct gw_rows {
	struct gw_params params;
	enum gw_form form;
	struct gw_members members; /* of JSON */
	struct bus_buf body;
	struct bus_buf last; /* the place of the row that made the page full */
	int rows;
	uint64_t tag; /* hash of its ETag */
};

bool gw_rows_put(void *rows, const struct gw_value *value, uint64_t hash); /* gw_row_fn */
void gw_rows_release(struct gw_rows *p);

#endif
