/* GET /v1/views: what the reader may read, column by column. */
#include "bus/json_out.h"
#include "gateway/engine/live.h"
#include "gateway/serve/promise.h"

#define TABLES_MAX 64

static void put_two(struct bus_json_out *j, const char *key, const char *id, const char *en)
{
	bus_json_key(j, key);
	bus_json_object(j);
	bus_json_key(j, "id");
	bus_json_put_text(j, id);
	bus_json_key(j, "en");
	bus_json_put_text(j, en ? en : id);
	bus_json_object_end(j);
}

static void put_columns(struct bus_json_out *j, const struct gw_view *v, struct gw_grant grant)
{
	static const char *const type[] = { "null", "integer", "number", "string", "boolean", "json" };
	char pdp[2] = "";

	bus_json_key(j, "columns");
	bus_json_array(j);
	for (size_t i = 0; i < v->n_columns; i++) {
		const struct gw_column *c = &v->column[i];

		if (!(grant.shown >> i & 1))
			continue;
		pdp[0] = c->pdp;
		bus_json_object(j);
		bus_json_key(j, "name");
		bus_json_put_text(j, c->name);
		bus_json_key(j, "type");
		bus_json_put_text(j, type[c->type]);
		bus_json_key(j, "pdp");
		bus_json_put_text(j, pdp);
		bus_json_key(j, "masked");
		bus_json_put_bool(j, !(grant.clear >> i & 1));
		put_two(j, "title", c->title_id, c->title_en);
		put_two(j, "about", c->about_id, c->about_en);
		bus_json_key(j, "unit");
		bus_json_put_text(j, c->unit);
		bus_json_object_end(j);
	}
	bus_json_array_end(j);
}

/* Who answers for it, what for, and what it promises. */
static void put_promises(struct bus_json_out *j, const struct gw_view *v, struct gw_grant grant)
{
	bus_json_key(j, "owner");
	bus_json_put_text(j, v->owner);
	put_two(j, "purpose", v->purpose_id, v->purpose_en);
	bus_json_key(j, "basis");
	bus_json_put_text(j, v->basis);
	bus_json_key(j, "dpia");
	bus_json_put_text(j, v->dpia);
	bus_json_key(j, "max_age_s");
	if (v->max_age_s)
		bus_json_put_int(j, v->max_age_s);
	else
		bus_json_put_null(j);
	bus_json_key(j, "scope");
	bus_json_array(j);
	for (size_t i = 0; i < v->n_scope; i++) {
		if (grant.shown >> v->scope[i] & 1)
			bus_json_put_text(j, v->column[v->scope[i]].name);
	}
	bus_json_array_end(j);
	bus_json_key(j, "history");
	bus_json_put_bool(j, v->history);
}

/* The topics' tables behind a view, through the views it reads (which have no cycle). */
static size_t tables_of(const struct gw_views *views, const struct gw_view *v, const char **table, size_t n)
{
	for (size_t i = 0; i < v->n_sources; i++) {
		const struct gw_view *inner = gw_views_find(views, v->source[i]);
		size_t k;

		if (inner) {
			n = tables_of(views, inner, table, n);
			continue;
		}
		for (k = 0; k < n && strcmp(table[k], v->source[i]) != 0; k++)
			;
		if (k == n && n < TABLES_MAX)
			table[n++] = v->source[i];
	}
	return n;
}

static void put_tables(struct bus_json_out *j, const struct gw_views *views, const struct gw_view *v)
{
	const char *table[TABLES_MAX];
	size_t n = tables_of(views, v, table, 0);

	bus_json_key(j, "tables");
	bus_json_array(j);
	for (size_t i = 0; i < n; i++)
		bus_json_put_text(j, table[i]);
	bus_json_array_end(j);
}

/* As many as there are for this reader. */
static int64_t rows_of(struct gw_api *api, const struct gw_view *v, struct gw_grant grant)
{
	const struct gw_query q = { .view = v, .rows = grant.rows };
	struct bus_error err;
	int64_t n = 0;

	if (!grant.rows)
		return gw_view_rows(api->engine, v);
	return gw_count(gw_reader_of(api->engine), &q, &n, &err) == BUS_OK ? n : 0;
}

/* Of its newest definition: while that is built, or cannot be taken, the one before it runs. */
static void put_state(struct bus_json_out *j, struct gw_engine *e, const struct gw_view *v)
{
	struct gw_view_state s = { 0 };

	if (gw_view_state(e, v->name, &s) != BUS_OK)
		s.state = GW_STATE_RUNNING;
	if (s.state == GW_STATE_RUNNING && !gw_view_whole(v))
		s.state = GW_STATE_BUILDING;
	bus_json_key(j, "state");
	bus_json_put_text(j, gw_state_name(s.state));
}

static void put_view(struct bus_json_out *j, struct gw_api *api, const struct gw_views *views,
		     const struct gw_view *v, struct gw_grant grant)
{
	bus_json_object(j);
	bus_json_key(j, "name");
	bus_json_put_text(j, v->name);
	put_two(j, "title", v->title_id, v->title_en);
	put_two(j, "about", v->about_id, v->about_en);
	bus_json_key(j, "dated");
	bus_json_put_bool(j, v->dated);
	bus_json_key(j, "key");
	bus_json_put_text(j, v->column[v->key].name);
	put_columns(j, v, grant);
	put_promises(j, v, grant);
	bus_json_key(j, "sources");
	bus_json_array(j);
	for (size_t i = 0; i < v->n_sources; i++)
		bus_json_put_text(j, v->source[i]);
	bus_json_array_end(j);
	put_tables(j, views, v);
	gw_promise_put(api, j, v, grant.shown);
	bus_json_key(j, "rows");
	/* A dated view has no number of rows before the reader names the day, and no view before it has had them all. */
	if (v->dated || !gw_view_whole(v))
		bus_json_put_null(j);
	else
		bus_json_put_int(j, rows_of(api, v, grant));
	bus_json_key(j, "newest");
	bus_json_put_int(j, gw_newest(api->engine, v));
	put_state(j, api->engine, v);
	bus_json_object_end(j);
}

void gw_rest_views(void *ctx, struct bus_http_request *req)
{
	struct gw_api *api = ctx;
	struct bus_buf body = { 0 };
	struct bus_json_out j = { .buf = &body };
	const struct gw_views *views = gw_api_views(api, req);
	char reader[GW_READER_NAME_MAX];

	if (!gw_api_reader(api, req, reader))
		return;
	bus_json_array(&j);
	for (size_t i = 0; i < views->n; i++) {
		const struct gw_view *v = views->view[i];
		struct gw_grant grant = gw_access_grant(api->access, reader, v);

		if (!v->internal && grant.allowed)
			put_view(&j, api, views, v, grant);
	}
	bus_json_array_end(&j);
	bus_http_reply(req, 200, "application/json", &body);
}
