/* What the vectors do not cover: references, properties, limits, the catalogue. */
#include "tests/support/schemas.h"

#include <glob.h>

#include "schemas/avro/canon.h"

static enum bus_err parse(const char *text, int flags, struct bus_error *err)
{
	struct schema *s = NULL;
	enum bus_err rc = schema_parse(bus_str(text), flags, NULL, 0, &s, err);

	assert_true((rc == BUS_OK) == (s != NULL));
	schema_unref(&s);
	return rc;
}

static void assert_text(const struct schema *s, const char *want)
{
	struct bus_buf b = { 0 };

	schema_to_string(s, &b);
	assert_string_equal(bus_buf_cstr(&b), want);
	bus_buf_release(&b);
}

static void uses_types_of_a_reference_by_name(void **state)
{
	struct schema *inner = schema_of_quoted("{'type':'enum','name':'a.E','symbols':['X','Y']}");
	const struct schema_reference to_inner = { "e.avsc", inner };
	struct schema *middle = NULL;
	struct schema *outer = NULL;
	struct schema_reference refs[2];
	struct bus_error err = { 0 };

	(void)state;
	assert_int_equal(schema_parse(BUS_STR("{\"type\":\"record\",\"name\":\"a.M\",\"fields\":"
					      "[{\"name\":\"e\",\"type\":\"E\"}]}"),
				      SCHEMA_STRICT, &to_inner, 1, &middle, &err),
			 BUS_OK);
	assert_text(middle, "{\"type\":\"record\",\"name\":\"M\",\"namespace\":\"a\",\"fields\":"
			    "[{\"name\":\"e\",\"type\":\"E\"}]}");
	/* The enum comes along with the record that needs it, and once even when named itself too. */
	refs[0] = (struct schema_reference){ "m.avsc", middle };
	refs[1] = (struct schema_reference){ "e.avsc", inner };
	assert_int_equal(schema_parse(BUS_STR("[\"a.M\",\"a.E\"]"), SCHEMA_STRICT, refs, 2, &outer, &err),
			 BUS_OK);
	assert_text(outer, "[\"a.M\",\"a.E\"]");
	assert_string_equal(schema_root(outer)->branch[1]->symbol[1], "Y");
	schema_unref(&inner);
	schema_unref(&middle);
	assert_string_equal(schema_root(outer)->branch[0]->field[0].type->symbol[0], "X");
	schema_unref(&outer);
	assert_null(outer);
}

static void keeps_properties_of_types_and_fields(void **state)
{
	struct schema *s =
	    schema_of_quoted("{'type':'record','name':'R','x_kunci':'nik','x_n':5,'doc':'d','fields':"
			     "[{'name':'a','type':'string','x_pdp':'umum \\u00e9'}]}");
	const struct schema_node *root = schema_root(s);
	size_t at = 9;

	(void)state;
	assert_string_equal(schema_property(root->properties, "x_kunci"), "nik");
	assert_null(schema_property(root->properties, "x_n"));
	assert_null(schema_property(root->properties, "absent"));
	assert_null(schema_property(root->field[0].type->properties, "x_pdp"));
	assert_string_equal(schema_property(root->field[0].properties, "x_pdp"), "umum \xc3\xa9");
	assert_string_equal(root->doc, "d");
	assert_ptr_equal(schema_field_find(root, "a", &at), &root->field[0]);
	assert_int_equal(at, 0);
	assert_null(schema_field_find(root, "b", NULL));
	schema_unref(&s);
}

static void says_what_is_wrong_and_where(void **state)
{
	struct bus_error err = { 0 };

	(void)state;
	assert_int_equal(
	    parse("{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"a\",\"type\":\"int\"},"
		  "{\"name\":\"b\",\"type\":[\"null\",\"strin\"]}]}",
		  SCHEMA_STRICT, &err),
	    BUS_ESCHEMA);
	assert_string_equal(err.text, "schema /fields/1/type/1: unknown type 'strin'");
	assert_int_equal(parse("{\"type\":", SCHEMA_STRICT, &err), BUS_EPARSE);
}

static void takes_a_name_before_its_definition(void **state)
{
	struct schema *s =
	    schema_of_quoted("{'type':'record','name':'R','fields':[{'name':'x','type':['null','S']},"
			     "{'name':'y','type':{'type':'record','name':'S','fields':[]}}]}");
	const struct schema_node *root = schema_root(s);

	(void)state;
	assert_ptr_equal(root->field[0].type->branch[1], root->field[1].type);
	schema_unref(&s);
	assert_int_equal(parse("[\"S\",{\"type\":\"fixed\",\"name\":\"S\",\"size\":1}]", SCHEMA_STRICT, NULL),
			 BUS_ESCHEMA);
}

/* Answers of Avro Java 1.12.2 (strict names, defaults checked). */
static void takes_an_equal_definition_again_as_java_does(void **state)
{
#define TWICE(a, b)                                                                                          \
	"{'type':'record','name':'R','fields':[{'name':'x','type':" a "},{'name':'y','type':" b "}]}"
#define RECORD(field) "{'type':'record','name':'S','fields':[{'name':'n','type':" field "}]}"
#define FIXED "{'type':'fixed','name':'F','size':3}"
	static const struct {
		const char *text;
		bool taken;
	} all[] = {
		{ TWICE(RECORD("'int'"), RECORD("'int'")), true },
		{ TWICE(RECORD("'int','aliases':['k']"), RECORD("'int','doc':'d'")), true },
		{ TWICE(RECORD(FIXED), RECORD(FIXED)), true },
		{ TWICE(RECORD(FIXED), RECORD("'F'")), true },
		{ TWICE("['null'," FIXED "]", "['null'," FIXED "]"), true },
		{ TWICE("{'type':'enum','name':'S','symbols':['A','B'],'default':'A'}",
			"{'type':'enum','name':'S','symbols':['A','B'],'doc':'d'}"),
		  true },
		{ TWICE("{'type':'error','name':'S','fields':[]}",
			"{'type':'record','name':'S','fields':[]}"),
		  true },
		{ TWICE(RECORD("['null','S']"), RECORD("['null','S']")), false },
		{ TWICE(RECORD("'R'"), RECORD("'R'")), false },
		{ TWICE(RECORD("'T'"), RECORD("{'type':'fixed','name':'T','size':2}")), false },
		{ TWICE(RECORD("'int','default':1"), RECORD("'int','default':2")), false },
		{ TWICE(RECORD("'int','order':'ignore'"), RECORD("'int'")), false },
		{ TWICE(RECORD("'int','q':1"), RECORD("'int'")), false },
		{ TWICE(RECORD("{'type':'int','logicalType':'date'}"), RECORD("'int'")), false },
		{ TWICE(FIXED, "{'type':'fixed','name':'F','size':4}"), false },
		{ TWICE(FIXED, "{'type':'enum','name':'F','symbols':['A']}"), false },
		{ TWICE("{'type':'record','name':'R','fields':[]}", "'int'"), false },
		{ "[" FIXED "," FIXED "]", false },
	};

	(void)state;
	for (size_t i = 0; i < BUS_LEN(all); i++) {
		struct bus_error err = { 0 };
		char *text = bus_xstrdup(all[i].text);

		for (char *c = text; *c; c++)
			*c = (char)(*c == '\'' ? '"' : *c);
		if ((parse(text, SCHEMA_STRICT, &err) == BUS_OK) != all[i].taken)
			fail_msg("%s: %s", text, err.text);
		free(text);
	}
}

static void refuses_a_name_with_a_nul_in_it(void **state)
{
	(void)state;
	assert_int_equal(
	    parse("{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"A\\u0000B\"]}", SCHEMA_LENIENT, NULL),
	    BUS_ESCHEMA);
	assert_int_equal(parse("{\"type\":\"fixed\",\"name\":\"F\\u0000\",\"size\":1}", SCHEMA_LENIENT, NULL),
			 BUS_ESCHEMA);
	assert_int_equal(parse("\"int\\u0000\"", SCHEMA_LENIENT, NULL), BUS_ESCHEMA);
}

static void refuses_schemas_over_its_limits(void **state)
{
	struct bus_buf b = { 0 };
	struct bus_error err = { 0 };

	(void)state;
	for (int i = 0; i < SCHEMA_DEPTH_MAX + 1; i++)
		bus_buf_puts(&b, "{\"type\":\"array\",\"items\":");
	bus_buf_puts(&b, "\"int\"");
	for (int i = 0; i < SCHEMA_DEPTH_MAX + 1; i++)
		bus_buf_putc(&b, '}');
	assert_int_not_equal(parse(bus_buf_cstr(&b), SCHEMA_STRICT, &err), BUS_OK);

	/* Each type flat in the text, but each in the one before it. */
	bus_buf_reset(&b);
	bus_buf_putc(&b, '[');
	for (int i = 0; i < 1000; i++)
		bus_buf_printf(
		    &b,
		    "{\"type\":\"record\",\"name\":\"R%d\",\"fields\":[{\"name\":\"a\",\"type\":\"R%d\"}]},",
		    i, i + 1);
	bus_buf_puts(&b, "{\"type\":\"record\",\"name\":\"R1000\",\"fields\":[]}]");
	assert_int_equal(parse(bus_buf_cstr(&b), SCHEMA_STRICT, &err), BUS_ETOOBIG);

	bus_buf_reset(&b);
	bus_buf_puts(&b, "{\"type\":\"record\",\"name\":\"R\",\"fields\":[");
	for (int i = 0; i <= SCHEMA_NODES_MAX; i++)
		bus_buf_printf(&b, "%s{\"name\":\"f%d\",\"type\":\"int\"}", i ? "," : "", i);
	bus_buf_puts(&b, "]}");
	assert_int_equal(parse(bus_buf_cstr(&b), SCHEMA_STRICT, &err), BUS_ETOOBIG);

	bus_buf_reset(&b);
	while (b.n <= SCHEMA_TEXT_MAX)
		bus_buf_puts(&b, "                                ");
	assert_int_equal(parse(bus_buf_cstr(&b), SCHEMA_STRICT, &err), BUS_ETOOBIG);
	bus_buf_release(&b);
}

/* Each default holds the next one twice: written out, 2^30 of them. */
static void does_not_write_out_defaults_that_grow_without_end(void **state)
{
	struct bus_buf b = { 0 };

	(void)state;
	bus_buf_puts(&b, "[{\"type\":\"record\",\"name\":\"R0\",\"fields\":[]}");
	for (int i = 1; i <= 30; i++)
		bus_buf_printf(&b,
			       ",{\"type\":\"record\",\"name\":\"R%d\",\"fields\":"
			       "[{\"name\":\"a\",\"type\":\"R%d\",\"default\":{}},"
			       "{\"name\":\"b\",\"type\":\"R%d\",\"default\":{}}]}",
			       i, i - 1, i - 1);
	bus_buf_putc(&b, ']');
	assert_int_equal(parse(bus_buf_cstr(&b), SCHEMA_STRICT, NULL), BUS_ESCHEMA);
	assert_int_equal(parse(bus_buf_cstr(&b), SCHEMA_LENIENT, NULL), BUS_OK);
	bus_buf_release(&b);
}

static void reads_every_schema_of_the_catalogue(void **state)
{
	static char text[SCHEMA_TEXT_MAX];
	glob_t files;

	(void)state;
	assert_int_equal(glob("schemas/avsc/*/*.avsc", 0, NULL, &files), 0);
	for (size_t i = 0; i < files.gl_pathc; i++) {
		FILE *f = fopen(files.gl_pathv[i], "rb");
		struct bus_error err = { 0 };
		struct schema *s = NULL;
		size_t n;

		assert_non_null(f);
		n = fread(text, 1, sizeof(text), f);
		fclose(f);
		if (schema_parse((struct bus_str){ text, n }, SCHEMA_STRICT, NULL, 0, &s, &err) != BUS_OK)
			fail_msg("%s: %s", files.gl_pathv[i], err.text);
		assert_int_equal(schema_root(s)->type, SCHEMA_RECORD);
		schema_unref(&s);
	}
	globfree(&files);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(uses_types_of_a_reference_by_name),
		cmocka_unit_test(keeps_properties_of_types_and_fields),
		cmocka_unit_test(says_what_is_wrong_and_where),
		cmocka_unit_test(takes_a_name_before_its_definition),
		cmocka_unit_test(takes_an_equal_definition_again_as_java_does),
		cmocka_unit_test(refuses_a_name_with_a_nul_in_it),
		cmocka_unit_test(refuses_schemas_over_its_limits),
		cmocka_unit_test(does_not_write_out_defaults_that_grow_without_end),
		cmocka_unit_test(reads_every_schema_of_the_catalogue),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
