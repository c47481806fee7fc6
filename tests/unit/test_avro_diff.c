/* Differences in words: the codes that avro/diff.h promises, places, sentences; and the verdicts of
 * compat.jsonl. */
#include "tests/support/schemas.h"
#include "tests/support/vectors.h"

#include "schemas/avro/diff.h"

#define R(fields) "{'type':'record','name':'R','fields':[" fields "]}"
#define F(name, type, more) "{'name':'" name "','type':" type more "}"

static struct schema *both[2];

static struct schema_diff diff(const char *old, const char *new)
{
	struct schema_diff d;

	both[0] = schema_of_quoted(old);
	both[1] = schema_of_quoted(new);
	schema_diff(both[0], both[1], &d);
	return d;
}

static void done(struct schema_diff *d)
{
	schema_diff_release(d);
	schema_unref(&both[0]);
	schema_unref(&both[1]);
}

/* "code path, code path": warnings with a "!". */
static void expect(const char *old, const char *new, const char *changes, const char *level)
{
	struct schema_diff d = diff(old, new);
	struct bus_buf b = { 0 };

	for (size_t i = 0; i < d.n; i++)
		bus_buf_printf(&b, "%s%s%s %s", i ? ", " : "", d.change[i].warning ? "!" : "",
			       d.change[i].code, d.change[i].path);
	assert_string_equal(bus_buf_cstr(&b), changes);
	assert_string_equal(schema_diff_level(&d), level);
	assert_false(d.cut);
	bus_buf_release(&b);
	done(&d);
}

static void names_what_happened_to_fields(void **state)
{
	(void)state;
	expect(R(F("a", "'int'", "")), R(F("a", "'int'", "")), "", "FULL");
	expect(R(F("a", "'int'", "")), R(F("a", "'int'", "") "," F("b", "'int'", ",'default':1")),
	       "field_added b", "FULL");
	expect(R(F("a", "'int'", "")), R(F("a", "'int'", "") "," F("b", "'int'", "")), "field_added b",
	       "FORWARD");
	expect(R(F("a", "'int'", "") "," F("b", "'int'", "")), R(F("a", "'int'", "")), "field_removed b",
	       "BACKWARD");
	expect(R(F("a", "'int'", "")), R(F("b", "'int'", ",'aliases':['a']")),
	       "field_renamed b, alias_added b", "BACKWARD");
	expect(R(F("a", "'int'", "") "," F("b", "'int'", "")), R(F("b", "'int'", "") "," F("a", "'int'", "")),
	       "fields_reordered ", "FULL");
	/* An alias that is another field's name renames nothing. */
	expect(R(F("a", "'int'", "")),
	       R(F("a", "'int'", "") "," F("b", "'int'", ",'aliases':['a'],'default':0")), "field_added b",
	       "FULL");
}

static void names_what_happened_to_types(void **state)
{
	(void)state;
	expect(R(F("a", "'int'", "")), R(F("a", "'long'", "")), "type_changed a", "BACKWARD");
	expect(R(F("a", "'int'", "")), R(F("a", "['null','int']", "")), "made_optional a", "BACKWARD");
	expect(R(F("a", "['null','int']", "")), R(F("a", "'int'", "")), "made_required a", "FORWARD");
	expect(R(F("a", "['null','int']", "")), R(F("a", "['null','long']", "")), "type_changed a",
	       "BACKWARD");
	expect(R(F("a", "['null','int']", "")), R(F("a", "['null','int','string']", "")), "branch_added a",
	       "BACKWARD");
	expect(R(F("a", "['int','string','null']", "")), R(F("a", "['int','null']", "")), "branch_removed a",
	       "FORWARD");
	expect(R(F("a", "['null','int']", "")), R(F("a", "['int','null']", "")), "branches_reordered a",
	       "FULL");
	expect(R(F("a", "{'type':'enum','name':'E','symbols':['X','Y']}", "")),
	       R(F("a", "{'type':'enum','name':'E','symbols':['Y','Z','X']}", "")),
	       "symbols_added a, symbols_reordered a", "BACKWARD");
	expect(R(F("a", "{'type':'enum','name':'E','symbols':['X','Y']}", "")),
	       R(F("a", "{'type':'enum','name':'E','symbols':['X'],'default':'X'}", "")),
	       "symbols_removed a, default_added a", "FULL");
	expect(R(F("a", "{'type':'fixed','name':'X','size':2}", "")),
	       R(F("a", "{'type':'fixed','name':'X','size':3}", "")), "size_changed a", "NONE");
	expect(R(F("a", "{'type':'fixed','name':'X','size':2}", "")),
	       R(F("a", "{'type':'fixed','name':'Y','size':2,'aliases':['X']}", "")),
	       "name_changed a, alias_added a", "BACKWARD");
}

static void warns_of_what_java_lets_pass(void **state)
{
#define DECIMAL(p, s) "{'type':'bytes','logicalType':'decimal','precision':" p ",'scale':" s "}"
	(void)state;
	expect(R(F("a", "{'type':'int','logicalType':'date'}", "")), R(F("a", "'int'", "")),
	       "!logical_changed a", "FULL");
	expect(R(F("a", DECIMAL("9", "2"), "")), R(F("a", DECIMAL("9", "3"), "")), "!scale_changed a",
	       "FULL");
	expect(R(F("a", DECIMAL("9", "2"), "")), R(F("a", DECIMAL("8", "2"), "")), "!precision_lowered a",
	       "FULL");
	expect(R(F("a", DECIMAL("9", "2"), "")), R(F("a", DECIMAL("10", "2"), "")), "precision_raised a",
	       "FULL");
	expect(R(F("a", "'int'", ",'default':1")), R(F("a", "'int'", ",'default':2")), "!default_changed a",
	       "FULL");
	expect(R(F("a", "'int'", ",'default':1")), R(F("a", "'int'", "")), "!default_removed a", "FULL");
	expect(R(F("a", "'double'", ",'default':1.0")), R(F("a", "'double'", ",'default':1")), "", "FULL");
	expect(R(F("a", "'int'", ",'doc':'x'")), R(F("a", "'int'", ",'doc':'y'")), "doc_changed a", "FULL");
	expect(R(F("a", "'int'", ",'doc':'x'")), R(F("a", "'int'", "")), "!doc_removed a", "FULL");
	expect(R(F("a", "'int'", ",'aliases':['z']")), R(F("a", "'int'", "")), "!alias_removed a", "FULL");
	expect(R(F("a", "'int'", ",'x_pdp':'S'")), R(F("a", "'int'", ",'x_pdp':'U'")), "!class_lowered a",
	       "FULL");
	expect(R(F("a", "'int'", ",'x_pdp':'N'")), R(F("a", "'int'", ",'x_pdp':'A'")), "class_raised a",
	       "FULL");
	expect(R(F("a", "'int'", ",'x_pdp':'N'")), R(F("a", "'int'", "")), "!class_removed a", "FULL");
	expect("{'type':'record','name':'R','x_kunci':'a','fields':[]}",
	       "{'type':'record','name':'R','x_kunci':'b','fields':[]}", "!key_changed ", "FULL");
	expect(R(F("a", "'int'", ",'x_satuan':{'a':1,'b':2}")),
	       R(F("a", "'int'", ",'x_satuan':{'b':2,'a':1}")), "", "FULL");
	expect(R(F("a", "'int'", ",'x_satuan':'IDR'")),
	       R(F("a", "'int'", ",'x_satuan':'USD','order':'ignore'")),
	       "property_changed a, property_added a", "FULL");
}

static void finds_changes_deep_down_and_once(void **state)
{
#define ALAMAT(more) "{'type':'record','name':'Alamat','fields':[" F("rt", "'int'", "") more "]}"
	struct schema_diff d;

	(void)state;
	expect(R(F("a", "['null',{'type':'array','items':" ALAMAT("") "}]", "") "," F("b", "'Alamat'", "")),
	       R(F("a", "['null',{'type':'array','items':" ALAMAT("," F("rw", "'int'", "")) "}]",
		   "") "," F("b", "'Alamat'", "")),
	       "field_added a[].rw", "FORWARD");
	expect(R(F("anak", "{'type':'map','values':'R'}", "") "," F("x", "'int'", "")),
	       R(F("anak", "{'type':'map','values':'R'}", "") "," F("x", "'string'", "")), "type_changed x",
	       "NONE");
	d = diff(R(F("a", "['null'," ALAMAT("") "]", "")),
		 R(F("a", "['null'," ALAMAT("," F("rw", "'int'", "")) "]", "")));
	assert_null(d.change[0].old_place);
	assert_string_equal(d.change[0].new_place, "/fields/0/type/1/fields/1");
	assert_string_equal(d.change[0].now, "int");
	done(&d);
}

static void writes_json_and_lines(void **state)
{
	struct schema_diff d = diff(R(F("a", "'int'", ",'doc':'satu'")),
				    R(F("a", "'long'", "") "," F("b", "'string'", ",'default':''")));
	struct bus_buf b = { 0 };
	struct bus_json_out j = { .buf = &b };

	(void)state;
	schema_diff_put(&j, &d);
	assert_non_null(strstr(
	    bus_buf_cstr(&b),
	    "{\"identical\":false,\"level\":\"BACKWARD\",\"changes\":[{\"code\":\"doc_removed\",\"warning\":"
	    "true,"
	    "\"path\":\"a\",\"old\":\"/fields/0\",\"new\":\"/fields/"
	    "0\",\"what\":null,\"was\":\"satu\",\"now\":null,"
	    "\"en\":\"Field 'a' is no longer described: who finds it cannot know what it "
	    "means.\",\"id\":\"Kolom "
	    "'a' tidak lagi diterangkan: yang menemukannya tidak dapat tahu artinya.\"},"
	    "{\"code\":\"type_changed\",\"warning\":false,\"path\":\"a\",\"old\":\"/fields/0/type\",\"new\":"
	    "\"/fields/0/type\",\"what\":null,\"was\":\"int\",\"now\":\"long\","));
	assert_non_null(strstr(bus_buf_cstr(&b),
			       "\"backward\":{\"compatible\":true,\"reasons\":[]},\"forward\":{"
			       "\"compatible\":false,\"reasons\":[{\"code\":\"type_mismatch\""));
	bus_buf_reset(&b);
	schema_diff_say(&d, true, &b);
	assert_string_equal(
	    bus_buf_cstr(&b),
	    "! Kolom 'a' tidak lagi diterangkan: yang menemukannya tidak dapat tahu artinya.\n"
	    "  Kolom 'a': int menjadi long.\n"
	    "  Kolom 'b' ditambahkan: string, nilai bawaan \"\".\n"
	    "x Kolom 'a' tadinya int dan sekarang long: pemakai yang masih memakai skema lama "
	    "tidak dapat membaca rekaman yang ditulis dengan skema baru.\n"
	    "    Pindahkan semua pemakai ke skema baru sebelum ada yang menulis dengannya: skema "
	    "baru membaca keduanya.\n");
	bus_buf_release(&b);
	done(&d);
}

/* A schema is no different from itself; what is incompatible is different; the verdicts are Avro Java's. */
static bool run_line(struct vectors_case *c)
{
	struct schema *old = vectors_schema(c, vectors_text(c, "old"));
	struct schema *new = vectors_schema(c, vectors_text(c, "new"));
	bool backward = bus_json_get(c->line, "backward")->type == BUS_JSON_TRUE;
	bool forward = bus_json_get(c->line, "forward")->type == BUS_JSON_TRUE;
	struct schema_diff d = { 0 };
	bool good = old && new;

	if (good) {
		schema_diff(old, new, &d);
		good = (d.backward.ok == backward && d.forward.ok == forward) ||
		       vectors_differ(c, "backward %d, forward %d", d.backward.ok, d.forward.ok);
		if (good && d.n == 0 && !(backward && forward))
			good = vectors_differ(c, "no change is told, yet it is incompatible");
		schema_diff_release(&d);
		schema_diff(old, old, &d);
		if (d.n > 0)
			good = vectors_differ(c, "differs from itself: %s %s", d.change[0].code,
					      d.change[0].path);
		schema_diff_release(&d);
	}
	schema_unref(&old);
	schema_unref(&new);
	return good;
}

static void agrees_with_avro_java_on_every_pair(void **state)
{
	const struct vectors_set set = { "compat", run_line };
	struct vectors_count count = { 0 };

	(void)state;
	assert_true(vectors_run("tests/vectors/avro", &set, stderr, NULL, &count));
	assert_int_equal(count.different, 0);
	assert_int_equal(count.equal, 676);
}

static void says_when_it_leaves_changes_out(void **state)
{
	struct bus_buf b = { 0 };
	struct schema *old = schema_of_quoted(R(""));
	struct schema *new;
	struct schema_diff d;

	(void)state;
	bus_buf_puts(&b, "{\"type\":\"record\",\"name\":\"R\",\"fields\":[");
	for (int i = 0; i < 1001; i++)
		bus_buf_printf(&b, "%s{\"name\":\"f%d\",\"type\":\"int\"}", i ? "," : "", i);
	bus_buf_puts(&b, "]}");
	new = schema_of(bus_buf_cstr(&b));
	schema_diff(old, new, &d);
	assert_int_equal(d.n, SCHEMA_CHANGES_MAX);
	assert_true(d.cut);
	schema_diff_release(&d);
	schema_unref(&old);
	schema_unref(&new);
	bus_buf_release(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_what_happened_to_fields),
		cmocka_unit_test(names_what_happened_to_types),
		cmocka_unit_test(warns_of_what_java_lets_pass),
		cmocka_unit_test(finds_changes_deep_down_and_once),
		cmocka_unit_test(writes_json_and_lines),
		cmocka_unit_test(agrees_with_avro_java_on_every_pair),
		cmocka_unit_test(says_when_it_leaves_changes_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
