#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <unistd.h>

#include "bus/conf.h"

struct conf {
	char *name;
	char *key_file;
	int64_t workers;
	int64_t port;
	int64_t wait_ms;
	int64_t cache;
	bool verbose;
	struct bus_conf_list topics;
	char *bootstrap;
	struct bus_conf_map kafka;
};

#define ROW(n, t, f, d, h)                                                                                   \
	{                                                                                                    \
		n, BUS_CONF_##t, offsetof(struct conf, f), d, h                                              \
	}

static const struct bus_conf_option table[] = {
	ROW("name", STR, name, "titian", "What it is called."),
	ROW("http.key_file", PATH, key_file, "", "Where the key is."),
	ROW("http.port", PORT, port, "8443", "Where it listens."),
	ROW("workers", INT, workers, "4", "How many."),
	ROW("http.wait", MS, wait_ms, "200ms", "How long."),
	ROW("cache", SIZE, cache, "8MiB", "How much."),
	ROW("verbose", BOOL, verbose, "false", "Whether."),
	ROW("topics", LIST, topics, "a,b", "Which."),
	ROW("kafka.bootstrap", STR, bootstrap, "localhost:9092", "The brokers."),
	ROW("kafka", MAP, kafka, NULL, "Anything for librdkafka."),
	{ 0 },
};

static char path[64];

static int make_path(void **state)
{
	int fd;

	(void)state;
	strcpy(path, "/tmp/test_conf.XXXXXX");
	fd = mkstemp(path);
	return fd < 0 ? -1 : close(fd);
}

static int remove_path(void **state)
{
	(void)state;
	return unlink(path);
}

static void put_file(const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void expect_error(const char *text, const char *const *sets, const char *want)
{
	struct conf c = { 0 };
	struct bus_error err;
	char whole[512];

	put_file(text);
	assert_int_not_equal(bus_conf_load(path, sets, table, &c, &err), BUS_OK);
	snprintf(whole, sizeof(whole), "%s%s", want[0] == ':' ? path : "", want);
	assert_string_equal(err.text, whole);
}

static void has_defaults(void **state)
{
	struct conf c = { 0 };

	(void)state;
	assert_int_equal(bus_conf_load(NULL, NULL, table, &c, NULL), BUS_OK);
	assert_string_equal(c.name, "titian");
	assert_string_equal(c.key_file, "");
	assert_int_equal(c.port, 8443);
	assert_int_equal(c.workers, 4);
	assert_int_equal(c.wait_ms, 200);
	assert_int_equal(c.cache, 8 << 20);
	assert_false(c.verbose);
	assert_int_equal(c.topics.n, 2);
	assert_string_equal(c.topics.item[1], "b");
	assert_string_equal(c.bootstrap, "localhost:9092");
	assert_int_equal(c.kafka.n, 0);
	bus_conf_release(table, &c);
	assert_null(c.name);
	bus_conf_release(table, &c);
}

static void takes_the_file_over_defaults_and_the_command_line_over_the_file(void **state)
{
	static const char *const sets[] = {
		"http.port=1", "topics=x", "kafka.linger.ms=9", "kafka.acks=all", "name=a=b", "name=c=d", NULL
	};
	struct conf c = { 0 };
	struct bus_error err;

	(void)state;
	put_file(
	    "name: file\nworkers: 9\nhttp:\n  port: 80\n  wait: 5s\ncache: 64KiB\nverbose: true\n"
	    "topics: [p, q, r]\nkafka:\n  bootstrap: broker:9092\n  linger.ms: 5\n  sasl: { username: u }\n");
	if (bus_conf_load(path, sets, table, &c, &err) != BUS_OK)
		fail_msg("%s", err.text);
	assert_string_equal(c.name, "c=d");
	assert_int_equal(c.workers, 9);
	assert_int_equal(c.port, 1);
	assert_int_equal(c.wait_ms, 5000);
	assert_int_equal(c.cache, 65536);
	assert_true(c.verbose);
	assert_int_equal(c.topics.n, 1);
	assert_string_equal(c.topics.item[0], "x");
	assert_string_equal(c.bootstrap, "broker:9092");
	assert_int_equal(c.kafka.n, 3);
	assert_string_equal(c.kafka.key[0], "linger.ms");
	assert_string_equal(c.kafka.value[0], "9");
	assert_string_equal(c.kafka.key[1], "sasl.username");
	assert_string_equal(c.kafka.value[1], "u");
	assert_string_equal(c.kafka.key[2], "acks");
	bus_conf_release(table, &c);
}

static void finds_paths_beside_the_file(void **state)
{
	static const char *const sets[] = { "http.key_file=here", NULL };
	struct conf c = { 0 };

	(void)state;
	put_file("http.key_file: keys/city\n");
	assert_int_equal(bus_conf_load(path, NULL, table, &c, NULL), BUS_OK);
	assert_string_equal(c.key_file, "/tmp/keys/city");
	bus_conf_release(table, &c);
	assert_int_equal(bus_conf_load(path, sets, table, &c, NULL), BUS_OK);
	assert_string_equal(c.key_file, "here");
	bus_conf_release(table, &c);
	put_file("http: { key_file: /etc/city }\n");
	assert_int_equal(bus_conf_load(path, NULL, table, &c, NULL), BUS_OK);
	assert_string_equal(c.key_file, "/etc/city");
	bus_conf_release(table, &c);
}

static void says_what_is_wrong_and_where(void **state)
{
	(void)state;
	expect_error("\nhttp:\n  prot: 80\n", NULL,
		     ":3: unknown option 'http.prot'; did you mean 'http.port'?");
	expect_error("wrokers: 1\n", NULL, ":1: unknown option 'wrokers'; did you mean 'workers'?");
	expect_error("zzzzzzzz: 1\n", NULL, ":1: unknown option 'zzzzzzzz'");
	expect_error("http: 1\n", NULL, ":1: unknown option 'http'; did you mean 'http.key_file'?");
	expect_error("workers: many\n", NULL, ":1: workers: 'many' is not a whole number");
	expect_error("workers: 1.5\n", NULL, ":1: workers: '1.5' is not a whole number");
	expect_error("workers: '4'\n", NULL, ":1: 'workers' must not stand in quotes");
	expect_error("workers: 99999999999999999999\n", NULL,
		     ":1: workers: '99999999999999999999' is not a whole number");
	expect_error("http.port: 65536\n", NULL, ":1: http.port: 65536 is not from 0 to 65535");
	expect_error("http.port: -1\n", NULL, ":1: http.port: -1 is not from 0 to 65535");
	expect_error("http.wait: 5\n", NULL, ":1: http.wait: '5' is not a time like 200ms, 5s, 2m or 1h");
	expect_error("http.wait: 9223372036854775807h\n", NULL,
		     ":1: http.wait: '9223372036854775807h' is not a time like 200ms, 5s, 2m or 1h");
	expect_error("cache: 8MB\n", NULL, ":1: cache: '8MB' is not a size like 512B, 64KiB, 8MiB or 1GiB");
	expect_error("verbose: yes\n", NULL, ":1: verbose: 'yes' is neither true nor false");
	expect_error("name: [a]\n", NULL, ":1: 'name' must be a single value, not a list");
	expect_error("name:\n", NULL, ":1: 'name' has no value; leave it out, or write \"\"");
	expect_error("topics: a\n", NULL, ":1: 'topics' must be a list");
	expect_error("topics:\n  - a\n  - [b]\n", NULL, ":3: 'topics' must be a single value, not a list");
	expect_error("kafka: x\n", NULL, ":1: 'kafka' must be a map");
	expect_error("http: { port: 1 }\nhttp.port: 2\n", NULL, ":2: option 'http.port' stands twice");
	expect_error("kafka: { a.b: 1, a: { b: 2 } }\n", NULL, ":1: option 'kafka.a.b' stands twice");
	expect_error("- a\n", NULL, ":1: must be a map of options");
}

static void says_what_is_wrong_on_the_command_line(void **state)
{
	(void)state;
	expect_error("", (const char *const[]){ "workers", NULL }, "--set 'workers': write name=value");
	expect_error("", (const char *const[]){ "=1", NULL }, "--set '=1': write name=value");
	expect_error("", (const char *const[]){ "worker=1", NULL },
		     "--set: unknown option 'worker'; did you mean 'workers'?");
	expect_error("", (const char *const[]){ "workers=x", NULL },
		     "--set workers: 'x' is not a whole number");
	expect_error("", (const char *const[]){ "kafka=x", NULL },
		     "--set kafka: name one key, like kafka.key=value");
}

static void wants_what_has_no_default(void **state)
{
	static const struct bus_conf_option must[] = { ROW("name", STR, name, NULL, "What it is called."),
						       { 0 } };
	struct conf c = { 0 };
	struct bus_error err;

	(void)state;
	assert_int_equal(bus_conf_load(NULL, NULL, must, &c, &err), BUS_EINVAL);
	assert_string_equal(err.text,
			    "option 'name' must be given: What it is called. (no --config FILE was given)");
}

static void names_the_line_of_what_cannot_be(void **state)
{
	struct bus_error err;
	char want[160];
	FILE *f = fopen(path, "w");

	(void)state;
	assert_non_null(f);
	fputs("workers: 3\nhttp:\n  wait: 2s\n  port: 80\nkafka.acks: all\n", f);
	fclose(f);
	assert_int_equal(bus_conf_refuse(path, "http.port", "not that one", &err), BUS_EPARSE);
	snprintf(want, sizeof(want), "%s:4: not that one", path);
	assert_string_equal(err.text, want);
	assert_int_equal(bus_conf_refuse(path, "kafka.acks", "no", &err), BUS_EPARSE);
	snprintf(want, sizeof(want), "%s:5: no", path);
	assert_string_equal(err.text, want);
	assert_int_equal(bus_conf_refuse(path, "name", "no", &err),
			 BUS_EINVAL); /* from the command line, say */
	assert_string_equal(err.text, "no");
	assert_int_equal(bus_conf_refuse(NULL, "name", "no", &err), BUS_EINVAL);
}

static void dumps_what_it_can_read_again(void **state)
{
	static const char *const sets[] = {
		"name=say \"hi\" \\ \x01", "http.wait=90s", "cache=3KiB", "topics=",
		"kafka.acks=all",	   "workers=-7",    NULL
	};
	struct conf a = { 0 };
	struct conf b = { 0 };
	struct bus_error err;
	FILE *f;

	(void)state;
	assert_int_equal(bus_conf_load(NULL, sets, table, &a, NULL), BUS_OK);
	f = fopen(path, "w");
	assert_non_null(f);
	bus_conf_dump(table, &a, f);
	fclose(f);
	if (bus_conf_load(path, NULL, table, &b, &err) != BUS_OK)
		fail_msg("%s", err.text);
	assert_string_equal(a.name, b.name);
	assert_int_equal(b.wait_ms, 90000);
	assert_int_equal(b.cache, 3072);
	assert_int_equal(b.workers, -7);
	assert_int_equal(b.port, 8443);
	assert_int_equal(b.topics.n, 0);
	assert_int_equal(b.kafka.n, 1);
	assert_string_equal(b.kafka.value[0], "all");
	assert_string_equal(b.bootstrap, a.bootstrap);
	bus_conf_release(table, &a);
	bus_conf_release(table, &b);
}

static void helps_in_aligned_columns(void **state)
{
	static const struct bus_conf_option two[] = {
		ROW("http.port", PORT, port, "8443", "Where it listens."),
		ROW("name", STR, name, NULL, "What it is called."),
		ROW("kafka", MAP, kafka, NULL, "Anything."),
		{ 0 },
	};
	char *text = NULL;
	size_t n;
	FILE *f = open_memstream(&text, &n);

	(void)state;
	bus_conf_help(two, f);
	fclose(f);
	assert_string_equal(text, "  http.port  8443      Where it listens.\n"
				  "  name       required  What it is called.\n"
				  "  kafka.*    -         Anything.\n");
	free(text);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, make_path, remove_path)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(has_defaults),
		TEST(takes_the_file_over_defaults_and_the_command_line_over_the_file),
		TEST(finds_paths_beside_the_file),
		TEST(says_what_is_wrong_and_where),
		TEST(says_what_is_wrong_on_the_command_line),
		TEST(wants_what_has_no_default),
		TEST(names_the_line_of_what_cannot_be),
		TEST(dumps_what_it_can_read_again),
		TEST(helps_in_aligned_columns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
