#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>

#include "gateway/feed/feeds_impl.h"

static char text[2 * GW_TICKETS_MAX][33];

static bool is_of(struct gw_feeds *f, const char *ticket, const char *want)
{
	char reader[GW_READER_NAME_MAX] = "", key_id[GW_KEY_ID_LEN + 1] = "";

	return gw_tickets_take(f, ticket, reader, key_id) && strcmp(reader, want) == 0 &&
	       strcmp(key_id, "0123abcd") == 0;
}

static void a_ticket_is_good_once(void **state)
{
	struct gw_feeds *f = gw_feeds_new(60);

	(void)state;
	gw_tickets_new(f, "dinsos", "0123abcd", text[0]);
	assert_false(is_of(f, "", "dinsos"));
	assert_false(is_of(f, "00000000000000000000000000000000", "dinsos"));
	assert_true(is_of(f, text[0], "dinsos"));
	assert_false(is_of(f, text[0], "dinsos"));
	gw_feeds_free(&f);
}

static void a_flood_costs_only_whoever_asks(void **state)
{
	struct gw_feeds *f = gw_feeds_new(60);
	char other[33];
	size_t n = BUS_LEN(text);

	(void)state;
	gw_tickets_new(f, "dinkes", "0123abcd", other);
	for (size_t i = 0; i < n; i++)
		gw_tickets_new(f, "dinsos", "0123abcd", text[i]);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(is_of(f, text[i], "dinsos"), i >= n - GW_TICKETS_PER_READER);
	assert_true(is_of(f, other, "dinkes"));
	gw_feeds_free(&f);
}

/* Readers enough to fill every place: then the oldest of all gives way. */
static void the_newest_are_kept_when_all_places_are_taken(void **state)
{
	struct gw_feeds *f = gw_feeds_new(60);
	size_t n = BUS_LEN(text);
	char name[16];

	(void)state;
	for (size_t i = 0; i < n; i++) {
		snprintf(name, sizeof(name), "opd%zu", i / GW_TICKETS_PER_READER);
		gw_tickets_new(f, name, "0123abcd", text[i]);
	}
	for (size_t i = 0; i < n; i++) {
		snprintf(name, sizeof(name), "opd%zu", i / GW_TICKETS_PER_READER);
		assert_int_equal(is_of(f, text[i], name), i >= n - GW_TICKETS_MAX);
	}
	gw_feeds_free(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_ticket_is_good_once),
		cmocka_unit_test(a_flood_costs_only_whoever_asks),
		cmocka_unit_test(the_newest_are_kept_when_all_places_are_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
