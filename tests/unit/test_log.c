#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bus/clock.h"
#include "bus/log.h"

static char captured[65536];

/* stderr goes to a file while fn runs; what was written is then in captured. */
static void capture(void (*fn)(void))
{
	FILE *f = tmpfile();
	int old = dup(STDERR_FILENO);
	ssize_t n;

	assert_non_null(f);
	dup2(fileno(f), STDERR_FILENO);
	fn();
	dup2(old, STDERR_FILENO);
	close(old);
	n = pread(fileno(f), captured, sizeof(captured) - 1, 0);
	assert_true(n >= 0);
	captured[n] = '\0';
	fclose(f);
}

static int lines(void)
{
	int n = 0;

	for (const char *c = captured; *c; c++)
		n += *c == '\n';
	return n;
}

static int set_up(void **state)
{
	(void)state;
	bus_clock_fake(INT64_C(1736470800000)); /* 2025-01-10T08:00:00+07:00 */
	bus_log_setup(BUS_LOG_INFO, false);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	bus_clock_fake(-1);
	return 0;
}

static void log_plain(void)
{
	bus_log(BUS_LOG_WARN, "test.plain", LOG_STR("opd", "dinkes"), LOG_INT("line", 812));
}

static void writes_one_line_an_event(void **state)
{
	(void)state;
	capture(log_plain);
	assert_string_equal(captured,
			    "time=2025-01-10T08:00:00+07:00 level=warn id=test.plain opd=dinkes line=812\n");
}

static void log_hostile(void)
{
	bus_log(BUS_LOG_INFO, "test.hostile",
		LOG_STR("text", "a \"b\" \\ c\r\nlevel=error\x1b[31m\x9b\xc2\x9b\xc3\xa9"),
		LOG_STR("none", ""));
}

static void lets_no_value_forge_a_line_or_command_a_terminal(void **state)
{
	(void)state;
	capture(log_hostile);
	assert_int_equal(lines(), 1);
	assert_non_null(strstr(captured,
			       " text=\"a \\\"b\\\" \\\\ c\\r\\nlevel=error\\x1b[31m\\x9b\\xc2\\x9b\xc3\xa9\""
			       " none=\"\"\n"));
}

static void log_long_numbers(void)
{
	bus_log(BUS_LOG_INFO, "test.numbers", LOG_STR("name", "data 1471000000000001.csv 123456789012345"),
		LOG_STR("plain", "1471000000000001"));
}

static void a_run_of_sixteen_digits_is_starred_wherever_it_came_from(void **state)
{
	(void)state;
	capture(log_long_numbers);
	assert_non_null(strstr(captured, "name=\"data ****************.csv 123456789012345\" plain=****************"));
}

static void log_nothing_else(void)
{
	bus_log(BUS_LOG_INFO, "test.bare");
}

static void needs_no_fields(void **state)
{
	(void)state;
	capture(log_nothing_else);
	assert_string_equal(captured, "time=2025-01-10T08:00:00+07:00 level=info id=test.bare\n");
}

static void writes_json_when_asked(void **state)
{
	(void)state;
	bus_log_setup(BUS_LOG_INFO, true);
	capture(log_plain);
	assert_string_equal(
	    captured, "{\"time\":\"2025-01-10T08:00:00+07:00\",\"level\":\"warn\",\"id\":\"test.plain\","
		      "\"opd\":\"dinkes\",\"line\":812}\n");
}

static void log_debug(void)
{
	bus_log(BUS_LOG_DEBUG, "test.debug");
}

static void keeps_quiet_below_its_level(void **state)
{
	(void)state;
	capture(log_debug);
	assert_string_equal(captured, "");
	bus_log_setup(BUS_LOG_DEBUG, false);
	capture(log_debug);
	assert_int_equal(lines(), 1);
}

static void log_storm(void)
{
	for (int i = 0; i < 100; i++)
		bus_log(BUS_LOG_INFO, "test.storm", LOG_INT("i", i));
	bus_log(BUS_LOG_INFO, "test.other");
	bus_clock_fake(bus_clock_ms() + 10000);
	bus_log(BUS_LOG_INFO, "test.storm", LOG_STR("when", "later"));
	bus_log(BUS_LOG_INFO, "test.storm", LOG_STR("when", "again"));
}

static void tells_a_storm_of_one_event_once(void **state)
{
	(void)state;
	capture(log_storm);
	assert_int_equal(lines(), 20 + 1 + 2);
	assert_non_null(strstr(captured, "i=19\n"));
	assert_null(strstr(captured, "i=20\n"));
	assert_non_null(strstr(captured, "id=test.other\n"));
	assert_non_null(strstr(captured, "when=later suppressed=80\n"));
	assert_non_null(strstr(captured, "when=again\n"));
}

static void log_many_ids(void)
{
	for (int i = 0; i < 5000; i++) {
		char id[32];

		snprintf(id, sizeof(id), "test.id%d", i);
		bus_log(BUS_LOG_INFO, id);
	}
}

static void survives_more_ids_than_it_keeps(void **state)
{
	(void)state;
	capture(log_many_ids);
	assert_true(lines() >= 200);
}

static char *big;

static void log_big(void)
{
	bus_log(BUS_LOG_INFO, "test.big", LOG_STR("v", big));
}

static void cuts_an_endless_value(void **state)
{
	(void)state;
	big = malloc(1000001);
	assert_non_null(big);
	memset(big, 'a', 1000000);
	big[1000000] = '\0';
	capture(log_big);
	assert_true(strlen(captured) < 2200);
	assert_int_equal(lines(), 1);
	free(big);
}

static void reads_the_names_of_levels(void **state)
{
	enum bus_log_level level;

	(void)state;
	assert_int_equal(bus_log_level_parse("warn", &level), BUS_OK);
	assert_int_equal(level, BUS_LOG_WARN);
	assert_int_equal(bus_log_level_parse("WARN", &level), BUS_EINVAL);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(writes_one_line_an_event),
		TEST(lets_no_value_forge_a_line_or_command_a_terminal),
		TEST(a_run_of_sixteen_digits_is_starred_wherever_it_came_from),
		TEST(needs_no_fields),
		TEST(writes_json_when_asked),
		TEST(keeps_quiet_below_its_level),
		TEST(tells_a_storm_of_one_event_once),
		TEST(cuts_an_endless_value),
		TEST(reads_the_names_of_levels),
		TEST(survives_more_ids_than_it_keeps), /* last: it fills the table */
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
