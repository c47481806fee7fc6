#include "gateway/catalogue/ckan.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

/* --- parameters --------------------------------------------------------------------------------------- */

const char *gw_ckan_text(struct gw_ckan *c, const char *name)
{
	const struct bus_json *v;
	struct bus_buf text = { 0 };
	struct bus_json_out j = { .buf = &text };
	char *kept;

	if (!c->body)
		return bus_http_query(c->req, name);
	v = bus_json_get(c->body, name);
	if (!v || v->type == BUS_JSON_NULL)
		return NULL;
	if (v->type == BUS_JSON_STRING || v->type == BUS_JSON_NUMBER)
		return bus_arena_dup(bus_http_arena(c->req), v->text.p, v->text.n);
	bus_json_put_tree(&j, v);
	kept = bus_arena_dup(bus_http_arena(c->req), text.p, text.n);
	bus_buf_release(&text);
	return kept;
}

bool gw_ckan_flag(struct gw_ckan *c, const char *name)
{
	const char *text = gw_ckan_text(c, name);

	return text &&
	       (strcasecmp(text, "true") == 0 || strcasecmp(text, "yes") == 0 || strcmp(text, "1") == 0);
}

enum gw_ckan_fault gw_ckan_number(struct gw_ckan *c, const char *name, int64_t *out)
{
	const char *text = gw_ckan_text(c, name);
	char *end;
	long long n;

	if (!text)
		return GW_CKAN_OK;
	n = strtoll(text, &end, 10);
	if (end == text || *end != '\0') {
		c->field = name;
		snprintf(c->detail, sizeof(c->detail), "Invalid integer");
		return GW_CKAN_INVALID;
	}
	if (n < 0 || n > 1000000000) {
		c->field = name;
		snprintf(c->detail, sizeof(c->detail), "Must be a natural number");
		return GW_CKAN_INVALID;
	}
	*out = n;
	return GW_CKAN_OK;
}

/* --- the envelope ------------------------------------------------------------------------------------- */

/* What CKAN says where there is no action to answer: a JSON text. */
static void refuse(struct bus_http_request *req, const char *what, const char *detail)
{
	struct bus_buf body = { 0 }, text = { 0 };
	struct bus_json_out j = { .buf = &body };

	bus_buf_printf(&text, "Bad request - %s%.200s", what, detail);
	bus_json_put_str(&j, bus_buf_str(&text));
	bus_buf_release(&text);
	bus_http_reply(req, 400, "application/json;charset=utf-8", &body);
}

static void begin(struct bus_json_out *j, const struct gw_shelf_conf *conf, const char *name, bool success)
{
	struct bus_buf url = { 0 };

	bus_buf_printf(&url, "%s/api/3/action/help_show?name=%s", conf->base, name);
	bus_json_object(j);
	bus_json_text_member(j, "help", bus_buf_cstr(&url));
	bus_json_key(j, "success");
	bus_json_put_bool(j, success);
	bus_json_key(j, success ? "result" : "error");
	bus_buf_release(&url);
}

static void reply_fault(struct bus_http_request *req, const struct gw_shelf_conf *conf, const char *name,
			enum gw_ckan_fault fault, const char *field, const char *detail)
{
	static const struct {
		int status;
		const char *type;
	} kind[] = { [GW_CKAN_MISSING] = { 409, "Validation Error" },
		     [GW_CKAN_INVALID] = { 409, "Validation Error" },
		     [GW_CKAN_NOT_FOUND] = { 404, "Not Found Error" },
		     [GW_CKAN_QUERY] = { 400, "Search Query Error" } };
	struct bus_buf body = { 0 };
	struct bus_json_out j = { .buf = &body };

	begin(&j, conf, name, false);
	bus_json_object(&j);
	bus_json_text_member(&j, "__type", kind[fault].type);
	if (field) {
		bus_json_key(&j, field);
		bus_json_array(&j);
		bus_json_put_text(&j, detail);
		bus_json_array_end(&j);
	} else {
		bus_json_text_member(&j, "message", fault == GW_CKAN_NOT_FOUND ? "Not found" : detail);
	}
	bus_json_object_end(&j);
	bus_json_object_end(&j);
	bus_http_reply(req, kind[fault].status, "application/json;charset=utf-8", &body);
}

/* CKAN's clients send the bare key. */
static const char *key_of(const struct bus_http_request *req)
{
	const char *bare = bus_http_header(req, "Authorization"),
		   *key = bus_http_header(req, "X-CKAN-API-Key");

	if (bare && strncasecmp(bare, "Bearer ", 7) != 0)
		return bare;
	return key ? key : gw_api_key(req);
}

static bool reader_of(struct gw_api *api, struct bus_http_request *req, const char *name, char *reader)
{
	const char *key = key_of(req);
	struct bus_buf body = { 0 };
	struct bus_json_out j = { .buf = &body };

	reader[0] = '\0';
	if (!key && !gw_api_keyed(req))
		return gw_api_anybody(api, req);
	if (!gw_api_identify(api, req, key, reader))
		return gw_api_quota(api, req, reader);
	begin(&j, api->catalogue, name, false);
	bus_json_object(&j);
	bus_json_text_member(&j, "__type", "Authorization Error");
	bus_json_text_member(&j, "message", "Access denied: the key is not known");
	bus_json_object_end(&j);
	bus_json_object_end(&j);
	bus_http_reply(req, 403, "application/json;charset=utf-8", &body);
	return false;
}

void gw_catalogue_ckan(void *ctx, struct bus_http_request *req)
{
	struct gw_api *api = ctx;
	const char *name = bus_http_part(req, "action");
	char reader[GW_READER_NAME_MAX];
	struct bus_buf body = { 0 };
	struct bus_json_out j = { .buf = &body };
	struct bus_json *params = NULL;
	struct bus_error err;
	struct gw_shelf shelf;
	struct gw_ckan c = { .shelf = &shelf, .req = req, .j = &j };
	enum gw_ckan_fault fault;
	const struct gw_ckan_action *action = gw_ckan_action(name);

	if (!action) {
		refuse(req, "Action name not known: ", name);
		return;
	}
	if (bus_http_body(req).n > 0) {
		if (bus_json_parse(bus_http_body(req), NULL, bus_http_arena(req), &params, &err)) {
			refuse(req, "JSON Error: Error decoding JSON data. ", err.text);
			return;
		}
		if (params->type != BUS_JSON_OBJECT) {
			refuse(req, "Request data JSON decoded to something that is not a dict", "");
			return;
		}
	}
	c.body = params;
	if (!reader_of(api, req, name, reader))
		return;
	gw_shelf_of(api, req, *reader ? reader : NULL, &shelf);
	begin(&j, api->catalogue, name, true);
	fault = action->fn(&c);
	bus_http_set(req, "Vary", "Accept-Language, Authorization, X-Api-Key");
	if (fault) {
		bus_buf_release(&body);
		reply_fault(req, api->catalogue, name, fault, c.field, c.detail);
		return;
	}
	bus_json_object_end(&j);
	bus_http_reply(req, 200, "application/json;charset=utf-8", &body);
}
