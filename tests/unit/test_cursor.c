#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "gateway/serve/cursor.h"

static const struct gw_view residents = { .name = "penduduk" }, families = { .name = "keluarga" };
static const struct gw_cursors ours = { .key = { 1, 2, 3 }, .store = 77 };

static char *page(const struct gw_cursors *c, const struct gw_view *v, const char *key)
{
	struct bus_buf b = { 0 };

	gw_cursor_put_page(c, v, bus_str(key), &b);
	return bus_buf_take(&b, &(size_t){ 0 });
}

static char *feed(const struct gw_cursors *c, const struct gw_view *v, int64_t seq)
{
	struct bus_buf b = { 0 };

	gw_cursor_put_feed(c, v, seq, &b);
	return bus_buf_take(&b, &(size_t){ 0 });
}

static void a_place_comes_back_as_it_was(void **state)
{
	static const int64_t seqs[] = { 0, 1, 4711, INT64_C(0x7fffffffffffffff) };
	static const char *const keys[] = { "a", "DK202500000924", "kunci dengan spasi dan \xc3\xa9" };
	int64_t seq;

	(void)state;
	for (size_t i = 0; i < BUS_LEN(seqs); i++) {
		char *text = feed(&ours, &residents, seqs[i]);

		assert_int_equal(gw_cursor_read_feed(&ours, &residents, text, &seq), BUS_OK);
		assert_true(seq == seqs[i]);
		free(text);
	}
	for (size_t i = 0; i < BUS_LEN(keys); i++) {
		char *text = page(&ours, &residents, keys[i]);
		struct bus_buf key = { 0 };

		assert_int_equal(gw_cursor_read_page(&ours, &residents, text, &key), BUS_OK);
		assert_string_equal(bus_buf_cstr(&key), keys[i]);
		bus_buf_release(&key);
		free(text);
	}
}

static void a_cursor_is_safe_in_a_url(void **state)
{
	char *text = page(&ours, &residents, "a/b?c&d=e%");

	(void)state;
	assert_int_equal(strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"),
			 strlen(text));
	free(text);
}

/* Another digit at any one place: never accepted, and never taken for one of another store. */
static void every_changed_character_is_found(void **state)
{
	char *text = feed(&ours, &residents, 4711);

	(void)state;
	for (size_t i = 0; text[i]; i++) {
		char was = text[i];
		int64_t seq = -1;

		for (const char *d = "AQgw09-_z"; *d; d++) {
			if (*d == was)
				continue;
			text[i] = *d;
			assert_int_equal(gw_cursor_read_feed(&ours, &residents, text, &seq), BUS_EINVAL);
			assert_int_equal(seq, -1);
		}
		text[i] = was;
	}
	free(text);
}

static void a_shortened_or_lengthened_cursor_is_refused(void **state)
{
	char *text = page(&ours, &residents, "kunci"), *longer = bus_xasprintf("%sAAAA", text);
	struct bus_buf key = { 0 };

	(void)state;
	assert_int_equal(gw_cursor_read_page(&ours, &residents, longer, &key), BUS_EINVAL);
	for (size_t n = strlen(text); n-- > 0;) {
		text[n] = '\0';
		assert_int_equal(gw_cursor_read_page(&ours, &residents, text, &key), BUS_EINVAL);
	}
	assert_int_equal(key.n, 0);
	free(text);
	free(longer);
}

static void another_view_kind_or_key_is_refused(void **state)
{
	const struct gw_cursors theirs = { .key = { 9 }, .store = 77 };
	char *text = feed(&ours, &residents, 5);
	struct bus_buf key = { 0 };
	int64_t seq;

	(void)state;
	assert_int_equal(gw_cursor_read_feed(&ours, &families, text, &seq), BUS_EINVAL);
	assert_int_equal(gw_cursor_read_page(&ours, &residents, text, &key), BUS_EINVAL);
	assert_int_equal(gw_cursor_read_feed(&theirs, &residents, text, &seq), BUS_EINVAL);
	free(text);
	text = page(&ours, &residents, "12345678"); /* as long as a sequence number */
	assert_int_equal(gw_cursor_read_feed(&ours, &residents, text, &seq), BUS_EINVAL);
	free(text);
	bus_buf_release(&key);
}

static void a_cursor_of_another_store_is_told_apart(void **state)
{
	const struct gw_cursors rebuilt = { .key = { 1, 2, 3 }, .store = 78 };
	char *text = feed(&ours, &residents, 5);
	int64_t seq;

	(void)state;
	assert_int_equal(gw_cursor_read_feed(&rebuilt, &residents, text, &seq), BUS_ENOENT);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_place_comes_back_as_it_was),
		cmocka_unit_test(a_cursor_is_safe_in_a_url),
		cmocka_unit_test(every_changed_character_is_found),
		cmocka_unit_test(a_shortened_or_lengthened_cursor_is_refused),
		cmocka_unit_test(another_view_kind_or_key_is_refused),
		cmocka_unit_test(a_cursor_of_another_store_is_told_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
