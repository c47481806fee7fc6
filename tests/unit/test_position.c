#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/support/adapter_city.h"

#include "adapters/position.h"

#define FILE_ID "00000000000000ab"

static struct adapter_part part_of(const char *topic, int kind)
{
	struct adapter_part part = { .kind = kind };

	adapter_topic_init(&part.topic, topic, 1);
	return part;
}

/* Puts one record with the headers that the recovery reads. state may be NULL. */
static void put(struct city *c, const char *topic, int32_t partition, const char *key, const char *value,
		int64_t seq, const char *state)
{
	struct bus_producer_conf conf = { .kafka = city_kafka(c) };
	struct bus_producer *p;
	struct bus_str v = bus_str(value ? value : "");
	char digits[24];
	char stream[200];
	struct bus_header h[5] = { { BUS_STR("titian_file"), BUS_STR(FILE_ID) },
				   { BUS_STR("titian_line"), BUS_STR("7") },
				   { BUS_STR("titian_seq"), { digits, 0 } },
				   { BUS_STR("titian_stream"), { stream, 0 } },
				   { BUS_STR(ADAPTER_STATE_HEADER), bus_str(state ? state : "") } };

	h[3].value.n = (size_t)snprintf(stream, sizeof(stream), "%s/%d", topic, (int)partition);
	h[2].value.n = adapter_put_decimal(digits, (uint64_t)seq);
	assert_int_equal(bus_producer_open(&conf, &p, NULL), BUS_OK);
	assert_int_equal(bus_producer_send(p, topic, partition, bus_str(key), value ? &v : NULL, h,
					   state ? 5 : 4, 0, 1, 5000, NULL),
			 BUS_OK);
	assert_int_equal(bus_producer_flush(p, 5000, NULL), BUS_OK);
	bus_producer_close(&p);
}

static void everything_is_recovered_from_the_log(void **state)
{
	struct city *c = city_new("");
	struct adapter_part part[3];
	struct adapter_position p = { .part = part, .n = 3 };
	struct bus_kafka_conf kafka = city_kafka(c);
	struct adapter_index_row row = { BUS_STR("a"), 123, 0, 0, 9 };
	enum adapter_verdict v;
	struct bus_buf out = { 0 };
	struct bus_error err;
	uint64_t records;
	bool fresh;

	(void)state;
	put(c, CITY_REGISTER, 0, "a", "not framed", 1, NULL);
	put(c, CITY_REGISTER, 1, "b", "x", 41, NULL);
	put(c, CITY_REGISTER, 1, "b", NULL, 42, NULL);
	put(c, CITY_QUARANTINE, 0, FILE_ID ":3", "x", 5, NULL);
	/* An event topic that has lost every record: only the file record still knows how far it was. */
	put(c, CITY_FILES, 0, "uji:" FILE_ID, NULL, 9,
	    CITY_QUARANTINE "/0=4 " CITY_REGISTER "/0=77 nonsense x=y");

	part[0] = part_of(CITY_REGISTER, ADAPTER_PART_ENTITY);
	part[1] = part_of(CITY_QUARANTINE, ADAPTER_PART_QUARANTINE);
	part[2] = part_of(CITY_FILES, ADAPTER_PART_FILES);
	assert_int_equal(adapter_index_new("/tmp", ADAPTER_RULE_LATEST, &part[0].index, NULL), BUS_OK);
	assert_int_equal(adapter_quarantine_new("/tmp", &p.quarantine, NULL), BUS_OK);
	p.files = adapter_files_new();
	if (adapter_position_recover(&kafka, &p, &records, &err))
		fail_msg("%s", err.text);

	assert_int_equal(records, 5);
	assert_int_equal(part[0].topic.n, 2);
	assert_int_equal(part[0].topic.stream[0].seq, 77);
	assert_int_equal(part[0].topic.stream[1].seq, 42);
	assert_int_equal(part[1].topic.stream[0].seq, 5); /* the log is ahead of the file record */
	assert_int_equal(part[2].topic.stream[0].seq, 9);
	assert_int_equal(adapter_index_count(part[0].index), 1); /* b is gone */
	row.file = adapter_files_number(p.files, BUS_STR(FILE_ID));
	assert_int_equal(adapter_files_known(p.files, row.file, CITY_REGISTER)->removed, 1);
	assert_int_equal(adapter_index_judge(part[0].index, &row, &v, NULL), BUS_OK);
	assert_int_equal(v, ADAPTER_SEND);
	assert_int_equal(adapter_quarantine_put(p.quarantine, BUS_STR(FILE_ID ":3"), &fresh, NULL), BUS_OK);
	assert_false(fresh);

	adapter_position_put_state(&p, &out);
	assert_true(bus_str_is(bus_buf_str(&out),
			       CITY_REGISTER "/0=77 " CITY_REGISTER "/1=42 " CITY_QUARANTINE "/0=5"));
	bus_buf_release(&out);
	for (size_t i = 0; i < 3; i++)
		adapter_topic_release(&part[i].topic);
	adapter_index_free(&part[0].index);
	adapter_quarantine_free(&p.quarantine);
	adapter_files_free(&p.files);
	city_free(c);
}

static void files_are_numbered_by_content(void **state)
{
	struct adapter_files *f = adapter_files_new();
	char hex[24];

	(void)state;
	for (unsigned i = 0; i < 1000; i++) {
		snprintf(hex, sizeof(hex), "%016x", i * 2654435761u);
		assert_int_equal(adapter_files_number(f, bus_str(hex)), i + 1);
	}
	for (unsigned i = 0; i < 1000; i++) {
		snprintf(hex, sizeof(hex), "%016x", i * 2654435761u);
		assert_int_equal(adapter_files_number(f, bus_str(hex)), i + 1);
	}
	assert_int_equal(adapter_files_number(f, BUS_STR("")), 0);
	assert_int_equal(adapter_files_number(f, BUS_STR("000000000000000g")), 0);
	assert_ptr_equal(adapter_files_known(f, 3, "a"), adapter_files_known(f, 3, "a"));
	assert_ptr_not_equal(adapter_files_known(f, 3, "a"), adapter_files_known(f, 3, "b"));
	adapter_files_free(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everything_is_recovered_from_the_log),
		cmocka_unit_test(files_are_numbered_by_content),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
