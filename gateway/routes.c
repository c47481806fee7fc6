/* Every path the gateway answers. */
#include "gateway/export/view.h"
#include "gateway/serve/api.h"

const struct bus_http_route gw_api_routes[] = {
	{ "GET", "/v1/views", gw_rest_views },
	{ "GET", "/v1/views/{view}", gw_export_view },
	{ "GET", "/rest/v1/{view}", gw_export_view },
	{ "POST", "/v1/views/{view}/lookup", gw_rest_lookup },
	{ "GET", "/v1/views/{view}/changes", gw_feeds_changes },
	{ "GET", "/v1/views/{view}/{key}", gw_rest_row },
	{ "POST", "/v1/exports", gw_exports_make },
	{ "GET", "/v1/exports", gw_exports_list },
	{ "GET", "/v1/exports/{id}", gw_exports_one },
	{ "DELETE", "/v1/exports/{id}", gw_exports_delete },
	{ "GET", "/v1/exports/{id}/{file}", gw_exports_file },
	{ "GET", "/.well-known/titian-exports.pem", gw_exports_key },
	{ "GET", "/v1/topics", gw_rest_topics },
	{ "GET", "/v1/freshness", gw_rest_freshness },
	{ "GET", "/v1/quality", gw_rest_quality },
	{ "GET", "/v1/readers", gw_rest_readers },
	{ "GET", "/v1/whoami", gw_rest_whoami },
	{ "GET", "/v1/changes", gw_feeds_several },
	{ "POST", "/v1/tickets", gw_feeds_ticket },
	{ "GET", "/v1/openapi.json", gw_openapi },
	{ "GET", "/v1/openapi-3.1.json", gw_openapi_31 },
	{ "GET", "/problems", gw_problem_list },
	{ "GET", "/problems/{code}", gw_problem_page },
	{ "GET", "/healthz", gw_ops_health },
	{ "GET", "/readyz", gw_ops_ready },
	{ "GET", "/", gw_portal },
	{ "GET", "/portal/{file}", gw_portal },
	{ "GET", "/reference", gw_portal },
	{ 0 },
};

const struct bus_http_route gw_ops_routes[] = {
	{ "GET", "/healthz", gw_ops_health },
	{ "GET", "/readyz", gw_ops_ready },
	{ "GET", "/metrics", gw_ops_metrics },
	{ 0 },
};
