/* A CloudEvent's attributes as headers. Examples of CloudEvents 1.0.2, HTTP binding, 3.1.3. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "bus/cloudevent.h"

#define X60 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

static const char *const must[] = { "ce-id",	      "1",   "ce-source", "/simrs", "ce-type", "kunjungan",
				    "ce-specversion", "1.0", NULL };

static struct bus_cloudevent event;
static struct bus_error why;

static void headers(const char *const *h)
{
	for (; *h; h += 2)
		bus_cloudevent_header(&event, h[0], h[1]);
}

/* The four that must be, and one more. The caller releases. */
static enum bus_err with(const char *name, const char *value, struct bus_str *members)
{
	why.text[0] = '\0';
	bus_cloudevent_begin(&event);
	headers(must);
	bus_cloudevent_header(&event, name, value);
	return bus_cloudevent_end(&event, members, &why);
}

static void attributes_are_members(void **state)
{
	static const char *const h[] = { "Host",      "h",    "Ce-Subject",   "RSUD",
					 "CE-WAKTU9", "2026", "Content-Type", "application/json",
					 "ce",	      "no",   "cede-x",	      "no",
					 NULL };
	struct bus_str members;

	(void)state;
	bus_cloudevent_begin(&event);
	headers(h);
	headers(must);
	assert_int_equal(bus_cloudevent_end(&event, &members, NULL), BUS_OK);
	assert_true(bus_str_is(members,
			       "\"subject\":\"RSUD\",\"waktu9\":\"2026\",\"id\":\"1\",\"source\":\"/simrs\","
			       "\"type\":\"kunjungan\",\"specversion\":\"1.0\""));
	bus_cloudevent_release(&event);
}

static void what_must_be_there_is_missed(void **state)
{
	(void)state;
	for (size_t skip = 0; skip < 8; skip += 2)
		for (int empty = 0; empty < 2; empty++) {
			struct bus_str members;

			bus_cloudevent_begin(&event);
			for (size_t i = 0; i < 8; i += 2)
				if (i != skip || empty)
					bus_cloudevent_header(&event, must[i], i == skip ? "" : must[i + 1]);
			assert_int_equal(bus_cloudevent_end(&event, &members, &why), BUS_EPARSE);
			assert_non_null(strstr(why.text, "ce-id, ce-source, ce-type, ce-specversion"));
			bus_cloudevent_release(&event);
		}
}

static void another_version_is_no_event_of_ours(void **state)
{
	static const char *const h[] = { "ce-id",	   "1",	  "ce-source", "s", "ce-type", "t",
					 "ce-specversion", "0.3", NULL };
	struct bus_str members;

	(void)state;
	bus_cloudevent_begin(&event);
	headers(h);
	assert_int_equal(bus_cloudevent_end(&event, &members, NULL), BUS_EPARSE);
	bus_cloudevent_release(&event);
}

static void a_value_is_decoded_once(void **state)
{
	static const struct {
		const char *sent, *means; /* in JSON */
	} value[] = {
		{ "Euro%20%E2%82%AC%20%F0%9F%98%80", "Euro \xe2\x82\xac \xf0\x9f\x98\x80" },
		{ "%2525", "%25" },
		{ "100%", "100%" },
		{ "%zz%4", "%zz%4" },
		{ "a+b", "a+b" },
		{ "%22a%22", "\\\"a\\\"" },
		{ "a%0Ab", "a\\nb" },
		{ "%00", "%00" },
		{ "", "" },
		/* as older versions had it, and still to be understood */
		{ "\"RSUD Arifin\"", "RSUD Arifin" },
		{ "\"a\\\"b\\\\c\"", "a\\\"b\\\\c" },
		{ "\"\"", "" },
		{ "\"%22\"", "\\\"" },
		{ "\"", "\\\"" },
		{ "\"a", "\\\"a" },
		{ "\"a\\\"", "\\\"a\\\\\\\"" }, /* its last quote is escaped: not closed */
	};

	(void)state;
	for (size_t i = 0; i < BUS_LEN(value); i++) {
		char want[200];
		struct bus_str members;

		snprintf(want, sizeof(want), "\"subject\":\"%s\"", value[i].means);
		assert_int_equal(with("ce-subject", value[i].sent, &members), BUS_OK);
		if (members.n < strlen(want) ||
		    memcmp(members.p + members.n - strlen(want), want, strlen(want)) != 0)
			fail_msg("%s: %.*s", value[i].sent, (int)members.n, members.p);
		bus_cloudevent_release(&event);
	}
}

static void what_is_no_attribute_is_refused_and_not_repeated(void **state)
{
	static const struct {
		const char *name, *value, *said;
	} bad[] = {
		{ "ce-id", "2", "dua kali / twice" },
		{ "CE-ID", "1", "dua kali / twice" },
		{ "ce-", "x", "nama / name" },
		{ "ce-" X60 "x", "x", "nama / name" },
		{ "ce-waktu-masuk", "x", "nama / name" },
		{ "ce-data_base64", "e30=", "nama / name" },
		{ "ce-Data", "{}", "nama / name" }, /* else there would be two of them in the event */
		{ "ce-\xc3\xa9", "x", "nama / name" },
		/* two ids that are no UTF-8 must not become the same one */
		{ "ce-subject", "1471010101900001%FF", "UTF-8" },
		{ "ce-subject", "1471010101900001\xff", "UTF-8" },
		{ "ce-subject", "%C0%A0", "UTF-8" },
		{ "ce-subject", "\"%C3\"", "UTF-8" },
		{ "ce-subject", "%ED%A0%80", "UTF-8" },
	};

	(void)state;
	for (size_t i = 0; i < BUS_LEN(bad); i++) {
		struct bus_str members;

		if (with(bad[i].name, bad[i].value, &members) != BUS_EPARSE ||
		    !strstr(why.text, bad[i].said) || strstr(why.text, "1471010101900001"))
			fail_msg("%s: %s: '%s'", bad[i].name, bad[i].value, why.text);
		bus_cloudevent_release(&event);
	}
}

static void sixty_four_attributes_are_taken_and_no_more(void **state)
{
	(void)state;
	for (int n = 60; n <= 200; n += n == 61 ? 139 : 1) {
		struct bus_str members;
		enum bus_err rc;

		bus_cloudevent_begin(&event);
		headers(must);
		for (int i = 0; i < n; i++) {
			char name[16];

			snprintf(name, sizeof(name), "ce-x%d", i);
			bus_cloudevent_header(&event, name, "v");
		}
		rc = bus_cloudevent_end(&event, &members, &why);
		assert_int_equal(rc, n == 60 ? BUS_OK : BUS_EPARSE);
		assert_true(rc == BUS_OK || strstr(why.text, "64"));
		bus_cloudevent_release(&event);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(attributes_are_members),
		cmocka_unit_test(what_must_be_there_is_missed),
		cmocka_unit_test(another_version_is_no_event_of_ours),
		cmocka_unit_test(a_value_is_decoded_once),
		cmocka_unit_test(what_is_no_attribute_is_refused_and_not_repeated),
		cmocka_unit_test(sixty_four_attributes_are_taken_and_no_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
