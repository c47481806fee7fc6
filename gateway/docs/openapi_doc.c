#include "gateway/docs/openapi_doc.h"

#include <assert.h>
#include <ctype.h>
#include <stdio.h>

#include "bus/proc.h"
#include "gateway/serve/api.h"
#include "gateway/serve/format.h"

/* --- the pen ---------------------------------------------------------------------------------------- */

void gw_pen_str(struct gw_pen *p, const char *key, const char *value)
{
	bus_json_key(&p->j, key);
	bus_json_put_text(&p->j, value);
}

void gw_pen_text(struct gw_pen *p, const char *key, const char *id, const char *en)
{
	gw_pen_str(p, key, p->english && en ? en : id);
}

void gw_pen_flag(struct gw_pen *p, const char *key, bool value)
{
	bus_json_key(&p->j, key);
	bus_json_put_bool(&p->j, value);
}

void gw_pen_type(struct gw_pen *p, const char *type, const char *format, bool nullable)
{
	if (nullable && p->v31) {
		gw_pen_array(p, "type");
		bus_json_put_text(&p->j, type);
		bus_json_put_text(&p->j, "null");
		bus_json_array_end(&p->j);
	} else {
		gw_pen_str(p, "type", type);
	}
	if (format)
		gw_pen_str(p, "format", format);
	if (nullable && !p->v31)
		gw_pen_flag(p, "nullable", true);
}

void gw_pen_object(struct gw_pen *p, const char *key)
{
	bus_json_key(&p->j, key);
	bus_json_object(&p->j);
}

void gw_pen_array(struct gw_pen *p, const char *key)
{
	bus_json_key(&p->j, key);
	bus_json_array(&p->j);
}

void gw_pen_ref(struct gw_pen *p, const char *kind, const char *name)
{
	char ref[200];

	snprintf(ref, sizeof(ref), "#/components/%s/%s", kind, name);
	bus_json_object(&p->j);
	gw_pen_str(p, "$ref", ref);
	bus_json_object_end(&p->j);
}

/* Our own tables: words are short. */
bool gw_pen_word(const char **at, char out[64])
{
	size_t n = strcspn(*at, " ");

	assert(n < 64);
	if (n == 0)
		return false;
	memcpy(out, *at, n);
	out[n] = '\0';
	*at += n + strspn(*at + n, " ");
	return true;
}

void gw_pen_parameters(struct gw_pen *p, const char *names)
{
	char name[64];

	gw_pen_array(p, "parameters");
	while (gw_pen_word(&names, name))
		gw_pen_ref(p, "parameters", name);
}

void gw_pen_answers(struct gw_pen *p, const char *answers)
{
	char word[64], shared[16];

	while (gw_pen_word(&answers, word)) {
		char *name = strchr(word, '=');

		snprintf(shared, sizeof(shared), "P%.3s", word);
		if (name)
			*name++ = '\0';
		bus_json_key(&p->j, word);
		gw_pen_ref(p, "responses", name ? name : shared);
	}
}

static void put_member_type(struct gw_pen *p, char type, bool nullable)
{
	switch (type) {
	case 's':
		gw_pen_type(p, "string", NULL, nullable);
		break;
	case 't':
		gw_pen_type(p, "string", "date-time", nullable);
		break;
	case 'i':
		gw_pen_type(p, "integer", "int64", nullable);
		break;
	case 'n':
		gw_pen_type(p, "number", NULL, nullable);
		break;
	case 'b':
		gw_pen_type(p, "boolean", NULL, nullable);
		break;
	case 'm':
		gw_pen_type(p, "object", NULL, nullable);
		gw_pen_object(p, "additionalProperties");
		gw_pen_type(p, "integer", NULL, false);
		bus_json_object_end(&p->j);
		break;
	case 'w':
		gw_pen_type(p, "integer", "int64", nullable);
		gw_pen_text(
		    p, "description",
		    "Paling banyak sekian yang menunggu: dihitung dari nomor, dan tidak setiap nomor berisi; "
		    "0 berarti tidak ada",
		    "At most so many wait: counted by numbers, not all of which hold something; 0 is none");
		break;
	case 'o':
		gw_pen_type(p, "object", NULL, nullable);
		break;
	case 'v': /* as REST Proxy's clients say it: true, "true" */
		gw_pen_array(p, "anyOf");
		for (int i = 0; i < 3; i++) {
			bus_json_object(&p->j);
			gw_pen_type(p, i == 0 ? "string" : i == 1 ? "boolean" : "integer", NULL, nullable);
			bus_json_object_end(&p->j);
		}
		bus_json_array_end(&p->j);
		break;
	case 'l':
		gw_pen_type(p, "object", NULL, nullable);
		gw_pen_object(p, "properties");
		for (int i = 0; i < 2; i++) {
			gw_pen_object(p, i ? "en" : "id");
			gw_pen_type(p, "string", NULL, true);
			bus_json_object_end(&p->j);
		}
		bus_json_object_end(&p->j);
		break;
	case 'a':
	case 'A':
		gw_pen_type(p, "array", NULL, nullable);
		gw_pen_object(p, "items");
		gw_pen_type(p, type == 'a' ? "object" : "string", NULL, false);
		bus_json_object_end(&p->j);
		break;
	default:
		assert(!"a type of gw_pen_schema");
	}
}

void gw_pen_schema(struct gw_pen *p, const char *members, const char *example)
{
	char word[64];

	bus_json_object(&p->j);
	gw_pen_str(p, "type", "object");
	gw_pen_object(p, "properties");
	while (gw_pen_word(&members, word)) {
		char *type = strchr(word, ':');

		assert(type);
		*type++ = '\0';
		gw_pen_object(p, word);
		put_member_type(p, type[0], type[1] == '?');
		bus_json_object_end(&p->j);
	}
	bus_json_object_end(&p->j);
	if (example) {
		bus_json_key(&p->j, "example");
		bus_json_put_raw(&p->j, bus_str(example));
	}
	bus_json_object_end(&p->j);
}

/* --- the document ----------------------------------------------------------------------------------- */

static void put_info(struct gw_pen *p)
{
	gw_pen_object(p, "info");
	gw_pen_text(p, "title", "Titian: bus interoperabilitas kota",
		    "Titian: the city's interoperability bus");
	gw_pen_str(p, "version", TITIAN_VERSION);
	gw_pen_text(
	    p, "description",
	    "Tayangan terpadu dari data perangkat daerah. Setiap pembaca hanya melihat yang diizinkan "
	    "baginya: "
	    "kolom pribadi yang tidak diizinkan tampil sebagai `" GW_MASK "` (teks) atau null, dan tidak "
	    "dapat disaring. Jawaban berupa JSON, kecuali `Accept` meminta CSV atau NDJSON. Kursor tidak "
	    "pernah kedaluwarsa.",
	    "Integrated views of the departments' data. Each reader sees what it has been granted: personal "
	    "columns that are not granted read `" GW_MASK "` (text) or null, and cannot be filtered by. "
	    "Answers are JSON unless `Accept` asks for CSV or NDJSON. Cursors never expire.");
	bus_json_object_end(&p->j);
}

/* Any of the first n. */
static void put_security(struct gw_pen *p, size_t n)
{
	static const char *const scheme[] = { "bearer", "api_key", "basic" };

	gw_pen_array(p, "security");
	for (size_t i = 0; i < n; i++) {
		bus_json_object(&p->j);
		gw_pen_array(p, scheme[i]);
		bus_json_array_end(&p->j);
		bus_json_object_end(&p->j);
	}
	bus_json_array_end(&p->j);
}

static void put_servers(struct gw_pen *p, const char *url)
{
	gw_pen_array(p, "servers");
	bus_json_object(&p->j);
	gw_pen_str(p, "url", url);
	bus_json_object_end(&p->j);
	bus_json_array_end(&p->j);
	put_security(p, 2);
}

const struct gw_operation *gw_operation_of(const char *method, const char *path)
{
	for (const struct gw_operation *o = gw_operations; o->method; o++)
		if (strcmp(o->method, method) == 0 && strcmp(o->path, path) == 0)
			return o;
	assert(!"every route is documented");
	return NULL;
}

static void put_body(struct gw_pen *p, const char *body)
{
	char word[64], *schema;

	gw_pen_object(p, "requestBody");
	gw_pen_flag(p, "required", *body != '?');
	body += *body == '?';
	gw_pen_object(p, "content");
	while (gw_pen_word(&body, word)) {
		schema = strchr(word, '=');
		assert(schema);
		*schema++ = '\0';
		gw_pen_object(p, word);
		gw_pen_content_schema(p, *schema ? schema : NULL);
		bus_json_object_end(&p->j);
	}
	bus_json_object_end(&p->j);
	bus_json_object_end(&p->j);
}

void gw_openapi_operation(struct gw_pen *p, const struct gw_operation *o, const char *view)
{
	const char *parameters = o->parameters;
	char method[8] = "", id[160];

	snprintf(id, sizeof(id), "%s%s%s", o->id, view ? "_" : "", view ? view : "");
	if (view && strncmp(parameters, "view ", 5) == 0)
		parameters += 5;

	for (size_t i = 0; o->method[i] && i < sizeof(method) - 1; i++)
		method[i] = (char)tolower((unsigned char)o->method[i]);
	gw_pen_object(p, method);
	gw_pen_str(p, "operationId", id);
	gw_pen_array(p, "tags");
	bus_json_put_text(&p->j, view ? view : o->tag);
	bus_json_array_end(&p->j);
	gw_pen_text(p, "summary", o->title_id, o->title_en);
	if (o->open)
		put_security(p, 0);
	else if (strcmp(o->tag, "rest-proxy") == 0) /* its clients know Basic alone */
		put_security(p, 3);
	gw_pen_parameters(p, parameters);
	bus_json_array_end(&p->j);
	if (o->body)
		put_body(p, o->body);
	gw_pen_object(p, "responses");
	gw_pen_answers(p, o->answers);
	bus_json_object_end(&p->j);
	bus_json_object_end(&p->j);
}

/* A path with all its methods, where its first route stands. */
static void put_path(struct gw_pen *p, const struct bus_http_route *route)
{
	for (const struct bus_http_route *r = gw_api_routes; r < route; r++)
		if (strcmp(r->pattern, route->pattern) == 0)
			return;
	gw_pen_object(p, route->pattern);
	for (const struct bus_http_route *r = route; r->method; r++)
		if (strcmp(r->pattern, route->pattern) == 0)
			gw_openapi_operation(p, gw_operation_of(r->method, r->pattern), NULL);
	bus_json_object_end(&p->j);
}

static void put_paths(struct gw_pen *p, const struct gw_openapi_view *view, size_t n)
{
	gw_pen_object(p, "paths");
	for (const struct bus_http_route *r = gw_api_routes; r->method; r++)
		put_path(p, r);
	for (size_t i = 0; i < n; i++)
		gw_openapi_view_paths(p, &view[i]);
	bus_json_object_end(&p->j);
}

void gw_openapi_write(const struct gw_openapi_view *view, size_t n, enum gw_openapi_version version,
		      bool english, struct bus_buf *out)
{
	struct gw_pen p = { .j = { .buf = out }, .english = english, .v31 = version == GW_OPENAPI_3_1 };

	bus_json_object(&p.j);
	gw_pen_str(&p, "openapi", p.v31 ? "3.1.0" : "3.0.3");
	put_info(&p);
	put_servers(&p, "/");
	put_paths(&p, view, n);
	gw_openapi_components(&p, view, n);
	bus_json_object_end(&p.j);
}

void gw_openapi_write_one(const struct gw_openapi_view *view, enum gw_openapi_version version,
			  const char *base, bool english, struct bus_buf *out)
{
	struct gw_pen p = {
		.j = { .buf = out }, .english = english, .v31 = version == GW_OPENAPI_3_1, .one = true
	};
	const struct gw_view *v = view->view;

	bus_json_object(&p.j);
	gw_pen_str(&p, "openapi", p.v31 ? "3.1.0" : "3.0.3");
	gw_pen_object(&p, "info");
	gw_pen_text(&p, "title", v->title_id ? v->title_id : v->name, v->title_en);
	gw_pen_str(&p, "version", TITIAN_VERSION);
	if (v->about_id)
		gw_pen_text(&p, "description", v->about_id, v->about_en);
	bus_json_object_end(&p.j);
	put_servers(&p, base);
	gw_pen_object(&p, "paths");
	gw_openapi_view_paths(&p, view);
	bus_json_object_end(&p.j);
	gw_openapi_components(&p, view, 1);
	bus_json_object_end(&p.j);
}

static void answer(struct gw_api *api, struct bus_http_request *req, enum gw_openapi_version version)
{
	const struct gw_views *views = gw_api_views(api, req);
	size_t n = 0;
	struct gw_openapi_view *view;
	char reader[GW_READER_NAME_MAX];
	struct bus_buf body = { 0 };
	bool keyed = bus_http_header(req, "Authorization") || bus_http_header(req, "X-Api-Key");

	if (keyed ? !gw_api_reader(api, req, reader) : !gw_api_anybody(api, req))
		return;
	view = bus_xcalloc(views->n + 1, sizeof(*view));
	for (size_t i = 0; keyed && i < views->n; i++) {
		const struct gw_view *v = views->view[i];
		struct gw_grant grant = gw_access_grant(api->access, reader, v);

		if (!v->internal && grant.allowed)
			view[n++] = (struct gw_openapi_view){ v, grant };
	}
	gw_openapi_write(view, n, version, gw_english(req), &body);
	free(view);
	bus_http_set(req, "Content-Language", gw_english(req) ? "en" : "id");
	bus_http_reply(req, 200, "application/json", &body);
}

void gw_openapi(void *ctx, struct bus_http_request *req)
{
	answer(ctx, req, GW_OPENAPI_3_0);
}

void gw_openapi_31(void *ctx, struct bus_http_request *req)
{
	answer(ctx, req, GW_OPENAPI_3_1);
}
