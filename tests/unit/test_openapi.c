#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>

#include "bus/json.h"
#include "gateway/serve/api.h"
#include "gateway/docs/openapi_doc.h"

static const struct gw_column columns[] = {
	{ .name = "id_subjek",
	  .title_id = "Nama samaran",
	  .title_en = "Pseudonym",
	  .type = GW_TEXT,
	  .pdp = 'P' },
	{ .name = "nama", .title_id = "Nama", .title_en = "Name", .type = GW_TEXT, .pdp = 'U' },
	{ .name = "tunggakan", .title_id = "Tunggakan", .title_en = "Due", .type = GW_INT, .pdp = 'S' },
	{ .name = "lengkap", .title_id = NULL, .title_en = NULL, .type = GW_BOOL, .pdp = 'N' },
};
static const struct gw_view arrears = { .name = "tunggakan",
					.title_id = "Tunggakan",
					.title_en = "Arrears",
					.column = columns,
					.n_columns = 4,
					.key = 0,
					.dated = true };

struct doc {
	struct bus_arena *arena;
	struct bus_buf text;
	struct bus_json *root;
};

static struct doc write(const struct gw_openapi_view *v, size_t n, bool english)
{
	struct doc d = { .arena = bus_arena_new(0) };

	gw_openapi_write(v, n, GW_OPENAPI_3_0, english, &d.text);
	assert_int_equal(bus_json_parse(bus_buf_str(&d.text), NULL, d.arena, &d.root, NULL), BUS_OK);
	return d;
}

static void release(struct doc *d)
{
	bus_arena_free(&d->arena);
	bus_buf_release(&d->text);
}

/* Follows names from the root, one after the other; NULL: not there. */
static const struct bus_json *at(const struct doc *d, ...)
{
	const struct bus_json *j = d->root;
	const char *name;
	va_list ap;

	va_start(ap, d);
	while (j && (name = va_arg(ap, const char *)))
		j = bus_json_get(j, name);
	va_end(ap);
	return j;
}

static void every_public_route_is_documented(void **state)
{
	struct doc d = write(NULL, 0, false);

	(void)state;
	assert_true(bus_str_is(at(&d, "openapi", NULL)->text, "3.0.3"));
	for (const struct bus_http_route *r = gw_api_routes; r->method; r++) {
		char method[8];
		size_t n = 0;

		for (; r->method[n]; n++)
			method[n] = (char)(r->method[n] | 0x20); /* lower case, as OpenAPI has it */
		method[n] = '\0';
		assert_non_null(at(&d, "paths", r->pattern, method, "responses", NULL));
	}
	assert_null(at(&d, "paths", "/v1/views/tunggakan", NULL));
	release(&d);
}

/* Every "$ref" of the tree leads somewhere. */
static void check_refs(const struct doc *d, const struct bus_json *j)
{
	if (j->type == BUS_JSON_STRING && bus_str_is(j->name, "$ref")) {
		char kind[64], name[128], text[256];

		snprintf(text, sizeof(text), "%.*s", (int)j->text.n, j->text.p);
		assert_int_equal(sscanf(text, "#/components/%63[^/]/%127s", kind, name), 2);
		assert_non_null(at(d, "components", kind, name, NULL));
	}
	if (j->type == BUS_JSON_OBJECT || j->type == BUS_JSON_ARRAY)
		for (const struct bus_json *m = j->first; m; m = m->next)
			check_refs(d, m);
}

static void every_reference_leads_somewhere(void **state)
{
	const struct gw_openapi_view v = { &arrears, { .allowed = true, .shown = UINT64_MAX, .clear = 1 } };
	struct doc d = write(&v, 1, true);

	(void)state;
	check_refs(&d, d.root);
	release(&d);
}

static void a_view_is_typed_as_its_reader_sees_it(void **state)
{
	/* id_subjek and tunggakan shown, tunggakan masked; nama and lengkap are not there */
	const struct gw_openapi_view v = { &arrears, { .allowed = true, .shown = 5, .clear = 1 } };
	struct doc d = write(&v, 1, true);
	const struct bus_json *due;

	(void)state;
	assert_non_null(at(&d, "paths", "/v1/views/tunggakan", "get", NULL));
	assert_non_null(at(&d, "paths", "/v1/views/tunggakan/{key}", "get", NULL));
	assert_non_null(at(&d, "paths", "/v1/views/tunggakan/changes", "get", NULL));
	due = at(&d, "components", "schemas", "view_tunggakan", "properties", "tunggakan", NULL);
	assert_non_null(due);
	assert_true(bus_str_is(bus_json_get(due, "type")->text, "integer"));
	assert_true(bus_str_is(bus_json_get(due, "x-pdp")->text, "S"));
	assert_int_equal(bus_json_get(due, "x-masked")->type, BUS_JSON_TRUE);
	assert_int_equal(bus_json_get(due, "nullable")->type, BUS_JSON_TRUE);
	assert_true(bus_str_is(bus_json_get(due, "title")->text, "Due"));
	assert_null(at(&d, "components", "schemas", "view_tunggakan", "properties", "nama", NULL));
	assert_null(at(&d, "components", "schemas", "view_tunggakan", "properties", "lengkap", NULL));
	release(&d);
}

static void what_waits_is_said_to_be_no_more_than_that(void **state)
{
	static const char *const schema[][2] = { { "Topic", "behind" },
						 { "View", "lag" },
						 { "Webhook", "behind" } };
	struct doc d = write(NULL, 0, true);

	(void)state;
	for (size_t i = 0; i < BUS_LEN(schema); i++) {
		const struct bus_json *words = at(&d, "components", "schemas", schema[i][0], "properties",
						  schema[i][1], "description", NULL);

		assert_non_null(words);
		assert_memory_equal(words->text.p, "At most", 7);
	}
	release(&d);
}

static void it_is_written_in_the_readers_language(void **state)
{
	const struct gw_openapi_view v = { &arrears, { .allowed = true, .shown = UINT64_MAX, .clear = UINT64_MAX } };
	struct doc id = write(&v, 1, false), en = write(&v, 1, true);

	(void)state;
	assert_true(
	    bus_str_is(at(&id, "paths", "/v1/views/tunggakan", "get", "summary", NULL)->text, "Tunggakan"));
	assert_true(
	    bus_str_is(at(&en, "paths", "/v1/views/tunggakan", "get", "summary", NULL)->text, "Arrears"));
	release(&id);
	release(&en);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_public_route_is_documented),
		cmocka_unit_test(every_reference_leads_somewhere),
		cmocka_unit_test(a_view_is_typed_as_its_reader_sees_it),
		cmocka_unit_test(what_waits_is_said_to_be_no_more_than_that),
		cmocka_unit_test(it_is_written_in_the_readers_language),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
