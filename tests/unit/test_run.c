#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/support/adapter_city.h"

#define UNIQUE "  - {class: ganda, fate: refuse, when: {repeated: id}}\n"
#define NEWEST "newest_by: {value: versi, older: versi_lama}\n"

static void assert_has(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("'%s' is not in: %s", part, text);
}

static void assert_files(struct city *c, const char *part)
{
	char *text = city_files(c);

	assert_has(text, part);
	free(text);
}

static void publishes_a_file_numbers_it_and_puts_it_away(void **state)
{
	struct city *c = city_new(UNIQUE);
	char *text, *path;

	(void)state;
	city_drop(c, "barang1.csv", "id,nama,versi\na,Apel,1\nb,,1\nc,Ceri,x\na,Lagi,1\nAKHIR,,\n");
	city_run(c);
	assert_true(city_has(c, "done/barang1.csv"));
	assert_true(city_has(c, "done/barang1.csv.laporan.txt"));
	assert_false(city_has(c, "barang1.csv"));
	text = city_fold(c, CITY_REGISTER, city_schema);
	assert_string_equal(text, "a {\"id\":\"a\",\"nama\":\"Apel\",\"versi\":1,\"tanda\":[]}\n"
				  "c {\"id\":\"c\",\"nama\":\"Ceri\",\"versi\":0,\"tanda\":[\"nama_x\"]}\n");
	free(text);
	assert_files(c, "\"status\":\"SELESAI\"");
	assert_files(
	    c,
	    "\"baris_data\":4,\"diterima\":2,\"ditolak\":2,\"tak_tergabung\":1,\"diterbitkan\":2,\"sama\":0");
	assert_files(c, "\"nama_kosong\":1");
	assert_files(c, "\"ganda\":1");
	text = city_quarantine(c);
	assert_has(text, ":3 {");
	assert_has(text, ":5 {");
	free(text);
	path = bus_xasprintf("%s/done/barang1.csv.laporan.txt", c->drop);
	text = city_read(path);
	assert_has(text, "nama_kosong");
	assert_null(strstr(text, "Apel")); /* never a row's content */
	free(text);
	free(path);
	city_free(c);
}

static void the_same_file_again_publishes_nothing(void **state)
{
	struct city *c = city_new(UNIQUE);
	const char *text = "id,nama,versi\na,Apel,1\nb,Beri,1\nAKHIR,,\n";
	size_t n;

	(void)state;
	city_drop(c, "barang1.csv", text);
	city_run(c);
	n = city_look(c, CITY_REGISTER) + city_look(c, CITY_FILES);
	city_drop(c, "barang1.csv", text);
	city_run(c);
	assert_int_equal(city_look(c, CITY_REGISTER) + city_look(c, CITY_FILES), n);
	assert_true(city_has(c, "done/barang1.1.csv"));
	city_free(c);
}

static void a_changed_file_publishes_the_changes_and_removes_what_is_gone(void **state)
{
	struct city *c = city_new(UNIQUE);
	char *text;

	(void)state;
	city_drop(c, "barang1.csv", "id,nama,versi\na,Apel,1\nb,Beri,1\nd,Duku,1\ne,Erbis,1\nAKHIR,,\n");
	city_run(c);
	/* b changes, d is refused (and stays), e is gone, f is new */
	city_drop(c, "barang2.csv", "id,nama,versi\na,Apel,1\nb,Bery,1\nd,,1\nf,Fig,1\nAKHIR,,\n");
	city_run(c);
	assert_int_equal(city_look(c, CITY_REGISTER), 4 + 3);
	text = city_fold(c, CITY_REGISTER, city_schema);
	assert_string_equal(text, "a {\"id\":\"a\",\"nama\":\"Apel\",\"versi\":1,\"tanda\":[]}\n"
				  "b {\"id\":\"b\",\"nama\":\"Bery\",\"versi\":1,\"tanda\":[]}\n"
				  "d {\"id\":\"d\",\"nama\":\"Duku\",\"versi\":1,\"tanda\":[]}\n"
				  "f {\"id\":\"f\",\"nama\":\"Fig\",\"versi\":1,\"tanda\":[]}\n");
	free(text);
	assert_files(
	    c, "\"diterima\":3,\"ditolak\":1,\"tak_tergabung\":0,\"diterbitkan\":2,\"sama\":1,\"dihapus\":1");
	city_free(c);
}

static void nothing_is_removed_when_too_much_would_go(void **state)
{
	struct city *c = city_new(UNIQUE);

	(void)state;
	city_drop(c, "barang1.csv", "id,nama,versi\na,Apel,1\nb,Beri,1\nd,Duku,1\nAKHIR,,\n");
	city_run(c);
	city_drop(c, "barang2.csv", "id,nama,versi\na,Apel,1\nAKHIR,,\n");
	city_run(c);
	assert_int_equal(city_look(c, CITY_REGISTER), 3);
	assert_files(c, "none was removed");
	assert_true(city_has(c, "done/barang2.csv.laporan.txt"));
	city_free(c);
}

static void a_cut_file_is_published_removes_nothing_and_is_refused(void **state)
{
	struct city *c = city_new(UNIQUE);

	(void)state;
	city_drop(c, "barang1.csv", "id,nama,versi\na,Apel,1\nb,Beri,1\nAKHIR,,\n");
	city_run(c);
	city_drop(c, "barang2.csv", "id,nama,versi\na,Apel,2\n");
	city_run(c);
	assert_int_equal(city_look(c, CITY_REGISTER), 3);
	assert_files(c, "\"status\":\"TERPOTONG\"");
	assert_true(city_has(c, "refused/barang2.csv"));
	assert_true(city_has(c, "refused/barang2.csv.laporan.txt"));
	city_free(c);
}

static void what_cannot_be_read_or_is_not_known_is_refused_with_a_report(void **state)
{
	struct city *c = city_new(UNIQUE);

	(void)state;
	city_drop(c, "barang.csv", "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 old Excel");
	city_drop(c, "lain.txt", "x");
	city_drop(c, "barang_kosong.csv", "");
	city_run(c);
	assert_true(city_has(c, "refused/barang.csv.laporan.txt"));
	assert_true(city_has(c, "refused/barang_kosong.csv.laporan.txt"));
	assert_true(city_has(c, "refused/lain.txt.laporan.txt"));
	assert_int_equal(city_look(c, CITY_REGISTER), 0);
	assert_files(c, "\"status\":\"DITOLAK\"");
	city_free(c);
}

static void the_newest_version_stands_within_and_across_files(void **state)
{
	struct city *c = city_new(NEWEST);
	char *text;

	(void)state;
	city_drop(c, "barang1.csv", "id,nama,versi\na,Apel,5\na,Lama,4\nb,Beri,1\nb,Baru,2\nAKHIR,,\n");
	city_run(c);
	assert_files(c, "\"diterima\":2,\"ditolak\":2,\"tak_tergabung\":0,\"diterbitkan\":2");
	assert_files(c, "\"versi_lama\":2");
	city_drop(c, "barang2.csv", "id,nama,versi\na,Tua,3\na,Apel,5\nb,Beda,2\nAKHIR,,\n");
	city_run(c);
	text = city_fold(c, CITY_REGISTER, city_schema);
	assert_string_equal(text, "a {\"id\":\"a\",\"nama\":\"Apel\",\"versi\":5,\"tanda\":[]}\n"
				  "b {\"id\":\"b\",\"nama\":\"Baru\",\"versi\":2,\"tanda\":[]}\n");
	free(text);
	assert_files(c, "\"diterima\":1,\"ditolak\":2,\"tak_tergabung\":0,\"diterbitkan\":0,\"sama\":1");
	city_free(c);
}

static void the_first_event_of_an_id_stands_across_files(void **state)
{
	struct city *c = city_new(UNIQUE);

	(void)state;
	city_drop(c, "kejadian1.csv", "id,nama\n1,satu\n2,dua\n");
	city_run(c);
	city_drop(c, "kejadian2.csv", "id,nama\n1,satu\n2,lain\n3,tiga\n3,tiga\n");
	city_run(c);
	assert_int_equal(city_look(c, CITY_EVENTS), 3);
	assert_files(c, "\"diterima\":2,\"ditolak\":2,\"tak_tergabung\":0,\"diterbitkan\":1,\"sama\":1");
	assert_files(c, "\"duplikat\":2");
	city_free(c);
}

static const char first_file[] =
    "id,nama,versi\na,Apel,5\nb,Beri,1\nd,Duku,1\ne,Erbis,1\ng,Gowok,1\nh,H,1\nAKHIR,,\n";
static const char second_file[] =
    "id,nama,versi\na,Apel,5\nb,Bery,4\nb,Beru,6\nd,,1\nf,Fig,1\nf,Fog,1\nf,Fag,x\n"
    "k,Kemang,3\nAKHIR,,\n";
static const char third_file[] = "id,nama\n1,satu\n2,dua\n1,lain\n3,tiga\n";

static char *outcome(struct city *c)
{
	char *a = city_fold(c, CITY_REGISTER, city_schema), *b = city_files(c), *q = city_quarantine(c),
	     *e = city_fold(c, CITY_EVENTS, city_schema), *all = bus_xasprintf("%s%s%s%s", a, b, q, e);

	free(a);
	free(b);
	free(q);
	free(e);
	return all;
}

static void drop_all(struct city *c)
{
	city_drop(c, "barang1.csv", first_file);
	city_run(c);
	city_drop(c, "barang2.csv", second_file);
	city_drop(c, "kejadian.csv", third_file);
}

struct death {
	enum adapter_point point;
	int after; /* so many times at that point */
};

/* Dies there, then a little later while it catches up, then runs on: all comes out as if nothing had
 * happened. */
static void die_and_compare(const char *extra, const struct death *death, size_t n)
{
	struct city *c = city_new(extra);
	char *want, *got;

	drop_all(c);
	city_run(c);
	want = outcome(c);
	city_free(c);
	assert_has(want, "\"dihapus\":3");
	for (size_t i = 0; i < n; i++) {
		c = city_new(extra);
		drop_all(c);
		c->die_at = death[i].point;
		c->die_after = death[i].after;
		city_run(c);
		assert_int_equal(c->die_after, -1);
		c->die_after = death[i].after / 2;
		city_run(c);
		c->die_after = -1;
		city_run(c);
		got = outcome(c);
		if (strcmp(got, want) != 0)
			fail_msg("died at %d.%d:\n%s\nnot\n%s", (int)death[i].point, death[i].after, got,
				 want);
		free(got);
		assert_true(city_has(c, "done/barang2.csv"));
		assert_true(city_has(c, "done/barang2.csv.laporan.txt"));
		assert_false(city_has(c, "barang2.csv"));
		city_free(c);
	}
	free(want);
}

static void dying_anywhere_changes_nothing(void **state)
{
	static const struct death death[] = { { ADAPTER_AT_START, 0 },	   { ADAPTER_AT_ROW, 1 },
					      { ADAPTER_AT_ROW, 6 },	   { ADAPTER_AT_ROW, 10 },
					      { ADAPTER_AT_END, 0 },	   { ADAPTER_AT_ACKED, 0 },
					      { ADAPTER_AT_TOMBSTONE, 1 }, { ADAPTER_AT_CLOSED, 0 },
					      { ADAPTER_AT_CLOSED, 1 } };

	(void)state;
	die_and_compare(UNIQUE, death, BUS_LEN(death));
}

static void dying_anywhere_changes_nothing_with_newest_by(void **state)
{
	static const struct death death[] = { { ADAPTER_AT_ROW, 1 },
					      { ADAPTER_AT_ROW, 2 },
					      { ADAPTER_AT_ROW, 7 },
					      { ADAPTER_AT_ACKED, 0 },
					      { ADAPTER_AT_TOMBSTONE, 2 } };

	(void)state;
	die_and_compare(NEWEST, death, BUS_LEN(death));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(publishes_a_file_numbers_it_and_puts_it_away),
		cmocka_unit_test(the_same_file_again_publishes_nothing),
		cmocka_unit_test(a_changed_file_publishes_the_changes_and_removes_what_is_gone),
		cmocka_unit_test(nothing_is_removed_when_too_much_would_go),
		cmocka_unit_test(a_cut_file_is_published_removes_nothing_and_is_refused),
		cmocka_unit_test(what_cannot_be_read_or_is_not_known_is_refused_with_a_report),
		cmocka_unit_test(the_newest_version_stands_within_and_across_files),
		cmocka_unit_test(the_first_event_of_an_id_stands_across_files),
		cmocka_unit_test(dying_anywhere_changes_nothing),
		cmocka_unit_test(dying_anywhere_changes_nothing_with_newest_by),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
