/* Events as MariaDB 10.11.19 wrote them (binlog_row_metadata=FULL), for the statements
 *
 *   CREATE TABLE unit (kode varchar(20) PRIMARY KEY, jumlah decimal(9,2), jenis enum('a','b'), sejak timestamp(2) NULL, isi blob,
 *     induk uuid, lain double, u int unsigned, t time(3)); CREATE TABLE tetangga (a int PRIMARY KEY); RESET MASTER;
 *   INSERT INTO unit VALUES ('A', -1.5, 'b', '2026-03-31 07:30:01.25', x'00ff', '11223344-5566-1788-99aa-bbccddeeff00', 0.1,
 *     4294967295, '-01:02:03.004'), ('B', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
 *   INSERT INTO tetangga VALUES (1); UPDATE unit SET jumlah = 7 WHERE kode = 'B'; DELETE FROM unit WHERE kode = 'A';
 *   ALTER TABLE unit ADD x int
 *
 * plainly, with checksums, and with log_bin_compress: the files that the fuzzer begins with. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "adapters/change/binlog.h"
#include "bus/buf.h"

static const struct adapter_binlog_column column[] = {
	{ "kode", ADAPTER_BINLOG_UTF8 },  { "jumlah", ADAPTER_BINLOG_UTF8 }, { "jenis", ADAPTER_BINLOG_UTF8 },
	{ "sejak", ADAPTER_BINLOG_UTF8 }, { "isi", ADAPTER_BINLOG_HEX },     { "induk", ADAPTER_BINLOG_UUID },
	{ "lain", ADAPTER_BINLOG_UTF8 },  { "u", ADAPTER_BINLOG_UTF8 },	     { "t", ADAPTER_BINLOG_UTF8 },
	{ "tiada", ADAPTER_BINLOG_UTF8 },
};
#define COLUMNS BUS_LEN(column)

static size_t load(const char *name, char *out, size_t cap)
{
	char path[128];
	FILE *fp;
	size_t n;

	snprintf(path, sizeof(path), "tests/fuzz/corpus/binlog/%s", name);
	fp = fopen(path, "rb");
	assert_non_null(fp);
	n = fread(out, 1, cap, fp);
	fclose(fp);
	return n;
}

static size_t length(const char *event)
{
	return (unsigned char)event[9] | (size_t)(unsigned char)event[10] << 8;
}

static void put_row(char mark, const struct adapter_binlog_value *value, struct bus_buf *out)
{
	bus_buf_putc(out, mark);
	for (size_t i = 0; i < COLUMNS; i++) {
		if (value[i].missing)
			bus_buf_puts(out, " -");
		else if (value[i].null)
			bus_buf_puts(out, " null");
		else
			bus_buf_printf(out, " %.*s", (int)value[i].text.n, value[i].text.p);
	}
	bus_buf_putc(out, '\n');
}

static void put_event(struct adapter_binlog *b, const struct adapter_binlog_event *ev, struct bus_buf *out)
{
	const struct adapter_binlog_value *old, *new;
	struct bus_error err;

	switch (ev->kind) {
	case ADAPTER_BINLOG_FORMAT:
		bus_buf_puts(out, "format\n");
		break;
	case ADAPTER_BINLOG_GTID:
		bus_buf_printf(out, "%u-%u-%u%s\n", ev->domain, ev->server_id, (unsigned)ev->seq,
			       ev->flags & ADAPTER_BINLOG_STANDALONE ? " alone" : "");
		break;
	case ADAPTER_BINLOG_COMMIT:
		bus_buf_puts(out, "commit\n");
		break;
	case ADAPTER_BINLOG_TABLE:
		bus_buf_puts(out, "table\n");
		break;
	case ADAPTER_BINLOG_QUERY:
		bus_buf_printf(out, "%.*s: %.*s\n", (int)ev->database.n, ev->database.p, (int)ev->text.n,
			       ev->text.p);
		break;
	case ADAPTER_BINLOG_ROWS:
		while (adapter_binlog_next(b, &old, &new, &err) == BUS_OK) {
			if (old)
				put_row('<', old, out);
			if (new)
				put_row('>', new, out);
		}
		break;
	default:
		break;
	}
}

static const char told[] = "format\n0-11-1\ntable\n"
			   "> A -1.50 b 2026-03-31 07:30:01.25+00 00FF 11223344-5566-1788-99aa-bbccddeeff00 "
			   "0.1 4294967295 -01:02:03.004 -\n"
			   "> B null null null null null null null null -\ncommit\n"
			   "0-11-2\ncommit\n"
			   "0-11-3\ntable\n< B null null null null null null null null -\n> B 7.00 null null "
			   "null null null null null -\ncommit\n"
			   "0-11-4\ntable\n"
			   "< A -1.50 b 2026-03-31 07:30:01.25+00 00FF 11223344-5566-1788-99aa-bbccddeeff00 "
			   "0.1 4294967295 -01:02:03.004 -\n"
			   "commit\n0-11-5 alone\ntitian: ALTER TABLE unit ADD x int\n";

static void events_say_what_the_statements_did(void **state)
{
	static const char *const name[] = { "rows", "checked", "compressed" };
	char data[4096];

	(void)state;
	for (size_t i = 0; i < BUS_LEN(name); i++) {
		struct adapter_binlog *b = adapter_binlog_new("titian", "unit", column, COLUMNS, false);
		size_t n = load(name[i], data, sizeof(data));
		struct bus_buf out = { 0 };

		for (size_t at = 0; at < n; at += length(data + at)) {
			struct adapter_binlog_event ev;
			struct bus_error err;

			if (adapter_binlog_read(b, (struct bus_str){ data + at, length(data + at) }, &ev,
						&err))
				fail_msg("%s: %s", name[i], err.text);
			put_event(b, &ev, &out);
		}
		assert_string_equal(bus_buf_cstr(&out), told);
		bus_buf_release(&out);
		adapter_binlog_free(&b);
	}
}

/* Each event cut off at each length, whatever its header then says: refused, or read without a look behind its end. */
static void what_is_cut_off_is_never_read_further(void **state)
{
	char data[4096];
	size_t n = load("rows", data, sizeof(data));

	(void)state;
	for (size_t at = 0, whole; at < n; at += whole) {
		whole = length(data + at);
		for (size_t cut = 13; cut < whole; cut++) {
			struct adapter_binlog *b =
			    adapter_binlog_new("titian", "unit", column, COLUMNS, false);
			struct adapter_binlog_event ev;
			struct bus_error err;
			struct bus_buf out = { 0 };
			char *copy = bus_xmalloc(cut);
			size_t before = 0;

			for (; before < at; before += length(data + before))
				assert_int_equal(adapter_binlog_read(
						     b,
						     (struct bus_str){ data + before, length(data + before) },
						     &ev, &err),
						 BUS_OK);
			memcpy(copy, data + at, cut);
			copy[9] = (char)(cut & 0xff);
			copy[10] = (char)(cut >> 8);
			if (adapter_binlog_read(b, (struct bus_str){ copy, cut }, &ev, &err) == BUS_OK)
				put_event(b, &ev, &out);
			bus_buf_release(&out);
			free(copy);
			adapter_binlog_free(&b);
		}
	}
}

static void a_changed_byte_does_not_pass_a_checksum(void **state)
{
	struct adapter_binlog *b = adapter_binlog_new("titian", "unit", column, COLUMNS, false);
	char data[4096];
	struct adapter_binlog_event ev;
	struct bus_error err;
	size_t at;

	(void)state;
	(void)load("checked", data, sizeof(data));
	at = length(data);
	assert_int_equal(adapter_binlog_read(b, (struct bus_str){ data, at }, &ev, &err), BUS_OK);
	data[at + 22] ^= 1;
	assert_int_equal(adapter_binlog_read(b, (struct bus_str){ data + at, length(data + at) }, &ev, &err),
			 BUS_EDATA);
	adapter_binlog_free(&b);
}

static void numbers_are_the_shortest_that_read_back(void **state)
{
	char text[ADAPTER_BINLOG_NUMBER];

	(void)state;
	adapter_binlog_put_double(0.1, text);
	assert_string_equal(text, "0.1");
	adapter_binlog_put_double(0.1 + 0.2, text);
	assert_string_equal(text, "0.30000000000000004");
	adapter_binlog_put_float(0.1F, text);
	assert_string_equal(text, "0.1");
	adapter_binlog_put_float(16777216.0F, text);
	assert_string_equal(text, "16777216");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(events_say_what_the_statements_did),
		cmocka_unit_test(what_is_cut_off_is_never_read_further),
		cmocka_unit_test(a_changed_byte_does_not_pass_a_checksum),
		cmocka_unit_test(numbers_are_the_shortest_that_read_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
