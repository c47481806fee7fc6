/* Messages of logical replication. The bytes are those that PostgreSQL 15.18 gave, by pg_logical_slot_peek_binary_changes, for
 * the statements that the comments name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "adapters/change/pgoutput.h"
#include "bus/hex.h"

/* CREATE TABLE unit (kode text PRIMARY KEY, nama text, jumlah bigint, isi text) */
#define UNIT                                                                                                 \
	"52000060007075626c696300756e697400640004016b6f64650000000019ffffffff006e616d610000000019ffffffff00" \
	"6a756d6c61680000000014ffffffff006973690000000019ffffffff"
/* CREATE TABLE penuh (kode text PRIMARY KEY, nama text); ALTER TABLE penuh REPLICA IDENTITY FULL */
#define PENUH                                                                                                \
	"52000060077075626c69630070656e756800660002016b6f64650000000019ffffffff016e616d610000000019ffffffff"

static struct adapter_pg_reader *reader;
static char bytes[1024];

static enum bus_err read_n(const char *hex, size_t n, struct adapter_pg_change *out, struct bus_error *err)
{
	assert_true(bus_unhex(hex, n, bytes));
	return adapter_pg_read(reader, (struct bus_str){ bytes, n }, out, err);
}

static struct adapter_pg_change read(const char *hex)
{
	struct adapter_pg_change c;
	struct bus_error err = { 0 };

	if (read_n(hex, strlen(hex) / 2, &c, &err))
		fail_msg("%s", err.text);
	return c;
}

static void is(const struct adapter_pg_value *v, const char *want)
{
	assert_int_equal(v->kind, ADAPTER_PG_TEXT);
	assert_true(bus_str_is(v->text, want));
}

static int setup(void **state)
{
	(void)state;
	reader = adapter_pg_reader_new();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	adapter_pg_reader_free(&reader);
	return 0;
}

static void a_transaction_says_where_and_when_it_was_committed(void **state)
{
	struct adapter_pg_change c = read("42000000000194d090000303f2cc0d0ac9000002dc");

	(void)state;
	assert_int_equal(c.kind, ADAPTER_PG_BEGIN);
	assert_int_equal(c.lsn, 0x194d090);
	assert_int_equal(c.xid, 732);
	assert_int_equal(c.time_ms, 1795451070507); /* 2026-11-23 16:24:30.507 UTC */
	c = read("4300000000000194d090000000000194d0c0000303f2cc0d0ac9");
	assert_int_equal(c.kind, ADAPTER_PG_COMMIT);
	assert_int_equal(c.lsn, 0x194d090);
	assert_int_equal(c.end, 0x194d0c0);
}

static void a_relation_names_its_columns_and_its_identity(void **state)
{
	struct adapter_pg_change c = read(UNIT);

	(void)state;
	assert_int_equal(c.kind, ADAPTER_PG_RELATION);
	assert_string_equal(c.relation->schema, "public");
	assert_string_equal(c.relation->name, "unit");
	assert_int_equal(c.relation->identity, 'd');
	assert_int_equal(c.relation->n, 4);
	assert_string_equal(c.relation->column[2].name, "jumlah");
	assert_int_equal(c.relation->column[2].type, 20);
	assert_true(c.relation->column[0].key);
	assert_false(c.relation->column[1].key);
}

static void rows_come_and_change_and_go(void **state)
{
	struct adapter_pg_change c;

	(void)state;
	read(UNIT);
	c = read("49000060004e00047400000001426e6e6e"); /* INSERT INTO unit VALUES ('B') */
	assert_int_equal(c.kind, ADAPTER_PG_INSERT);
	assert_null(c.old.value);
	is(&c.new.value[0], "B");
	assert_int_equal(c.new.value[1].kind, ADAPTER_PG_NULL);
	/* UPDATE unit SET jumlah = 2 WHERE kode = 'A', whose isi is TOASTed */
	c = read("55000060004e0004740000000141740000000453617475740000000132"
		 "75");
	assert_int_equal(c.kind, ADAPTER_PG_UPDATE);
	assert_null(c.old.value);
	is(&c.new.value[2], "2");
	assert_int_equal(c.new.value[3].kind, ADAPTER_PG_UNCHANGED);
	/* UPDATE unit SET kode = 'C' WHERE kode = 'B' */
	c = read("55000060004b00047400000001426e6e6e4e00047400000001436e6e6e");
	assert_true(c.old.key_only);
	is(&c.old.value[0], "B");
	is(&c.new.value[0], "C");
	c = read("44000060004b00047400000001436e6e6e"); /* DELETE FROM unit WHERE kode = 'C' */
	assert_int_equal(c.kind, ADAPTER_PG_DELETE);
	assert_null(c.new.value);
	is(&c.old.value[0], "C");
	read(PENUH);
	c = read("55000060074f00027400000001507400000001704e0002740000000150740000000171");
	assert_false(c.old.key_only);
	is(&c.old.value[1], "p");
	is(&c.new.value[1], "q");
}

static void a_truncate_names_all_that_falls(void **state)
{
	struct adapter_pg_change c;

	(void)state;
	read(UNIT);
	read(PENUH);
	c = read("5400000002000000600000006007"); /* TRUNCATE unit, penuh */
	assert_int_equal(c.kind, ADAPTER_PG_TRUNCATE);
	assert_int_equal(c.n_truncated, 2);
	assert_string_equal(c.truncated[0]->name, "unit");
	assert_string_equal(c.truncated[1]->name, "penuh");
}

static void a_message_has_its_own_place_in_or_beside_a_transaction(void **state)
{
	struct adapter_pg_change c = read("4d00000000000194ee9874697469616e000000000178");

	(void)state;
	assert_int_equal(c.kind, ADAPTER_PG_MESSAGE);
	assert_int_equal(c.lsn, 0x194ee98);
	assert_true(bus_str_is(c.prefix, "titian"));
}

static void a_table_that_gets_a_column_is_described_anew(void **state)
{
	struct adapter_pg_change c;
	struct bus_error err;

	(void)state;
	read(UNIT);
	/* ALTER TABLE unit ADD tambah int */
	c = read(
	    "52000060007075626c696300756e697400640005016b6f64650000000019ffffffff006e616d610000000019ffffffff"
	    "006a756d6c61680000000014ffffffff006973690000000019ffffffff0074616d6261680000000017ffffffff");
	assert_int_equal(c.relation->n, 5);
	assert_string_equal(c.relation->column[4].name, "tambah");
	c = read("49000060004e000574000000015a6e6e6e6e");
	assert_int_equal(c.new.value[4].kind, ADAPTER_PG_NULL);
	/* a row of the four columns it had */
	assert_int_equal(read_n("49000060004e00047400000001426e6e6e", 17, &c, &err), BUS_EDATA);
}

static void a_table_stays_where_it_was_described(void **state)
{
	char other[] = "52000070007075626c69630075006400"
		       "00";
	const struct adapter_pg_relation *unit = read(UNIT).relation;

	(void)state;
	for (int i = 0; i < 16; i++) { /* table u of no columns, under another OID each time */
		snprintf(other + 6, 3, "%02x", 0x70 + i);
		other[8] = '0';
		assert_string_equal(read(other).relation->name, "u");
	}
	assert_string_equal(unit->name, "unit");
	assert_ptr_equal(read("49000060004e00047400000001426e6e6e").relation, unit);
}

static void every_cut_of_a_message_is_refused_with_its_place_and_without_its_words(void **state)
{
	static const char *const whole[] = {
		"42000000000194d090000303f2cc0d0ac9000002dc",
		"4300000000000194d090000000000194d0c0000303f2cc0d0ac9",
		UNIT,
		"55000060004b00047400000001426e6e6e4e00047400000001436e6e6e",
		"44000060004b00047400000001436e6e6e",
		"54000000010000006000",
		"4d00000000000194ee9874697469616e000000000178",
	};
	struct adapter_pg_change c;
	struct bus_error err;

	(void)state;
	for (size_t i = 0; i < BUS_LEN(whole); i++) {
		for (size_t n = 0; n < strlen(whole[i]) / 2; n++) {
			adapter_pg_reader_free(&reader);
			reader = adapter_pg_reader_new();
			if (i > 2)
				read(UNIT);
			assert_int_equal(read_n(whole[i], n, &c, &err), BUS_EDATA);
			assert_null(strstr(err.text, "unit"));
		}
	}
}

static void what_names_no_described_table_is_refused(void **state)
{
	struct adapter_pg_change c;
	struct bus_error err;

	(void)state;
	assert_int_equal(read_n("49000060004e00047400000001426e6e6e", 17, &c, &err), BUS_EDATA);
	assert_int_equal(read_n("5400000002000000600000006007", 14, &c, &err), BUS_EDATA);
	assert_int_equal(read_n("5a00", 2, &c, &err), BUS_EDATA);
}

static void a_place_is_written_as_postgresql_writes_it(void **state)
{
	char text[ADAPTER_PG_LSN];
	uint64_t lsn;

	(void)state;
	assert_string_equal(adapter_pg_lsn(UINT64_C(0x16B374D848), text), "16/B374D848");
	assert_string_equal(adapter_pg_lsn(UINT64_MAX, text), "FFFFFFFF/FFFFFFFF");
	assert_true(adapter_pg_lsn_read(BUS_STR("16/B374D848"), &lsn));
	assert_int_equal(lsn, UINT64_C(0x16B374D848));
	assert_true(adapter_pg_lsn_read(BUS_STR("0/10"), &lsn));
	assert_int_equal(lsn, 16);
	assert_false(adapter_pg_lsn_read(BUS_STR(""), &lsn));
	assert_false(adapter_pg_lsn_read(BUS_STR("16"), &lsn));
	assert_false(adapter_pg_lsn_read(BUS_STR("/1"), &lsn));
	assert_false(adapter_pg_lsn_read(BUS_STR("1/"), &lsn));
	assert_false(adapter_pg_lsn_read(BUS_STR("1/2/3"), &lsn));
	assert_false(adapter_pg_lsn_read(BUS_STR("1/123456789"), &lsn));
	assert_false(adapter_pg_lsn_read(BUS_STR(" 1/2"), &lsn));
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, setup, teardown)

static void a_name_is_no_longer_than_names_are(void **state)
{
	char message[400] = "R\0\0\0\1public";
	struct adapter_pg_change c;
	struct bus_error err;

	(void)state;
	memset(message + 12, 'n', 256);
	assert_int_equal(adapter_pg_read(reader, (struct bus_str){ message, 12 + 256 + 4 }, &c, &err),
			 BUS_EDATA);
	message[12 + 255] = '\0';
	assert_int_equal(adapter_pg_read(reader, (struct bus_str){ message, 12 + 256 + 3 }, &c, &err),
			 BUS_OK);
	assert_int_equal(strlen(c.relation->name), 255);
}

static void descriptions_are_not_kept_without_end(void **state)
{
	static char message[8 + 16 * 1600 + 400];
	struct adapter_pg_change c;
	struct bus_error err;
	size_t n, relations = 0;

	(void)state;
	for (uint32_t id = 1; id < 4000; id++) {
		enum bus_err rc;

		n = 0;
		message[n++] = 'R';
		for (int i = 3; i >= 0; i--)
			message[n++] = (char)(id >> (8 * i));
		n += 2; /* schema, name: "" */
		message[n++] = 'd';
		message[n++] = (char)(1600 >> 8);
		message[n++] = (char)(1600 & 0xff);
		n += (size_t)1600 * (1 + 1 + 8);
		rc = adapter_pg_read(reader, (struct bus_str){ message, n }, &c, &err);
		if (rc) {
			assert_int_equal(rc, BUS_EDATA);
			assert_in_range(relations, 100, 400);
			return;
		}
		relations++;
		/* The same one, told again, is none more. */
		assert_int_equal(adapter_pg_read(reader, (struct bus_str){ message, n }, &c, &err), BUS_OK);
	}
	fail_msg("all of them were kept");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_transaction_says_where_and_when_it_was_committed),
		TEST(a_relation_names_its_columns_and_its_identity),
		TEST(rows_come_and_change_and_go),
		TEST(a_truncate_names_all_that_falls),
		TEST(a_message_has_its_own_place_in_or_beside_a_transaction),
		TEST(a_table_that_gets_a_column_is_described_anew),
		TEST(a_table_stays_where_it_was_described),
		TEST(every_cut_of_a_message_is_refused_with_its_place_and_without_its_words),
		TEST(what_names_no_described_table_is_refused),
		TEST(a_place_is_written_as_postgresql_writes_it),
		TEST(a_name_is_no_longer_than_names_are),
		TEST(descriptions_are_not_kept_without_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
