#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "gateway/hook/retry.h"

#define S INT64_C(1000)
#define M (60 * S)
#define H (60 * M)
#define START INT64_C(1700000000000)

static struct gw_hook_schedule schedule(void)
{
	char text[][4] = { "5s", "5m", "30m", "2h", "5h", "10h", "14h", "20h", "24h" };
	char *list[BUS_LEN(text)];
	struct gw_hook_schedule s;

	for (size_t i = 0; i < BUS_LEN(text); i++)
		list[i] = text[i];
	assert_int_equal(gw_hook_schedule_read(list, BUS_LEN(list), 72 * H, &s, NULL), BUS_OK);
	return s;
}

static const struct gw_hook_result broken = { .status = 500, .why = "", .retry_after = -1 },
				   good = { .status = 204, .why = "", .retry_after = -1 };

static struct gw_hook_pos active(void)
{
	return (struct gw_hook_pos){ .epoch = 1, .state = GW_HOOK_ACTIVE };
}

/* 0 s, 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h, 24 h: Standard Webhooks, and then no more. */
static void tries_for_three_days_and_then_suspends(void **state)
{
	static const int64_t want[] = { 5 * S, 5 * M, 30 * M, 2 * H, 5 * H, 10 * H, 14 * H, 20 * H, 24 * H };

	(void)state;
	for (uint32_t chance = 0; chance <= 1000; chance += 500) {
		struct gw_hook_schedule s = schedule();
		struct gw_hook_pos p = active();
		int64_t now = START;
		size_t tries = 0;

		for (;;) {
			int64_t wait;

			assert_false(gw_hook_after(&s, &p, &broken, now, chance));
			tries++;
			if (p.state == GW_HOOK_SUSPENDED)
				break;
			wait = p.next - now;
			assert_true(tries <= BUS_LEN(want));
			assert_int_equal(wait, want[tries - 1] + want[tries - 1] / 10 * chance / 1000);
			assert_int_equal(p.failures, tries);
			assert_int_equal(p.failing_since, START);
			now = p.next;
		}
		assert_int_equal(p.reason, GW_HOOK_FAILING);
		assert_in_range(now - START, 72 * H, 72 * H + 12 * H);
		assert_in_range(tries, 9, 10);
	}
}

static void forgets_failures_after_a_success(void **state)
{
	struct gw_hook_schedule s = schedule();
	struct gw_hook_pos p = active();

	(void)state;
	for (int i = 0; i < 4; i++)
		assert_false(gw_hook_after(&s, &p, &broken, START + i * H, 0));
	assert_true(gw_hook_after(&s, &p, &good, START + 5 * H, 0));
	assert_int_equal(p.failures, 0);
	assert_int_equal(p.next, 0);
	assert_int_equal(p.last_status, 204);
	assert_false(gw_hook_after(&s, &p, &broken, START + 100 * H, 0));
	assert_int_equal(p.state, GW_HOOK_ACTIVE);
	assert_int_equal(p.next - (START + 100 * H), 5 * S);
}

static void waits_as_long_as_a_busy_receiver_says(void **state)
{
	static const struct {
		int status;
		int64_t says, want;
	} cases[] = {
		{ 429, 90 * S, 90 * S }, { 503, 0, 0 },		 { 429, -1, 5 * S },
		{ 500, 90 * S, 5 * S },	 { 301, 90 * S, 5 * S }, { 503, 400 * H, 24 * H },
	};
	struct gw_hook_schedule s = schedule();

	(void)state;
	for (size_t i = 0; i < BUS_LEN(cases); i++) {
		struct gw_hook_result r = { .status = cases[i].status,
					    .why = "",
					    .retry_after = cases[i].says };
		struct gw_hook_pos p = active();

		assert_false(gw_hook_after(&s, &p, &r, START, 0));
		assert_int_equal(p.next - START, cases[i].want);
	}
}

static void stops_at_once_when_the_receiver_is_gone(void **state)
{
	const struct gw_hook_result gone = { .status = 410, .why = "", .retry_after = -1 };
	struct gw_hook_schedule s = schedule();
	struct gw_hook_pos p = active();

	(void)state;
	assert_false(gw_hook_after(&s, &p, &gone, START, 0));
	assert_int_equal(p.state, GW_HOOK_SUSPENDED);
	assert_int_equal(p.reason, GW_HOOK_GONE);
}

static void keeps_why_there_was_no_answer(void **state)
{
	const struct gw_hook_result none = { .status = 0, .why = "no answer in time", .retry_after = -1 };
	struct gw_hook_schedule s = schedule();
	struct gw_hook_pos p = active();

	(void)state;
	assert_false(gw_hook_after(&s, &p, &none, START, 0));
	assert_string_equal(p.last_why, "no answer in time");
	assert_true(gw_hook_after(&s, &p, &good, START, 0));
	assert_string_equal(p.last_why, "");
}

static void begins_where_its_round_says_and_goes_on_within_one(void **state)
{
	struct gw_hook_sub *s = gw_hook_sub_new();
	struct gw_hook_pos p = { 0 };

	(void)state;
	s->epoch = s->round = 1;
	s->anew = true;
	memcpy(s->from, "awal", 5);
	gw_hook_begin(s, &p);
	assert_string_equal(p.cursor, "awal");
	assert_int_equal(p.state, GW_HOOK_ACTIVE);
	assert_false(p.reset); /* nothing has been sent yet */
	memcpy(p.cursor, "jauh", 5);
	p.state = GW_HOOK_SUSPENDED;
	p.reason = GW_HOOK_FAILING;
	p.failures = 10;
	s->epoch++; /* resumed */
	gw_hook_begin(s, &p);
	assert_string_equal(p.cursor, "jauh");
	assert_int_equal(p.state, GW_HOOK_ACTIVE);
	assert_int_equal(p.failures, 0);
	s->epoch++;
	s->round++; /* delivered again, from the beginning */
	gw_hook_begin(s, &p);
	assert_string_equal(p.cursor, "awal");
	assert_true(p.reset);
	s->epoch++;
	s->suspended = true;
	gw_hook_begin(s, &p);
	assert_int_equal(p.state, GW_HOOK_SUSPENDED);
	assert_int_equal(p.reason, GW_HOOK_ASKED);
	assert_true(p.reset); /* still owed */
	s->epoch++;
	s->suspended = false;
	s->format = GW_HOOK_BINARY;
	gw_hook_begin(s, &p);
	assert_int_equal(p.state, GW_HOOK_VALIDATING);
	gw_hook_sub_unref(&s);
}

static void reads_what_receivers_say(void **state)
{
	const int64_t now = INT64_C(1732356000000); /* Sat, 23 Nov 2024 10:00:00 GMT */

	(void)state;
	assert_int_equal(gw_hook_retry_after("", now), -1);
	assert_int_equal(gw_hook_retry_after("120", now), 120 * S);
	assert_int_equal(gw_hook_retry_after("99999999999999999999", now), 24 * H);
	assert_int_equal(gw_hook_retry_after("-5", now), -1);
	assert_int_equal(gw_hook_retry_after("soon", now), -1);
	assert_int_equal(gw_hook_retry_after("Sat, 23 Nov 2024 10:01:30 GMT", now), 90 * S);
	assert_int_equal(gw_hook_retry_after("Sat, 23 Nov 2024 09:00:00 GMT", now), 0);
	assert_int_equal(gw_hook_retry_after("Sat, 23 Nov 2024 10:01:30 GMTx", now), -1);
	assert_true(gw_hook_allowed("*", "bus.uji"));
	assert_true(gw_hook_allowed("bus.uji", "bus.uji"));
	assert_true(gw_hook_allowed("lain.uji, BUS.uji", "bus.uji"));
	assert_false(gw_hook_allowed("", "bus.uji"));
	assert_false(gw_hook_allowed("bus.uji.lain", "bus.uji"));
	assert_false(gw_hook_allowed("bus", "bus.uji"));
	assert_int_equal(gw_hook_allowed_rate("*"), 0);
	assert_int_equal(gw_hook_allowed_rate("120"), 120);
	assert_int_equal(gw_hook_allowed_rate("-1"), 0);
	assert_int_equal(gw_hook_allowed_rate(""), 0);
	assert_int_equal(gw_hook_spacing(0, 0), 0);
	assert_int_equal(gw_hook_spacing(60, 0), 1000);
	assert_int_equal(gw_hook_spacing(0, 120), 500);
	assert_int_equal(gw_hook_spacing(600, 120), 500);
	assert_int_equal(gw_hook_spacing(7, 120), 8572);
}

static void refuses_a_schedule_that_is_none(void **state)
{
	static const char *const bad[] = { "5", "s", "0s", "-5s", "5d", "5s ", "" };
	struct gw_hook_schedule s;

	(void)state;
	assert_int_equal(gw_hook_schedule_read(NULL, 0, H, &s, NULL), BUS_EINVAL);
	for (size_t i = 0; i < BUS_LEN(bad); i++) {
		char *text = bus_xstrdup(bad[i]);

		assert_int_equal(gw_hook_schedule_read(&text, 1, H, &s, NULL), BUS_EINVAL);
		free(text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tries_for_three_days_and_then_suspends),
		cmocka_unit_test(forgets_failures_after_a_success),
		cmocka_unit_test(waits_as_long_as_a_busy_receiver_says),
		cmocka_unit_test(stops_at_once_when_the_receiver_is_gone),
		cmocka_unit_test(keeps_why_there_was_no_answer),
		cmocka_unit_test(begins_where_its_round_says_and_goes_on_within_one),
		cmocka_unit_test(reads_what_receivers_say),
		cmocka_unit_test(refuses_a_schedule_that_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
