#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "adapters/drop.h"
#include "bus/clock.h"
#include "bus/mem.h"

#define QUIET_MS 150

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	(void)st;
	(void)kind;
	(void)ftw;
	return remove(path);
}

static int make_dir(void **state)
{
	char *dir = bus_xstrdup("/tmp/titian-drop-XXXXXX");

	*state = mkdtemp(dir);
	return 0;
}

static int drop_dir(void **state)
{
	nftw(*state, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	free(*state);
	return 0;
}

static const char *in(const char *dir, const char *name)
{
	static char path[4][512];
	static int i;

	i = (i + 1) % 4;
	snprintf(path[i], sizeof(path[i]), "%s/%s", dir, name);
	return path[i];
}

static void put(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static struct adapter_drop *opened_quiet(const char *dir, bool follow, int64_t quiet_ms)
{
	const struct adapter_drop_conf conf = { dir, quiet_ms, follow };
	struct adapter_drop *d;

	assert_int_equal(adapter_drop_open(&conf, &d, NULL), BUS_OK);
	return d;
}

static struct adapter_drop *opened(const char *dir, bool follow)
{
	return opened_quiet(dir, follow, QUIET_MS);
}

/* Within ms. */
static bool found(struct adapter_drop *d, struct adapter_drop_file *f, int64_t ms)
{
	int64_t began = bus_clock_mono_ms();

	do {
		if (adapter_drop_next(d, f))
			return true;
		adapter_drop_wait(d, -1, -1, 20);
	} while (bus_clock_mono_ms() - began < ms);
	return false;
}

static void a_renamed_file_is_taken_at_once(void **state)
{
	const char *dir = *state;
	struct adapter_drop *d = opened_quiet(dir, false, 60000); /* which is not waited for */
	struct adapter_drop_file f;

	put(in(dir, ".x.tmp"), "a");
	assert_false(found(d, &f, 30));
	rename(in(dir, ".x.tmp"), in(dir, "x.csv"));
	assert_true(found(d, &f, 10000));
	assert_string_equal(f.name, "x.csv");
	assert_int_equal(f.size, 1);
	adapter_drop_close(&d);
}

static void a_file_written_in_place_is_taken_when_it_is_quiet(void **state)
{
	const char *dir = *state;
	const int64_t quiet_ms = 1000;
	struct adapter_drop *d = opened_quiet(dir, false, quiet_ms);
	struct adapter_drop_file f;
	FILE *out = fopen(in(dir, "x.csv"), "w");

	for (int i = 0; i < 5; i++) {
		fputs("row\n", out);
		fflush(out);
		assert_false(found(d, &f, quiet_ms / 4)); /* all of it is longer than quiet_ms */
	}
	fclose(out);
	assert_true(found(d, &f, 10000));
	assert_int_equal(f.size, 20);
	adapter_drop_close(&d);
}

static void files_that_lie_there_at_start_come_in_order_of_time_and_name(void **state)
{
	const char *dir = *state;
	struct adapter_drop_file f;
	struct adapter_drop *d;
	struct timespec old[2] = { { 1000, 0 }, { 1000, 0 } }, older[2] = { { 999, 0 }, { 999, 0 } };
	char moved[600];

	put(in(dir, "b"), "");
	put(in(dir, "a"), "");
	put(in(dir, "z"), "");
	utimensat(AT_FDCWD, in(dir, "b"), old, 0);
	utimensat(AT_FDCWD, in(dir, "a"), old, 0);
	utimensat(AT_FDCWD, in(dir, "z"), older, 0);
	d = opened(dir, false);
	usleep((QUIET_MS + 50) * 1000);
	adapter_drop_wait(d, -1, -1, 10);
	for (int i = 0; i < 3; i++) {
		assert_true(found(d, &f, 10000));
		assert_string_equal(f.name, ((const char *[]){ "z", "a", "b" })[i]);
		assert_int_equal(adapter_drop_move(d, &f, ADAPTER_DROP_DONE, moved, sizeof(moved), NULL),
				 BUS_OK);
	}
	assert_false(found(d, &f, 30));
	adapter_drop_close(&d);
}

static void leaves_alone_what_is_not_meant(void **state)
{
	const char *dir = *state;
	struct adapter_drop *d = opened(dir, false);
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	struct adapter_drop_file f;
	int s = socket(AF_UNIX, SOCK_STREAM, 0);

	put(in(dir, "x.tmp"), "");
	put(in(dir, "x.part"), "");
	put(in(dir, "x~"), "");
	put(in(dir, ".hidden"), "");
	mkdir(in(dir, "folder"), 0700);
	mkfifo(in(dir, "pipe"), 0600);
	snprintf(at.sun_path, sizeof(at.sun_path), "%s/socket", dir);
	assert_int_equal(bind(s, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(symlink("/etc/hostname", in(dir, "link")), 0);
	assert_false(found(d, &f, 3 * QUIET_MS));
	close(s);
	adapter_drop_close(&d);
}

static void follows_links_when_told_and_moves_the_link(void **state)
{
	const char *dir = *state;
	struct adapter_drop *d = opened(dir, true);
	struct adapter_drop_file f;
	struct stat st;
	char moved[600];

	put(in(dir, ".target"), "abc");
	assert_int_equal(symlink(in(dir, ".target"), in(dir, "link.csv")), 0);
	assert_true(found(d, &f, 10000));
	assert_int_equal(f.size, 3);
	assert_int_equal(adapter_drop_move(d, &f, ADAPTER_DROP_DONE, moved, sizeof(moved), NULL), BUS_OK);
	assert_int_equal(lstat(moved, &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	assert_int_equal(access(in(dir, ".target"), F_OK), 0);
	adapter_drop_close(&d);
}

static void never_overwrites_a_file_of_the_same_name(void **state)
{
	const char *dir = *state;
	struct adapter_drop *d = opened(dir, false);
	struct adapter_drop_file f;
	char moved[600];

	for (int i = 0; i < 3; i++) {
		put(in(dir, ".x"), "");
		rename(in(dir, ".x"), in(dir, "x.csv"));
		assert_true(found(d, &f, 10000));
		assert_int_equal(adapter_drop_move(d, &f, ADAPTER_DROP_REFUSED, moved, sizeof(moved), NULL),
				 BUS_OK);
		assert_string_equal(strrchr(moved, '/') + 1,
				    ((const char *[]){ "x.csv", "x.1.csv", "x.2.csv" })[i]);
	}
	adapter_drop_close(&d);
}

static void a_name_without_room_for_a_report_beside_it_is_cut(void **state)
{
	const char *dir = *state;
	struct adapter_drop *d = opened(dir, false);
	struct adapter_drop_file f;
	char name[256], moved[600];
	const char *placed;

	memset(name, 'x', 255);
	memcpy(name + 251, ".csv", 5);
	for (int i = 0; i < 2; i++) {
		put(in(dir, ".x"), "");
		assert_int_equal(rename(in(dir, ".x"), in(dir, name)), 0);
		assert_true(found(d, &f, 10000));
		assert_int_equal(adapter_drop_move(d, &f, ADAPTER_DROP_REFUSED, moved, sizeof(moved), NULL),
				 BUS_OK);
		placed = strrchr(moved, '/') + 1;
		assert_true(strlen(placed) + strlen(".laporan.txt") <= 255);
		assert_string_equal(placed + strlen(placed) - 6, i ? ".1.csv" : "xx.csv");
	}
	/* two bytes a character: never half of one; and an "ending" that is most of the name is none */
	for (int i = 0; i < 254; i += 2)
		memcpy(name + i, "\xc3\xa9", 3);
	name[0] = 'a';
	name[1] = '.';
	put(in(dir, ".x"), "");
	assert_int_equal(rename(in(dir, ".x"), in(dir, name)), 0);
	assert_true(found(d, &f, 10000));
	assert_int_equal(adapter_drop_move(d, &f, ADAPTER_DROP_DONE, moved, sizeof(moved), NULL), BUS_OK);
	placed = strrchr(moved, '/') + 1;
	assert_true(strlen(placed) + strlen(".laporan.txt") <= 255);
	assert_int_equal((unsigned char)placed[strlen(placed) - 1], 0xa9);
	adapter_drop_close(&d);
}

static void does_not_move_another_file_that_took_the_name(void **state)
{
	const char *dir = *state;
	struct adapter_drop *d = opened(dir, false);
	struct adapter_drop_file f;
	char moved[600];

	put(in(dir, ".x"), "1");
	rename(in(dir, ".x"), in(dir, "x.csv"));
	assert_true(found(d, &f, 10000));
	put(in(dir, ".x"), "2");
	rename(in(dir, ".x"), in(dir, "x.csv"));
	assert_int_equal(adapter_drop_move(d, &f, ADAPTER_DROP_DONE, moved, sizeof(moved), NULL),
			 BUS_ECONFLICT);
	assert_int_equal(access(in(dir, "x.csv"), F_OK), 0);
	adapter_drop_close(&d);
}

/* While the first file is read the second, long found complete, is replaced: it would be read without another look. */
static void what_became_a_link_meanwhile_is_left_alone(void **state)
{
	const char *dir = *state;
	struct adapter_drop_file f;
	struct adapter_drop *d;
	char moved[600];

	put(in(dir, "a"), "a");
	put(in(dir, "b"), "b");
	d = opened(dir, false);
	usleep((QUIET_MS + 50) * 1000);
	adapter_drop_wait(d, -1, -1, 10);
	assert_true(found(d, &f, 10000));
	assert_string_equal(f.name, "a");
	assert_int_equal(unlink(in(dir, "b")), 0);
	assert_int_equal(symlink("/etc/hostname", in(dir, "b")), 0);
	assert_int_equal(adapter_drop_move(d, &f, ADAPTER_DROP_DONE, moved, sizeof(moved), NULL), BUS_OK);
	assert_false(adapter_drop_next(d, &f));
	assert_false(found(d, &f, 2 * QUIET_MS));
	adapter_drop_close(&d);
}

static void files_are_not_moved_through_a_link(void **state)
{
	const char *dir = *state;
	const struct adapter_drop_conf conf = { dir, QUIET_MS, false };
	struct adapter_drop *d = opened(dir, false);
	struct adapter_drop_file f;
	struct bus_error err;
	char moved[600];

	put(in(dir, ".x"), "a");
	rename(in(dir, ".x"), in(dir, "x.csv"));
	assert_true(found(d, &f, 10000));
	assert_int_equal(mkdir(in(dir, ".elsewhere"), 0700), 0);
	assert_int_equal(rmdir(in(dir, "done")), 0);
	assert_int_equal(symlink(".elsewhere", in(dir, "done")), 0);
	assert_int_equal(adapter_drop_move(d, &f, ADAPTER_DROP_DONE, moved, sizeof(moved), &err), BUS_EIO);
	assert_int_equal(access(in(dir, ".elsewhere/x.csv"), F_OK), -1);
	assert_int_equal(access(in(dir, "x.csv"), F_OK), 0);
	adapter_drop_close(&d);
	assert_int_equal(adapter_drop_open(&conf, &d, &err), BUS_EIO);
	assert_non_null(strstr(err.text, "symbolic link"));
	d = opened(dir, true); /* who follows links may have them */
	adapter_drop_close(&d);
}

static void a_second_adapter_is_refused(void **state)
{
	const struct adapter_drop_conf conf = { *state, QUIET_MS, false };
	struct adapter_drop *d = opened(*state, false), *second;
	struct bus_error err;

	assert_int_equal(adapter_drop_open(&conf, &second, &err), BUS_ECONFLICT);
	assert_null(second);
	adapter_drop_close(&d);
}

static void a_file_put_off_comes_later(void **state)
{
	const char *dir = *state;
	struct adapter_drop *d = opened(dir, false);
	struct adapter_drop_file f;

	put(in(dir, ".x"), "1");
	rename(in(dir, ".x"), in(dir, "x.csv"));
	assert_true(found(d, &f, 10000));
	adapter_drop_later(d, "x.csv", 200);
	assert_false(found(d, &f, 100));
	assert_true(found(d, &f, 10000));
	adapter_drop_close(&d);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_dir, drop_dir)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_renamed_file_is_taken_at_once),
		TEST(a_file_written_in_place_is_taken_when_it_is_quiet),
		TEST(files_that_lie_there_at_start_come_in_order_of_time_and_name),
		TEST(leaves_alone_what_is_not_meant),
		TEST(follows_links_when_told_and_moves_the_link),
		TEST(never_overwrites_a_file_of_the_same_name),
		TEST(a_name_without_room_for_a_report_beside_it_is_cut),
		TEST(does_not_move_another_file_that_took_the_name),
		TEST(what_became_a_link_meanwhile_is_left_alone),
		TEST(files_are_not_moved_through_a_link),
		TEST(a_second_adapter_is_refused),
		TEST(a_file_put_off_comes_later),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
