#include "tests/support/source_rows.h"

#define CONF "table: s.t"
#define HEAD "--\nSET client_encoding = 'UTF8';\nCREATE TABLE s.t (a text);\n"

static void finds_the_table_among_others(void **state)
{
	(void)state;
	rows_are(
	    "pgdump", CONF,
	    HEAD
	    "COPY s.other (a, b) FROM stdin;\nCOPY s.t (a, b) FROM stdin;\n1\t2\n\\.\n\n"
	    "COPY s.t (a, b, \"c d\") FROM stdin;\n3\t4\t5\n\t\t\n\\.\nCOPY s.u (a) FROM stdin;\n9\n\\.\n",
	    "c d,a", "10: 5|3\n11: |\n");
	rows_are("pgdump", "table: s.Ta b", "COPY s.\"Ta b\" (a) FROM stdin;\n1\n\\.\n", "a", "2: 1\n");
}

/* PostgreSQL manual, COPY, table of backslash sequences. */
static void undoes_the_escapes_of_copy(void **state)
{
	(void)state;
	rows_are("pgdump", CONF,
		 "COPY s.t (a, b) FROM "
		 "stdin;\nx\\ty\\nz\t\\N\n\\\\N\t\\b\\f\\r\\v\n\\x41\\x4a0\\101\\7\t\\q\\\n\\.\n",
		 "a,b", "2: x\ty\nz|\\N\n3: \\N|\b\f\r\v\n4: AJ0A\a|q\\\n");
	rows_are("pgdump", CONF, "COPY s.t (a) FROM stdin;\n\\xc3\\xa9\n\\xe9\nx\\000y\n\\.\n", "a",
		 "2: \xc3\xa9\n3* \xc3\xa9\n4! baris_rusak\n");
}

static void takes_the_encoding_from_the_dump(void **state)
{
	(void)state;
	rows_are("pgdump", CONF, "SET client_encoding = 'LATIN1';\nCOPY s.t (a) FROM stdin;\n\xc3\xa9\n\\.\n",
		 "a", "3: \xc3\x83\xc2\xa9\n");
	rows_refused("pgdump", CONF, "SET client_encoding = 'BIG5';\n", 30, "a", BUS_EDATA,
		     "--encoding=UTF8");
}

static void a_row_with_another_number_of_fields_is_a_defect(void **state)
{
	(void)state;
	rows_are("pgdump", CONF, "COPY s.t (a, b) FROM stdin;\n1\n1\t2\t3\n1\t2\n\\.\n", "a",
		 "2! baris_rusak\n3! baris_rusak\n4: 1\n");
}

static void a_block_without_its_end_is_cut(void **state)
{
	(void)state;
	rows_are("pgdump", CONF, "COPY s.t (a) FROM stdin;\n1\n2", "a", "2: 1\n3: 2\ncut\n");
	rows_are("pgdump", CONF, "COPY s.t (a) FROM stdin;\n", "a", "cut\n");
}

static void a_table_that_comes_twice_is_an_error(void **state)
{
	(void)state;
	rows_are("pgdump", CONF, "COPY s.t (a) FROM stdin;\n1\n\\.\nCOPY s.t (a) FROM stdin;\n2\n\\.\n", "a",
		 "2: 1\nerror\n");
	assert_non_null(strstr(rows_error, "line 4: "));
}

static void refuses_a_dump_without_the_table_and_names_those_it_has(void **state)
{
	static const char other[] = "COPY s.a (x) FROM stdin;\n\\.\nCOPY s.b (x) FROM stdin;\n\\.\n";
	static const char inserts[] = "INSERT INTO s.t VALUES (1);\n";
	static const char cut[] = "COPY s.a (x) FROM stdin;\nCOPY s.t (x) FROM stdin;\n";

	(void)state;
	rows_refused("pgdump", CONF, other, sizeof(other) - 1, "x", BUS_EDATA,
		     "no COPY of 's.t'; tables: s.a, s.b");
	rows_refused("pgdump", CONF, inserts, sizeof(inserts) - 1, "x", BUS_EDATA, "--inserts");
	rows_refused("pgdump", CONF, cut, sizeof(cut) - 1, "x", BUS_EDATA, "s.a");
	rows_refused("pgdump", CONF, "PGDMP\x01", 6, "x", BUS_EDATA, "pg_dump -Fp");
	rows_refused("pgdump", "table: s.a", other, sizeof(other) - 1, "xx", BUS_EDATA, "no column 'xx'");
	rows_refuses_foreign_files("pgdump", CONF, "x");
	rows_refused("pgdump", "{}", NULL, 0, "x", BUS_EPARSE, "table");
}

static void reads_the_sample_feed_as_the_truth_says(void **state)
{
	(void)state;
	rows_feed("pgdump", "table: simpeg.pegawai", "bkpsdm_pegawai.sql", "nip,nik,nama,gelar_belakang",
		  "baris_rusak", NULL, 40, 63, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_the_table_among_others),
		cmocka_unit_test(undoes_the_escapes_of_copy),
		cmocka_unit_test(takes_the_encoding_from_the_dump),
		cmocka_unit_test(a_row_with_another_number_of_fields_is_a_defect),
		cmocka_unit_test(a_block_without_its_end_is_cut),
		cmocka_unit_test(a_table_that_comes_twice_is_an_error),
		cmocka_unit_test(refuses_a_dump_without_the_table_and_names_those_it_has),
		cmocka_unit_test(reads_the_sample_feed_as_the_truth_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
