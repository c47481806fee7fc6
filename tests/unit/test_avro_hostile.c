/* Hostile schemas: each is parsed or refused within 50 ms and bounded memory, and so are its canonical form
 * and its text. Under the sanitizers the time is multiplied. */
#include "tests/support/schemas.h"

#include <time.h>

#include "schemas/avro/canon.h"
#include "schemas/avro/compat.h"
#include "tests/support/alloc.h"

#ifdef __SANITIZE_ADDRESS__
#define SLOWER 20
#else
#define SLOWER 1
#endif
#define LIMIT_MS (50 * SLOWER)
#define MUCH ((size_t)80 * 1024 * 1024) /* 500,000 JSON values take most of it */

static double cpu_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* Best of three: the machine may have other things to do. */
static void expect(const char *what, struct bus_buf *text, enum bus_err want)
{
	double best = 1e9;
	size_t most = 0;

	assert_true(text->n <= SCHEMA_TEXT_MAX);
	for (int i = 0; i < 3 && best > LIMIT_MS / 2; i++) {
		struct bus_error err = { 0 };
		struct bus_buf out = { 0 };
		struct schema *s = NULL;
		double before = cpu_ms();
		enum bus_err rc;
		double took;

		alloc_mark();
		rc = schema_parse(bus_buf_str(text), SCHEMA_STRICT, NULL, 0, &s, &err);
		if (rc == BUS_OK) {
			(void)schema_fingerprint(s);
			schema_to_string(s, &out);
			(void)schema_can_read(s, s, NULL);
		}
		took = cpu_ms() - before;
		best = took < best ? took : best;
		most = alloc_peak();
		bus_buf_release(&out);
		schema_unref(&s);
		if (rc != want)
			fail_msg("%s: %s (%s), not %s", what, bus_err_name(rc), err.text, bus_err_name(want));
	}
	print_message("%-46s %8zu bytes %7.1f ms %7.1f MiB\n", what, text->n, best, (double)most / 1048576);
	if (best > LIMIT_MS)
		fail_msg("%s took %.1f ms", what, best);
	if (most > MUCH)
		fail_msg("%s took %zu bytes of memory", what, most);
	bus_buf_release(text);
}

#define TEXT_FULL (SCHEMA_TEXT_MAX - 2000)
#define RECORD "{\"type\":\"record\",\"name\":\"R\",\"fields\":["

static void repeat(struct bus_buf *b, const char *piece, int n)
{
	for (int i = 0; i < n; i++)
		bus_buf_puts(b, piece);
}

/* A list of pieces with their numbers in them, as many as there is room for, or n. */
static int number(struct bus_buf *b, const char *before, const char *after, int n)
{
	int i = 0;

	for (; i < n && b->n < TEXT_FULL; i++)
		bus_buf_printf(b, "%s%s%d%s", i > 0 ? "," : "", before, i, after);
	return i;
}

static void takes_ten_thousand_fields(void **state)
{
	struct bus_buf b = { 0 };

	(void)state;
	bus_buf_puts(&b, RECORD);
	assert_int_equal(
	    number(&b, "{\"name\":\"f", "\",\"type\":[\"null\",\"string\"],\"default\":null}", 4000), 4000);
	bus_buf_puts(&b, "]}");
	expect("4,000 nullable fields", &b, BUS_OK);
	bus_buf_puts(&b, RECORD);
	assert_int_equal(number(&b, "{\"name\":\"f", "\",\"type\":\"string\"}", 10000), 10000);
	bus_buf_puts(&b, "]}");
	expect("10,000 fields", &b, BUS_OK);
	bus_buf_puts(&b, RECORD);
	assert_int_equal(
	    number(&b, "{\"name\":\"f", "\",\"type\":{\"type\":\"fixed\",\"size\":1,\"name\":\"f\"}}", 2), 2);
	bus_buf_puts(&b, ",");
	number(&b, "{\"name\":\"g", "\",\"type\":\"f\"}", 30000);
	bus_buf_puts(&b, "]}");
	expect("30,000 fields of one named type", &b, BUS_OK);
}

static void refuses_deep_nesting(void **state)
{
	struct bus_buf b = { 0 };

	(void)state;
	repeat(&b, "[", 1000000);
	expect("1,000,000 brackets", &b, BUS_ETOOBIG);
	repeat(&b, "{\"type\":\"array\",\"items\":", 40000);
	expect("arrays nested 40,000 deep", &b, BUS_ETOOBIG);
	repeat(&b, "{\"type\":", 100000);
	expect("types nested 100,000 deep", &b, BUS_ETOOBIG);
	bus_buf_puts(&b, "{\"type\":\"int\",\"x\":");
	repeat(&b, "{\"a\":", 100000);
	expect("a property nested 100,000 deep", &b, BUS_ETOOBIG);
	bus_buf_puts(&b, RECORD);
	for (int i = 0; i < 5000; i++)
		bus_buf_printf(
		    &b,
		    "%s{\"name\":\"f%d\",\"type\":{\"type\":\"record\",\"name\":\"N%d\",\"fields\":["
		    "{\"name\":\"x\",\"type\":[\"null\",\"N%d\"]}]}}",
		    i > 0 ? "," : "", i, i, i + 1);
	bus_buf_puts(&b, "]}");
	expect("a chain of 5,000 records, one missing", &b, BUS_ESCHEMA);
	bus_buf_puts(&b, RECORD);
	for (int i = 0; i < 5000; i++)
		bus_buf_printf(
		    &b,
		    "%s{\"name\":\"f%d\",\"type\":{\"type\":\"record\",\"name\":\"N%d\",\"fields\":["
		    "{\"name\":\"x\",\"type\":[\"null\",\"N%d\"]}]}}",
		    i > 0 ? "," : "", i, i, (i + 1) % 5000);
	bus_buf_puts(&b, "]}");
	expect("a ring of 5,000 records", &b, BUS_ETOOBIG);
}

static void refuses_huge_names(void **state)
{
	struct bus_buf b = { 0 };

	(void)state;
	bus_buf_puts(&b, "{\"type\":\"fixed\",\"size\":1,\"name\":\"");
	repeat(&b, "x", (int)TEXT_FULL);
	bus_buf_puts(&b, "\"}");
	expect("a name of 1 MiB", &b, BUS_ESCHEMA);
	bus_buf_puts(&b, "{\"type\":\"fixed\",\"size\":1,\"name\":\"x\",\"namespace\":\"");
	repeat(&b, "x.", (int)TEXT_FULL / 2);
	bus_buf_puts(&b, "\"}");
	expect("a namespace of 1 MiB", &b, BUS_ESCHEMA);
	bus_buf_puts(&b, "\"");
	repeat(&b, "x.", (int)TEXT_FULL / 2);
	bus_buf_puts(&b, "\"");
	expect("a type's name of 1 MiB", &b, BUS_ESCHEMA);
	bus_buf_puts(&b, "{\"type\":\"");
	repeat(&b, "\\u0041", (int)TEXT_FULL / 6);
	bus_buf_puts(&b, "\"}");
	expect("an unknown type of 1 MiB, escaped", &b, BUS_ESCHEMA);
	bus_buf_puts(&b, RECORD);
	number(&b, "{\"type\":\"int\",\"name\":\"f", "\",\"doc\":\"", 1);
	repeat(&b, "x", (int)TEXT_FULL - 100);
	bus_buf_puts(&b, "\"}]}");
	expect("a doc of 1 MiB", &b, BUS_OK);
	/* A long namespace is part of every name that is looked up in it. */
	bus_buf_puts(&b, "{\"type\":\"record\",\"name\":\"R\",\"namespace\":\"");
	repeat(&b, "x", 900);
	bus_buf_puts(
	    &b, "\",\"fields\":[{\"name\":\"e\",\"type\":{\"type\":\"fixed\",\"size\":1,\"name\":\"E\"}},");
	number(&b, "{\"name\":\"f", "\",\"type\":\"E\"}", 40000);
	bus_buf_puts(&b, "]}");
	expect("40,000 names in a long namespace", &b, BUS_ETOOBIG);
	bus_buf_puts(&b, "{\"type\":\"record\",\"name\":\"R\",\"namespace\":\"");
	repeat(&b, "x", 900);
	bus_buf_puts(&b, "\",\"fields\":[{\"name\":\"e\",\"type\":[\"null\"");
	repeat(&b, ",\"Z\"", (int)(TEXT_FULL - b.n) / 4);
	bus_buf_puts(&b, "]}]}");
	expect("250,000 unknown names in a long namespace", &b, BUS_ETOOBIG);
}

static void bounds_long_lists(void **state)
{
	struct bus_buf b = { 0 };

	(void)state;
	bus_buf_puts(&b, "{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[");
	number(&b, "\"S", "\"", 1000000);
	bus_buf_puts(&b, "]}");
	expect("an enum of 1 MiB of symbols", &b, BUS_OK);
	bus_buf_puts(&b, "{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[");
	number(&b, "\"S", "\"", 20000);
	bus_buf_puts(&b, "]}");
	expect("an enum of 20,000 symbols", &b, BUS_OK);
	bus_buf_puts(&b, "[");
	number(&b, "{\"type\":\"fixed\",\"size\":1,\"name\":\"F", "\"}", 1000000);
	bus_buf_puts(&b, "]");
	expect("a union of 1 MiB of named types", &b, BUS_ETOOBIG);
	bus_buf_puts(&b, "[\"null\"");
	repeat(&b, ",\"null\"", (int)TEXT_FULL / 7);
	bus_buf_puts(&b, "]");
	expect("a union of 150,000 nulls", &b, BUS_ETOOBIG);
	bus_buf_puts(&b, "{\"type\":\"fixed\",\"size\":1,\"name\":\"F\",\"aliases\":[");
	number(&b, "\"a", "\"", 1000000);
	bus_buf_puts(&b, "]}");
	expect("a type of 1 MiB of aliases", &b, BUS_ESCHEMA);
	bus_buf_puts(&b, RECORD "{\"name\":\"f\",\"type\":\"int\",\"aliases\":[");
	number(&b, "\"a", "\"", 1000000);
	bus_buf_puts(&b, "]}]}");
	expect("a field of 1 MiB of aliases", &b, BUS_ESCHEMA);
	bus_buf_puts(&b, "{\"type\":\"int\"");
	for (int i = 0; b.n < TEXT_FULL; i++)
		bus_buf_printf(&b, ",\"p%d\":1", i);
	bus_buf_puts(&b, "}");
	expect("a type of 1 MiB of properties", &b, BUS_OK);
	bus_buf_puts(&b, "{\"type\":\"int\"");
	repeat(&b, ",\"p\":1", (int)TEXT_FULL / 6);
	bus_buf_puts(&b, "}");
	expect("one property 170,000 times", &b, BUS_OK);
	bus_buf_puts(&b, "{\"type\":\"int\",\"x\":[1");
	repeat(&b, ",1", (int)TEXT_FULL / 2);
	bus_buf_puts(&b, "]}");
	expect("a property of 500,000 numbers", &b, BUS_OK);
	bus_buf_puts(&b, "{\"type\":\"fixed\",\"name\":\"F\",\"size\":1");
	repeat(&b, "0", (int)TEXT_FULL - 100);
	bus_buf_puts(&b, "}");
	expect("a size of a million digits", &b, BUS_ESCHEMA);
	repeat(&b, "/**/", (int)TEXT_FULL / 4);
	bus_buf_puts(&b, "\"int\"");
	expect("250,000 comments", &b, BUS_OK);
	repeat(&b, "/*", (int)TEXT_FULL / 2);
	expect("a comment without an end", &b, BUS_EPARSE);
}

/* Levels of records, each with two fields of the level below, and nothing but defaults. */
static void put_doubling(struct bus_buf *b, int levels)
{
	bus_buf_puts(b, RECORD "{\"name\":\"l0\",\"type\":{\"type\":\"record\",\"name\":\"L0\",\"fields\":["
			       "{\"name\":\"x\",\"type\":\"int\",\"default\":0}]}}");
	for (int i = 1; i < levels; i++)
		bus_buf_printf(
		    b,
		    ",{\"name\":\"l%d\",\"type\":{\"type\":\"record\",\"name\":\"L%d\",\"fields\":["
		    "{\"name\":\"a\",\"type\":\"L%d\",\"default\":{}},"
		    "{\"name\":\"b\",\"type\":\"L%d\",\"default\":{}}]}}",
		    i, i, i - 1, i - 1);
}

static void bounds_defaults(void **state)
{
	struct bus_buf b = { 0 };

	(void)state;
	put_doubling(&b, 100);
	bus_buf_puts(&b, "]}");
	expect("a default that doubles 100 times", &b, BUS_ESCHEMA);
	put_doubling(&b, 12);
	for (int i = 0; b.n < TEXT_FULL; i++)
		bus_buf_printf(&b, ",{\"name\":\"m%d\",\"type\":\"L11\",\"default\":{}}", i);
	bus_buf_puts(&b, "]}");
	expect("20,000 defaults of 4,000 values", &b, BUS_ESCHEMA);
	bus_buf_puts(&b,
		     RECORD "{\"name\":\"a\",\"type\":{\"type\":\"array\",\"items\":\"int\"},\"default\":[0");
	repeat(&b, ",0", 400000);
	bus_buf_puts(&b, "]}]}");
	expect("a default of 400,000 items", &b, BUS_ESCHEMA);
	/* Every member of the default is looked up among the others. */
	bus_buf_puts(&b, RECORD "{\"name\":\"i\",\"type\":{\"type\":\"record\",\"name\":\"I\",\"fields\":[");
	number(&b, "{\"name\":\"f", "\",\"type\":\"int\"}", 10000);
	bus_buf_puts(&b, "]},\"default\":{");
	number(&b, "\"f", "\":1", 10000);
	bus_buf_puts(&b, "}}]}");
	expect("a record's default of 10,000 members", &b, BUS_ESCHEMA);
	bus_buf_puts(&b, "[");
	repeat(&b, "\"int\",", 1);
	bus_buf_puts(&b, RECORD);
	bus_buf_puts(&b, "{\"name\":\"u\",\"type\":[\"null\"");
	for (int i = 0; i < 4000; i++)
		bus_buf_printf(
		    &b,
		    ",{\"type\":\"record\",\"name\":\"B%d\",\"fields\":[{\"name\":\"x\",\"type\":\"int\"}]}",
		    i);
	bus_buf_puts(&b, "],\"default\":{\"x\":\"no\"}}]}]");
	expect("a default that no branch of 4,000 takes", &b, BUS_ESCHEMA);
}

static void bounds_second_definitions(void **state)
{
	struct bus_buf b = { 0 };

	(void)state;
	bus_buf_puts(&b, "{\"type\":\"map\",\"values\":{\"type\":\"record\",\"name\":\"R\",\"fields\":[");
	for (int i = 0; b.n < TEXT_FULL; i++)
		bus_buf_printf(&b,
			       "%s{\"name\":\"f%d\",\"type\":{\"type\":\"fixed\",\"name\":\"F\",\"size\":1}}",
			       i > 0 ? "," : "", i);
	bus_buf_puts(&b, "]}}");
	expect("one type defined 15,000 times", &b, BUS_OK);
	for (int turn = 0; turn < 2; turn++) { /* properties in the other order the second time */
		bus_buf_puts(&b,
			     turn ? ",{\"name\":\"b\",\"type\":{\"type\":\"fixed\",\"name\":\"F\",\"size\":1"
				  : RECORD
				 "{\"name\":\"a\",\"type\":{\"type\":\"fixed\",\"name\":\"F\",\"size\":1");
		for (int i = 0; i < 40000; i++)
			bus_buf_printf(&b, ",\"p%d\":1", turn ? 39999 - i : i);
		bus_buf_puts(&b, "}}");
	}
	bus_buf_puts(&b, "]}");
	expect("40,000 properties, and backwards", &b, BUS_ESCHEMA);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_ten_thousand_fields), cmocka_unit_test(refuses_deep_nesting),
		cmocka_unit_test(refuses_huge_names),	     cmocka_unit_test(bounds_long_lists),
		cmocka_unit_test(bounds_defaults),	     cmocka_unit_test(bounds_second_definitions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
