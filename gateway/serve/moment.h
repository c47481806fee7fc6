/* gateway/serve/moment.h - ?as_of=: a view as it was (gateway/engine/past.h). Thread: the request's. */
#ifndef GATEWAY_SERVE_MOMENT_H
#define GATEWAY_SERVE_MOMENT_H

#include "gateway/serve/api.h"
#include "gateway/serve/query.h"

/* `2025-12-31` (the end of that day, WIB) or a time as of RFC 3339 (`2025-12-31T10:00:00+07:00`, `...Z`; a plus that
 * became a space counts), years 1970 to 9999. Milliseconds since 1970. */
bool gw_moment_read(const char *text, int64_t *ms);
/* The reader that answers p's question: of now, or of the moment it names. NULL: the request has been answered, saying
 * from when on the view's past is known. */
struct gw_reader *gw_moment_reader(struct gw_api *api, struct bus_http_request *req, const struct gw_params *p);
/* gw_promise_headers, or for a moment gone by `Titian-As-Of` with the moment asked for. */
void gw_moment_headers(struct gw_api *api, struct bus_http_request *req, const struct gw_params *p, int64_t seq);

#endif
