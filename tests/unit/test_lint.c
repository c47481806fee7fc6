/* The catalogue's rules, each broken once (schemas/README.md, "A schema of the catalogue"). */
#include "tests/support/schemas.h"

#include "schemas/catalogue/lint.h"

#define HEAD                                                                                                 \
	"{'type':'record','name':'Warga','namespace':'id.go.kota.opd.v1','doc':'d','x_topik':'pku.opd."      \
	"warga.v1',"                                                                                         \
	"'x_jenis':'register','x_produsen':'opd','x_walidata':'w',"
#define ID "{'name':'id','type':'string','doc':'d','x_pdp':'P'}"
#define F(name, type, more) ",{'name':'" name "','type':" type ",'doc':'d','x_pdp':'N'" more "}"
#define S(more) HEAD "'x_kunci':'id','fields':[" ID more "]}"

/* "rule path rule path" */
static void expect(const char *text, bool must_only, const char *faults)
{
	struct schema *s = schema_of_quoted(text);
	struct bus_buf b = { 0 };
	struct schema_lint l;

	schema_lint(s, must_only, &l);
	for (size_t i = 0; i < l.n; i++) {
		bus_buf_printf(&b, "%s%s %s", i ? ", " : "", l.fault[i].rule->code, l.fault[i].path);
		assert_non_null(l.fault[i].sentence.en);
		assert_non_null(l.fault[i].place);
	}
	assert_string_equal(bus_buf_cstr(&b), faults);
	bus_buf_release(&b);
	schema_lint_release(&l);
	schema_unref(&s);
}

static void finds_what_must_be(void **state)
{
	(void)state;
	expect(S(""), false, "");
	expect("'int'", true, "record ");
	expect("{'type':'record','name':'n.v1.A','fields':[]}", true, "topic-missing , kind-unknown ");
	expect(HEAD "'fields':[" ID "]}", true, "key-missing ");
	expect(HEAD "'x_kunci':'di','fields':[" ID "]}", true, "key-unknown ");
	expect(HEAD "'x_kunci':'a','fields':[" ID F("a", "['null','int']", ",'default':null") "]}", true,
	       "key-nullable ");
	expect(HEAD "'x_kunci':'nik','fields':[{'name':'nik','type':'string','doc':'d','x_pdp':'U'}]}", true,
	       "key-personal ");
	expect(HEAD "'x_kunci':'id','fields':[" ID
		    ",{'name':'a','type':'int'},{'name':'b','type':'int','x_pdp':'u'}]}",
	       true, "class-unknown a, class-unknown b");
	expect(
	    S(F("l",
		"{'type':'array','items':{'type':'record','name':'I','fields':[{'name':'x','type':'int'}]}}",
		"")),
	    true, "class-unknown l[].x");
	/* Events need no key; a type that others use needs no topic. */
	expect("{'type':'record','name':'n.v1.A','x_topik':'pku.o.a.v1','x_jenis':'peristiwa','fields':[]}",
	       true, "");
	expect("{'type':'enum','name':'n.v1.A','x_jenis':'tipe','symbols':['A'],'default':'A'}", false, "");
}

static void finds_what_should_be(void **state)
{
	(void)state;
	expect("{'type':'record','name':'A','namespace':'n','x_topik':'Warga','x_jenis':'peristiwa','fields':"
	       "[]}",
	       false, "namespace-form , topic-form , owner-missing , doc-missing ");
	expect("{'type':'record','name':'A','namespace':'n.v2','doc':'d','x_topik':'pku.o.a.v1','x_jenis':'"
	       "peristiwa',"
	       "'x_produsen':'o','x_walidata':'w','fields':[]}",
	       false, "topic-namespace ");
	expect(S(F("namaObat", "'string'", "")), false, "field-name namaObat");
	expect(S(",{'name':'a','type':'int','x_pdp':'N'}"), false, "doc-missing a");
	expect(S(F("nik", "'string'", "")), false, "class-doubtful nik");
	expect(S(F("a", "['null','int']", "")), false, "null-default a");
	expect(S(F("a", "['int','null']", ",'default':1")), false, "");
	expect(S(F("a", "['int','null']", "")), false, "null-default a, null-first a");
	expect(S(F("tgl_bayar", "'string'", ",'default':''")), false, "text-date tgl_bayar");
	expect(S(F("bayar", "['null','double']", ",'default':null,'x_satuan':'IDR'")), false,
	       "float-money bayar");
	expect(S(F("a", "{'type':'enum','name':'jenis_x','symbols':['a']}", "")), false,
	       "type-name a, symbol-name a, enum-default a");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_what_must_be),
		cmocka_unit_test(finds_what_should_be),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
