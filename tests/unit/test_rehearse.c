/* Tests of views: what a right definition passes, and what a wrong one, or a wrong expectation, is caught by. */
#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "bus/log.h"
#include "gateway/engine/rehearse.h"

#define VIEW(routes)                                                                                         \
	"/*---\nname: v\nkey: id\nroutes: {dinsos_bansos: " routes "}\n"                                     \
	"indexes: [{table: dinsos_bansos, columns: [id_subjek]}]\npace: group\n"                             \
	"columns:\n  id: {type: text, pdp: P}\n  jumlah: {type: int, pdp: S}\n  ada: {type: bool, pdp: N}\n" \
	"---*/\nSELECT id_subjek AS id, sum(nominal) AS jumlah, max(nominal) > 5 AS ada FROM "               \
	"dinsos_bansos\n"                                                                                    \
	"WHERE id_subjek IS NOT NULL GROUP BY id_subjek\n"
#define GIVEN                                                                                                \
	"tests:\n- name: sums\n  given:\n    dinsos_bansos:\n"                                               \
	"    - {_key: a, id_subjek: s, nominal: 5}\n    - {_key: b, id_subjek: s, nominal: 7}\n"

static char dir[] = "/tmp/titian-rehearse-XXXXXX";
static char view[64], test[64];

static void put(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

/* What the run says, or the error's text. */
static enum bus_err run(const char *v, const char *t, int *passed, int *failed, struct bus_buf *said)
{
	const struct gw_rehearsal r = { .view = view, .test = test, .schemas = "schemas/avsc" };
	struct bus_error err = { 0 };
	enum bus_err rc;

	*passed = *failed = 0;
	bus_buf_reset(said);
	put(view, v);
	put(test, t);
	rc = gw_rehearse(&r, said, passed, failed, &err);
	if (rc != BUS_OK)
		bus_buf_puts(said, err.text);
	bus_buf_cstr(said);
	return rc;
}

static void good(const char *t)
{
	struct bus_buf said = { 0 };
	int passed, failed;

	if (run(VIEW("id_subjek"), t, &passed, &failed, &said) != BUS_OK || passed != 1 || failed != 0)
		fail_msg("%s", said.p);
	bus_buf_release(&said);
}

static void bad(const char *v, const char *t, const char *why)
{
	struct bus_buf said = { 0 };
	int passed, failed;
	enum bus_err rc = run(v, t, &passed, &failed, &said);

	if ((rc == BUS_OK && failed != 1) || passed != 0 || !strstr(said.p, why))
		fail_msg("%s: %s", bus_err_name(rc), said.p);
	bus_buf_release(&said);
}

static void rows_are_compared_after_every_step(void **state)
{
	(void)state;
	good(GIVEN "  expect: [{id: s, jumlah: 12, ada: true}]\n"
		   "  then:\n  - given: {dinsos_bansos: [{_key: b, _dihapus: true}]}\n"
		   "    expect: [{id: s, jumlah: 5, ada: false}]\n"
		   "  - given: {dinsos_bansos: [{_key: a, id_subjek: t}]}\n    expect: [{id: t, jumlah: 5}]\n"
		   "  - given: {dinsos_bansos: [{_key: a, id_subjek: null}]}\n    expect: []\n");
}

static void a_wrong_expectation_is_told_with_its_line(void **state)
{
	(void)state;
	bad(VIEW("id_subjek"), GIVEN "  expect: [{id: s, jumlah: 13}]\n", "v.yaml:7: id 's', jumlah");
	bad(VIEW("id_subjek"), GIVEN "  expect: [{id: s, jumlah: null}]\n", "got 12");
	bad(VIEW("id_subjek"), GIVEN "  expect: [{id: s}, {id: s}]\n", "no row 's'");
	bad(VIEW("id_subjek"), GIVEN "  expect: []\n", "not expected: 's'");
	bad(VIEW("id_subjek"), GIVEN "  expect: [{id: s}, {id: u}]\n", "no row 'u'");
}

static void a_wrong_route_is_caught_though_the_first_rows_are_right(void **state)
{
	(void)state;
	bad(VIEW("nik"),
	    GIVEN "  expect: [{id: s, jumlah: 12}]\n  then:\n"
		  "  - given: {dinsos_bansos: [{_key: a, nominal: 1}]}\n    expect: [{id: s, jumlah: 8}]\n",
	    "computed afresh");
}

static void a_test_that_is_no_test_is_refused_with_its_line(void **state)
{
	(void)state;
	bad(VIEW("id_subjek"), "tests: []\n", "v.yaml:1");
	bad(VIEW("id_subjek"), GIVEN, "'expect' wants");
	bad(VIEW("id_subjek"), GIVEN "  expect: [{jumlah: 1}]\n", "names its key");
	bad(VIEW("id_subjek"), GIVEN "  expect: [{id: s, jumlh: 12}]\n", "jumlah");
	bad(VIEW("id_subjek"), GIVEN "  expct: []\n  expect: [{id: s}]\n", "expct");
	bad(VIEW("id_subjek"), "tests:\n- name: x\n  given: {nowhere: [{_key: a}]}\n  expect: []\n",
	    "'nowhere' is no table");
	bad(VIEW("id_subjek"), "tests:\n- name: x\n  given: {dinsos_bansos: [{nominal: 1}]}\n  expect: []\n",
	    "wants its key");
	bad(VIEW("id_subjek"),
	    "tests:\n- name: x\n  given: {dinsos_bansos: [{_key: a, nominal: much}]}\n  expect: []\n",
	    "no row of 'dinsos_bansos'");
	bad(VIEW("id_subjek"),
	    "tests:\n- name: x\n  given: {dinsos_bansos: [{_key: a, nominl: 1}]}\n  expect: []\n", "nominal");
}

/* Whether the review of that text, in the place of the file, says that a route does not suffice. Kept by what changed
 * (roll-ups), routes are not asked at all: then it is no mutant. */
static bool notices(const char *file, const char *text)
{
	char *path = bus_xasprintf("%s/%s", dir, strrchr(file, '/') + 1);
	struct gw_rehearsal r = { .view = path, .schemas = "schemas/avsc" };
	struct bus_buf report = { 0 };
	struct bus_error err = { 0 };
	char command[200];
	bool good, seen;

	snprintf(command, sizeof(command), "cp gateway/views/*.sql '%s'", dir);
	assert_int_equal(system(command), 0);
	put(path, text);
	assert_int_equal(gw_rehearse_check(&r, &report, &good, &err), BUS_OK);
	seen = strstr(bus_buf_cstr(&report), "do not suffice") || strstr(report.p, "\"kept_by\":\"delta\"");
	snprintf(command, sizeof(command), "rm -f '%s'/*.sql", dir);
	assert_int_equal(system(command), 0);
	bus_buf_release(&report);
	free(path);
	return seen;
}

/* The file with each of its routes that are columns, one at a time, leading nowhere. */
static void lead_astray(const char *file, int *mutants, int *caught)
{
	struct bus_buf text = { 0 }, mutant = { 0 };
	char *line, *colon, *end;
	FILE *f = fopen(file, "r");
	bool routes = false;

	assert_non_null(f);
	bus_buf_reserve(&text, 65536);
	text.n = fread(text.p, 1, 65536, f);
	fclose(f);
	for (line = (char *)(uintptr_t)bus_buf_cstr(&text); (end = strchr(line, '\n')); line = end + 1) {
		if (line[0] != ' ') {
			routes = strncmp(line, "routes:", 7) == 0;
			continue;
		}
		colon = memchr(line, ':', (size_t)(end - line));
		if (!routes || !colon || colon[1] != ' ' || memchr(colon + 2, ' ', (size_t)(end - colon - 2)))
			continue;
		bus_buf_reset(&mutant);
		bus_buf_put(&mutant, text.p, (size_t)(colon + 2 - text.p));
		bus_buf_puts(&mutant, "SELECT 'nowhere'");
		bus_buf_puts(&mutant, end);
		*mutants += 1;
		*caught += notices(file, bus_buf_cstr(&mutant));
	}
	bus_buf_release(&text);
	bus_buf_release(&mutant);
}

/* Every shipped definition, against the catalogue: nothing speaks against it; and a route that is led astray is noticed. */
static void the_shipped_views_are_good_and_their_routes_are_tried(void **state)
{
	glob_t files = { 0 };
	int mutants = 0, caught = 0;

	(void)state;
	assert_int_equal(glob("gateway/views/*.sql", 0, NULL, &files), 0);
	assert_true(files.gl_pathc > 30);
	for (size_t i = 0; i < files.gl_pathc; i++) {
		struct gw_rehearsal r = { .view = files.gl_pathv[i], .schemas = "schemas/avsc" };
		struct bus_buf report = { 0 };
		struct bus_error err = { 0 };
		bool good = false;

		if (gw_rehearse_check(&r, &report, &good, &err) != BUS_OK || !good)
			fail_msg("%s: %s %s", r.view, err.text, report.n ? bus_buf_cstr(&report) : "");
		bus_buf_release(&report);
		if (i % 7 == 0) /* a share of them; each takes a moment */
			lead_astray(files.gl_pathv[i], &mutants, &caught);
	}
	globfree(&files);
	assert_true(mutants >= 5);
	/* a route whose work another one does, or whose conditions chance does not meet, may stay hidden */
	if (caught * 10 < mutants * 8)
		fail_msg("%d of %d routes led astray were noticed", caught, mutants);
}

static int setup(void **state)
{
	(void)state;
	if (!mkdtemp(dir))
		return -1;
	snprintf(view, sizeof(view), "%s/v.sql", dir);
	snprintf(test, sizeof(test), "%s/v.yaml", dir);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	unlink(view);
	unlink(test);
	return rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_are_compared_after_every_step),
		cmocka_unit_test(a_wrong_expectation_is_told_with_its_line),
		cmocka_unit_test(a_wrong_route_is_caught_though_the_first_rows_are_right),
		cmocka_unit_test(a_test_that_is_no_test_is_refused_with_its_line),
		cmocka_unit_test(the_shipped_views_are_good_and_their_routes_are_tried),
	};

	bus_log_setup(BUS_LOG_ERROR + 1, false);
	return cmocka_run_group_tests(tests, setup, teardown);
}
