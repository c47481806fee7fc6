/* The desk's questions and orders, as they come over HTTP: queries still encoded, bodies as bytes. What may be asked stands in
 * adapters/office/openapi.yaml, what the same commands take in docs/quarantine.md. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "adapters/office/ask.h"
#include "bus/clock.h"
#include "bus/http_route.h"

#define ID "0a1b2c3d4e5f6071:812"
#define NOON INT64_C(1795410000000) /* date -d '2026-11-23 12:00 +0700' +%s000 */
#define X40 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define X255 X40 X40 X40 X40 X40 X40 "xxxxxxxxxxxxxxx"

static struct adapter_ask ask;
static struct bus_error why;
static struct bus_arena *arena;

static int setup(void **state)
{
	(void)state;
	arena = bus_arena_new((size_t)4 * 1024 * 1024); /* as of a request */
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	bus_arena_free(&arena);
	return 0;
}

/* As bus/http.h gives them: decoded, one by one, until one is refused. */
static enum bus_err query(const char *verb, const char *id, const char *raw)
{
	static struct http_pair pair[HTTP_QUERY_MAX];
	char *text = bus_arena_alloc(arena, 2 * strlen(raw) + 2);
	enum bus_err rc = BUS_OK;
	size_t n;

	adapter_ask_begin(&ask, verb, id);
	why.text[0] = '\0';
	assert_true(bus_http_query_parse(bus_str(raw), text, pair, &n));
	for (size_t i = 0; i < n && !rc; i++)
		rc = adapter_ask_parameter(&ask, pair[i].name, pair[i].value, &why);
	return rc;
}

static enum bus_err body(const char *verb, const char *id, struct bus_str text)
{
	adapter_ask_begin(&ask, verb, id);
	why.text[0] = '\0';
	return adapter_ask_body(&ask, text, arena, &why);
}

/* ---- questions ---- */

static void without_parameters_it_is_the_first_fifty_open_rows(void **state)
{
	(void)state;
	assert_int_equal(query("list", "", ""), BUS_OK);
	assert_string_equal(ask.args.verb, "list");
	assert_int_equal(ask.args.limit, 50);
	assert_int_equal(ask.args.n_operands, 0);
	assert_null(ask.args.state);
	assert_true(!ask.args.feed && !ask.args.file && !ask.args.class && !ask.args.personal);
	assert_true(ask.args.since_ms == INT64_MIN && ask.args.until_ms == INT64_MAX);
	assert_string_equal(ask.after_id, "");
}

static void every_parameter_of_a_list_is_taken_as_it_was_decoded(void **state)
{
	(void)state;
	assert_int_equal(
	    query("list", "",
		  "feed=dinsos_bantuan&file=Data%20Warga+2026%26.csv&class=nik%5Fformat&state=all"
		  "&since=2026-11-23T12%3A00&until=2026-11-23T05:00:00Z&limit=1000"
		  "&after=1795410000000." ID),
	    BUS_OK);
	assert_string_equal(ask.args.feed, "dinsos_bantuan");
	assert_string_equal(ask.args.file, "Data Warga 2026&.csv");
	assert_string_equal(ask.args.class, "nik_format");
	assert_string_equal(ask.args.state, "all");
	assert_true(ask.args.since_ms == NOON && ask.args.until_ms == NOON);
	assert_int_equal(ask.args.limit, 1000);
	assert_true(ask.after_ms == NOON);
	assert_string_equal(ask.after_id, ID);
}

static void a_time_may_be_so_long_ago(void **state)
{
	(void)state;
	bus_clock_fake(NOON);
	assert_int_equal(query("list", "", "since=3d&until=90s"), BUS_OK);
	bus_clock_fake(-1);
	assert_true(ask.args.since_ms == NOON - INT64_C(259200000) && ask.args.until_ms == NOON - 90000);
}

static void every_state_is_known_by_its_name(void **state)
{
	static const char *const good[] = { "TERBUKA", "TERBIT", "DIBUANG", "all" };

	(void)state;
	for (size_t i = 0; i < BUS_LEN(good); i++) {
		char raw[40];

		snprintf(raw, sizeof(raw), "state=%s", good[i]);
		assert_int_equal(query("list", "", raw), BUS_OK);
		assert_string_equal(ask.args.state, good[i]);
	}
}

static void one_row_is_shown_in_any_state_and_its_values_on_demand(void **state)
{
	(void)state;
	assert_int_equal(query("show", ID, ""), BUS_OK);
	assert_int_equal(ask.args.n_operands, 1);
	assert_string_equal(ask.args.operand[0], ID);
	assert_string_equal(ask.args.state, "all");
	assert_false(ask.args.personal);
	assert_int_equal(query("show", ID, "show_personal=true"), BUS_OK);
	assert_true(ask.args.personal);
	assert_int_equal(query("show", ID, "show%5Fpersonal=false"), BUS_OK);
	assert_false(ask.args.personal);
	assert_int_equal(query("history", ID, ""), BUS_OK);
	assert_string_equal(ask.args.state, "all");
}

static void a_parameter_that_is_wrong_is_named(void **state)
{
	static const struct {
		const char *verb, *raw, *said; /* in err */
	} bad[] = {
		{ "list", "limit=0", "limit: 1-1000" },
		{ "list", "limit=1001", "limit: 1-1000" },
		{ "list", "limit=-1", "limit" },
		{ "list", "limit=", "limit" },
		{ "list", "limit", "limit" },
		{ "list", "limit=5x", "limit" },
		{ "list", "limit=0x10", "limit" },
		{ "list", "limit=5%20", "limit" },
		{ "list", "limit=+5", "limit" }, /* a space */
		{ "list", "limit=%2B5", "limit" },
		{ "list", "limit=5%0A", "limit" },
		{ "list", "limit=18446744073709551617", "limit" },
		{ "list", "since=kemarin", "since: 2026-11-23" },
		{ "list", "until=", "until: 2026-11-23" },
		{ "list", "since=2026-11-31", "since" },
		{ "list", "since=2026-11-23T08:30+07:00", "since" }, /* '+' not encoded */
		{ "list", "since=-2h", "since" },
		{ "list", "since=2000000d", "since" },
		{ "list", "since=99999999999999999999d", "since" },
		{ "list", "state=", "state: TERBUKA, TERBIT, DIBUANG, all" },
		{ "list", "state=terbuka", "state" },
		{ "list", "state=TERBUKA,TERBIT", "state" },
		{ "list", "after=x", "after" },
		{ "list", "after=", "after" },
		{ "list", "after=1", "after" },
		{ "list", "after=1.", "after" },
		{ "list", "after=." ID, "after" },
		{ "list", "after=1x." ID, "after" },
		{ "list", "after=+1." ID, "after" },
		{ "list", "after=%2B1." ID, "after" },
		{ "list", "after=9223372036854775808." ID, "after" }, /* 2^63 */
		{ "list", "after=1." X40 X40, "after" },
		{ "list", "feed=", "feed" },
		{ "list", "file", "file" },
		{ "list", "class=", "class" },
		{ "list", "feed=a&feed=b", "feed: dua kali / twice" },
		{ "list", "limit=5&class=a&limit=5", "limit: dua kali / twice" },
		{ "list", "after=1.a&after=2.b", "after: dua kali / twice" },
		{ "show", "show_personal=true&show_personal=false", "show_personal: dua kali / twice" },
		{ "show", "show_personal", "show_personal: true, false" },
		{ "show", "show_personal=1", "show_personal" },
		{ "show", "show_personal=TRUE", "show_personal" },
		{ "show", "show_personal=true%20", "show_personal" },
	};

	(void)state;
	for (size_t i = 0; i < BUS_LEN(bad); i++) {
		if (query(bad[i].verb, "", bad[i].raw) != BUS_EINVAL || !strstr(why.text, bad[i].said))
			fail_msg("%s?%s: '%s'", bad[i].verb, bad[i].raw, why.text);
	}
}

static void an_unknown_parameter_is_refused_with_those_that_are_known_and_not_repeated(void **state)
{
	static const struct {
		const char *verb, *raw, *said;
	} bad[] = {
		{ "list", "nik=1471010101900001", "feed, file, class, since, until, state, limit, after" },
		{ "list", "1471010101900001", "feed" },
		{ "list", "=1471010101900001", "feed" },
		{ "list", "Feed=x", "feed" },
		{ "list", "feed%5B%5D=x", "feed" },
		{ "list", "feed%20=x", "feed" },
		{ "list", "show_personal=true", "feed" },
		{ "list", "verb=discard", "feed" },
		{ "list", "who=sari", "feed" },
		{ "list", "all=true", "feed" },
		{ "show", "1471010101900001=x", "show_personal" },
		{ "show", "limit=1", "show_personal" },
		{ "show", "state=all", "show_personal" },
		{ "history", "show_personal=true", "tidak ada parameter di sini / no parameters here" },
		{ "history", "1471010101900001", "tidak ada parameter di sini / no parameters here" },
	};

	(void)state;
	for (size_t i = 0; i < BUS_LEN(bad); i++)
		if (query(bad[i].verb, ID, bad[i].raw) != BUS_EINVAL || !strstr(why.text, bad[i].said) ||
		    strstr(why.text, "1471010101900001"))
			fail_msg("%s?%s: '%s'", bad[i].verb, bad[i].raw, why.text);
}

/* Who asks /discard?dry_run=true does not mean that the rows go. */
static void an_order_takes_nothing_from_the_query(void **state)
{
	static const char *const verb[] = { "mend", "redrive", "discard" };
	static const char *const raw[] = { "dry_run=true", "class=nik_format", "all=true", "why=x", "x" };

	(void)state;
	for (size_t i = 0; i < BUS_LEN(verb); i++)
		for (size_t k = 0; k < BUS_LEN(raw); k++) {
			assert_int_equal(query(verb[i], ID, raw[k]), BUS_EINVAL);
			assert_non_null(strstr(why.text, "tidak ada parameter di sini / no parameters here"));
		}
}

static void where_a_page_ends_the_next_one_begins(void **state)
{
	static const struct {
		int64_t ms;
		const char *id;
	} row[] = { { NOON, ID },
		    { 0, "a" },
		    { -5, ID ":2" },
		    { INT64_MIN, "1.2" },
		    { INT64_MAX, X40 "xxxxxxxxxxxxxxxxxxxxxxxx" } };

	(void)state;
	for (size_t i = 0; i < BUS_LEN(row); i++) {
		char next[ADAPTER_REFUSAL_ID + 24], raw[ADAPTER_REFUSAL_ID + 40];

		adapter_ask_after(row[i].ms, row[i].id, next);
		snprintf(raw, sizeof(raw), "after=%s", next);
		assert_int_equal(query("list", "", raw), BUS_OK);
		assert_true(ask.after_ms == row[i].ms);
		assert_string_equal(ask.after_id, row[i].id);
	}
}

/* ---- orders ---- */

static void every_member_of_an_order_is_taken(void **state)
{
	(void)state;
	assert_int_equal(body("redrive", "",
			      BUS_STR("{\"feed\":\"f\",\"file\":\"b.csv\",\"class\":\"nik_format\",\"since\":"
				      "\"2026-11-23T12:00\","
				      "\"until\":\"2026-11-23T12:00\",\"all\":true,\"why\":\"pemetaan "
				      "\\u2013 baik\",\"dry_run\":true}")),
			 BUS_OK);
	assert_string_equal(ask.args.verb, "redrive");
	assert_string_equal(ask.args.feed, "f");
	assert_string_equal(ask.args.file, "b.csv");
	assert_string_equal(ask.args.class, "nik_format");
	assert_true(ask.args.since_ms == NOON && ask.args.until_ms == NOON);
	assert_true(ask.args.all && ask.args.dry_run && !ask.args.redrive);
	assert_string_equal(ask.args.why, "pemetaan \xe2\x80\x93 baik");
	assert_null(ask.args.state); /* open rows alone */
	assert_null(adapter_ask_lack(&ask));
}

static void a_mend_has_its_row_and_its_columns(void **state)
{
	(void)state;
	assert_int_equal(
	    body("mend", ID,
		 BUS_STR("{\"set\":{\"nama\":\"SITI \\\"S\\\"\",\"alamat\":\"\"},\"redrive\":true}")),
	    BUS_OK);
	assert_int_equal(ask.args.n_operands, 1);
	assert_string_equal(ask.args.operand[0], ID);
	assert_int_equal(ask.args.n_set, 2);
	assert_true(bus_str_is(ask.args.set[0].name, "nama") &&
		    bus_str_is(ask.args.set[0].text, "SITI \"S\""));
	assert_true(bus_str_is(ask.args.set[1].name, "alamat") && ask.args.set[1].text.n == 0);
	assert_true(ask.args.redrive);
	assert_null(ask.args.state);
	assert_null(adapter_ask_lack(&ask));
	assert_int_equal(body("mend", "", BUS_STR("{\"ids\":[\"" ID "\"],\"set\":{\"a\":\"b\"}}")), BUS_OK);
	assert_string_equal(ask.args.operand[0], ID);
	assert_null(adapter_ask_lack(&ask));
}

static void a_switch_may_be_off(void **state)
{
	(void)state;
	assert_int_equal(body("discard", ID, BUS_STR("{\"all\":false,\"dry_run\":false}")), BUS_OK);
	assert_false(ask.args.all || ask.args.dry_run);
	assert_int_equal(body("discard", "", BUS_STR("{\"all\":false,\"why\":\"x\"}")), BUS_OK);
	assert_string_equal(adapter_ask_lack(&ask), "rows-missing");
}

static void what_an_order_lacks_is_known(void **state)
{
	static const struct {
		const char *verb, *id;
		struct bus_str text;
		const char *lacks; /* NULL: nothing */
	} order[] = {
		{ "redrive", "", BUS_STR(""), "rows-missing" },
		{ "redrive", "", BUS_STR("{}"), "rows-missing" },
		{ "redrive", "", BUS_STR(" { } "), "rows-missing" },
		{ "redrive", "", BUS_STR("{\"why\":\"x\",\"dry_run\":true}"), "rows-missing" },
		{ "redrive", ID, BUS_STR(""), NULL },
		{ "redrive", "", BUS_STR("{\"class\":\"a\"}"), NULL },
		{ "redrive", "", BUS_STR("{\"since\":\"2h\"}"), NULL },
		{ "redrive", "", BUS_STR("{\"until\":\"2h\"}"), NULL },
		{ "redrive", "", BUS_STR("{\"ids\":[\"a\",\"b\"]}"), NULL },
		{ "discard", "", BUS_STR("{\"why\":\"x\"}"), "rows-missing" },
		{ "discard", ID, BUS_STR("{}"), "why-missing" },
		{ "discard", ID, BUS_STR("{\"why\":\"\"}"), "why-missing" },
		{ "discard", "", BUS_STR("{\"all\":true}"), "why-missing" },
		{ "discard", ID, BUS_STR("{\"why\":\"x\"}"), NULL },
		{ "mend", "", BUS_STR("{\"set\":{\"a\":\"b\"}}"), "rows-missing" },
		{ "mend", "", BUS_STR("{\"set\":{\"a\":\"b\"},\"class\":\"c\"}"), "rows-missing" },
		{ "mend", "", BUS_STR("{\"set\":{\"a\":\"b\"},\"ids\":[\"a\",\"b\"]}"), "rows-missing" },
		{ "mend", ID, BUS_STR(""), "set-missing" },
		{ "mend", ID, BUS_STR("{\"set\":{}}"), "set-missing" },
	};

	(void)state;
	for (size_t i = 0; i < BUS_LEN(order); i++) {
		const char *lacks;

		if (body(order[i].verb, order[i].id, order[i].text))
			fail_msg("%s: %s", order[i].text.p, why.text);
		lacks = adapter_ask_lack(&ask);
		if (order[i].lacks ? !lacks || strcmp(lacks, order[i].lacks) != 0 : lacks != NULL)
			fail_msg("%s %s: %s", order[i].verb, order[i].text.p, lacks ? lacks : "-");
	}
}

static void a_member_that_is_wrong_is_named(void **state)
{
	static const struct {
		const char *verb, *id;
		struct bus_str text;
		const char *said;
	} bad[] = {
		{ "redrive", "", BUS_STR("["), "JSON" },
		{ "redrive", "", BUS_STR("[]"), "JSON" },
		{ "redrive", "", BUS_STR("null"), "JSON" },
		{ "redrive", "", BUS_STR("\"all\""), "JSON" },
		{ "redrive", "", BUS_STR("{} {}"), "JSON" },
		{ "redrive", "", BUS_STR("{\"all\":true}x"), "JSON" },
		{ "redrive", "", BUS_STR("{\"all\":true,}"), "JSON" },
		{ "redrive", "", BUS_STR("{\"all\":true,\"all\":false}"), "JSON" },
		{ "redrive", "", BUS_STR("{\"all\":true,\"\\u0061ll\":false}"), "JSON" },
		{ "mend", ID, BUS_STR("{\"set\":{\"a\":\"b\",\"a\":\"c\"}}"), "JSON" },
		{ "redrive", "", BUS_STR("{\"class\":\"\xff\"}"), "JSON" },
		{ "redrive", "", BUS_STR("{\"class\":\"\\ud800\"}"), "JSON" },
		{ "redrive", "", BUS_STR("{\"all\":[[[[]]]]}"), "JSON" }, /* too deep */
		{ "redrive", "", { "\0", 1 }, "JSON" },
		{ "redrive", "", BUS_STR("{\"all\":\"true\"}"), "all: true, false" },
		{ "redrive", "", BUS_STR("{\"all\":1}"), "all" },
		{ "redrive", "", BUS_STR("{\"all\":null}"), "all" },
		{ "redrive", "", BUS_STR("{\"dry_run\":\"\"}"), "dry_run" },
		{ "redrive", "", BUS_STR("{\"class\":null}"), "class" },
		{ "redrive", "", BUS_STR("{\"class\":7}"), "class" },
		{ "redrive", "", BUS_STR("{\"class\":[\"a\"]}"), "class" },
		{ "redrive", "", BUS_STR("{\"class\":true}"), "class" },
		{ "redrive", "", BUS_STR("{\"class\":\"\"}"), "class" },
		{ "redrive", "", BUS_STR("{\"feed\":\"\"}"), "feed" },
		{ "redrive", "", BUS_STR("{\"file\":\"\"}"), "file" },
		{ "redrive", "", BUS_STR("{\"file\":\"a\\u0000b\"}"), "file" },
		{ "redrive", "", BUS_STR("{\"since\":\"besok\"}"), "since: 2026-11-23" },
		{ "redrive", "", BUS_STR("{\"until\":1795410000000}"), "until: 2026-11-23" },
		{ "redrive", "", BUS_STR("{\"ids\":[]}"), "ids: 1-64" },
		{ "redrive", "", BUS_STR("{\"ids\":\"a\"}"), "ids" },
		{ "redrive", "", BUS_STR("{\"ids\":{\"a\":\"b\"}}"), "ids" },
		{ "redrive", "", BUS_STR("{\"ids\":[\"a\",1]}"), "ids" },
		{ "redrive", "", BUS_STR("{\"ids\":[\"a\",[\"b\"]]}"), "ids" },
		{ "redrive", "", BUS_STR("{\"ids\":[\"a\\u0000b\"]}"), "ids" },
		{ "redrive", "", BUS_STR("{\"ids\":[\"\"]}"), "ids" },
		{ "redrive", ID, BUS_STR("{\"ids\":[\"a\"]}"), "ids" },
		{ "redrive", "", BUS_STR("{\"why\":5}"), "why" },
		{ "redrive", "", BUS_STR("{\"why\":\"a\\nb\"}"), "why: satu baris" },
		{ "redrive", "", BUS_STR("{\"why\":\"a\\u001b[2Jb\"}"), "why" },
		{ "redrive", "", BUS_STR("{\"why\":\"a\\u007fb\"}"), "why" },
		{ "redrive", "", BUS_STR("{\"why\":\"a\\u0000b\"}"), "why" },
		{ "redrive", "", BUS_STR("{\"why\":\"a\\u0085b\"}"), "why" },	/* next line */
		{ "redrive", "", BUS_STR("{\"why\":\"a\\u009b2Jb\"}"), "why" }, /* what a terminal obeys */
		{ "redrive", "", BUS_STR("{\"why\":\"a\\u2028b\"}"), "why" },	/* line separator */
		{ "redrive", "", BUS_STR("{\"why\":\"a\\u202eb\"}"), "why" },	/* turns the writing around */
		{ "redrive", "", BUS_STR("{\"why\":\"" X255 "x\"}"), "why" },
		{ "mend", ID, BUS_STR("{\"set\":[]}"), "set" },
		{ "mend", ID, BUS_STR("{\"set\":\"a=b\"}"), "set" },
		{ "mend", ID, BUS_STR("{\"set\":{\"\":\"b\"}}"), "set" },
		{ "mend", ID, BUS_STR("{\"set\":{\"a\":1}}"), "set" },
		{ "mend", ID, BUS_STR("{\"set\":{\"a\":null}}"), "set" },
		{ "mend", ID, BUS_STR("{\"set\":{\"a\":{\"b\":\"c\"}}}"), "set" },
		{ "mend", ID, BUS_STR("{\"set\":{\"a\":\"b\\u0000\"}}"), "set" },
	};

	(void)state;
	for (size_t i = 0; i < BUS_LEN(bad); i++)
		if (body(bad[i].verb, bad[i].id, bad[i].text) != BUS_EINVAL || !strstr(why.text, bad[i].said))
			fail_msg("%s %s: '%s'", bad[i].verb, bad[i].text.p, why.text);
}

static void an_unknown_member_is_refused_with_those_that_are_known_and_not_repeated(void **state)
{
	static const struct {
		const char *verb;
		struct bus_str text;
		const char *said;
	} bad[] = {
		{ "redrive", BUS_STR("{\"nik\":\"1471010101900001\"}"),
		  "ids, feed, file, class, since, until, all, why, dry_run" },
		{ "redrive", BUS_STR("{\"1471010101900001\":true}"), "ids" },
		{ "redrive", BUS_STR("{\"1471010101900001\":\"x\"}"), "ids" },
		{ "redrive", BUS_STR("{\"\":true}"), "ids" },
		{ "redrive", BUS_STR("{\"All\":true}"), "ids" },
		{ "redrive", BUS_STR("{\"all\\u0000x\":true}"), "ids" }, /* not `all` */
		{ "redrive", BUS_STR("{\"ids\\u0000\":[\"a\"]}"), "ids" },
		{ "redrive", BUS_STR("{\"who\":\"orang lain\",\"all\":true}"), "ids" },
		{ "redrive", BUS_STR("{\"state\":\"all\"}"), "ids" },
		{ "redrive", BUS_STR("{\"limit\":\"5\"}"), "ids" },
		{ "redrive", BUS_STR("{\"after\":\"1.a\"}"), "ids" },
		{ "redrive", BUS_STR("{\"show_personal\":true}"), "ids" },
		{ "redrive", BUS_STR("{\"verb\":\"discard\"}"), "ids" },
		/* each order has its own: a discard that publishes is none */
		{ "discard", BUS_STR("{\"all\":true,\"why\":\"x\",\"redrive\":true}"), "ids" },
		{ "redrive", BUS_STR("{\"all\":true,\"redrive\":true}"), "ids" },
		{ "redrive", BUS_STR("{\"set\":{\"a\":\"b\"},\"all\":true}"), "ids" },
		{ "discard", BUS_STR("{\"set\":{\"a\":\"b\"}}"), "ids" },
		{ "mend", BUS_STR("{\"all\":true,\"set\":{\"a\":\"b\"}}"),
		  "ids, feed, file, class, since, until, set, redrive, why, dry_run" },
	};

	(void)state;
	for (size_t i = 0; i < BUS_LEN(bad); i++)
		if (body(bad[i].verb, "", bad[i].text) != BUS_EINVAL || !strstr(why.text, bad[i].said) ||
		    strstr(why.text, "1471010101900001"))
			fail_msg("%s %s: '%s'", bad[i].verb, bad[i].text.p, why.text);
}

/* {"<name>": <open> item, item, ... <close>} */
static struct bus_str many(struct bus_buf *b, const char *name, bool object, int n)
{
	bus_buf_reset(b);
	bus_buf_printf(b, "{\"%s\":%c", name, object ? '{' : '[');
	for (int i = 0; i < n; i++)
		bus_buf_printf(b, object ? "%s\"k%d\":\"v\"" : "%s\"k%d\"", i ? "," : "", i);
	bus_buf_printf(b, "%c}", object ? '}' : ']');
	return bus_buf_str(b);
}

static void rows_and_columns_are_64_at_most(void **state)
{
	struct bus_buf b = { 0 };

	(void)state;
	assert_int_equal(body("redrive", "", many(&b, "ids", false, 64)), BUS_OK);
	assert_int_equal(ask.args.n_operands, 64);
	assert_string_equal(ask.args.operand[63], "k63");
	assert_int_equal(body("redrive", "", many(&b, "ids", false, 65)), BUS_EINVAL);
	assert_non_null(strstr(why.text, "ids: 1-64"));
	assert_int_equal(body("mend", ID, many(&b, "set", true, 64)), BUS_OK);
	assert_int_equal(ask.args.n_set, 64);
	assert_int_equal(body("mend", ID, many(&b, "set", true, 65)), BUS_EINVAL);
	assert_non_null(strstr(why.text, "set: 1-64"));
	bus_buf_release(&b);
}

static void a_reason_is_a_line_of_255_bytes_at_most(void **state)
{
	(void)state;
	assert_int_equal(body("redrive", ID, BUS_STR("{\"why\":\"" X255 "\"}")), BUS_OK);
	assert_string_equal(ask.args.why, X255);
}

/* What fills the request's memory is refused, not cut. */
static void a_body_that_its_memory_does_not_hold_is_refused(void **state)
{
	struct bus_arena *small = bus_arena_new(4096);
	struct bus_buf b = { 0 };

	(void)state;
	for (int n = 0; n < 200; n++) {
		enum bus_err rc;

		adapter_ask_begin(&ask, "redrive", "");
		bus_arena_reset(small);
		bus_buf_reset(&b);
		bus_buf_puts(&b, "{\"ids\":[");
		for (int i = 0; i < 40; i++)
			bus_buf_printf(&b, "%s\"%0*d\"", i ? "," : "", n + 1, i % 2);
		bus_buf_puts(&b, "],\"why\":\"x\"}");
		rc = adapter_ask_body(&ask, bus_buf_str(&b), small, &why);
		assert_true(rc == BUS_EINVAL || (rc == BUS_OK && ask.args.n_operands == 40 && ask.args.why));
		assert_true(rc == BUS_OK || n > 0);
		assert_true(rc == BUS_EINVAL || n < 100);
	}
	bus_buf_release(&b);
	bus_arena_free(&small);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(without_parameters_it_is_the_first_fifty_open_rows),
		TEST(every_parameter_of_a_list_is_taken_as_it_was_decoded),
		TEST(a_time_may_be_so_long_ago),
		TEST(every_state_is_known_by_its_name),
		TEST(one_row_is_shown_in_any_state_and_its_values_on_demand),
		TEST(a_parameter_that_is_wrong_is_named),
		TEST(an_unknown_parameter_is_refused_with_those_that_are_known_and_not_repeated),
		TEST(an_order_takes_nothing_from_the_query),
		TEST(where_a_page_ends_the_next_one_begins),
		TEST(every_member_of_an_order_is_taken),
		TEST(a_mend_has_its_row_and_its_columns),
		TEST(a_switch_may_be_off),
		TEST(what_an_order_lacks_is_known),
		TEST(a_member_that_is_wrong_is_named),
		TEST(an_unknown_member_is_refused_with_those_that_are_known_and_not_repeated),
		TEST(rows_and_columns_are_64_at_most),
		TEST(a_reason_is_a_line_of_255_bytes_at_most),
		TEST(a_body_that_its_memory_does_not_hold_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
