/* A time, as a place in the change log: everything committed at it or later comes after that place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "bus/clock.h"
#include "tests/support/engine_support.h"

#define MINUTE INT64_C(60000)
#define START (INT64_C(28000000) * MINUTE)
#define STEPS 40

static int64_t at(struct engine *t, int64_t ms)
{
	struct bus_error err;
	int64_t seq = -1;

	engine_must(gw_seq_at(gw_reader_of(t->e), ms, &seq, &err), &err);
	return seq;
}

static void a_place_is_before_everything_that_came_then_or_later(void **state)
{
	static const char view[] = "/*---\nname: semua\nkey: id\nroutes: {uji_orang: _key}\ncolumns:\n  id: "
				   "{type: text, pdp: P}\n  n: {type: "
				   "int, pdp: N}\n---*/\nSELECT _key AS id, n FROM uji_orang\n";
	struct engine *t = engine_new();
	int64_t when[STEPS], newest[STEPS], clock = START;
	const struct gw_view *v;

	(void)state;
	bus_clock_fake(clock);
	engine_topic(
	    t, "pku.uji.orang.v1",
	    engine_schema(
		"{\"type\":\"record\",\"name\":\"O\",\"x_jenis\":\"register\",\"x_kunci\":\"id\","
		"\"fields\":[{\"name\":\"id\",\"type\":\"string\"},{\"name\":\"n\",\"type\":\"int\"}]}"));
	engine_view(t, "a", view);
	engine_open(t, NULL);
	v = gw_view_find(t->e, "semua");
	assert_int_equal(at(t, START), 0);
	for (int i = 0; i < STEPS; i++) {
		char json[64], key[8];

		/* Several commits a minute, minutes without any, and once the clock is put back. */
		clock += i == 25 ? -3 * MINUTE : (i % 4) * 25000;
		bus_clock_fake(clock);
		snprintf(json, sizeof(json), "{\"id\":\"o%d\",\"n\":%d}", i % 7, i);
		snprintf(key, sizeof(key), "o%d", i % 7);
		engine_put(t, 0, key, json);
		engine_apply(t, 10, GW_FORCE);
		when[i] = clock;
		newest[i] = gw_newest(t->e, v);
	}
	for (int64_t ms = START - MINUTE; ms < clock + 5 * MINUTE; ms += 10000) {
		int64_t place = at(t, ms), least = newest[STEPS - 1];

		for (int i = 0; i < STEPS; i++)
			if (when[i] >= ms && (i ? newest[i - 1] : 0) < least)
				least = i ? newest[i - 1] : 0;
		assert_true(place <= least);
		for (int i = 0; i < STEPS && place < least; i++) /* no earlier than the minute needs */
			if (newest[i] > place && newest[i] <= least)
				assert_true(when[i] >= ms - MINUTE || i >= 20);
	}
	assert_int_equal(at(t, clock + 5 * MINUTE), newest[STEPS - 1]);
	bus_clock_fake(-1);
	engine_free(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_place_is_before_everything_that_came_then_or_later),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
