/* POST /v1/views/{view}/lookup {"nik": ["...", ...]}: rows by one column, so that no identifier stands in a URL. */
#include <stdio.h>

#include "bus/json.h"
#include "bus/json_out.h"
#include "gateway/serve/answer.h"
#include "gateway/serve/format.h"
#include "gateway/serve/moment.h"
#include "gateway/serve/traced.h"

#define VALUES_MAX 1000
#define VALUE_MAX 200 /* bytes */

struct lookup {
	struct gw_params params;
	int column;
	const char **value;
	size_t n;
	struct bus_buf body;
	struct gw_hash_key tag;
	uint64_t hash;	     /* of all rows, in their order */
	struct bus_str *key; /* with provenance: of each row, p NULL for none; else NULL */
};

static void found(void *ctx, size_t i, const struct gw_value *row, uint64_t hash)
{
	struct lookup *l = ctx;
	const uint64_t both[] = { l->hash, hash };

	l->hash = gw_hash(l->tag, both, sizeof(both));
	if (l->key) { /* looked at again, with its traces */
		struct bus_str key = row ? row[l->params.view->key].s : (struct bus_str){ 0 };

		l->key[i] =
		    (struct bus_str){ row ? bus_arena_dup(l->params.arena, key.p, key.n) : NULL, key.n };
		return;
	}
	if (i > 0)
		bus_buf_putc(&l->body, ',');
	if (row)
		gw_format_json(&l->params, row, &l->body);
	else
		bus_buf_puts(&l->body, "null");
}

static bool refuse(struct lookup *l, const char *what)
{
	return gw_params_refuse(&l->params, "lookup-invalid", "{\"COLUMN\": [\"...\", \"...\"]}", "%s", what);
}

static bool read_value(struct lookup *l, const struct bus_json *v)
{
	bool text = v->type == BUS_JSON_STRING || v->type == BUS_JSON_NUMBER;

	if (!text || v->text.n > VALUE_MAX || memchr(v->text.p, '\0', v->text.n))
		return refuse(l, "a value is no text, or too long");
	l->value[l->n] = bus_arena_dup(l->params.arena, v->text.p, v->text.n);
	return l->value[l->n++] || refuse(l, "too large");
}

static bool read_body(struct lookup *l, struct bus_http_request *req)
{
	const struct bus_json_limits limits = { .depth = 2, .text = VALUE_MAX };
	struct bus_json *root, *list;
	struct bus_error err;

	if (bus_json_parse(bus_http_body(req), &limits, l->params.arena, &root, &err))
		return refuse(l, "not JSON, or too large");
	list = root->type == BUS_JSON_OBJECT && root->n == 1 ? root->first : NULL;
	if (!list || list->type != BUS_JSON_ARRAY)
		return refuse(l, "an object with one member, a list");
	if (list->n > VALUES_MAX)
		return refuse(l, "at most 1000 values");
	l->column = gw_params_column(&l->params, list->name, GW_USE_VALUE);
	if (l->column < 0)
		return false;
	l->value = bus_arena_alloc(l->params.arena, (list->n + 1) * sizeof(*l->value));
	if (!l->value)
		return refuse(l, "too large");
	for (const struct bus_json *v = list->first; v; v = v->next)
		if (!read_value(l, v))
			return false;
	return true;
}

static bool lookup_add(void *params, const char *name, const char *value)
{
	if (strcmp(name, "select") == 0 || strcmp(name, "per_tanggal") == 0 ||
	    strcmp(name, "provenance") == 0 || strcmp(name, "as_of") == 0)
		return gw_params_add(params, name, value);
	return gw_params_refuse(params, "parameter-invalid", "select, per_tanggal", "'%.60s'", name);
}

static enum bus_err put_traced(struct lookup *l, struct gw_reader *r, struct bus_error *err)
{
	enum bus_err rc = BUS_OK;

	for (size_t i = 0; i < l->n && rc == BUS_OK; i++) {
		if (i > 0)
			bus_buf_putc(&l->body, ',');
		rc = l->key[i].p ? gw_row_traced(r, &l->params, l->key[i], &l->body, err) : BUS_ENOENT;
		if (rc == BUS_ENOENT) {
			bus_buf_puts(&l->body, "null");
			rc = BUS_OK;
		}
	}
	return rc;
}

void gw_rest_lookup(void *ctx, struct bus_http_request *req)
{
	struct gw_api *api = ctx;
	char reader[GW_READER_NAME_MAX];
	struct lookup l = { .tag = api->cursors.tag_key };
	struct gw_grant grant;
	const struct gw_view *v;
	struct bus_error err;
	struct gw_reader *r;
	int64_t newest;
	enum bus_err rc;

	if (!gw_api_reader(api, req, reader) || !(v = gw_api_view(api, req, reader, &grant)))
		return;
	gw_params_begin(&l.params, v, grant, bus_http_arena(req));
	bus_http_each_query(req, lookup_add, &l.params);
	if (!gw_params_end(&l.params) || !read_body(&l, req)) {
		gw_problem(req, l.params.problem, l.params.detail, l.params.hint[0] ? l.params.hint : NULL);
		return;
	}
	if (l.params.provenance && l.n > GW_TRACED_ROWS_MAX) {
		gw_problem(req, "lookup-invalid", "provenance: 100", NULL);
		return;
	}
	if (l.params.provenance)
		l.key = bus_arena_zalloc(bus_http_arena(req), (l.n + 1) * sizeof(*l.key));
	r = gw_moment_reader(api, req, &l.params);
	if (!r)
		return;
	newest = gw_newest(api->engine, v);
	bus_buf_putc(&l.body, '[');
	rc = gw_lookup(r, &l.params.query, l.column, l.value, l.n, found, &l, &err);
	if (!rc && l.key)
		rc = put_traced(&l, r, &err);
	bus_buf_putc(&l.body, ']');
	if (rc) {
		gw_api_fail(req, rc, &err);
	} else {
		gw_answer_links(req, v, NULL);
		gw_moment_headers(api, req, &l.params, newest);
		l.hash = gw_answer_hash(api, req, &l.params, l.hash);
		if (l.key || l.params.as_of) {
			bus_http_reply(req, 200, "application/json", &l.body);
		} else if (!gw_answer_unchanged(req, l.hash)) {
			gw_answer_put_tag(req, l.hash);
			bus_http_reply(req, 200, "application/json", &l.body);
		}
	}
	bus_buf_release(&l.body);
}
