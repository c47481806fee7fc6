#include "gateway/docs/openapi_doc.h"

#include <assert.h>
#include <stdio.h>

#include "bus/proc.h"
#include "gateway/serve/api.h"
#include "gateway/serve/format.h"

/* What every route is for. One that is missing here stops the first test that asks for the document. */
static const struct operation {
	const char *method, *path;
	const char *id, *tag;
	const char *title_id, *title_en;
	const char *parameters;
	const char *answers;
	bool open; /* without a key */
} operations[] = {
	{ "GET", "/v1/views", "views", "tayangan", "Tayangan yang boleh Anda baca", "The views you may read",
	  "", "200=Views 401", false },
	{ "GET", "/v1/views/{view}", "rows", "tayangan", "Baris sebuah tayangan, halaman demi halaman",
	  "Rows of a view, page by page",
	  "view limit after select per_tanggal excel filter prefer if_none_match",
	  "200=Rows 304=Unchanged 400 401 403 404 406 503", false },
	{ "GET", "/v1/views/{view}/changes", "changes", "tayangan",
	  "Perubahan sebuah tayangan, sejak sebuah kursor", "Changes of a view since a cursor",
	  "view since wait until ticket last_event_id select per_tanggal",
	  "200=Changes 400 401 403 404 406 410 429 503", false },
	{ "GET", "/v1/views/{view}/{key}", "row", "tayangan", "Satu baris", "One row",
	  "view key select per_tanggal if_none_match", "200=Row 304=Unchanged 400 401 403 404 503", false },
	{ "GET", "/v1/topics", "topics", "bus", "Keadaan setiap topik", "The state of every topic", "",
	  "200=Topics 401 403", false },
	{ "GET", "/v1/quality", "quality", "bus", "Mutu data setiap umpan", "Data quality of every feed", "",
	  "200=Quality 401 403 503", false },
	{ "GET", "/v1/readers", "readers", "bus", "Siapa boleh membaca apa, dan siapa sedang mengikuti",
	  "Who may read what, and who follows it now", "", "200=Readers 401 403", false },
	{ "GET", "/v1/whoami", "whoami", "bus", "Kunci siapa ini", "Whose key this is", "", "200=Whoami 401",
	  false },
	{ "POST", "/v1/tickets", "ticket", "tayangan",
	  "Tiket sekali pakai, agar EventSource di peramban dapat mengikuti tayangan",
	  "A one-use ticket, so that a browser's EventSource can follow a view", "", "201=Ticket 401",
	  false },
	{ "GET", "/v1/openapi.json", "openapi", "bus", "Dokumen ini", "This document", "", "200=Openapi 401",
	  true },
	{ "GET", "/healthz", "health", "bus", "Apakah proses hidup", "Whether the process lives", "",
	  "200=Ok 503", true },
	{ "GET", "/readyz", "ready", "bus", "Apakah log sudah terbaca sampai akhir",
	  "Whether the log has been read to its end", "", "200=Ok 503", true },
	{ "GET", "/", "portal", "portal", "Halaman portal", "The portal page", "", "200=Page", true },
	{ "GET", "/portal/{file}", "portal_file", "portal", "Berkas halaman portal",
	  "A file of the portal page", "file", "200=File 404", true },
};

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

/* The next word of a list; false: none. Our own tables: words are short. */
static bool next_word(const char **at, char out[64])
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
	while (next_word(&names, name))
		gw_pen_ref(p, "parameters", name);
}

void gw_pen_answers(struct gw_pen *p, const char *answers)
{
	char word[64], shared[16];

	while (next_word(&answers, word)) {
		char *name = strchr(word, '=');

		snprintf(shared, sizeof(shared), "P%.3s", word);
		if (name)
			*name++ = '\0';
		bus_json_key(&p->j, word);
		gw_pen_ref(p, "responses", name ? name : shared);
	}
}

static void put_member_type(struct gw_pen *p, char type)
{
	switch (type) {
	case 's':
		gw_pen_str(p, "type", "string");
		break;
	case 't':
		gw_pen_str(p, "type", "string");
		gw_pen_str(p, "format", "date-time");
		break;
	case 'i':
		gw_pen_str(p, "type", "integer");
		gw_pen_str(p, "format", "int64");
		break;
	case 'b':
		gw_pen_str(p, "type", "boolean");
		break;
	case 'm':
		gw_pen_str(p, "type", "object");
		gw_pen_object(p, "additionalProperties");
		gw_pen_str(p, "type", "integer");
		bus_json_object_end(&p->j);
		break;
	case 'o':
		gw_pen_str(p, "type", "object");
		break;
	case 'l':
		gw_pen_str(p, "type", "object");
		gw_pen_object(p, "properties");
		for (int i = 0; i < 2; i++) {
			gw_pen_object(p, i ? "en" : "id");
			gw_pen_str(p, "type", "string");
			gw_pen_flag(p, "nullable", true);
			bus_json_object_end(&p->j);
		}
		bus_json_object_end(&p->j);
		break;
	case 'a':
	case 'A':
		gw_pen_str(p, "type", "array");
		gw_pen_object(p, "items");
		gw_pen_str(p, "type", type == 'a' ? "object" : "string");
		bus_json_object_end(&p->j);
		break;
	default:
		assert(!"a type of gw_pen_schema");
	}
}

void gw_pen_schema(struct gw_pen *p, const char *members)
{
	char word[64];

	bus_json_object(&p->j);
	gw_pen_str(p, "type", "object");
	gw_pen_object(p, "properties");
	while (next_word(&members, word)) {
		char *type = strchr(word, ':');

		assert(type);
		*type++ = '\0';
		gw_pen_object(p, word);
		put_member_type(p, type[0]);
		if (type[1] == '?')
			gw_pen_flag(p, "nullable", true);
		bus_json_object_end(&p->j);
	}
	bus_json_object_end(&p->j);
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
	gw_pen_array(p, "servers");
	bus_json_object(&p->j);
	gw_pen_str(p, "url", "/");
	bus_json_object_end(&p->j);
	bus_json_array_end(&p->j);
	/* either of the two */
	gw_pen_array(p, "security");
	for (int i = 0; i < 2; i++) {
		bus_json_object(&p->j);
		gw_pen_array(p, i ? "api_key" : "bearer");
		bus_json_array_end(&p->j);
		bus_json_object_end(&p->j);
	}
	bus_json_array_end(&p->j);
}

static const struct operation *operation_of(const struct bus_http_route *r)
{
	for (size_t i = 0; i < BUS_LEN(operations); i++)
		if (strcmp(operations[i].method, r->method) == 0 &&
		    strcmp(operations[i].path, r->pattern) == 0)
			return &operations[i];
	assert(!"every route is documented");
	return NULL;
}

static void put_operation(struct gw_pen *p, const struct operation *o)
{
	gw_pen_object(p, strcmp(o->method, "POST") == 0 ? "post" : "get");
	gw_pen_str(p, "operationId", o->id);
	gw_pen_array(p, "tags");
	bus_json_put_text(&p->j, o->tag);
	bus_json_array_end(&p->j);
	gw_pen_text(p, "summary", o->title_id, o->title_en);
	if (o->open) {
		gw_pen_array(p, "security");
		bus_json_array_end(&p->j);
	}
	gw_pen_parameters(p, o->parameters);
	bus_json_array_end(&p->j);
	gw_pen_object(p, "responses");
	gw_pen_answers(p, o->answers);
	bus_json_object_end(&p->j);
	bus_json_object_end(&p->j);
}

static void put_paths(struct gw_pen *p, const struct gw_openapi_view *view, size_t n)
{
	gw_pen_object(p, "paths");
	for (const struct bus_http_route *r = gw_api_routes; r->method; r++) {
		gw_pen_object(p, r->pattern);
		put_operation(p, operation_of(r));
		bus_json_object_end(&p->j);
	}
	for (size_t i = 0; i < n; i++)
		gw_openapi_view_paths(p, &view[i]);
	bus_json_object_end(&p->j);
}

void gw_openapi_write(const struct gw_openapi_view *view, size_t n, bool english, struct bus_buf *out)
{
	struct gw_pen p = { .j = { .buf = out }, .english = english };

	bus_json_object(&p.j);
	gw_pen_str(&p, "openapi", "3.0.3");
	put_info(&p);
	put_paths(&p, view, n);
	gw_openapi_components(&p, view, n);
	bus_json_object_end(&p.j);
}

void gw_openapi(void *ctx, struct bus_http_request *req)
{
	struct gw_api *api = ctx;
	size_t count = gw_view_count(api->engine), n = 0;
	struct gw_openapi_view *view;
	char reader[GW_READER_NAME_MAX];
	struct bus_buf body = { 0 };
	bool keyed = bus_http_header(req, "Authorization") || bus_http_header(req, "X-Api-Key");

	if (keyed && !gw_api_reader(api, req, reader))
		return;
	view = bus_xcalloc(count + 1, sizeof(*view));
	for (size_t i = 0; keyed && i < count; i++) {
		const struct gw_view *v = gw_view_at(api->engine, i);
		struct gw_grant grant = gw_access_grant(api->access, reader, v);

		if (!v->internal && grant.allowed)
			view[n++] = (struct gw_openapi_view){ v, grant };
	}
	gw_openapi_write(view, n, gw_english(req), &body);
	free(view);
	bus_http_set(req, "Content-Language", gw_english(req) ? "en" : "id");
	bus_http_reply(req, 200, "application/json", &body);
}
