/* Newer schemas while the gateway runs: whatever way a table takes one up, it holds what a table does that was built
 * from nothing with it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "gateway/engine/evolve.h"
#include "gateway/engine/live.h"
#include "tests/support/engine_support.h"

#define RECORD(fields)                                                                                       \
	"{\"type\":\"record\",\"name\":\"O\",\"x_jenis\":\"register\",\"x_kunci\":\"id\",\"fields\":["       \
	"{\"name\":\"id\",\"type\":\"string\"}," fields "]}"
#define KEL "{\"name\":\"kel\",\"type\":\"string\"}"
#define AGE(type) "{\"name\":\"umur\",\"type\":" type "}"
#define FIRST RECORD(KEL "," AGE("\"int\""))

#define VIEW(name, columns, select)                                                                          \
	"/*---\nname: " name                                                                                 \
	"\nkey: id\nroutes: {uji_orang: _key}\ncolumns:\n  id: {type: text, pdp: P}\n" columns               \
	"---*/\nSELECT _key AS id, " select " FROM uji_orang\n"

struct state {
	struct engine *t;
	size_t applied;
};

static int setup(void **state)
{
	struct state *s = bus_xcalloc(1, sizeof(*s));

	s->t = engine_new();
	engine_topic(s->t, "pku.uji.orang.v1", engine_schema(FIRST));
	engine_view(s->t, "umur", VIEW("umur", "  umur: {type: int, pdp: U}\n", "umur"));
	engine_open(s->t, NULL);
	*state = s;
	return 0;
}

static int teardown(void **state)
{
	struct state *s = *state;

	engine_free(&s->t);
	free(s);
	return 0;
}

/* What has been put since the last call; all of it is kept, to be read again. */
static void apply(struct state *s)
{
	struct bus_error err = { 0 };

	engine_must(engine_try_apply(s->t, s->applied, s->t->n - s->applied, &err), &err);
	s->applied = s->t->n;
	engine_settle(s->t);
	engine_must(gw_commit(s->t->e, &err), &err);
}

static void people(struct state *s)
{
	char key[16], json[100];

	for (int i = 0; i < 20; i++) {
		snprintf(key, sizeof(key), "o%02d", i);
		snprintf(json, sizeof(json), "{\"id\":\"%s\",\"kel\":\"k%d\",\"umur\":%d}", key, i % 3, i);
		engine_put(s->t, 0, key, json);
	}
	engine_put(s->t, 0, "o07", NULL);
	apply(s);
}

static struct gw_topic *topic(struct state *s)
{
	return &s->t->e->topic[0];
}

static void newer(struct state *s, const char *schema)
{
	engine_topic(s->t, "pku.uji.orang.v1", engine_schema(schema));
}

static void look(struct state *s)
{
	struct bus_error err = { 0 };

	engine_must(gw_evolve(s->t->e, topic(s), &err), &err);
	engine_must(gw_commit(s->t->e, &err), &err);
}

/* As the materialiser does it: the topic from its beginning, in two batches. */
static void replay(struct state *s)
{
	struct bus_error err = { 0 };
	size_t half = s->applied / 2;

	assert_non_null(topic(s)->replay);
	engine_must(gw_refill_begin(s->t->e, topic(s), &err), &err);
	assert_false(gw_refill_done(s->t->e, topic(s), NULL, NULL));
	engine_must(engine_try_apply(s->t, 0, half, &err), &err);
	engine_must(gw_commit(s->t->e, &err), &err);
	assert_false(gw_refill_done(s->t->e, topic(s), NULL, NULL));
	engine_must(engine_try_apply(s->t, half, s->applied - half, &err), &err);
	engine_must(gw_commit(s->t->e, &err), &err);
	assert_true(gw_refill_done(s->t->e, topic(s), NULL, NULL));
	engine_must(gw_refill_end(s->t->e, topic(s), &err), &err);
	engine_settle(s->t);
	assert_int_equal(engine_differences(s->t), 0);
}

/* The table as text: columns by name, so that their order does not matter. */
static void dump(struct gw_engine *e, struct bus_buf *out)
{
	struct bus_error err = { 0 };
	struct bus_buf sql = { 0 };
	struct gw_stmt *s = NULL;
	bool row;

	bus_buf_puts(&sql, "SELECT _key");
	engine_must(
	    gw_db_prepare(e->db, "SELECT name FROM pragma_table_info('uji_orang') ORDER BY name", &s, &err),
	    &err);
	while (gw_stmt_step(s, &row, &err) == BUS_OK && row)
		bus_buf_printf(&sql, " || '|%.*s=' || quote(\"%.*s\")", (int)gw_stmt_text(s, 0).n,
			       gw_stmt_text(s, 0).p, (int)gw_stmt_text(s, 0).n, gw_stmt_text(s, 0).p);
	gw_stmt_free(&s);
	bus_buf_puts(&sql, " FROM uji_orang ORDER BY _key");
	engine_must(gw_db_prepare(e->db, bus_buf_cstr(&sql), &s, &err), &err);
	while (gw_stmt_step(s, &row, &err) == BUS_OK && row)
		bus_buf_printf(out, "%.*s\n", (int)gw_stmt_text(s, 0).n, gw_stmt_text(s, 0).p);
	gw_stmt_free(&s);
	bus_buf_release(&sql);
}

static int64_t sql_int(struct gw_engine *e, const char *sql)
{
	struct bus_error err = { 0 };
	int64_t n = -1;

	engine_must(gw_db_int(e->db, -1, &n, &err, "%s", sql), &err);
	return n;
}

/* A gateway that starts now, from nothing. */
static void same_as_built_anew(struct state *s)
{
	const struct gw_schemas schemas = { .ctx = s->t, .by_id = engine_by_id, .latest = engine_latest };
	struct gw_engine *mine = s->t->e, *fresh = NULL;
	struct bus_buf a = { 0 }, b = { 0 };
	struct bus_error err = { 0 };
	char db[128];

	snprintf(db, sizeof(db), "%s/fresh.db", s->t->dir);
	unlink(db);
	engine_must(gw_core_open(db, NULL, s->t->names, 0, &schemas, &fresh, &err), &err);
	s->t->e = fresh;
	engine_must(engine_try_apply(s->t, 0, s->applied, &err), &err);
	engine_must(gw_commit(fresh, &err), &err);
	dump(fresh, &a);
	dump(mine, &b);
	assert_string_equal(bus_buf_cstr(&a), bus_buf_cstr(&b));
	assert_int_equal(fresh->topic[0].count.undecodable, mine->topic[0].count.undecodable);
	assert_int_equal(fresh->topic[0].count.applied, mine->topic[0].count.applied);
	s->t->e = mine;
	gw_core_close(&fresh);
	unlink(db);
	bus_buf_release(&a);
	bus_buf_release(&b);
}

static void define(struct state *s, const char *name, const char *text)
{
	const struct gw_wish w = { .name = name, .text = { text, text ? strlen(text) : 0 }, .by = "uji" };
	struct bus_error err = { 0 };
	bool busy = true;

	gw_wish(s->t->e, &w);
	while (busy)
		engine_must(gw_live_step(s->t->e, 5, &busy, &err), &err);
	engine_settle(s->t);
}

/* --- */

static void a_new_field_is_there_with_the_first_record_that_has_it(void **state)
{
	struct state *s = *state;

	people(s);
	newer(s, RECORD(KEL "," AGE(
		     "\"int\"") ",{\"name\":\"kerja\",\"type\":\"string\",\"default\":\"tidak ada\"},"
				"{\"name\":\"hp\",\"type\":[\"null\",\"string\"],\"default\":null}"));
	engine_put(s->t, 0, "o03",
		   "{\"id\":\"o03\",\"kel\":\"k9\",\"umur\":33,\"kerja\":\"guru\",\"hp\":\"08\"}");
	apply(s); /* nobody looked: the record brought it */
	assert_null(topic(s)->replay);
	assert_int_equal(sql_int(s->t->e, "SELECT count(*) FROM uji_orang WHERE kerja='guru' AND hp='08'"),
			 1);
	assert_int_equal(sql_int(s->t->e, "SELECT count(*) FROM uji_orang WHERE kerja='tidak ada'"), 18);
	assert_int_equal(engine_differences(s->t), 0);
	same_as_built_anew(s);
	define(s, "kerja", VIEW("kerja", "  kerja: {type: text, pdp: U}\n", "kerja"));
	engine_put(s->t, 0, "o04",
		   "{\"id\":\"o04\",\"kel\":\"k9\",\"umur\":33,\"kerja\":\"bidan\",\"hp\":null}");
	apply(s);
	assert_int_equal(gw_view_rows(s->t->e, gw_view_find(s->t->e, "kerja")), 19);
	assert_int_equal(engine_differences(s->t), 0);
}

static void it_is_taken_up_without_a_record_too(void **state)
{
	struct state *s = *state;

	people(s);
	newer(s,
	      RECORD(KEL "," AGE("\"long\"") ",{\"name\":\"kerja\",\"type\":\"string\",\"default\":\"\"}"));
	look(s);
	assert_int_equal(topic(s)->table->schema_id, 2);
	assert_null(topic(s)->replay);
	same_as_built_anew(s);
	gw_core_close(&s->t->e); /* and stays */
	engine_open(s->t, NULL);
	assert_int_equal(topic(s)->table->schema_id, 2);
	engine_put(s->t, 0, "o05", "{\"id\":\"o05\",\"kel\":\"k9\",\"umur\":5000000000,\"kerja\":\"\"}");
	apply(s);
	assert_int_equal(sql_int(s->t->e, "SELECT umur FROM uji_orang WHERE _key='o05'"), 5000000000);
	same_as_built_anew(s);
	assert_int_equal(engine_differences(s->t), 0);
}

static void another_sql_type_is_filled_from_the_topic(void **state)
{
	struct state *s = *state;
	struct gw_topic_state told;

	people(s);
	newer(s, RECORD(KEL "," AGE("\"double\"")));
	look(s);
	assert_int_equal(topic(s)->table->schema_id, 1); /* until then as it was */
	assert_string_equal(topic(s)->count.held, "");
	replay(s);
	assert_int_equal(topic(s)->table->schema_id, 2);
	same_as_built_anew(s);
	engine_put(s->t, 0, "o05", "{\"id\":\"o05\",\"kel\":\"k9\",\"umur\":7.5}");
	apply(s);
	same_as_built_anew(s);
	assert_int_equal(engine_differences(s->t), 0);
	assert_int_equal(gw_topics(s->t->e, &told, 1), 1);
	assert_int_equal(told.schema_id, 2);
	assert_int_equal(
	    sql_int(s->t->e, "SELECT count(*) FROM sqlite_schema WHERE name LIKE '\\_fill%' ESCAPE '\\'"), 0);
}

static void readers_see_the_table_as_it_stood_until_it_is_filled(void **state)
{
	struct state *s = *state;
	struct bus_error err = { 0 };

	people(s);
	newer(s, RECORD(KEL "," AGE("\"double\"")));
	look(s);
	engine_must(gw_refill_begin(s->t->e, topic(s), &err), &err);
	engine_must(engine_try_apply(s->t, 0, 3, &err), &err);
	engine_must(gw_commit(s->t->e, &err), &err);
	engine_settle(s->t);
	assert_int_equal(gw_view_rows(s->t->e, gw_view_find(s->t->e, "umur")), 19);
	assert_int_equal(engine_differences(s->t), 0);
	/* The power goes: it begins anew, and the places of before are still known. */
	gw_core_close(&s->t->e);
	engine_open(s->t, NULL);
	assert_int_equal(topic(s)->table->schema_id, 1);
	assert_int_equal(s->t->e->part[0].next, 21);
	assert_int_equal(
	    sql_int(s->t->e, "SELECT count(*) FROM sqlite_schema WHERE name LIKE '\\_fill%' ESCAPE '\\'"), 0);
	look(s);
	replay(s);
	same_as_built_anew(s);
}

static void a_renamed_field_keeps_its_values(void **state)
{
	struct state *s = *state;

	people(s);
	newer(s,
	      RECORD("{\"name\":\"kelurahan\",\"aliases\":[\"kel\"],\"type\":\"string\"}," AGE("\"int\"")));
	look(s);
	replay(s);
	assert_int_equal(sql_int(s->t->e, "SELECT count(*) FROM uji_orang WHERE kelurahan='k2'"), 6);
	assert_int_equal(
	    sql_int(s->t->e, "SELECT count(*) FROM pragma_table_info('uji_orang') WHERE name='kel'"), 0);
	same_as_built_anew(s);
}

static void a_field_that_a_view_reads_holds_the_schema_back_until_it_does_not(void **state)
{
	struct state *s = *state;

	people(s);
	newer(s, RECORD(KEL ",{\"name\":\"usia\",\"type\":\"int\",\"default\":0}"));
	look(s);
	assert_null(topic(s)->replay);
	assert_non_null(strstr(topic(s)->count.held, "umur"));
	assert_int_equal(topic(s)->table->schema_id, 1);
	/* A record of the newer schema cannot be read: the field has no default. It is set aside, not lost. */
	engine_put(s->t, 0, "o90", "{\"id\":\"o90\",\"kel\":\"k1\",\"usia\":9}");
	apply(s);
	assert_int_equal(topic(s)->count.undecodable, 1);
	assert_int_equal(engine_differences(s->t), 0);
	define(s, "umur", VIEW("umur", "  kel: {type: text, pdp: N}\n", "kel"));
	look(s);
	replay(s);
	assert_string_equal(topic(s)->count.held, "");
	assert_int_equal(topic(s)->count.undecodable, 0);
	assert_int_equal(sql_int(s->t->e, "SELECT usia FROM uji_orang WHERE _key='o90'"), 9);
	same_as_built_anew(s);
}

static void what_cannot_be_read_with_it_holds_it_back(void **state)
{
	struct state *s = *state;

	people(s);
	newer(s, RECORD(KEL "," AGE("\"int\"") ",{\"name\":\"wajib\",\"type\":\"string\"}"));
	look(s);
	assert_null(topic(s)->replay);
	assert_non_null(strstr(topic(s)->count.held, "wajib"));
	newer(s,
	      RECORD(KEL "," AGE("\"int\"") ",{\"name\":\"wajib\",\"type\":\"string\",\"default\":\"-\"}"));
	look(s);
	assert_string_equal(topic(s)->count.held, "");
	assert_int_equal(topic(s)->table->schema_id, 3);
	same_as_built_anew(s);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_new_field_is_there_with_the_first_record_that_has_it),
		T(it_is_taken_up_without_a_record_too),
		T(another_sql_type_is_filled_from_the_topic),
		T(readers_see_the_table_as_it_stood_until_it_is_filled),
		T(a_renamed_field_keeps_its_values),
		T(a_field_that_a_view_reads_holds_the_schema_back_until_it_does_not),
		T(what_cannot_be_read_with_it_holds_it_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
