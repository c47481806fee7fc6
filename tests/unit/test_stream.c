#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "adapters/stream.h"

static struct bus_str value_of(const struct adapter_stamp *st, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (bus_str_is(st->header[i].name, name))
			return st->header[i].value;
	return (struct bus_str){ 0 };
}

static void assert_header(const struct adapter_stamp *st, size_t n, const char *name, const char *want)
{
	struct bus_str v = value_of(st, n, name);

	if (!bus_str_is(v, want))
		fail_msg("%s is '%.*s', not '%s'", name, (int)v.n, v.p, want);
}

static void writes_every_header_of_the_contract(void **state)
{
	struct adapter_stamp st = { 0 };
	struct adapter_topic t;
	const int64_t version = -12;
	/* 2025-01-10T08:00:00+07:00 is 1736470800 s after 1970 (date -d). */
	struct adapter_origin o = { .source = "/opd/dinkes/dinkes_kunjungan",
				    .file = "0123456789abcdef",
				    .line = 812,
				    .time_ms = INT64_C(1736470800000),
				    .version = &version };
	size_t n;

	(void)state;
	adapter_topic_init(&t, "pku.dinkes.kunjungan.v1", 3);
	t.stream[2].seq = 99;
	n = adapter_stamp_headers(&st, &t, &t.stream[2], BUS_STR("k1"), &o);
	assert_header(&st, n, "ce_specversion", "1.0");
	assert_header(&st, n, "ce_id", "pku.dinkes.kunjungan.v1/2/100");
	assert_header(&st, n, "ce_source", "/opd/dinkes/dinkes_kunjungan");
	assert_header(&st, n, "ce_type", "id.go.pekanbaru.bus.dinkes.kunjungan.v1");
	assert_header(&st, n, "ce_subject", "k1");
	assert_header(&st, n, "ce_time", "2025-01-10T08:00:00+07:00");
	assert_header(&st, n, "content-type", "application/avro");
	assert_header(&st, n, "titian_stream", "pku.dinkes.kunjungan.v1/2");
	assert_header(&st, n, "titian_seq", "100");
	assert_header(&st, n, "titian_file", "0123456789abcdef");
	assert_header(&st, n, "titian_line", "812");
	assert_header(&st, n, "titian_version", "-12");
	assert_int_equal(t.stream[2].seq, 99); /* counted only when sent */
	adapter_topic_release(&t);
}

static void time_is_right_across_days_and_before_1970(void **state)
{
	/* date -u -d @... +7h, by hand */
	static const struct {
		int64_t ms;
		const char *text;
	} known[] = {
		{ INT64_C(1736470800000), "2025-01-10T08:00:00+07:00" },
		{ INT64_C(1736470801000), "2025-01-10T08:00:01+07:00" },
		{ INT64_C(1736470801000), "2025-01-10T08:00:01+07:00" },
		{ INT64_C(1736470801250), "2025-01-10T08:00:01.250+07:00" },
		{ INT64_C(1736528399000), "2025-01-10T23:59:59+07:00" },
		{ INT64_C(1736528400000), "2025-01-11T00:00:00+07:00" },
		{ INT64_C(-25200000), "1970-01-01T00:00:00+07:00" },
		{ INT64_C(-25201000), "1969-12-31T23:59:59+07:00" },
		{ INT64_C(0), "1970-01-01T07:00:00+07:00" },
	};
	struct adapter_stamp st = { 0 };
	struct adapter_topic t;

	(void)state;
	adapter_topic_init(&t, "pku.x.y.v1", 1);
	for (size_t i = 0; i < BUS_LEN(known); i++) {
		struct adapter_origin o = { .source = "s", .file = "f", .time_ms = known[i].ms };
		size_t n = adapter_stamp_headers(&st, &t, &t.stream[0], BUS_STR("k"), &o);

		assert_header(&st, n, "ce_time", known[i].text);
		assert_int_equal(value_of(&st, n, "titian_line").n, 0); /* line 0: no such header */
	}
	adapter_topic_release(&t);
}

static void writes_decimals_to_the_largest(void **state)
{
	char out[20];

	(void)state;
	assert_int_equal(adapter_put_decimal(out, 0), 1);
	assert_memory_equal(out, "0", 1);
	assert_int_equal(adapter_put_decimal(out, UINT64_MAX), 20);
	assert_memory_equal(out, "18446744073709551615", 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writes_every_header_of_the_contract),
		cmocka_unit_test(time_is_right_across_days_and_before_1970),
		cmocka_unit_test(writes_decimals_to_the_largest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
