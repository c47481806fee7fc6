/* GET /v1/nasional: what whoever asks may mirror, and how far he has said he is. GET /v1/nasional/acknowledgements. */
#include <stdio.h>
#include <stdlib.h>

#include "bus/clock.h"
#include "bus/json_out.h"
#include "gateway/engine/read.h"
#include "gateway/national/national.h"
#include "gateway/national/signer.h"

#define LIMIT_DEFAULT 100

struct looking { /* for the newest acknowledgement of one view */
	struct bus_json_out *j;
	struct gw_engine *engine;
	const struct gw_view *view;
	bool found;
};

static bool put_newest(void *ctx, const struct gw_ack *k)
{
	struct looking *l = ctx;

	l->found = true;
	bus_json_key(l->j, "acknowledged");
	bus_json_put_raw(l->j, bus_str(k->text));
	bus_json_bool_member(l->j, "behind",
			     k->store != gw_store_id(l->engine) || gw_newest(l->engine, l->view) > k->seq);
	return true;
}

static void put_link(struct bus_json_out *j, const char *name, const char *view, const char *rest)
{
	struct bus_buf url = { 0 };

	bus_buf_printf(&url, "/v1/views/%s%s", view, rest);
	bus_json_text_member(j, name, bus_buf_cstr(&url));
	bus_buf_release(&url);
}

static void put_dataset(struct gw_api *api, const char *reader, const struct gw_view *v,
			struct bus_json_out *j)
{
	struct looking l = { j, api->engine, v, false };

	bus_json_object(j);
	bus_json_text_member(j, "view", v->name);
	bus_json_key(j, "title");
	bus_json_object(j);
	bus_json_text_member(j, "id", v->title_id ? v->title_id : v->name);
	bus_json_text_member(j, "en", v->title_en ? v->title_en : v->name);
	bus_json_object_end(j);
	bus_json_text_member(j, "key", v->column[v->key].name);
	bus_json_bool_member(j, "dated", v->dated);
	bus_json_key(j, "links");
	bus_json_object(j);
	put_link(j, "whole", v->name, ".ndjson");
	put_link(j, "changes", v->name, "/changes");
	put_link(j, "openapi", v->name, "/openapi.json");
	bus_json_object_end(j);
	if (api->national)
		gw_acks_latest(gw_national_acks(api->national), reader, v->name, put_newest, &l);
	if (!l.found)
		bus_json_text_member(j, "acknowledged", NULL);
	bus_json_object_end(j);
}

void gw_national_offer(void *ctx, struct bus_http_request *req)
{
	struct gw_api *api = ctx;
	const struct gw_views *views = gw_api_views(api, req);
	struct gw_signing signing = { 0 };
	char reader[GW_READER_NAME_MAX];
	struct bus_buf body = { 0 };
	struct bus_json_out j = { .buf = &body };

	if (!gw_api_reader(api, req, reader))
		return;
	(void)gw_access_signing(api->access, reader, &signing);
	bus_json_object(&j);
	bus_json_text_member(&j, "reader", reader);
	bus_json_key(&j, "signatures");
	bus_json_object(&j);
	bus_json_text_member(&j, "alg", "ed25519");
	bus_json_text_member(&j, "keyid", gw_signer_keyid(api->signer));
	bus_json_text_member(&j, "keys", "/.well-known/http-message-signatures-directory");
	bus_json_text_member(&j, "bundles", "/.well-known/titian-exports.pem");
	bus_json_bool_member(&j, "answers", signing.answers);
	bus_json_text_member(&j, "requests", signing.must ? "required" : signing.n ? "accepted" : "none");
	bus_json_object_end(&j);
	bus_json_text_member(&j, "acknowledge", "/v1/nasional/acknowledgements");
	bus_json_text_member(&j, "figures", "/v1/nasional/agregat");
	bus_json_key(&j, "datasets");
	bus_json_array(&j);
	for (size_t i = 0; i < views->n; i++)
		if (!views->view[i]->internal && gw_access_grant(api->access, reader, views->view[i]).allowed)
			put_dataset(api, reader, views->view[i], &j);
	bus_json_array_end(&j);
	bus_json_object_end(&j);
	bus_http_reply(req, 200, "application/json", &body);
}

struct listing {
	struct bus_json_out *j;
	const char *reader, *view; /* NULL: any */
	long left;
};

static bool put_ack(void *ctx, const struct gw_ack *k)
{
	struct listing *l = ctx;

	if ((!l->reader || strcmp(l->reader, k->reader) == 0) &&
	    (!l->view || strcmp(l->view, k->view) == 0)) {
		bus_json_put_raw(l->j, bus_str(k->text));
		l->left--;
	}
	return l->left > 0;
}

void gw_national_acknowledged(void *ctx, struct bus_http_request *req)
{
	struct gw_api *api = ctx;
	const char *limit = bus_http_query(req, "limit");
	struct listing l = { .left = limit ? strtol(limit, NULL, 10) : LIMIT_DEFAULT };
	char reader[GW_READER_NAME_MAX];
	struct bus_buf body = { 0 };
	struct bus_json_out j = { .buf = &body };

	if (!gw_api_reader(api, req, reader))
		return;
	if (l.left < 1 || l.left > GW_ACKS_RECENT) {
		gw_problem(req, "parameter-invalid", "limit", "limit=1..1000");
		return;
	}
	l.j = &j;
	l.view = bus_http_query(req, "view");
	l.reader = gw_access_status(api->access, reader) ? bus_http_query(req, "reader") : reader;
	bus_json_array(&j);
	if (!api->national || !gw_acks_recent(gw_national_acks(api->national), put_ack, &l)) {
		bus_buf_release(&body);
		gw_problem(req, "unavailable", NULL, NULL);
		return;
	}
	bus_json_array_end(&j);
	bus_http_reply(req, 200, "application/json", &body);
}
