/* Faults in a mapping: each names its file and line, and the nearest word that is known. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/support/map_try.h"

#define HEAD                                                                                                 \
	"feed: uji\nfiles: uji.csv\ntopic: pku.uji.v1\nkind: register\nsource: {kind: delimited}\n" /* 5     \
												       lines \
												     */
#define REST "key: id\nfields: {id: id}\n"

static void check_fails(const char *yaml, const char *want)
{
	struct map_try t;
	enum bus_err rc = map_try_load(&t, yaml);

	if (rc == BUS_OK || !strstr(t.err.text, want))
		fail_msg("wanted '%s', got '%s'", want, t.err.text);
	assert_null(t.map);
	map_try_close(&t);
}

static void check_value(const char *definition, const char *want)
{
	char *yaml = bus_xasprintf("%svalues:\n  id: {from: A}\n  nik: {from: B, as: nik}\n  tgl: {from: C, "
				   "as: {date: DD-MM-YYYY}}\n"
				   "  x: %s\n" REST,
				   HEAD, definition);

	check_fails(yaml, want);
	free(yaml);
}

static void names_the_line_of_what_is_missing_in_the_head(void **state)
{
	(void)state;
	check_fails("", "map.yaml:1: ");
	check_fails("files: x\n", "feed");
	check_fails("feed: uji\ntopic: t\n", "map.yaml:1: files: is missing");
	check_fails(HEAD "values: {id: {from: A}}\nfields: {id: id}\n", "key: the name of a value");
	check_fails(HEAD "values: {id: {from: A}}\nkey: id\n", "fields: is missing");
	check_fails("feed: u\nfiles: u\ntopic: t\nkind: register\nkey: id\n", "source: is missing");
}

static void hints_at_the_nearest_word(void **state)
{
	(void)state;
	check_fails("feed: u\nfiles: u\ntopic: t\nkind: register\nsource: {kind: delimitted}\n",
		    "map.yaml:5: no source kind 'delimitted'; did you mean 'delimited'?");
	check_fails(HEAD "values: {id: {from: A}}\n" REST "complet: true\n", "map.yaml:9: ");
	check_value("{from: X, as: uper}", "map.yaml:10: no conversion 'uper'; did you mean 'upper'?");
	check_value("{value: nikk}",
		    "map.yaml:10: no value further up is called 'nikk'; did you mean 'nik'?");
	check_value("{form: X}", "map.yaml:10: ");
	check_fails(
	    HEAD "values: {id: {from: A}}\nchecks:\n  - {class: a, fate: refuze, when: {missing: id}}\n" REST,
	    "map.yaml:8: no fate 'refuze'; did you mean 'refuse'?");
	check_fails(HEAD
		    "values: {id: {from: A}}\nchecks:\n  - {class: a, fate: flag, when: {mising: id}}\n" REST,
		    "map.yaml:8: no test 'mising'; did you mean 'missing'?");
	check_fails(
	    HEAD "values: {id: {from: A}}\nchecks:\n  - {class: a, fate: flag, wenn: {missing: id}}\n" REST,
	    "map.yaml:8: ");
}

static void refuses_heads_that_make_no_sense(void **state)
{
	(void)state;
	check_fails("feed: u\nfiles: u\ntopic: a b\nkind: register\n",
		    "map.yaml:3: not a name of a Kafka topic");
	check_fails("feed: u\nfiles: u\ntopic: t\nkind: table\n", "map.yaml:4: kind is register or events");
	check_fails("feed: u\nfiles: u\ntopic: t\nkind: events\ncomplete: true\n",
		    "map.yaml:5: events are never removed");
	check_fails("feed: u\nfiles: u\ntopic: t\nkind: register\nremove_max: 101\n", "map.yaml:5: ");
	check_fails("feed: u\nfiles: []\ntopic: t\nkind: register\n", "map.yaml:2: an empty list");
	check_fails(HEAD "values: {id: {from: A}, v: {from: B}}\nnewest_by: {value: v, older: lama}\n" REST,
		    "map.yaml:7: 'v' is no date or time");
	check_fails(HEAD "values: {id: {from: A}, v: {from: B, as: whole}}\ntime: v\n" REST,
		    "map.yaml:7: 'v' is no date or time");
	check_fails("just text\n", "map.yaml:1: a mapping is needed");
}

static void refuses_definitions_that_make_no_sense(void **state)
{
	(void)state;
	check_value("{}", "where from?");
	check_value("[a]", "a definition is needed");
	check_value("nik", "a definition is needed");
	check_value("{from: X, value: nik}", "both 'from' and 'value'");
	check_value("{from: [X]}", "from: a name is needed");
	check_value("{from: X, else: Y}", "`else` belongs to a field");
	check_value("{flags: true}", "flags belong to a field");
	check_value("{join: [id, tgl]}", "texts are needed");
	check_value("{first: [id, tgl]}", "must be of one kind");
	check_value("{first: []}", "first: of what?");
	check_value("{each: X, item: {from: y}, fields: {a: {from: y}}}", "either `item` or `fields`");
	check_fails(HEAD "values: {row: {from: A}}\n" REST, "'row' means the whole row");
}

static void refuses_conversions_that_cannot_work(void **state)
{
	(void)state;
	check_value("{from: X, as: date}", "date: of what?");
	check_value("{from: X, as: {upper: 1}}", "upper takes nothing");
	check_value("{from: X, as: {date: YY-MM-DD}}", "not a date format");
	check_value("{from: X, as: {time: DD-MM-YYYY}}", "not a time format");
	check_value("{from: X, as: {cut: 5}}", "places as 5-10");
	check_value("{from: X, as: {cut: 9-5}}", "places as 5-10");
	check_value("{from: X, as: {digits: 0}}", "write 18, or 6-10");
	check_value("{from: X, as: {words: [L]}}", "write the words as");
	check_value("{value: tgl, as: upper}", "upper needs a text");
	check_value("{from: X, as: nik_date}", "passed the conversion nik");
	check_value("{value: nik, as: [upper, nik_sex]}", "passed the conversion nik");
	check_value("{from: X, as: {upper: 1, lower: 2}}", "a conversion is a word");
}

static void refuses_tables_that_are_not_there(void **state)
{
	(void)state;
	check_value("{from: X, as: {known: {table: tidak_ada.csv, key: kode}}}",
		    "map.yaml:10: cannot open reference table 'adapters/referensi/tidak_ada.csv'");
	check_value("{from: X, as: {known: {table: ../rahasia.csv, key: kode}}}", "without a folder");
	check_value("{from: X, as: {known: {table: icd10.csv, key: kodee}}}",
		    "the reference table has no column 'kodee'; did you mean 'kode'?");
	check_value("{from: X, as: {lookup: {table: kelurahan.csv, key: kode10}}}", "give");
	check_value("{from: X, as: {lookup: {table: kelurahan.csv, give: kode10}}}", "key: a column");
	/* A kecamatan has many kelurahan: what it stands for cannot be told. */
	check_value("{from: X, as: {lookup: {table: kelurahan.csv, key: kode_kec, give: kode10}}}",
		    "stands for something else");
}

static void keeps_persons_out_of_keys(void **state)
{
	(void)state;
	check_fails(HEAD "values: {id: {from: A, as: nik}}\n" REST,
		    "map.yaml:7: key: a NIK must not be a key");
	check_value("{pseudonym: id}", "needs a domain");
	check_value("{pseudonym: [nik, id]}", "needs a domain");
}

static void refuses_tests_that_can_never_hold(void **state)
{
	static const char *const values = HEAD "values:\n  id: {from: A}\n  n: {value: id, as: clean}\n"
					       "  t: {value: id, as: {date: DD-MM-YYYY}}\nchecks:\n";
	static const struct {
		const char *when, *want;
	} cases[] = {
		{ "{bad: n}", "map.yaml:11: 'n' cannot be bad" },
		{ "{fallback: t}", "one format or key only" },
		{ "{differ: [id, t]}", "not of one kind" },
		{ "{differ: id}", "write differ: [one value, another]" },
		{ "{repeated: t}", "'t' is no text" },
		{ "{falls: id}", "'id' is no number, date or time" },
		{ "{repaired: id}", "write repaired: row" },
		{ "{}", "a test is needed" },
		{ "{missing: [[id]]}", "the name of a value is needed" },
	};

	(void)state;
	for (size_t i = 0; i < BUS_LEN(cases); i++) {
		char *yaml =
		    bus_xasprintf("%s  - {class: a, fate: flag, when: %s}\n" REST, values, cases[i].when);

		check_fails(yaml, cases[i].want);
		free(yaml);
	}
	check_fails(HEAD "values: {id: {from: A}}\nchecks:\n  - {class: a, fate: flag, when: {missing: id}}\n"
			 "  - {class: a, fate: refuse, when: {missing: id}}\n" REST,
		    "map.yaml:9: class 'a' has another fate further up");
	check_fails(
	    HEAD "values: {id: {from: A}}\nchecks:\n  - {class: Ab, fate: flag, when: {missing: id}}\n" REST,
	    "a class is named with");
}

static void check_bind(const char *fields, const char *schema_fields, const char *want)
{
	char *yaml = bus_xasprintf("%svalues: {id: {from: A}, n: {from: B, as: whole}}\nkey: id\nfields:\n%s",
				   HEAD, fields);
	char *schema = bus_xasprintf(
	    "{\"type\":\"record\",\"name\":\"U\",\"x_topik\":\"pku.uji.v1\",\"x_jenis\":\"register\","
	    "\"x_kunci\":\"id\",\"fields\":[%s]}",
	    schema_fields);
	struct map_try t;

	if (map_try_load(&t, yaml) != BUS_OK)
		fail_msg("%s", t.err.text);
	if (map_try_bind(&t, schema) == BUS_OK || !strstr(t.err.text, want))
		fail_msg("wanted '%s', got '%s'", want, t.err.text);
	map_try_close(&t);
	free(yaml);
	free(schema);
}

#define ID "{\"name\":\"id\",\"type\":\"string\"}"

static void finds_misfits_with_the_schema_before_the_first_row(void **state)
{
	(void)state;
	check_bind("  id: id\n  naam: n\n", ID ",{\"name\":\"nama\",\"type\":\"string\"}",
		   "map.yaml:10: the schema has no field 'naam'; did you mean 'nama'?");
	check_bind("  id: id\n", ID ",{\"name\":\"nama\",\"type\":\"string\"}",
		   "field 'nama': is not mapped");
	check_bind("  id: id\n  n: n\n", ID ",{\"name\":\"n\",\"type\":\"string\"}",
		   "map.yaml:10: field 'n': the schema wants string, the mapping gives a whole number");
	check_bind("  id: id\n  n: {from: N}\n",
		   ID ",{\"name\":\"n\",\"type\":{\"type\":\"int\",\"logicalType\":\"date\"}}",
		   "the schema wants date, the mapping gives a text");
	check_bind("  id: id\n  n: {from: N}\n", ID ",{\"name\":\"n\",\"type\":[\"string\",\"int\"]}",
		   "a union of several types");
	check_bind("  id: id\n  n: {from: N, else: X}\n",
		   ID ",{\"name\":\"n\",\"type\":{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"A\"]}}",
		   "map.yaml:10: field 'n': `else` is none of its values");
	check_bind("  n: n\n",
		   "{\"name\":\"id\",\"type\":\"string\",\"default\":\"\"},{\"name\":\"n\",\"type\":\"int\"}",
		   "field 'id': is the register's key by its schema");
	check_bind("  id: id\n", "{\"name\":\"id\",\"type\":\"string\",\"x_pdp\":\"U\"}",
		   "field 'id': is personal data and must not be a key");
}

static void refuses_the_schema_of_another_topic(void **state)
{
	struct map_try t;

	(void)state;
	assert_int_equal(map_try_load(&t, HEAD "values: {id: {from: A}}\n" REST), BUS_OK);
	assert_int_equal(
	    map_try_bind(&t, "{\"type\":\"record\",\"name\":\"U\",\"x_topik\":\"pku.lain.v1\",\"fields\":[" ID
			     "]}"),
	    BUS_ESCHEMA);
	assert_non_null(strstr(t.err.text, "pku.lain.v1"));
	map_try_close(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_the_line_of_what_is_missing_in_the_head),
		cmocka_unit_test(hints_at_the_nearest_word),
		cmocka_unit_test(refuses_heads_that_make_no_sense),
		cmocka_unit_test(refuses_definitions_that_make_no_sense),
		cmocka_unit_test(refuses_conversions_that_cannot_work),
		cmocka_unit_test(refuses_tables_that_are_not_there),
		cmocka_unit_test(keeps_persons_out_of_keys),
		cmocka_unit_test(refuses_tests_that_can_never_hold),
		cmocka_unit_test(finds_misfits_with_the_schema_before_the_first_row),
		cmocka_unit_test(refuses_the_schema_of_another_topic),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
