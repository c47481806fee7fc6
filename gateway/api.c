#include "gateway/api.h"

#include <strings.h>

const struct bus_http_route gw_api_routes[] = {
	{ "GET", "/v1/views", gw_rest_views },
	{ "GET", "/v1/views/{view}", gw_rest_page },
	{ "GET", "/v1/views/{view}/changes", gw_feeds_changes },
	{ "GET", "/v1/views/{view}/{key}", gw_rest_row },
	{ "GET", "/v1/topics", gw_rest_topics },
	{ "GET", "/v1/quality", gw_rest_quality },
	{ "GET", "/v1/readers", gw_rest_readers },
	{ "GET", "/v1/whoami", gw_rest_whoami },
	{ "POST", "/v1/tickets", gw_feeds_ticket },
	{ "GET", "/v1/openapi.json", gw_openapi },
	{ "GET", "/healthz", gw_ops_health },
	{ "GET", "/readyz", gw_ops_ready },
	{ "GET", "/", gw_portal },
	{ "GET", "/portal/{file}", gw_portal },
	{ 0 },
};

const struct bus_http_route gw_ops_routes[] = {
	{ "GET", "/healthz", gw_ops_health },
	{ "GET", "/readyz", gw_ops_ready },
	{ "GET", "/metrics", gw_ops_metrics },
	{ 0 },
};

/* The key as sent: `Authorization: Bearer KEY` or `X-Api-Key: KEY`; NULL: none. */
static const char *key_of(const struct bus_http_request *req)
{
	const char *header = bus_http_header(req, "Authorization");

	if (header && strncasecmp(header, "Bearer ", 7) == 0)
		return header + 7;
	return bus_http_header(req, "X-Api-Key");
}

bool gw_api_reader(struct gw_api *api, struct bus_http_request *req, char *name)
{
	const char *key = key_of(req);

	if (!key)
		gw_problem(req, "key-missing", NULL, "Authorization: Bearer tk_...");
	else if (gw_access_reader(api->access, key, name))
		gw_problem(req, "key-unknown", NULL, NULL);
	else
		return true;
	return false;
}

const struct gw_view *gw_api_view(struct gw_api *api, struct bus_http_request *req, char *name,
				  struct gw_grant *grant)
{
	const struct gw_view *v = gw_view_find(api->engine, bus_http_part(req, "view"));

	if (v && !v->internal)
		*grant = gw_access_grant(api->access, name, v);
	if (v && !v->internal && grant->allowed)
		return v;
	gw_problem(req, "view-unknown", NULL, "/v1/views");
	return NULL;
}

struct gw_cursors gw_api_cursors(const struct gw_api *api)
{
	struct gw_cursors c = api->cursors;

	c.store = gw_store_id(api->engine);
	return c;
}

void gw_api_fail(struct bus_http_request *req, enum bus_err rc, const struct bus_error *err)
{
	if (rc == BUS_EINVAL)
		gw_problem(req, "parameter-invalid", err->text, NULL);
	else if (rc == BUS_ENOENT)
		gw_problem(req, "row-unknown", NULL, NULL);
	else
		gw_problem(req, "unavailable", NULL, NULL);
}
