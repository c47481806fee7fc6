/* Files in a folder that is others' too. What they put there is played by links, pipes and files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "bus/file.h"
#include "bus/mem.h"

static char dir[] = "/tmp/titian-file-XXXXXX";

static const char *in(const char *name)
{
	static char path[4][128];
	static int n;

	n = (n + 1) % 4;
	snprintf(path[n], sizeof(path[n]), "%s/%s", dir, name);
	return path[n];
}

static void assert_holds(const char *path, const char *text)
{
	char have[128] = "";
	FILE *fp = fopen(path, "re");

	assert_non_null(fp);
	have[fread(have, 1, sizeof(have) - 1, fp)] = '\0';
	fclose(fp);
	assert_string_equal(have, text);
}

static void write_text(const char *path, const char *text)
{
	FILE *fp = fopen(path, "we");

	assert_non_null(fp);
	fputs(text, fp);
	fclose(fp);
}

static int make_dir(void **state)
{
	(void)state;
	memcpy(strrchr(dir, '-') + 1, "XXXXXX", 6);
	return mkdtemp(dir) ? 0 : 1;
}

static int drop_dir(void **state)
{
	static const char *const names[] = { "a", "a.tmp", "theirs", "lain" };

	(void)state;
	for (size_t i = 0; i < BUS_LEN(names); i++)
		unlink(in(names[i]));
	return rmdir(dir);
}

static void put(const char *text)
{
	assert_int_equal(bus_file_put(in("a"), bus_str(text), 0640, BUS_FILE_DURABLE, NULL), BUS_OK);
	assert_holds(in("a"), text);
	assert_int_equal(access(in("a.tmp"), F_OK), -1);
}

static void a_file_is_put_in_place_of_another(void **state)
{
	struct stat st;

	(void)state;
	put("satu");
	put("dua");
	assert_int_equal(stat(in("a"), &st), 0);
	assert_int_equal(st.st_mode & 0137, 0);
}

/* Neither where it is drafted nor where it goes: their file keeps its text, and their pipe holds nobody. */
static void nothing_is_written_into_what_is_others(void **state)
{
	static const char *const names[] = { "a", "a.tmp" };

	(void)state;
	for (size_t i = 0; i < BUS_LEN(names); i++) {
		write_text(in("theirs"), "tetap");
		assert_int_equal(symlink(in("theirs"), in(names[i])), 0);
		put("simbolik");
		unlink(in(names[i]));
		assert_int_equal(link(in("theirs"), in(names[i])), 0);
		put("keras");
		unlink(in(names[i]));
		assert_int_equal(mkfifo(in(names[i]), 0666), 0);
		put("pipa");
		unlink(in(names[i]));
		assert_holds(in("theirs"), "tetap");
	}
}

static void what_cannot_be_put_leaves_all_as_it_was(void **state)
{
	struct bus_error err;

	(void)state;
	assert_int_equal(mkdir(in("a"), 0700), 0);
	write_text(in("lain"), "");
	assert_int_equal(bus_file_put(in("a"), bus_str("x"), 0640, BUS_FILE_LIGHT, &err), BUS_EIO);
	assert_non_null(strstr(err.text, in("a")));
	assert_int_equal(access(in("a.tmp"), F_OK), -1);
	assert_int_equal(rmdir(in("a")), 0);
	assert_int_equal(bus_file_put(in("tidak/ada"), bus_str("x"), 0640, BUS_FILE_LIGHT, NULL), BUS_EIO);
}

static void only_a_plain_file_is_opened(void **state)
{
	FILE *fp;

	(void)state;
	write_text(in("theirs"), "isi");
	fp = bus_file_open(in("theirs"));
	assert_non_null(fp);
	fclose(fp);
	assert_int_equal(symlink(in("theirs"), in("a")), 0);
	assert_null(bus_file_open(in("a")));
	unlink(in("a"));
	assert_int_equal(mkfifo(in("a"), 0666), 0);
	assert_null(bus_file_open(in("a")));
	assert_null(bus_file_open(dir));
	assert_null(bus_file_open(in("lain")));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_dir, drop_dir)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_file_is_put_in_place_of_another),
		TEST(nothing_is_written_into_what_is_others),
		TEST(what_cannot_be_put_leaves_all_as_it_was),
		TEST(only_a_plain_file_is_opened),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
