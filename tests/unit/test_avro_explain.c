/* Explanations: every reason of Avro Java (compat.jsonl) is explained, at its place; and the words. */
#include "tests/support/schemas.h"
#include "tests/support/vectors.h"

#include "schemas/avro/explain.h"

/* The code of each of Avro Java's reasons, as avro/explain.h promises it. */
static const char *code_of(const char *reason)
{
	static const char *const code[][2] = {
		{ "READER_FIELD_MISSING_DEFAULT_VALUE", "field_without_default" },
		{ "TYPE_MISMATCH", "type_mismatch" },
		{ "MISSING_UNION_BRANCH", "union_branch_missing" },
		{ "MISSING_ENUM_SYMBOLS", "enum_symbols_missing" },
		{ "FIXED_SIZE_MISMATCH", "fixed_size_mismatch" },
		{ "NAME_MISMATCH", "name_mismatch" },
		{ "EXCEPTION", "not_comparable" },
	};

	for (size_t i = 0; i < BUS_LEN(code); i++)
		if (strcmp(code[i][0], reason) == 0)
			return code[i][1];
	return "";
}

/* The value a JSON pointer names (RFC 6901; no name of a schema needs its escapes). */
static const struct bus_json *follow(const struct bus_json *v, const char *pointer)
{
	while (v && *pointer == '/') {
		size_t n = strcspn(++pointer, "/");
		const struct bus_json *child = v->first;
		size_t i = 0;

		for (; child; child = child->next, i++)
			if (v->type == BUS_JSON_ARRAY
				? i == strtoul(pointer, NULL, 10)
				: child->name.n == n && strncmp(child->name.p, pointer, n) == 0)
				break;
		v = child;
		pointer += n;
	}
	return v;
}

/* A word left as it stands in the form; "{}" in a path is the values of a map. */
static bool unfilled(const char *sentence)
{
	const char *c = strchr(sentence, '{');

	return c && c[1] != '}';
}

static struct bus_str text_of(const struct bus_json *object, const char *name)
{
	return bus_json_get(object, name)->text;
}

/* The reason is among Java's, and what it comes down to is told. */
static bool explained(const struct schema_explanation *e, const struct bus_json *want)
{
	bool exception = bus_str_is(text_of(want, "type"), "EXCEPTION");

	for (size_t i = 0; i < e->verdict.n_reasons; i++) {
		const struct schema_reason *r = &e->verdict.reason[i];

		if (!bus_str_is(text_of(want, "type"), r->type) ||
		    !(exception || bus_str_is(text_of(want, "location"), r->location)))
			continue;
		while (r->n_causes > 0)
			r = r->cause[0];
		for (size_t k = 0; k < e->n; k++)
			if (e->finding[k].own == r)
				return strcmp(e->finding[k].reason, r->type) == 0;
	}
	return false;
}

static bool check(const char *name, struct bus_str reader_text, struct bus_str writer_text,
		  const struct bus_json *line, char *why, size_t n)
{
	const struct bus_json *want = bus_json_get(bus_json_get(line, "reasons"), name);
	struct bus_arena *arena = bus_arena_new(0);
	struct schema *reader = NULL, *writer = NULL;
	struct schema_explanation e = { 0 };
	struct bus_json *tree;
	bool good = false;

	if (schema_parse(reader_text, SCHEMA_LENIENT, NULL, 0, &reader, NULL) != BUS_OK ||
	    schema_parse(writer_text, SCHEMA_LENIENT, NULL, 0, &writer, NULL) != BUS_OK ||
	    bus_json_parse(reader_text, NULL, arena, &tree, NULL) != BUS_OK) {
		snprintf(why, n, "not parsed");
		goto out;
	}
	snprintf(why, n, "%s: verdict", name);
	if (schema_explain(reader, writer, strcmp(name, "backward") == 0, &e) !=
	    (bus_json_get(line, name)->type == BUS_JSON_TRUE))
		goto out;
	snprintf(why, n, "%s: %zu findings for %zu reasons", name, e.n, want->n);
	if ((e.n == 0) != (want->n == 0))
		goto out;
	for (const struct bus_json *r = want->first; r; r = r->next) {
		snprintf(why, n, "%s: %.*s at %.*s is not explained", name, (int)text_of(r, "type").n,
			 text_of(r, "type").p, (int)text_of(r, "location").n, text_of(r, "location").p);
		if (!explained(&e, r))
			goto out;
	}
	for (size_t i = 0; i < e.n; i++) {
		const struct schema_finding *f = &e.finding[i];

		snprintf(why, n, "%s: finding %zu: %s %s", name, i, f->code, f->reader_place);
		if (strcmp(f->code, code_of(f->reason)) != 0 || !f->what.en[0] || !f->what.id[0] ||
		    !f->mend.en[0] || !f->mend.id[0] || unfilled(f->what.en) || unfilled(f->mend.id))
			goto out;
		if (f->reader_place && !follow(tree, f->reader_place))
			goto out;
		if (!f->reader_place && strcmp(f->code, "not_comparable") != 0)
			goto out;
	}
	good = true;
out:
	schema_explanation_release(&e);
	schema_unref(&reader);
	schema_unref(&writer);
	bus_arena_free(&arena);
	return good;
}

static bool run_line(struct vectors_case *c)
{
	const struct bus_json *line = c->line;
	struct bus_str old = text_of(line, "old"), new = text_of(line, "new");

	if (!check("backward", new, old, line, c->why, sizeof(c->why)) ||
	    !check("forward", old, new, line, c->why, sizeof(c->why)))
		return false;
	c->why[0] = '\0';
	return true;
}

static void explains_every_reason_of_avro_java(void **state)
{
	const struct vectors_set set = { "compat", run_line };
	struct vectors_count count = { 0 };

	(void)state;
	assert_true(vectors_run("tests/vectors/avro", &set, stderr, NULL, &count));
	assert_int_equal(count.different, 0);
	assert_int_equal(count.equal, 676);
}

#define R(fields) "{'type':'record','name':'R','fields':[" fields "]}"

static struct schema_explanation explain(const char *old, const char *new, bool new_reads,
					 struct schema *keep[2])
{
	struct schema_explanation e;

	keep[0] = schema_of_quoted(old);
	keep[1] = schema_of_quoted(new);
	assert_false(schema_explain(keep[new_reads], keep[!new_reads], new_reads, &e));
	return e;
}

static void done(struct schema_explanation *e, struct schema *keep[2])
{
	schema_explanation_release(e);
	schema_unref(&keep[0]);
	schema_unref(&keep[1]);
}

static void says_what_a_nullable_record_lacks_not_that_a_union_does(void **state)
{
	struct schema *s[2];
	struct schema_explanation e = explain(
	    R("{'name':'alamat','default':null,'type':['null',{'type':'record','name':'Alamat','fields':["
	      "{'name':'rt','type':'int'}]}]}"),
	    R("{'name':'alamat','default':null,'type':['null',{'type':'record','name':'Alamat','fields':["
	      "{'name':'rt','type':'int'},{'name':'rw','type':'int'}]}]}"),
	    true, s);

	(void)state;
	assert_int_equal(e.n, 1);
	assert_string_equal(e.finding[0].code, "field_without_default");
	assert_string_equal(e.finding[0].reason, "READER_FIELD_MISSING_DEFAULT_VALUE");
	assert_string_equal(e.finding[0].java->type, "MISSING_UNION_BRANCH");
	assert_string_equal(e.finding[0].path, "alamat.rw");
	assert_string_equal(e.finding[0].reader_place, "/fields/0/type/1/fields/1");
	assert_string_equal(e.finding[0].writer_place, "/fields/0/type/1");
	assert_string_equal(e.finding[0].what.en,
			    "Field 'alamat.rw' is new and has no default: consumers on the new schema cannot "
			    "read records written under the old one.");
	assert_string_equal(
	    e.finding[0].what.id,
	    "Kolom 'alamat.rw' baru dan tidak punya nilai bawaan: pemakai skema baru tidak dapat "
	    "membaca rekaman yang ditulis dengan skema lama.");
	done(&e, s);
}

static void suggests_an_alias_where_one_field_went_and_one_came(void **state)
{
	struct schema *s[2];
	struct schema_explanation e =
	    explain(R("{'name':'tgl','type':'int'}"), R("{'name':'tanggal','type':'int'}"), true, s);

	(void)state;
	assert_non_null(strstr(e.finding[0].mend.en, "\"aliases\": [\"tgl\"]"));
	assert_non_null(strstr(e.finding[0].mend.id, "\"aliases\": [\"tgl\"]"));
	done(&e, s);
}

static void a_named_type_is_found_where_it_is_defined(void **state)
{
	struct schema *s[2];
	/* B, used by the second field, is defined in the first; the pair is met there first. */
	struct schema_explanation e = explain(
	    R("{'name':'a','type':{'type':'array','items':{'type':'fixed','name':'B','size':2}}},"
	      "{'name':'b','type':'B'},{'name':'c','type':{'type':'map','values':['null','int']}}"),
	    R("{'name':'a','type':{'type':'array','items':{'type':'fixed','name':'B','size':3}}},"
	      "{'name':'b','type':'B'},{'name':'c','type':{'type':'map','values':['null','string']}}"),
	    true, s);

	(void)state;
	assert_string_equal(e.finding[0].path, "a[]");
	assert_string_equal(e.finding[0].reader_place, "/fields/0/type/items");
	assert_string_equal(e.finding[0].writer_has, "fixed(2) B");
	assert_string_equal(e.finding[e.n - 1].path, "c{}");
	assert_string_equal(e.finding[e.n - 1].code, "union_branch_missing");
	assert_string_equal(e.finding[e.n - 1].reader_place, "/fields/2/type/values");
	assert_string_equal(e.finding[e.n - 1].writer_place, "/fields/2/type/values/1");
	done(&e, s);
}

static void says_who_is_hurt_and_how_to_mend(void **state)
{
	struct schema *s[2];
	struct schema_explanation e =
	    explain(R("{'name':'n','type':'int'}"), R("{'name':'n','type':'long'}"), false, s);
	struct bus_buf b = { 0 };
	struct bus_json_out j = { .buf = &b };

	(void)state;
	schema_explanation_put(&j, &e);
	assert_string_equal(
	    bus_buf_cstr(&b),
	    "[{\"code\":\"type_mismatch\",\"reason\":\"TYPE_MISMATCH\",\"breaks\":\"old_reader\",\"path\":"
	    "\"n\","
	    "\"old\":\"/fields/0/type\",\"new\":\"/fields/0/type\",\"old_has\":\"int\",\"new_has\":\"long\","
	    "\"en\":\"Field 'n' was int and is now long: consumers still on the old schema cannot read "
	    "records "
	    "written under the new one.\",\"id\":\"Kolom 'n' tadinya int dan sekarang long: pemakai yang "
	    "masih "
	    "memakai skema lama tidak dapat membaca rekaman yang ditulis dengan skema "
	    "baru.\",\"mend\":{\"en\":"
	    "\"Move every consumer to the new schema before anyone writes with it: it reads both.\",\"id\":"
	    "\"Pindahkan semua pemakai ke skema baru sebelum ada yang menulis dengannya: skema baru membaca "
	    "keduanya.\"}}]");
	bus_buf_release(&b);
	done(&e, s);
}

static void a_field_that_was_optional_is_told_so(void **state)
{
	struct schema *s[2];
	struct schema_explanation e = explain(R("{'name':'n','type':['null','int'],'default':null}"),
					      R("{'name':'n','type':'int'}"), true, s);

	(void)state;
	assert_int_equal(e.n, 1);
	assert_string_equal(e.finding[0].mend.en, "Keep it optional: [\"null\", ...].");
	done(&e, s);
}

static void explains_types_that_hold_themselves(void **state)
{
	struct schema *s[2];
	struct schema_explanation e = explain(
	    R("{'name':'anak','type':{'type':'array','items':'R'}},{'name':'x','type':'int'}"),
	    R("{'name':'anak','type':{'type':'array','items':'R'}},{'name':'x','type':'string'}"), true, s);

	(void)state;
	assert_int_equal(e.n, 1);
	assert_string_equal(e.finding[0].path, "x");
	done(&e, s);
}

/* Thirty records, each with two ways to the one below: what is wrong at the bottom is told once. */
static void tells_a_cause_once_however_many_ways_lead_to_it(void **state)
{
	struct schema *s[2];
	struct schema_explanation e;

	(void)state;
	for (int k = 0; k < 2; k++) {
		struct bus_buf text = { 0 };

		for (int i = 30; i > 0; i--)
			bus_buf_printf(
			    &text, "{'type':'record','name':'L%d','fields':[{'name':'a','type':['null',", i);
		bus_buf_printf(&text, "{'type':'record','name':'L0','fields':[{'name':'x','type':'%s'}]}",
			       k ? "string" : "int");
		for (int i = 1; i <= 30; i++)
			bus_buf_printf(&text, "]},{'name':'b','type':['null','L%d']}]}", i - 1);
		s[k] = schema_of_quoted(bus_buf_cstr(&text));
		bus_buf_release(&text);
	}
	assert_false(schema_explain(s[1], s[0], true, &e));
	assert_int_equal(e.verdict.n_reasons, 2);
	assert_int_equal(e.n, 1);
	assert_string_equal(e.finding[0].code, "type_mismatch");
	done(&e, s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(explains_every_reason_of_avro_java),
		cmocka_unit_test(says_what_a_nullable_record_lacks_not_that_a_union_does),
		cmocka_unit_test(suggests_an_alias_where_one_field_went_and_one_came),
		cmocka_unit_test(a_named_type_is_found_where_it_is_defined),
		cmocka_unit_test(says_who_is_hurt_and_how_to_mend),
		cmocka_unit_test(a_field_that_was_optional_is_told_so),
		cmocka_unit_test(tells_a_cause_once_however_many_ways_lead_to_it),
		cmocka_unit_test(explains_types_that_hold_themselves),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
