/* GET /v1/views/{view}/openapi.json: the document that an API gateway (SPLP) imports for one view. */
#include "gateway/catalogue/shelf.h"
#include "gateway/docs/openapi_doc.h"

void gw_catalogue_openapi(void *ctx, struct bus_http_request *req)
{
	const char *version = bus_http_query(req, "version");
	const struct gw_shelf_item *item;
	struct gw_openapi_view view;
	struct bus_buf body = { 0 };
	struct gw_shelf shelf;

	if (version && strcmp(version, "3.0") != 0 && strcmp(version, "3.1") != 0) {
		gw_problem(req, "parameter-invalid", "version", "version=3.0, version=3.1");
		return;
	}
	if (!gw_shelf_open(ctx, req, &shelf))
		return;
	item = gw_shelf_find(&shelf, bus_http_part(req, "view"));
	if (!item || item->view->figures) {
		gw_problem(req, "view-unknown", NULL, "/catalog");
		return;
	}
	view = (struct gw_openapi_view){ item->view, item->grant };
	gw_openapi_write_one(&view, version && strcmp(version, "3.1") == 0 ? GW_OPENAPI_3_1 : GW_OPENAPI_3_0,
			     shelf.conf->base, shelf.english, &body);
	bus_http_set(req, "Content-Language", shelf.english ? "en" : "id");
	bus_http_set(req, "Vary", "Accept-Language, Authorization, X-Api-Key");
	bus_http_reply(req, 200, "application/json", &body);
}
