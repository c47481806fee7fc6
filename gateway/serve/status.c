#include "bus/clock.h"
#include "bus/json_out.h"
#include "gateway/engine/conflicts.h"
#include "gateway/engine/group.h"
#include "gateway/serve/adapters.h"
#include "gateway/serve/api.h"
#include "gateway/feed/feeds.h"

#define TOPICS_MAX 512

/* The reader may see the state of the bus, or has been answered. */
static bool may_see(struct gw_api *api, struct bus_http_request *req)
{
	char reader[GW_READER_NAME_MAX];

	if (!gw_api_reader(api, req, reader))
		return false;
	if (gw_access_status(api->access, reader))
		return true;
	gw_problem(req, "not-granted", NULL, NULL);
	return false;
}

static void put_topic(struct bus_json_out *j, const struct gw_topic_state *t)
{
	const struct {
		const char *name;
		int64_t value;
	} number[] = {
		{ "applied", t->applied }, { "behind", t->behind },	{ "rows", t->rows },
		{ "gaps", t->gaps },	   { "repeated", t->repeated }, { "undecodable", t->undecodable },
	};
	char when[40];

	bus_json_object(j);
	bus_json_key(j, "topic");
	bus_json_put_text(j, t->topic);
	bus_json_key(j, "opd");
	bus_json_put_text(j, t->opd);
	bus_json_key(j, "entity");
	bus_json_put_text(j, t->entity);
	bus_json_key(j, "table");
	bus_json_put_text(j, t->table);
	for (size_t i = 0; i < BUS_LEN(number); i++) {
		bus_json_key(j, number[i].name);
		bus_json_put_int(j, number[i].value);
	}
	bus_json_key(j, "schema");
	bus_json_put_int(j, t->schema_id);
	bus_json_key(j, "schema_held");
	bus_json_put_text(j, t->held[0] ? t->held : NULL);
	bus_json_key(j, "newest");
	bus_json_put_text(j, t->newest_ms ? bus_clock_iso_wib(t->newest_ms, when, sizeof(when)) : NULL);
	bus_json_object_end(j);
}

void gw_rest_topics(void *ctx, struct bus_http_request *req)
{
	struct gw_api *api = ctx;
	struct gw_topic_state *topic;
	struct bus_buf body = { 0 };
	struct bus_json_out j = { .buf = &body };
	size_t n;

	if (!may_see(api, req))
		return;
	topic = bus_xcalloc(TOPICS_MAX, sizeof(*topic));
	n = gw_topics(api->engine, topic, TOPICS_MAX);
	bus_json_object(&j);
	bus_json_key(&j, "idle");
	bus_json_put_bool(&j, gw_idle(api->engine));
	bus_json_key(&j, "caught_up");
	bus_json_put_bool(&j, gw_caught_up(api->engine));
	bus_json_key(&j, "topics");
	bus_json_array(&j);
	for (size_t i = 0; i < n; i++)
		put_topic(&j, &topic[i]);
	bus_json_array_end(&j);
	bus_json_object_end(&j);
	free(topic);
	bus_http_reply(req, 200, "application/json", &body);
}

/* There is something to sum up: the first view that is whole comes with all that there was to read. */
static bool whole_once(struct gw_api *api, struct bus_http_request *req)
{
	const struct gw_views *views = gw_api_views(api, req);

	for (size_t i = 0; i < views->n; i++)
		if (gw_view_whole(views->view[i]))
			return true;
	return gw_caught_up(api->engine);
}

/* What a sum over the store says, for who may see the bus. */
static void answer_sum(struct gw_api *api, struct bus_http_request *req,
		       enum bus_err (*sum)(struct gw_reader *r, struct bus_buf *out, struct bus_error *err))
{
	struct bus_buf body = { 0 };
	struct bus_error err;
	enum bus_err rc;

	if (!may_see(api, req))
		return;
	if (!whole_once(api, req)) {
		gw_api_not_ready(req, NULL);
		return;
	}
	rc = sum(gw_reader_of(api->engine), &body, &err);
	if (rc)
		gw_api_fail(req, rc, &err);
	else
		bus_http_reply(req, 200, "application/json", &body);
	bus_buf_release(&body);
}

void gw_rest_quality(void *ctx, struct bus_http_request *req)
{
	answer_sum(ctx, req, gw_quality_json);
}

/* What each department's adapter said of itself, and when. */
void gw_rest_adapters(void *ctx, struct bus_http_request *req)
{
	struct gw_api *api = ctx;
	struct bus_buf body = { 0 };

	if (!may_see(api, req))
		return;
	gw_adapters_json(api->adapters, &body);
	bus_http_reply(req, 200, "application/json", &body);
}

/* How often which departments disagree. */
void gw_rest_conflicts(void *ctx, struct bus_http_request *req)
{
	answer_sum(ctx, req, gw_conflicts_json);
}

static void put_gateway(struct bus_json_out *j, const struct gw_group_member *m)
{
	bus_json_object(j);
	bus_json_key(j, "name");
	bus_json_put_text(j, m->name);
	bus_json_key(j, "here");
	bus_json_put_bool(j, m->here);
	bus_json_key(j, "role");
	bus_json_put_text(j, gw_group_role_name(m->role));
	bus_json_key(j, "ready");
	bus_json_put_bool(j, m->ready);
	bus_json_key(j, "fault");
	bus_json_put_bool(j, m->fault);
	bus_json_key(j, "batch");
	bus_json_put_int(j, m->n);
	bus_json_key(j, "seq");
	bus_json_put_int(j, m->seq);
	bus_json_key(j, "behind");
	bus_json_put_int(j, m->behind);
	bus_json_key(j, "heard_ms");
	bus_json_put_int(j, m->age_ms);
	bus_json_object_end(j);
}

/* The gateways that number together: who leads, how far each is. */
void gw_rest_gateways(void *ctx, struct bus_http_request *req)
{
	struct gw_group_member m[GW_GROUP_MEMBERS_MAX];
	struct gw_api *api = ctx;
	struct bus_buf body = { 0 };
	struct bus_json_out j = { .buf = &body };
	int64_t newest;
	size_t n;

	if (!may_see(api, req))
		return;
	n = gw_group_members(api->engine, m, &newest);
	bus_json_object(&j);
	bus_json_key(&j, "batch");
	bus_json_put_int(&j, newest);
	bus_json_key(&j, "gateways");
	bus_json_array(&j);
	for (size_t i = 0; i < n; i++)
		put_gateway(&j, &m[i]);
	bus_json_array_end(&j);
	bus_json_object_end(&j);
	bus_http_reply(req, 200, "application/json", &body);
}

struct reader_list {
	struct gw_api *api;
	struct bus_json_out j;
};

static void put_reader(void *ctx, const char *reader, size_t keys, const struct gw_views *views,
		       const struct gw_grant *grant)
{
	struct reader_list *l = ctx;
	struct bus_json_out *j = &l->j;

	bus_json_object(j);
	bus_json_key(j, "reader");
	bus_json_put_text(j, reader);
	bus_json_key(j, "keys");
	bus_json_put_int(j, (int64_t)keys);
	bus_json_key(j, "views");
	bus_json_array(j);
	for (size_t i = 0; i < views->n; i++) {
		const struct gw_view *v = views->view[i];

		if (!grant[i].allowed)
			continue;
		bus_json_object(j);
		bus_json_key(j, "name");
		bus_json_put_text(j, v->name);
		bus_json_key(j, "following");
		bus_json_put_int(j, (int64_t)gw_feeds_following(l->api->feeds, reader, v));
		bus_json_object_end(j);
	}
	bus_json_array_end(j);
	bus_json_object_end(j);
}

/* Who may read what, and who follows it now. */
void gw_rest_readers(void *ctx, struct bus_http_request *req)
{
	struct bus_buf body = { 0 };
	struct reader_list l = { .api = ctx, .j = { .buf = &body } };

	if (!may_see(ctx, req))
		return;
	bus_json_array(&l.j);
	gw_access_each(l.api->access, put_reader, &l);
	bus_json_array_end(&l.j);
	bus_http_reply(req, 200, "application/json", &body);
}

void gw_rest_whoami(void *ctx, struct bus_http_request *req)
{
	struct gw_api *api = ctx;
	struct bus_buf body = { 0 };
	struct bus_json_out j = { .buf = &body };
	char reader[GW_READER_NAME_MAX];

	if (!gw_api_reader(api, req, reader))
		return;
	bus_json_object(&j);
	bus_json_key(&j, "reader");
	bus_json_put_text(&j, reader);
	bus_json_key(&j, "status");
	bus_json_put_bool(&j, gw_access_status(api->access, reader));
	bus_json_key(&j, "define");
	bus_json_put_bool(&j, gw_access_define(api->access, reader));
	bus_json_object_end(&j);
	bus_http_reply(req, 200, "application/json", &body);
}
