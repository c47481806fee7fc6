/* gateway/export/view.h - the handlers of exports. Thread: the HTTP pool's; they never block. */
#ifndef GATEWAY_EXPORT_VIEW_H
#define GATEWAY_EXPORT_VIEW_H

#include "bus/http.h"

void gw_export_view(void *ctx,
		    struct bus_http_request *req); /* GET /v1/views/{view}: a file, or else a page */
void gw_exports_make(void *ctx, struct bus_http_request *req); /* POST /v1/exports */
void gw_exports_list(void *ctx, struct bus_http_request *req);
void gw_exports_one(void *ctx, struct bus_http_request *req);
void gw_exports_delete(void *ctx, struct bus_http_request *req);
void gw_exports_file(void *ctx, struct bus_http_request *req);
void gw_exports_key(void *ctx, struct bus_http_request *req); /* the public key of bundles */

#endif
