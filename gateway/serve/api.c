#include "gateway/serve/api.h"

#include <strings.h>

#include "bus/yaml.h"

const char *gw_api_key(const struct bus_http_request *req)
{
	const char *header = bus_http_header(req, "Authorization");

	if (header && strncasecmp(header, "Bearer ", 7) == 0)
		return header + 7;
	return bus_http_header(req, "X-Api-Key");
}

bool gw_api_quota(struct gw_api *api, struct bus_http_request *req, const char *name)
{
	struct gw_quota_left left;

	if (!gw_access_quota(api->access, name, &left))
		return true;
	gw_quota_headers(req, &left);
	if (left.over)
		gw_problem(req, "quota-exceeded", NULL, NULL);
	return !left.over;
}

bool gw_api_reader(struct gw_api *api, struct bus_http_request *req, char *name)
{
	const char *key = gw_api_key(req);

	if (!key)
		gw_problem(req, "key-missing", NULL, "Authorization: Bearer tk_...");
	else if (gw_access_reader(api->access, key, name))
		gw_problem(req, "key-unknown", NULL, NULL);
	else
		return gw_api_quota(api, req, name);
	return false;
}

bool gw_api_definer(struct gw_api *api, struct bus_http_request *req, char *name)
{
	if (!gw_api_reader(api, req, name))
		return false;
	if (gw_access_define(api->access, name))
		return true;
	gw_problem(req, "not-granted", NULL, "define: true");
	return false;
}

static void let_go(void *views)
{
	struct gw_views *set = views;

	gw_views_release(&set);
}

const struct gw_views *gw_api_views(struct gw_api *api, struct bus_http_request *req)
{
	if (!bus_http_attached(req))
		bus_http_attach(req, gw_views_hold(api->engine), let_go);
	return bus_http_attached(req);
}

const char *gw_api_view_hint(struct gw_api *api, struct bus_http_request *req, const char *reader,
			     const char *name)
{
	const struct gw_views *all = gw_api_views(api, req);
	const char **seen = bus_xcalloc(all->n + 1, sizeof(*seen)), *near;
	size_t n = 0;

	for (size_t i = 0; i < all->n; i++) {
		const struct gw_view *v = all->view[i];

		if (!reader || (!v->internal && gw_access_grant(api->access, reader, v).allowed))
			seen[n++] = v->name;
	}
	near = bus_nearest(name, seen, n);
	free(seen);
	return near ? near : "/v1/views";
}

const struct gw_view *gw_api_view_named(struct gw_api *api, struct bus_http_request *req, const char *reader,
					const char *view, struct gw_grant *grant)
{
	const struct gw_view *v = gw_views_find(gw_api_views(api, req), view);

	if (v && !v->internal)
		*grant = gw_access_grant(api->access, reader, v);
	if (v && !v->internal && grant->allowed)
		return v;
	gw_problem(req, "view-unknown", NULL, gw_api_view_hint(api, req, reader, view));
	return NULL;
}

const struct gw_view *gw_api_view(struct gw_api *api, struct bus_http_request *req, char *name,
				  struct gw_grant *grant)
{
	return gw_api_view_named(api, req, name, bus_http_part(req, "view"), grant);
}

struct gw_cursors gw_api_cursors(const struct gw_api *api)
{
	struct gw_cursors c = api->cursors;

	c.store = gw_store_id(api->engine);
	return c;
}

void gw_api_refuse(void *ctx, struct bus_http_request *req, int status)
{
	(void)ctx;
	gw_problem(req, status == 405 ? "method-refused" : "path-unknown", NULL, "/v1/openapi.json");
}

void gw_api_fail(struct bus_http_request *req, enum bus_err rc, const struct bus_error *err)
{
	if (rc == BUS_EINVAL)
		gw_problem(req, "parameter-invalid", err->text, NULL);
	else if (rc == BUS_ENOENT)
		gw_problem(req, "row-unknown", NULL, NULL);
	else if (rc == BUS_ETOOBIG)
		gw_problem(req, "question-too-large", err->text,
			   "GET /v1/views/{view}.csv, .ndjson, .parquet; indexes: [{table: ..., columns: "
			   "[...]}], store: full");
	else if (rc == BUS_ECONFLICT)
		gw_problem(req, "lookup-several", err->text, NULL);
	else
		gw_problem(req, "unavailable", NULL, NULL);
}
