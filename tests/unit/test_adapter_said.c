/* What the gateway makes of what an adapter says of itself: running, silent, stopped; ages by its own clock alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bus/json.h"
#include "gateway/serve/adapter_said.h"
#include "schemas/avro/json.h"
#include "tests/support/map_support.h"

#define HEARD INT64_C(1764000000000)

/* json: the plain spelling of the shipped schema; missing members have their defaults. */
static struct gw_adapter_said said(const char *json)
{
	struct schema *schema = map_support_schema("bersama/adapter");
	struct schema_reader *reader = schema_reader_new(NULL);
	struct gw_adapter_said out = { 0 };
	struct schema_plan *plan = NULL;
	struct bus_buf avro = { 0 };

	assert_int_equal(schema_encode_json(schema, bus_str(json), SCHEMA_JSON_PLAIN, &avro, NULL), BUS_OK);
	assert_int_equal(schema_plan(schema, NULL, &plan, NULL), BUS_OK);
	assert_int_equal(gw_adapter_said_read(reader, plan, bus_buf_str(&avro), HEARD, &out, NULL), BUS_OK);
	schema_plan_free(&plan);
	schema_reader_free(&reader);
	schema_unref(&schema);
	bus_buf_release(&avro);
	return out;
}

/* By a clock that is years behind ours. */
#define WORD(state, every, more)                                                                             \
	"{\"opd\":\"uji\",\"keadaan\":\"" state "\",\"versi\":\"0.1.0\",\"mulai\":"                          \
	"\"2001-01-01T00:00:00+07:00\",\"waktu\":\"2001-01-01T00:10:00+07:00\",\"jeda\":" every more "}"

static void it_is_silent_after_three_times_what_it_promised(void **state)
{
	struct gw_adapter_said s = said(WORD("BERJALAN", "30000", ""));

	(void)state;
	assert_string_equal(gw_adapter_said_state(&s, HEARD), "running");
	assert_string_equal(gw_adapter_said_state(&s, HEARD + 90000), "running");
	assert_string_equal(gw_adapter_said_state(&s, HEARD + 90001), "silent");
	s = said(WORD("BERHENTI", "30000", ""));
	assert_string_equal(gw_adapter_said_state(&s, HEARD + 90001), "stopped");
	s = (struct gw_adapter_said){ 0 };
	assert_string_equal(gw_adapter_said_state(&s, HEARD), "unheard");
}

static const struct bus_json *shown(const struct gw_adapter_said *s, int64_t now, struct bus_buf *text,
				    struct bus_arena **arena)
{
	struct bus_json_out j = { .buf = text };
	struct bus_json *tree;

	gw_adapter_said_put(&j, "uji", s, now);
	*arena = bus_arena_new(65536);
	assert_int_equal(bus_json_parse(bus_buf_str(text), NULL, *arena, &tree, NULL), BUS_OK);
	return tree;
}

static int64_t number(const struct bus_json *j, const char *name)
{
	int64_t v = -1;

	assert_int_equal(bus_json_int(bus_json_get(j, name), &v), BUS_OK);
	return v;
}

static void ages_are_counted_by_one_clock(void **state)
{
	struct gw_adapter_said s =
	    said(WORD("BERJALAN", "30000", ",\"rekaman_terakhir\":\"2001-01-01T00:09:30+07:00\""));
	struct bus_buf text = { 0 };
	struct bus_arena *arena;
	const struct bus_json *j = shown(&s, HEARD + 5000, &text, &arena);

	(void)state;
	assert_int_equal(number(j, "heard_seconds_ago"), 5);
	assert_int_equal(number(j, "last_record_seconds_ago"), 35);
	assert_true(bus_str_is(bus_json_get(j, "heard")->text, "2025-11-24T23:00:00+07:00"));
	assert_true(bus_str_is(bus_json_get(j, "last_record")->text, "2025-11-24T22:59:30+07:00"));
	assert_true(bus_str_is(bus_json_get(j, "began")->text, "2025-11-24T22:50:00+07:00"));
	assert_int_equal(bus_json_get(j, "silent_since")->type, BUS_JSON_NULL);
	bus_arena_free(&arena);
	bus_buf_release(&text);
}

/* A department writes its own record: it shows wrong numbers of itself, and does no harm. */
static void absurd_words_are_bounded(void **state)
{
	struct gw_adapter_said s =
	    said(WORD("BERJALAN", "-5",
		      ",\"rekaman_terakhir\":\"2031-01-01T00:00:00+07:00\",\"laju\":1e300,\"dibaca\":-7,"
		      "\"ditolak\":9223372036854775807,\"kelas_ditolak\":{\"nik_kosong\":9223372036854775807,"
		      "\"1471080000000000 <b>\":5,\"\":6,\"minus\":-1}"));
	struct bus_buf text = { 0 };
	struct bus_arena *arena;
	const struct bus_json *j = shown(&s, HEARD - 1000, &text, &arena), *by;

	(void)state;
	assert_int_equal(s.every_ms, 1000);
	assert_string_equal(bus_json_get(j, "state")->text.p ? gw_adapter_said_state(&s, HEARD - 1000) : "",
			    "running");
	assert_int_equal(number(j, "rows"), 0);
	assert_int_equal(number(j, "refused"), INT64_C(1) << 52);
	assert_int_equal(number(j, "heard_seconds_ago"), 0);
	assert_int_equal(number(j, "last_record_seconds_ago"), 0);
	by = bus_json_get(j, "refused_by");
	assert_int_equal(by->n, 2);
	assert_int_equal(number(by, "nik_kosong"), INT64_C(1) << 52);
	assert_int_equal(number(by, GW_SAID_REST), 11);
	assert_null(strstr(bus_buf_cstr(&text), "1471080000000000"));
	bus_arena_free(&arena);
	bus_buf_release(&text);
}

static void reasons_are_bounded(void **state)
{
	struct bus_buf json = { 0 };
	struct gw_adapter_said s;
	int64_t sum = 0;

	(void)state;
	bus_buf_puts(&json, WORD("BERJALAN", "30000", ",\"kelas_ditolak\":{\"k0\":1"));
	json.n--; /* the brace */
	for (int i = 1; i < 200; i++)
		bus_buf_printf(&json, ",\"k%d\":1", i);
	bus_buf_puts(&json, "}}");
	s = said(bus_buf_cstr(&json));
	for (size_t i = 0; i < s.n_reasons; i++)
		sum += s.reason[i].n;
	assert_int_equal(s.n_reasons, GW_SAID_REASONS);
	assert_int_equal(sum, 200);
	bus_buf_release(&json);
}

static void another_record_is_none(void **state)
{
	struct bus_error err = { 0 };
	struct schema *schema = NULL;
	struct schema_reader *reader = schema_reader_new(NULL);
	struct gw_adapter_said out = { 0 };
	struct schema_plan *plan = NULL;

	(void)state;
	assert_int_equal(schema_parse(BUS_STR("\"string\""), SCHEMA_STRICT, NULL, 0, &schema, &err), BUS_OK);
	assert_int_equal(schema_plan(schema, NULL, &plan, NULL), BUS_OK);
	assert_int_equal(gw_adapter_said_read(reader, plan, BUS_STR("\x02x"), HEARD, &out, &err), BUS_EDATA);
	assert_false(out.heard);
	schema_plan_free(&plan);
	schema_reader_free(&reader);
	schema_unref(&schema);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_silent_after_three_times_what_it_promised),
		cmocka_unit_test(ages_are_counted_by_one_clock),
		cmocka_unit_test(absurd_words_are_bounded),
		cmocka_unit_test(reasons_are_bounded),
		cmocka_unit_test(another_record_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
