/* One view's own paths: its columns by name and type, as this reader sees them. */
#include <stdio.h>

#include "gateway/serve/format.h"
#include "gateway/docs/openapi_doc.h"

static bool shown(const struct gw_openapi_view *v, size_t column)
{
	return v->grant.shown >> column & 1;
}

static bool clear(const struct gw_openapi_view *v, size_t column)
{
	return v->grant.clear >> column & 1;
}

static void put_type(struct gw_pen *p, enum gw_type type, bool nullable)
{
	switch (type) {
	case GW_INT:
		gw_pen_type(p, "integer", "int64", nullable);
		break;
	case GW_REAL:
		gw_pen_type(p, "number", "double", nullable);
		break;
	case GW_BOOL:
		gw_pen_type(p, "boolean", NULL, nullable);
		break;
	case GW_TEXT:
		gw_pen_type(p, "string", NULL, nullable);
		break;
	case GW_JSON: /* anything; 3.0 has null apart */
	case GW_NULL:
		if (nullable && !p->v31)
			gw_pen_flag(p, "nullable", true);
		break;
	}
}

static void put_column(struct gw_pen *p, const struct gw_openapi_view *v, size_t i)
{
	const struct gw_column *c = &v->view->column[i];
	const char pdp[2] = { c->pdp, '\0' };

	gw_pen_object(p, c->name);
	put_type(p, c->type, i != v->view->key);
	if (c->title_id)
		gw_pen_text(p, "title", c->title_id, c->title_en);
	if (!clear(v, i))
		gw_pen_text(p, "description",
			    c->type == GW_TEXT ? "Disamarkan: `" GW_MASK "`" : "Disamarkan: null",
			    c->type == GW_TEXT ? "Masked: `" GW_MASK "`" : "Masked: null");
	gw_pen_str(p, "x-pdp", pdp);
	gw_pen_flag(p, "x-masked", !clear(v, i));
	bus_json_object_end(&p->j);
}

void gw_openapi_view_schema(struct gw_pen *p, const struct gw_openapi_view *v)
{
	char name[128];

	snprintf(name, sizeof(name), "view_%s", v->view->name);
	gw_pen_object(p, name);
	gw_pen_str(p, "type", "object");
	gw_pen_object(p, "properties");
	for (size_t i = 0; i < v->view->n_columns; i++)
		if (shown(v, i))
			put_column(p, v, i);
	bus_json_object_end(&p->j);
	bus_json_object_end(&p->j);
}

static void put_row_ref(struct gw_pen *p, const struct gw_openapi_view *v)
{
	char name[128];

	snprintf(name, sizeof(name), "view_%s", v->view->name);
	gw_pen_ref(p, "schemas", name);
}

static void put_rows(struct gw_pen *p, const struct gw_openapi_view *v)
{
	bus_json_object(&p->j);
	gw_pen_str(p, "type", "array");
	bus_json_key(&p->j, "items");
	put_row_ref(p, v);
	bus_json_object_end(&p->j);
}

/* "TYPE": {"schema": ... left to the caller */
static void begin_content(struct gw_pen *p, const char *type)
{
	gw_pen_object(p, type);
	bus_json_key(&p->j, "schema");
}

static void put_text_content(struct gw_pen *p, const char *type)
{
	begin_content(p, type);
	bus_json_object(&p->j);
	gw_pen_str(p, "type", "string");
	bus_json_object_end(&p->j);
	bus_json_object_end(&p->j);
}

/* {"get": {... "parameters": [ */
static void begin_operation(struct gw_pen *p, const struct gw_openapi_view *v, const char *tail,
			    const char *what, const char *parameters)
{
	char path[160], id[160];

	snprintf(path, sizeof(path), "/v1/views/%s%s", v->view->name, tail);
	snprintf(id, sizeof(id), "%s_%s", what, v->view->name);
	gw_pen_object(p, path);
	gw_pen_object(p, "get");
	gw_pen_str(p, "operationId", id);
	gw_pen_array(p, "tags");
	bus_json_put_text(&p->j, v->view->name);
	bus_json_array_end(&p->j);
	gw_pen_text(p, "summary", v->view->title_id ? v->view->title_id : v->view->name, v->view->title_en);
	if (v->view->about_id)
		gw_pen_text(p, "description", v->view->about_id, v->view->about_en);
	gw_pen_parameters(p, parameters);
	gw_pen_ref(p, "parameters", v->view->dated ? "dated" : "per_tanggal");
}

/* ], "responses": {"200": {"description": ..., "content": { */
static void begin_responses(struct gw_pen *p)
{
	bus_json_array_end(&p->j);
	gw_pen_object(p, "responses");
	gw_pen_object(p, "200");
	gw_pen_text(p, "description", "Jawaban", "The answer");
	gw_pen_object(p, "content");
}

static void end_operation(struct gw_pen *p, const char *answers)
{
	bus_json_object_end(&p->j);
	bus_json_object_end(&p->j);
	gw_pen_answers(p, answers);
	bus_json_object_end(&p->j);
	bus_json_object_end(&p->j);
}

static void put_filters(struct gw_pen *p, const struct gw_openapi_view *v)
{
	for (size_t i = 0; i < v->view->n_columns; i++) {
		const struct gw_column *c = &v->view->column[i];

		if (!shown(v, i) || !clear(v, i))
			continue;
		bus_json_object(&p->j);
		gw_pen_str(p, "name", c->name);
		gw_pen_str(p, "in", "query");
		if (c->title_id)
			gw_pen_text(p, "description", c->title_id, c->title_en);
		bus_json_key(&p->j, "schema");
		gw_pen_ref(p, "schemas", "Filter");
		bus_json_object_end(&p->j);
	}
}

void gw_openapi_view_paths(struct gw_pen *p, const struct gw_openapi_view *v)
{
	begin_operation(p, v, "", "rows",
			"limit after offset order select excel format compression range if_range tree prefer "
			"if_none_match");
	put_filters(p, v);
	begin_responses(p);
	begin_content(p, "application/json");
	put_rows(p, v);
	bus_json_object_end(&p->j);
	begin_content(p, "application/vnd.titian.page+json");
	bus_json_object(&p->j);
	gw_pen_array(p, "allOf");
	gw_pen_ref(p, "schemas", "Page");
	bus_json_object(&p->j);
	gw_pen_object(p, "properties");
	bus_json_key(&p->j, "data");
	put_rows(p, v);
	bus_json_object_end(&p->j);
	bus_json_object_end(&p->j);
	bus_json_array_end(&p->j);
	bus_json_object_end(&p->j);
	bus_json_object_end(&p->j);
	put_text_content(p, "application/x-ndjson");
	put_text_content(p, "text/csv");
	put_text_content(p, "application/vnd.apache.avro");
	put_text_content(p, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet");
	put_text_content(p, "application/vnd.apache.parquet");
	end_operation(p, "206=Rows 304=Unchanged 400 401 403 404 406 416 422 429 503");
	if (!p->one) {
		gw_openapi_operation(p, gw_operation_of("PUT", "/v1/views/{view}"), v->view->name);
		gw_openapi_operation(p, gw_operation_of("DELETE", "/v1/views/{view}"), v->view->name);
	}
	bus_json_object_end(&p->j);

	begin_operation(p, v, "/{key}", "row", "key select if_none_match");
	begin_responses(p);
	begin_content(p, "application/json");
	put_row_ref(p, v);
	bus_json_object_end(&p->j);
	end_operation(p, "304=Unchanged 400 401 403 404 503");
	bus_json_object_end(&p->j);

	begin_operation(p, v, "/changes", "changes", "since wait until ticket last_event_id select");
	begin_responses(p);
	begin_content(p, "application/json");
	gw_pen_ref(p, "schemas", "Changes");
	bus_json_object_end(&p->j);
	put_text_content(p, "text/event-stream");
	put_text_content(p, "application/x-ndjson");
	end_operation(p, "400 401 403 404 406 410 429 503");
	bus_json_object_end(&p->j);
}
