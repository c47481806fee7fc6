#include "gateway/serve/api.h"

#include <strings.h>

#include "bus/clock.h"
#include "bus/yaml.h"
#include "gateway/serve/crowd.h"

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

bool gw_api_keyed(const struct bus_http_request *req)
{
	return gw_api_key(req) || *bus_http_who(req);
}

void gw_api_key_id(const struct bus_http_request *req, char id[9])
{
	const char *key = gw_api_key(req);

	if (key)
		gw_access_key_id(key, id);
	else
		memcpy(id, GW_KEY_ID_SIGNED, sizeof(GW_KEY_ID_SIGNED));
}

const char *gw_api_identify(struct gw_api *api, struct bus_http_request *req, const char *key, char *name)
{
	const char *who = bus_http_who(req); /* signed, or asked before */
	struct gw_signing signing = { 0 };

	if (!key && !*who)
		return "key-missing";
	if (!key)
		memcpy(name, who, strlen(who) + 1);
	else if (gw_access_reader(api->access, key, name))
		return "key-unknown";
	if (gw_access_signing(api->access, name, &signing) && signing.must && strcmp(who, name) != 0)
		return "signature-missing";
	bus_http_set_who(req, name);
	return NULL;
}

bool gw_api_signs(struct gw_api *api, const struct bus_http_request *req)
{
	const char *who = bus_http_who(req);
	struct gw_signing signing;

	return api->signer && (bus_http_header(req, "Accept-Signature") ||
			       (*who && gw_access_signing(api->access, who, &signing) && signing.answers));
}

void gw_api_unknown(struct bus_http_request *req, const char *problem)
{
	gw_problem(req, problem, NULL, strcmp(problem, "key-missing") == 0 ? "Authorization: Bearer tk_..." : NULL);
}

bool gw_api_reader(struct gw_api *api, struct bus_http_request *req, char *name)
{
	const char *problem = gw_api_identify(api, req, gw_api_key(req), name);

	if (!problem)
		return gw_api_quota(api, req, name);
	gw_api_unknown(req, problem);
	return false;
}

bool gw_api_anybody(struct gw_api *api, struct bus_http_request *req)
{
	struct gw_quota_left left;

	if (!api->crowd)
		return true;
	left = gw_crowd_take(api->crowd, req, bus_clock_mono_ms());
	if (!left.over)
		return true;
	gw_quota_headers(req, &left);
	gw_problem(req, "quota-exceeded", NULL, NULL);
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

void gw_api_not_ready(struct bus_http_request *req, const char *what)
{
	bus_http_set(req, "Retry-After", "1");
	gw_problem(req, "not-ready", what, "GET /readyz");
}

const struct gw_view *gw_api_view_named(struct gw_api *api, struct bus_http_request *req, const char *reader,
					const char *view, struct gw_grant *grant)
{
	const struct gw_view *v = gw_views_find(gw_api_views(api, req), view);

	if (v && !v->internal)
		*grant = gw_access_grant(api->access, reader, v);
	if (v && !v->internal && grant->allowed) {
		if (gw_view_whole(v))
			return v;
		gw_api_not_ready(req, v->name);
		return NULL;
	}
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
