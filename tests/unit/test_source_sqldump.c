#include "tests/support/source_rows.h"

#define CONF "table: t"
#define MAKE                                                                                                 \
	"CREATE TABLE `t` (\n `a` int(11) NOT NULL DEFAULT '0,1',\n `b` decimal(4,2), c enum('x','y'),\n "   \
	"PRIMARY KEY (`a`,`b`), KEY k (c)\n);\n"

static void finds_the_table_among_others(void **state)
{
	(void)state;
	rows_are("sqldump", CONF,
		 "-- INSERT INTO t VALUES (0)\n/*!40101 SET NAMES utf8 */;\nINSERT INTO `other` (`a`) VALUES "
		 "(9),('; INSERT INTO t');\n"
		 "INSERT INTO `t` (`a`, `b`) VALUES (1,'x'),\n(2,'y')\n,(-3.5e-7,NULL);\nINSERT IGNORE INTO "
		 "db.t (b,a) VALUE ('z', 4);\n"
		 "REPLACE INTO `db`.`t` (b,a) VALUES ('w',0x4142) ON DUPLICATE KEY UPDATE a=(1);\nINSERT "
		 "INTO t2 (a) VALUES (8);\n",
		 "b,a", "4: x|1\n5: y|2\n6: \\N|-3.5e-7\n7: z|4\n8: w|AB\n");
	rows_are("sqldump", "table: s.t", "INSERT INTO u.t (a) VALUES (1);INSERT INTO s.t (a) VALUES (2);",
		 "a", "1: 2\n");
}

static void names_come_from_create_table_when_the_insert_has_none(void **state)
{
	(void)state;
	rows_are("sqldump", CONF, MAKE "INSERT INTO `t` VALUES (1,2.50,'x'),(2,'3,0','y');\n", "c,a",
		 "6: x|1\n6: y|2\n");
	rows_are("sqldump", CONF,
		 "CREATE TABLE IF NOT EXISTS \"t\" (\"a\" TEXT, [b c] INT);INSERT INTO \"t\" VALUES('1',2);",
		 "b c,a", "1: 2|1\n");
	rows_are("sqldump", CONF, MAKE "INSERT INTO t (b,a) VALUES (1,2);", "c,a",
		 "6: ?|2\n"); /* left out: not there */
	rows_are("sqldump", CONF, MAKE, "a", "");
}

/* MySQL 8.0 manual, 9.1.1; PostgreSQL and SQLite: a backslash is one. */
static void undoes_what_is_escaped(void **state)
{
	(void)state;
	rows_are("sqldump", CONF, "INSERT INTO t (a,b) VALUES ('it''s\\'n\\\\\\n\\t\\%\\q', '\xc3\xa9\xe9');",
		 "a,b", "1* it's'n\\\n\t\\%q|\xc3\xa9\xc3\xa9\n");
	rows_are("sqldump", CONF, "-- PostgreSQL database dump\nINSERT INTO t (a,b) VALUES ('c:\\', 'n\\n');",
		 "a,b", "2: c:\\|n\\n\n");
	/* who typed these words into a form must not decide how what he typed is read */
	rows_are("sqldump", CONF, "insert into t (a,b) VALUES ('PRAGMA foreign_keys','\\'),(1,2); -- ');",
		 "a,b", "1: PRAGMA foreign_keys|'),(1,2); -- \n");
	rows_are("sqldump", "{table: t, backslash: false}", "INSERT INTO t (a) VALUES ('\\');", "a",
		 "1: \\\n");
	rows_are("sqldump", "{table: t, backslash: true}",
		 "-- PostgreSQL database dump\nINSERT INTO t (a) VALUES ('\\'');", "a", "2: '\n");
	rows_are("sqldump", "{table: t, encoding: latin-1}",
		 "INSERT INTO t (a,b) VALUES (_latin1'\xe9', X'4A'),(N'b',true);", "a,b",
		 "1: \xc3\xa9|J\n1: b|true\n");
}

static void what_is_no_row_is_a_defect_and_reading_goes_on(void **state)
{
	(void)state;
	rows_are("sqldump", CONF,
		 "INSERT INTO t (a,b) VALUES\n(1),\n(1,2,3),\n(NOW(),')'),\n((SELECT "
		 "1),2),\n(0x123,1),\n('\\0',1),\n(7,8);",
		 "a",
		 "2! baris_rusak\n3! baris_rusak\n4! baris_rusak\n5! baris_rusak\n6! baris_rusak\n7! "
		 "baris_rusak\n8: 7\n");
}

static void a_dump_that_breaks_off_is_cut(void **state)
{
	(void)state;
	rows_are("sqldump", CONF, "INSERT INTO t (a) VALUES (1),(2", "a", "1: 1\ncut\n");
	rows_are("sqldump", CONF, "INSERT INTO t (a) VALUES (1),", "a", "1: 1\ncut\n");
	rows_are("sqldump", CONF, "INSERT INTO t (a) VALUES (1);\nINSERT INTO u (a) VALUES ('x", "a",
		 "1: 1\ncut\n");
}

static void refuses_what_it_cannot_know(void **state)
{
	(void)state;
	rows_refused("sqldump", CONF, "INSERT INTO u (a) VALUES (1);INSERT INTO `v` (a) VALUES (1);", 59, "a",
		     BUS_EDATA, "tables: u, v");
	rows_refused("sqldump", CONF, "INSERT INTO t VALUES (1);", 25, "a", BUS_EDATA, "--complete-insert");
	rows_refused("sqldump", CONF, "INSERT INTO t (nama) VALUES (1);", 32, "nam", BUS_EDATA, "'nama'");
	rows_refuses_foreign_files("sqldump", CONF, "a");
}

static void a_row_over_the_limit_costs_itself(void **state)
{
	struct bus_buf b = { 0 };
	char *got;

	(void)state;
	bus_buf_puts(&b, "INSERT INTO t (a) VALUES (1),\n('");
	for (size_t i = 0; i < ADAPTER_ROW_MAX + 10; i++)
		bus_buf_putc(&b, 'x');
	bus_buf_puts(&b, "'),\n(3);");
	got = rows_text("sqldump", CONF, b.p, b.n, "a");
	assert_string_equal(got, "1: 1\n2! baris_terlalu_panjang\n3: 3\n");
	free(got);
	bus_buf_release(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_the_table_among_others),
		cmocka_unit_test(names_come_from_create_table_when_the_insert_has_none),
		cmocka_unit_test(undoes_what_is_escaped),
		cmocka_unit_test(what_is_no_row_is_a_defect_and_reading_goes_on),
		cmocka_unit_test(a_dump_that_breaks_off_is_cut),
		cmocka_unit_test(refuses_what_it_cannot_know),
		cmocka_unit_test(a_row_over_the_limit_costs_itself),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
