#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bus/wire.h"

static void frames_as_confluent_does(void **state)
{
	struct bus_buf b = { 0 };
	struct bus_str avro;
	int32_t id;

	(void)state;
	bus_wire_put_prefix(&b, 0x01020304);
	bus_buf_puts(&b, "avro");
	assert_memory_equal(b.p, "\0\1\2\3\4avro", 9);
	assert_int_equal(bus_wire_open(bus_buf_str(&b), &id, &avro, NULL), BUS_OK);
	assert_int_equal(id, 0x01020304);
	assert_true(bus_str_is(avro, "avro"));
	bus_buf_release(&b);
}

static void refuses_a_frame_shorter_than_its_header(void **state)
{
	struct bus_error err;
	struct bus_str avro;
	int32_t id;

	(void)state;
	assert_int_equal(bus_wire_open((struct bus_str){ "\0\0\0\1", 4 }, &id, &avro, &err), BUS_EDATA);
	assert_int_equal(bus_wire_open((struct bus_str){ NULL, 0 }, &id, &avro, &err), BUS_EDATA);
}

static void refuses_another_magic_byte(void **state)
{
	struct bus_error err;
	struct bus_str avro;
	int32_t id;

	(void)state;
	assert_int_equal(bus_wire_open((struct bus_str){ "\1\0\0\0\1x", 6 }, &id, &avro, &err), BUS_EDATA);
	assert_non_null(strstr(err.text, "0x01"));
}

static void reads_where_a_record_comes_from(void **state)
{
	const struct bus_header h[] = {
		{ BUS_STR("ce_id"), BUS_STR("t/0/5") },
		{ BUS_STR("titian_stream"), BUS_STR("t/0") },
		{ BUS_STR("titian_seq"), BUS_STR("9223372036854775807") },
		{ BUS_STR("titian_file"), BUS_STR("0123456789abcdef") },
		{ BUS_STR("titian_line"), BUS_STR("812") },
		{ BUS_STR("ce_time"), BUS_STR("2025-01-10T08:00:00+07:00") },
	};
	struct bus_origin o;

	(void)state;
	bus_wire_read_origin(h, BUS_LEN(h), &o);
	assert_true(bus_str_is(o.stream, "t/0"));
	assert_true(o.seq == INT64_MAX);
	assert_true(bus_str_is(o.file, "0123456789abcdef"));
	assert_int_equal(o.line, 812);
	assert_true(bus_str_is(o.time, "2025-01-10T08:00:00+07:00"));
}

static void takes_no_header_and_a_broken_number_as_absent(void **state)
{
	static const char *const bad[] = {
		"", "-1", "+1", " 1", "1 ", "1x", "9223372036854775808", "99999999999999999999"
	};
	struct bus_origin o;

	(void)state;
	bus_wire_read_origin(NULL, 0, &o);
	assert_int_equal(o.seq, 0);
	assert_int_equal(o.stream.n, 0);
	assert_non_null(o.stream.p);
	for (size_t i = 0; i < BUS_LEN(bad); i++) {
		const struct bus_header h = { BUS_STR("titian_seq"), bus_str(bad[i]) };

		bus_wire_read_origin(&h, 1, &o);
		assert_int_equal(o.seq, 0);
	}
}

static void chooses_partitions_as_kafkas_java_client(void **state)
{
	/* org.apache.kafka.common.utils.UtilsTest, testMurmur2 */
	static const struct {
		const char *key;
		int32_t hash;
	} known[] = {
		{ "21", -973932308 },
		{ "foobar", -790332482 },
		{ "a-little-bit-long-string", -985981536 },
		{ "a-little-bit-longer-string", -1486304829 },
		{ "lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971 },
		{ "abc", 479470107 },
	};

	(void)state;
	for (size_t i = 0; i < BUS_LEN(known); i++) {
		int32_t positive = known[i].hash & 0x7fffffff;

		assert_int_equal(bus_wire_partition(bus_str(known[i].key), INT32_MAX), positive % INT32_MAX);
		assert_int_equal(bus_wire_partition(bus_str(known[i].key), 6), positive % 6);
		assert_int_equal(bus_wire_partition(bus_str(known[i].key), 1), 0);
	}
}

static void a_number_follows_only_in_its_own_stream_and_not_by_a_leap(void **state)
{
	struct bus_origin o = { .stream = BUS_STR("pku.x.y.v1/3"), .seq = 8 };

	(void)state;
	assert_true(bus_wire_follows(&o, "pku.x.y.v1", 3, 7, 0));
	assert_false(bus_wire_follows(&o, "pku.x.y.v1", 4, 7, 0));
	assert_false(bus_wire_follows(&o, "pku.x.y", 3, 7, 0));
	o.seq = 2000000;
	assert_false(bus_wire_follows(&o, "pku.x.y.v1", 3, 7, 10));
	assert_true(bus_wire_follows(&o, "pku.x.y.v1", 3, 7, 1500000)); /* compacted: offsets leapt too */
	o.seq = INT64_MAX;
	assert_false(bus_wire_follows(&o, "pku.x.y.v1", 3, 7, 10));
	o = (struct bus_origin){ .stream = BUS_STR("pku.x.y.v1/3x"), .seq = 8 };
	assert_false(bus_wire_follows(&o, "pku.x.y.v1", 3, 7, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frames_as_confluent_does),
		cmocka_unit_test(refuses_a_frame_shorter_than_its_header),
		cmocka_unit_test(refuses_another_magic_byte),
		cmocka_unit_test(reads_where_a_record_comes_from),
		cmocka_unit_test(takes_no_header_and_a_broken_number_as_absent),
		cmocka_unit_test(chooses_partitions_as_kafkas_java_client),
		cmocka_unit_test(a_number_follows_only_in_its_own_stream_and_not_by_a_leap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
