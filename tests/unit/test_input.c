#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <iconv.h>

#include "adapters/adapter.h"
#include "adapters/input.h"

static void line_is(struct adapter_input *in, const char *expected, uint64_t number)
{
	struct bus_str line;
	bool long_line;

	assert_int_equal(adapter_input_line(in, &line, &long_line, NULL), BUS_OK);
	assert_false(long_line);
	assert_true(bus_str_is(line, expected));
	assert_int_equal(adapter_input_line_number(in), number);
}

static void no_line(struct adapter_input *in)
{
	struct bus_str line;
	bool long_line;

	assert_int_equal(adapter_input_line(in, &line, &long_line, NULL), BUS_ENOENT);
}

static void gives_lines_without_their_ends(void **state)
{
	struct adapter_input *in = adapter_input_memory("a\r\n\nb\rc\n\r\nlast", 14);

	(void)state;
	line_is(in, "a", 1);
	line_is(in, "", 2);
	line_is(in, "b\rc", 3);
	line_is(in, "", 4);
	assert_false(adapter_input_unended(in));
	line_is(in, "last", 5);
	assert_true(adapter_input_unended(in));
	no_line(in);
	no_line(in);
	assert_int_equal(adapter_input_lines(in), 5);
	assert_int_equal(adapter_input_bytes(in), 14);
	assert_int_equal(adapter_input_size(in), 14);
	adapter_input_close(&in);
	assert_null(in);
	adapter_input_close(&in);
}

static void a_final_line_end_begins_no_line(void **state)
{
	struct adapter_input *in = adapter_input_memory("a\n", 2);

	(void)state;
	line_is(in, "a", 1);
	no_line(in);
	assert_int_equal(adapter_input_lines(in), 1);
	adapter_input_close(&in);
	in = adapter_input_memory(NULL, 0);
	no_line(in);
	assert_int_equal(adapter_input_lines(in), 0);
	adapter_input_close(&in);
}

static void a_line_can_be_extended_and_given_back(void **state)
{
	struct adapter_input *in = adapter_input_memory("a\r\nb\nc\nd", 8);
	struct bus_str line;

	(void)state;
	line_is(in, "a", 1);
	assert_int_equal(adapter_input_line_more(in, &line, NULL), BUS_OK);
	assert_true(bus_str_is(line, "a\r\nb"));
	assert_int_equal(adapter_input_line_more(in, &line, NULL), BUS_OK);
	assert_true(bus_str_is(line, "a\r\nb\nc"));
	assert_int_equal(adapter_input_line_number(in), 1);
	assert_int_equal(adapter_input_lines(in), 3);
	adapter_input_line_back(in, &line);
	assert_true(bus_str_is(line, "a"));
	assert_int_equal(adapter_input_lines(in), 1);
	line_is(in, "b", 2);
	line_is(in, "c", 3);
	line_is(in, "d", 4);
	assert_int_equal(adapter_input_line_more(in, &line, NULL), BUS_ENOENT);
	no_line(in);
	adapter_input_close(&in);
}

static void lines_across_the_buffer_s_end_are_whole(void **state)
{
	size_t n = 0, size = 3 * 1024 * 1024;
	char *text = bus_xmalloc(size);
	struct adapter_input *in;
	uint64_t number = 0;

	(void)state;
	/* lengths that fall on no power of two, a few of them near the limit */
	for (size_t len = 1; n + len + 1 < size; len = len * 3 % 1000003 + 1) {
		memset(text + n, 'a' + (int)(len % 26), len);
		text[n + len] = '\n';
		n += len + 1;
	}
	in = adapter_input_memory(text, n);
	for (const char *p = text; p < text + n;) {
		const char *lf = memchr(p, '\n', (size_t)(text + n - p));
		struct bus_str line;
		bool long_line;

		assert_int_equal(adapter_input_line(in, &line, &long_line, NULL), BUS_OK);
		assert_false(long_line);
		assert_true(bus_str_eq(line, (struct bus_str){ p, (size_t)(lf - p) }));
		assert_int_equal(adapter_input_line_number(in), ++number);
		p = lf + 1;
	}
	no_line(in);
	assert_int_equal(adapter_input_bytes(in), n);
	adapter_input_close(&in);
	free(text);
}

static void a_line_over_the_limit_gives_its_beginning_and_is_skipped(void **state)
{
	static const size_t lengths[] = { ADAPTER_ROW_MAX, ADAPTER_ROW_MAX + 1, 9 * ADAPTER_ROW_MAX };

	(void)state;
	for (size_t i = 0; i < BUS_LEN(lengths); i++) {
		for (int crlf = 0; crlf < 2; crlf++) {
			size_t n = lengths[i];
			char *text = bus_xmalloc(n + 4);
			struct adapter_input *in;
			struct bus_str line;
			bool long_line;

			memset(text, 'x', n);
			text[0] = 'y';
			memcpy(text + n, crlf ? "\r\nz\n" : "\nz\nu", 4);
			in = adapter_input_memory(text, n + 4);
			assert_int_equal(adapter_input_line(in, &line, &long_line, NULL), BUS_OK);
			assert_int_equal(long_line, n > ADAPTER_ROW_MAX);
			assert_int_equal(line.n, long_line ? 4096 : n);
			assert_int_equal(line.p[0], 'y');
			line_is(in, "z", 2);
			adapter_input_close(&in);
			free(text);
		}
	}
}

static void an_extension_over_the_limit_is_refused_and_costs_nothing(void **state)
{
	size_t n = 2 * ADAPTER_ROW_MAX;
	char *text = bus_xmalloc(n);
	struct adapter_input *in;
	struct bus_str line;
	bool long_line;

	(void)state;
	memset(text, 'x', n);
	text[1] = '\n';
	in = adapter_input_memory(text, n);
	line_is(in, "x", 1);
	assert_int_equal(adapter_input_line_more(in, &line, NULL), BUS_ETOOBIG);
	adapter_input_line_back(in, &line);
	assert_true(bus_str_is(line, "x"));
	assert_int_equal(adapter_input_line(in, &line, &long_line, NULL), BUS_OK);
	assert_true(long_line);
	assert_int_equal(adapter_input_line_number(in), 2);
	adapter_input_close(&in);
	free(text);
}

static void peeks_without_consuming_and_skips(void **state)
{
	struct adapter_input *in = adapter_input_memory("\xef\xbb\xbf"
							"a\n",
							5);
	struct bus_str head;

	(void)state;
	assert_int_equal(adapter_input_peek(in, 3, &head, NULL), BUS_OK);
	assert_true(bus_str_is(head, "\xef\xbb\xbf"));
	assert_int_equal(adapter_input_peek(in, 100, &head, NULL), BUS_OK);
	assert_int_equal(head.n, 5);
	assert_int_equal(adapter_input_bytes(in), 0);
	adapter_input_skip(in, 3);
	line_is(in, "a", 1);
	assert_int_equal(adapter_input_lines(in), 1);
	adapter_input_close(&in);
}

/* FIPS 180-2, appendix B.1: SHA-256 of "abc"; and of one million letters a, appendix B.3. */
static void hashes_the_whole_file_wherever_reading_stopped(void **state)
{
	struct adapter_input *in = adapter_input_memory("abc", 3);
	char hex[65], *text;

	(void)state;
	assert_int_equal(adapter_input_sha256(in, hex, NULL), BUS_OK);
	assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	adapter_input_close(&in);

	text = bus_xmalloc(1000000);
	memset(text, 'a', 1000000);
	in = adapter_input_memory(text, 1000000);
	assert_int_equal(adapter_input_sha256(in, hex, NULL), BUS_OK);
	assert_int_equal(adapter_input_sha256(in, hex, NULL), BUS_OK);
	assert_string_equal(hex, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
	assert_int_equal(adapter_input_lines(in), 1);
	assert_int_equal(adapter_input_bytes(in), 1000000);
	no_line(in);
	adapter_input_close(&in);
	free(text);
}

static void pieces_are_all_the_bytes_and_count_lines(void **state)
{
	size_t n = 1000 * 1000, seen = 0;
	char *text = bus_xmalloc(n);
	struct adapter_input *in;
	struct bus_str piece;
	enum bus_err rc;

	(void)state;
	for (size_t i = 0; i < n; i++)
		text[i] = i % 10 == 9 ? '\n' : (char)('a' + i % 7);
	in = adapter_input_memory(text, n);
	while ((rc = adapter_input_piece(in, &piece, NULL)) == BUS_OK) {
		assert_memory_equal(piece.p, text + seen, piece.n);
		seen += piece.n;
	}
	assert_int_equal(rc, BUS_ENOENT);
	assert_int_equal(seen, n);
	assert_int_equal(adapter_input_lines(in), n / 10);
	adapter_input_close(&in);
	free(text);
}

/* n bytes of UTF-8 in this encoding, by the C library. */
static struct bus_str encoded(const char *name, const char *text, size_t n)
{
	iconv_t cd = iconv_open(name, "UTF-8");
	char *in = bus_xstrndup(text, n), *from = in, *out = bus_xmalloc(2 * n + 4), *to = out;
	size_t left = 2 * n + 4;

	assert_true(cd != (iconv_t)-1);
	assert_int_equal(iconv(cd, &from, &n, &to, &left), 0);
	iconv_close(cd);
	free(in);
	return (struct bus_str){ out, (size_t)(to - out) };
}

static void utf16_is(const char *name, bool big_endian)
{
	static const char line[] = "Jl. Cemara \xc3\xa9\xe2\x82\xac \xf0\x9f\x98\x80 no. 1";
	char *text = bus_xcalloc(1, 1024 * 1024);
	struct bus_str bytes, piece;
	struct adapter_input *in;
	size_t n = 0, lines = 20000;

	/* Characters of 1 to 4 bytes, moved on by a byte now and then so that they are torn at every place. */
	for (size_t i = 0; i < lines; i++)
		n += (size_t)sprintf(text + n, "%.*s%s\n", (int)(i % 3), "ab", line);
	bytes = encoded(name, text, n);
	in = adapter_input_memory(bytes.p, bytes.n);
	assert_int_equal(adapter_input_peek(in, 4, &piece, NULL), BUS_OK);
	adapter_input_utf16(in, big_endian);
	for (size_t i = 0, at = 0; i < lines; i++) {
		char *lf = strchr(text + at, '\n');

		*lf = '\0';
		line_is(in, text + at, i + 1);
		at = (size_t)(lf - text) + 1;
	}
	no_line(in);
	assert_int_equal(adapter_input_bytes(in), bytes.n);
	adapter_input_close(&in);
	free((void *)(uintptr_t)bytes.p);
	free(text);
}

static void reads_utf16_of_both_orders(void **state)
{
	(void)state;
	utf16_is("UTF-16LE", false);
	utf16_is("UTF-16BE", true);
}

static void a_lone_surrogate_of_utf16_becomes_a_replacement_character(void **state)
{
	struct adapter_input *in = adapter_input_memory("\x00\xd8"
							"a\0\n\0"
							"\x00\xdc"
							"b\0\n\0"
							"\x3d\xd8",
							14);

	(void)state;
	adapter_input_utf16(in, false);
	line_is(in,
		"\xef\xbf\xbd"
		"a",
		1);
	line_is(in,
		"\xef\xbf\xbd"
		"b",
		2);
	no_line(in); /* what is torn off at the end is nothing */
	adapter_input_close(&in);
}

static void says_why_a_path_cannot_be_read(void **state)
{
	char dir[] = "/tmp/titian-test-input-XXXXXX", path[64];
	struct adapter_input *in;
	struct bus_error err;

	(void)state;
	assert_int_equal(adapter_input_open("/nowhere/x", &in, &err), BUS_ENOENT);
	assert_null(in);
	assert_non_null(mkdtemp(dir));
	assert_int_equal(adapter_input_open(dir, &in, &err), BUS_EIO);
	assert_non_null(strstr(err.text, "a directory"));
	snprintf(path, sizeof(path), "%s/pipe", dir);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(adapter_input_open(path, &in, &err), BUS_EIO); /* and does not hang */
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink("/etc/hostname", path), 0);
	assert_int_equal(adapter_input_open_itself(path, &in, &err), BUS_EIO);
	assert_null(in);
	assert_int_equal(adapter_input_open(path, &in, &err), BUS_OK);
	adapter_input_close(&in);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(dir), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gives_lines_without_their_ends),
		cmocka_unit_test(a_final_line_end_begins_no_line),
		cmocka_unit_test(a_line_can_be_extended_and_given_back),
		cmocka_unit_test(lines_across_the_buffer_s_end_are_whole),
		cmocka_unit_test(a_line_over_the_limit_gives_its_beginning_and_is_skipped),
		cmocka_unit_test(an_extension_over_the_limit_is_refused_and_costs_nothing),
		cmocka_unit_test(peeks_without_consuming_and_skips),
		cmocka_unit_test(hashes_the_whole_file_wherever_reading_stopped),
		cmocka_unit_test(pieces_are_all_the_bytes_and_count_lines),
		cmocka_unit_test(reads_utf16_of_both_orders),
		cmocka_unit_test(a_lone_surrogate_of_utf16_becomes_a_replacement_character),
		cmocka_unit_test(says_why_a_path_cannot_be_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
