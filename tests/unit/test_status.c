/* The status over HTTP and for --json, from a file of figures that lies where others may put files too. What it must be stands in
 * adapters/office/openapi.yaml (Status). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "adapters/care/figures.h"
#include "adapters/care/status.h"
#include "bus/json.h"
#include "tests/support/map_try.h"

#define YAML                                                                                                 \
	"feed: uji\nfiles: uji*.csv\ntopic: pku.uji.v1\nkind: register\nsource: {kind: delimited}\n"         \
	"values: {id: {from: A}}\nkey: id\nfields: {a: {from: A}}\n"

static char dir[32], *done, *figures;
static struct map_try map;
static struct bus_arena *arena;
static struct bus_buf said;

static int setup(void **state)
{
	(void)state;
	snprintf(dir, sizeof(dir), "/tmp/titian-status-XXXXXX");
	assert_non_null(mkdtemp(dir));
	done = bus_xasprintf("%s/done", dir);
	figures = bus_xasprintf("%s/" ADAPTER_FIGURES_FILE, dir);
	assert_int_equal(mkdir(done, 0700), 0);
	assert_int_equal(map_try_load(&map, YAML), BUS_OK);
	arena = bus_arena_new(0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	bus_arena_free(&arena);
	bus_buf_release(&said);
	map_try_close(&map);
	unlink(figures);
	rmdir(done);
	rmdir(dir);
	free(figures);
	free(done);
	return 0;
}

/* What is said with this file of figures; NULL: without one. */
static const struct bus_json *status(const char *text)
{
	const struct adapter_run_conf conf = { .opd = "uji", .drop = { .dir = dir } };
	const struct adapter_map *const maps[] = { map.map };
	struct bus_json *tree;
	FILE *fp;

	if (text) {
		assert_non_null(fp = fopen(figures, "we"));
		fputs(text, fp);
		fclose(fp);
	}
	bus_buf_reset(&said);
	bus_arena_reset(arena);
	adapter_status_json(&conf, maps, 1, &said);
	assert_int_equal(bus_json_parse(bus_buf_str(&said), NULL, arena, &tree, NULL), BUS_OK);
	return tree;
}

static const char *figure(const struct bus_json *tree, const char *name)
{
	static char text[64];
	const struct bus_json *feeds = bus_json_get(tree, "feeds"), *v = bus_json_get(tree, name);

	if (!v)
		v = bus_json_get(feeds->first, name);
	assert_non_null(v);
	assert_int_equal(v->type, BUS_JSON_NUMBER);
	snprintf(text, sizeof(text), "%.*s", (int)v->text.n, v->text.p);
	return text;
}

static void without_figures_all_are_zero(void **state)
{
	const struct bus_json *tree = status(NULL);

	(void)state;
	assert_true(bus_str_is(bus_json_get(tree, "opd")->text, "uji"));
	assert_int_equal(bus_json_get(tree, "running")->type, BUS_JSON_FALSE);
	assert_string_equal(figure(tree, "written_seconds"), "0");
	assert_string_equal(figure(tree, "published_total"), "0");
	assert_string_equal(figure(tree, "waiting_files"), "0");
}

static void figures_are_those_of_the_feed(void **state)
{
	const struct bus_json *tree = status("titian_adapter_written_seconds 1795410000.5\n"
					     "titian_adapter_published_total{feed=\"uj\"} 7\n"
					     "titian_adapter_published_total{feed=\"uji\"} 9007199254740991\n"
					     "titian_adapter_refused_total{feed=\"uji\"} -3\n");

	(void)state;
	assert_string_equal(figure(tree, "written_seconds"), "1795410000.5");
	assert_string_equal(figure(tree, "published_total"), "9007199254740991");
	assert_string_equal(figure(tree, "refused_total"), "-3");
}

/* Figures are numbers, whoever wrote the file. */
static void what_is_no_number_is_none(void **state)
{
	static const char *const bad[] = { "nan", "-nan", "NAN(7)", "inf", "-Infinity", "1e309", "x", "" };

	(void)state;
	for (size_t i = 0; i < BUS_LEN(bad); i++) {
		char text[200];
		const struct bus_json *tree;

		snprintf(text, sizeof(text),
			 "titian_adapter_written_seconds %s\ntitian_adapter_file_rows{feed=\"uji\"} %s\n",
			 bad[i], bad[i]);
		tree = status(text);
		assert_string_equal(figure(tree, "written_seconds"), "0");
		assert_string_equal(figure(tree, "file_rows"), "0");
	}
}

static void a_number_beyond_whole_ones_stays_what_it_is(void **state)
{
	static const char *const large[] = { "1e300", "-1e300", "9223372036854775808" };

	(void)state;
	for (size_t i = 0; i < BUS_LEN(large); i++) {
		char text[100];

		snprintf(text, sizeof(text), "titian_adapter_file_rows{feed=\"uji\"} %s\n", large[i]);
		assert_true(strtod(figure(status(text), "file_rows"), NULL) == strtod(large[i], NULL));
	}
}

static void a_file_that_is_none_is_not_waited_for(void **state)
{
	(void)state;
	assert_int_equal(mkfifo(figures, 0600), 0);
	assert_string_equal(figure(status(NULL), "written_seconds"), "0");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(without_figures_all_are_zero),
		TEST(figures_are_those_of_the_feed),
		TEST(what_is_no_number_is_none),
		TEST(a_number_beyond_whole_ones_stays_what_it_is),
		TEST(a_file_that_is_none_is_not_waited_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
