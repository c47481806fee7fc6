#include <dirent.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "adapters/seen.h"

static struct bus_str key_of(char *text, size_t n, int i)
{
	return (struct bus_str){ text, (size_t)snprintf(text, n, "key-%d", i) };
}

/* 200,000: past the size from which a table grows by a quarter, five times. */
static void remembers_what_it_saw_while_it_grows(void **state)
{
	enum bus_err (*const make[])(const char *, struct adapter_seen **,
				     struct bus_error *) = { adapter_seen_new, adapter_seen_new_unversioned };

	(void)state;
	for (size_t kind = 0; kind < 2; kind++) {
		struct adapter_seen_entry *e;
		struct adapter_seen *s;
		char text[32];
		bool fresh;

		assert_int_equal(make[kind]("/tmp", &s, NULL), BUS_OK);
		for (int i = 0; i < 200000; i++) {
			assert_null(adapter_seen_get(s, key_of(text, sizeof(text), i)));
			assert_int_equal(adapter_seen_put(s, key_of(text, sizeof(text), i), &e, &fresh, NULL),
					 BUS_OK);
			assert_true(fresh);
			assert_true(e->content == 0 && e->file == 0 && e->line == 0);
			assert_true(kind == 1 || e->version == 0);
			e->content = (uint64_t)i + 3;
			e->file = (uint32_t)i + 1;
			e->line = (uint32_t)i + 2;
			if (kind == 0)
				e->version = -i;
		}
		assert_int_equal(adapter_seen_count(s), 200000);
		for (int i = 0; i < 200000; i++) {
			assert_int_equal(adapter_seen_put(s, key_of(text, sizeof(text), i), &e, &fresh, NULL),
					 BUS_OK);
			assert_false(fresh);
			assert_true(e->content == (uint64_t)i + 3 && e->file == (uint32_t)i + 1);
			assert_int_equal(e->line, i + 2);
			assert_true(kind == 1 || e->version == -i);
			assert_ptr_equal(adapter_seen_get(s, key_of(text, sizeof(text), i)), e);
		}
		assert_int_equal(adapter_seen_count(s), 200000);
		adapter_seen_free(&s);
		assert_null(s);
		adapter_seen_free(&s);
	}
}

static void forgets_when_cleared(void **state)
{
	struct adapter_seen_entry *e;
	struct adapter_seen *s;
	bool fresh;

	(void)state;
	assert_int_equal(adapter_seen_new("/tmp", &s, NULL), BUS_OK);
	assert_int_equal(adapter_seen_put(s, BUS_STR(""), &e, &fresh, NULL), BUS_OK);
	e->line = 7;
	adapter_seen_clear(s);
	assert_int_equal(adapter_seen_count(s), 0);
	assert_null(adapter_seen_get(s, BUS_STR("")));
	assert_int_equal(adapter_seen_put(s, (struct bus_str){ NULL, 0 }, &e, &fresh, NULL), BUS_OK);
	assert_true(fresh);
	assert_int_equal(e->line, 0);
	adapter_seen_free(&s);
}

static void bare_keys_are_known_again_while_it_grows(void **state)
{
	struct adapter_seen *s;
	char text[16];
	bool fresh;

	(void)state;
	assert_int_equal(adapter_seen_new_bare("/tmp", &s, NULL), BUS_OK);
	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < 400000; i++) {
			assert_int_equal(
			    adapter_seen_put(s, key_of(text, sizeof(text), i), NULL, &fresh, NULL), BUS_OK);
			assert_true(fresh == (round == 0));
		}
	}
	assert_int_equal(adapter_seen_count(s), 400000);
	adapter_seen_free(&s);
}

static void leaves_no_file_behind_and_says_when_there_is_no_folder(void **state)
{
	char dir[] = "/tmp/titian-test-seen-XXXXXX";
	struct adapter_seen *s;
	struct bus_error err;
	struct dirent *entry;
	int n = 0;
	DIR *d;

	(void)state;
	assert_non_null(mkdtemp(dir));
	assert_int_equal(adapter_seen_new(dir, &s, &err), BUS_OK);
	d = opendir(dir);
	assert_non_null(d);
	while ((entry = readdir(d)))
		n++;
	closedir(d);
	assert_int_equal(n, 2); /* . and .. */
	adapter_seen_free(&s);
	assert_int_equal(rmdir(dir), 0);
	assert_int_equal(adapter_seen_new(dir, &s, &err), BUS_EIO);
	assert_null(s);
	assert_non_null(strstr(err.text, dir));
}

/* A limit on the size of files stands in for a full disk: both make the allocation fail. */
static void a_full_disk_is_an_error_and_what_was_seen_stays(void **state)
{
	struct rlimit before, small;
	struct adapter_seen_entry *e;
	struct adapter_seen *s;
	enum bus_err rc = BUS_OK;
	char text[32];
	bool fresh;
	int n = 0;

	(void)state;
	assert_int_equal(adapter_seen_new("/tmp", &s, NULL), BUS_OK);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	small = before;
	small.rlim_cur = 100000;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	while (rc == BUS_OK && n < 100000)
		rc = adapter_seen_put(s, key_of(text, sizeof(text), n++), &e, &fresh, NULL);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	signal(SIGXFSZ, SIG_DFL);
	assert_int_equal(rc, BUS_EFULL);
	assert_int_equal(adapter_seen_count(s), n - 1);
	assert_non_null(adapter_seen_get(s, key_of(text, sizeof(text), 0)));
	assert_null(adapter_seen_get(s, key_of(text, sizeof(text), n - 1)));
	/* with room again the same call succeeds */
	assert_int_equal(adapter_seen_put(s, key_of(text, sizeof(text), n - 1), &e, &fresh, NULL), BUS_OK);
	assert_true(fresh);
	adapter_seen_free(&s);
}

/* xxhash's own sanity check: XXH3_64bits of no bytes, seed 0. */
static void fingerprints_are_xxh3(void **state)
{
	(void)state;
	assert_true(adapter_fingerprint(BUS_STR("")) == UINT64_C(0x2d06800538d394c2));
	assert_true(adapter_fingerprint(BUS_STR("a")) != adapter_fingerprint(BUS_STR("b")));
}

/* Bytes of the tables that are in memory, as the kernel says. */
static size_t in_memory(void)
{
	FILE *f = fopen("/proc/self/smaps", "r");
	bool table = false;
	size_t sum = 0, kb;
	char text[512];

	assert_non_null(f);
	while (fgets(text, sizeof(text), f)) {
		if (strstr(text, "-") < strstr(text, " ") && strstr(text, "-"))
			table = strstr(text, ".titian-seen") != NULL;
		else if (table && sscanf(text, "Rss: %zu kB", &kb) == 1)
			sum += kb * 1024;
	}
	fclose(f);
	return sum;
}

static void tables_that_share_a_budget_keep_within_it_and_lose_nothing(void **state)
{
	const size_t bytes = (size_t)8 << 20, slack = (size_t)12 << 20; /* the tables are 25 MB */
	struct adapter_seen_budget *budget = adapter_seen_budget_new(bytes);
	struct adapter_seen *s[2];
	size_t most = 0;

	(void)state;
	for (int k = 0; k < 2; k++) {
		assert_int_equal(adapter_seen_new("/tmp", &s[k], NULL), BUS_OK);
		adapter_seen_share(s[k], budget);
	}
	for (int i = 0; i < 420000; i++) {
		struct adapter_seen_entry *e;
		char key[16];
		bool fresh;

		snprintf(key, sizeof(key), "%d", i / 2);
		assert_int_equal(adapter_seen_put(s[i % 2], bus_str(key), &e, &fresh, NULL), BUS_OK);
		assert_true(fresh);
		e->content = (uint64_t)i;
		if (i % 20000 == 0 && in_memory() > most)
			most = in_memory();
	}
	assert_true(most > bytes / 4 && most <= bytes + slack);
	for (int i = 0; i < 420000; i++) {
		const struct adapter_seen_entry *e;
		char key[16];

		snprintf(key, sizeof(key), "%d", i / 2);
		e = adapter_seen_get(s[i % 2], bus_str(key));
		assert_non_null(e);
		assert_int_equal(e->content, i);
	}
	assert_true(in_memory() <= bytes + slack);
	adapter_seen_free(&s[0]);
	adapter_seen_free(&s[1]);
	adapter_seen_budget_free(&budget);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(remembers_what_it_saw_while_it_grows),
		cmocka_unit_test(forgets_when_cleared),
		cmocka_unit_test(bare_keys_are_known_again_while_it_grows),
		cmocka_unit_test(leaves_no_file_behind_and_says_when_there_is_no_folder),
		cmocka_unit_test(a_full_disk_is_an_error_and_what_was_seen_stays),
		cmocka_unit_test(fingerprints_are_xxh3),
		cmocka_unit_test(tables_that_share_a_budget_keep_within_it_and_lose_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
