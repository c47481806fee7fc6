/* The file that says how far fetching got lies where others may write: what it says is believed only if we wrote it, and
 * leads nowhere. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "adapters/fetch/haul.h"
#include "adapters/fetch/mark.h"

static char dir[64];

static int make_dir(void **state)
{
	(void)state;
	snprintf(dir, sizeof(dir), "/tmp/titian-mark-XXXXXX");
	return mkdtemp(dir) ? 0 : -1;
}

static int drop_dir(void **state)
{
	static const char *const names[] = { ".pegawai.mark", ".pegawai.mark.tmp", ".pegawai.ambil",
					     "pegawai-1.jsonl" };
	char path[256];

	(void)state;
	for (size_t i = 0; i < BUS_LEN(names); i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		unlink(path);
	}
	return rmdir(dir);
}

static const char *in(const char *name)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static void put(const char *name, const char *text, mode_t mode)
{
	FILE *f = fopen(in(name), "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	assert_int_equal(chmod(in(name), mode), 0);
}

static enum bus_err load(struct adapter_mark *m)
{
	return adapter_mark_load(dir, "pegawai", m, NULL);
}

static void what_was_saved_is_read(void **state)
{
	struct adapter_mark m = { .when_ms = 7, .file = "pegawai-1.jsonl" }, back;

	(void)state;
	bus_buf_puts(&m.mark, "2025-01-01");
	assert_int_equal(adapter_mark_save(dir, "pegawai", &m, NULL), BUS_OK);
	assert_int_equal(load(&back), BUS_OK);
	assert_int_equal(back.when_ms, 7);
	assert_string_equal(back.file, m.file);
	assert_string_equal(bus_buf_cstr(&back.mark), "2025-01-01");
	adapter_mark_release(&back);
	adapter_mark_release(&m);
}

static void a_file_elsewhere_is_none_of_ours(void **state)
{
	static const char *const no[] = { "../../kunci.json", "pegawai-1/../../kunci", "/etc/passwd",
					  "lain-1.jsonl", "" };
	struct adapter_mark m;
	char text[128];

	(void)state;
	for (size_t i = 0; i < BUS_LEN(no); i++) {
		snprintf(text, sizeof(text), "{\"when_ms\":7,\"file\":\"%s\",\"mark\":\"5\"}", no[i]);
		put(".pegawai.mark", text, 0600);
		assert_int_equal(load(&m), BUS_OK);
		assert_string_equal(m.file, "");
		assert_int_equal(m.when_ms, 7);
		adapter_mark_release(&m);
	}
}

static void a_mark_that_others_may_write_is_not_believed(void **state)
{
	static const char text[] = "{\"when_ms\":7,\"file\":\"pegawai-1.jsonl\",\"mark\":\"5\"}";
	struct adapter_mark m;

	(void)state;
	put(".pegawai.mark", text, 0620);
	assert_int_equal(load(&m), BUS_EDENIED);
	assert_int_equal(m.when_ms, 0);
	assert_string_equal(m.file, "");
	adapter_mark_release(&m);
	if (geteuid() == 0) {
		put(".pegawai.mark", text, 0600);
		assert_int_equal(chown(in(".pegawai.mark"), 12345, 12345), 0);
		assert_int_equal(load(&m), BUS_EDENIED);
		adapter_mark_release(&m);
	}
	unlink(in(".pegawai.mark"));
	assert_int_equal(mkfifo(in(".pegawai.mark"), 0600), 0);
	assert_int_equal(load(&m), BUS_EDENIED); /* and does not wait for who writes into it */
	adapter_mark_release(&m);
}

static void is_ours_alone(const char *name)
{
	struct stat st;

	assert_int_equal(lstat(in(name), &st), 0);
	assert_true(S_ISREG(st.st_mode));
	assert_int_equal(st.st_mode & 077, 0);
}

/* A pipe would hold the thread that fetches for ever; a file would be its owner's, with the rows in it. */
static void what_lies_where_it_is_written_is_not_written_to(void **state)
{
	struct adapter_mark m = { .when_ms = 7 };
	struct adapter_haul *h;

	(void)state;
	for (int i = 0; i < 2; i++) {
		if (i == 0) {
			assert_int_equal(mkfifo(in(".pegawai.ambil"), 0666), 0);
			assert_int_equal(mkfifo(in(".pegawai.mark.tmp"), 0666), 0);
		} else {
			put(".pegawai.ambil", "x", 0666);
			put(".pegawai.mark.tmp", "x", 0666);
		}
		assert_int_equal(adapter_mark_save(dir, "pegawai", &m, NULL), BUS_OK);
		is_ours_alone(".pegawai.mark");
		assert_int_equal(adapter_haul_open(dir, "pegawai", &h, NULL), BUS_OK);
		is_ours_alone(".pegawai.ambil");
		adapter_haul_close(&h);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_dir, drop_dir)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_was_saved_is_read),
		TEST(a_file_elsewhere_is_none_of_ours),
		TEST(a_mark_that_others_may_write_is_not_believed),
		TEST(what_lies_where_it_is_written_is_not_written_to),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
