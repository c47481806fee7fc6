/* Tests of views: what a right definition passes, and what a wrong one, or a wrong expectation, is caught by. */
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
	};

	bus_log_setup(BUS_LOG_ERROR + 1, false);
	return cmocka_run_group_tests(tests, setup, teardown);
}
