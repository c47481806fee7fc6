#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <pthread.h>
#include <stdlib.h>
#include <cmocka.h>

#include "gateway/serve/crowd.h"
#include "gateway/serve/quota.h"

static void a_quota_is_requests_and_a_time(void **state)
{
	static const struct {
		const char *text;
		uint32_t requests, seconds;
	} good[] = { { "600/1m", 600, 60 },
		     { "1/s", 1, 1 },
		     { "1000000/1d", 1000000, 86400 },
		     { "5/12h", 5, 43200 } };
	static const char *const bad[] = {
		"",	  "600",     "600/",  "/1m",	"0/1m",		 "600/0m",
		"600/m1", "600/1m ", "-1/1m", "600/1w", "9999999999/1m", "1/10001d"
	};
	struct gw_quota q;

	(void)state;
	for (size_t i = 0; i < BUS_LEN(good); i++) {
		assert_true(gw_quota_read(good[i].text, &q));
		assert_int_equal(q.requests, good[i].requests);
		assert_int_equal(q.seconds, good[i].seconds);
	}
	for (size_t i = 0; i < BUS_LEN(bad); i++)
		if (gw_quota_read(bad[i], &q))
			fail_msg("'%s' was taken", bad[i]);
}

static void it_is_used_up_and_begins_anew(void **state)
{
	const struct gw_quota three = { 3, 60 };
	struct gw_meter *list = NULL, *m = gw_meter_of(&list, "dinsos");
	struct gw_quota_left l;

	(void)state;
	for (uint32_t i = 0; i < 3; i++) {
		l = gw_quota_take(m, three, 120000 + i * 1000);
		assert_false(l.over);
		assert_int_equal(l.left, 2 - i);
		assert_int_equal(l.reset_s, 60 - i);
	}
	l = gw_quota_take(m, three, 179999);
	assert_true(l.over);
	assert_int_equal(l.left, 0);
	assert_int_equal(l.reset_s, 1);
	assert_false(gw_quota_take(m, three, 180000).over);
	/* another reader has another count; the same one keeps his */
	assert_false(gw_quota_take(gw_meter_of(&list, "dinkes"), three, 180000).over);
	assert_ptr_equal(gw_meter_of(&list, "dinsos"), m);
	gw_meters_free(&list);
}

static void *take_many(void *meter)
{
	const struct gw_quota q = { 50000, 60 };
	size_t got = 0;

	for (int i = 0; i < 40000; i++)
		got += !gw_quota_take(meter, q, 1000).over;
	return (void *)got;
}

static void threads_share_it_exactly(void **state)
{
	struct gw_meter *list = NULL, *m = gw_meter_of(&list, "x");
	pthread_t thread[4];
	size_t sum = 0;
	void *got;

	(void)state;
	for (size_t i = 0; i < BUS_LEN(thread); i++)
		assert_int_equal(pthread_create(&thread[i], NULL, take_many, m), 0);
	for (size_t i = 0; i < BUS_LEN(thread); i++) {
		pthread_join(thread[i], &got);
		sum += (size_t)got;
	}
	assert_int_equal(sum, 50000);
	gw_meters_free(&list);
}

/* One household is one reader, and the proxy's word is the last one. */
static void who_asks_is_the_last_address_that_was_forwarded(void **state)
{
	static const char *const bad[] = {
		"",	    ",",
		"1.2.3.4,", "1.2.3",
		"unknown",  "1.2.3.4:80",
		"[::1]",    "1:2:3:4:5:6:7:8:9:10:11:12:13:14:15:16:17:18:19:20:21:22:23"
	};
	uint8_t a[16], b[16];

	(void)state;
	for (size_t i = 0; i < BUS_LEN(bad); i++)
		if (gw_crowd_address(bad[i], a))
			fail_msg("'%s' was taken", bad[i]);
	assert_true(gw_crowd_address("6.6.6.6, 10.0.0.1", a) && gw_crowd_address("10.0.0.1 ", b));
	assert_memory_equal(a, b, 16);
	assert_true(gw_crowd_address("10.0.0.2", b));
	assert_memory_not_equal(a, b, 16);
	assert_true(gw_crowd_address("2001:db8:1:2::1", a) && gw_crowd_address("x,2001:db8:1:2:ffff::9", b));
	assert_memory_equal(a, b, 16);
	assert_true(gw_crowd_address("2001:db8:1:3::1", b));
	assert_memory_not_equal(a, b, 16);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_quota_is_requests_and_a_time),
		cmocka_unit_test(it_is_used_up_and_begins_anew),
		cmocka_unit_test(threads_share_it_exactly),
		cmocka_unit_test(who_asks_is_the_last_address_that_was_forwarded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
