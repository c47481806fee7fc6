#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "bus/log.h"
#include "tests/support/engine_support.h"

#define REGISTER                                                                                             \
	"{\"type\":\"record\",\"name\":\"R\",\"x_jenis\":\"register\",\"x_kunci\":\"id\",\"fields\":["       \
	"{\"name\":\"id\",\"type\":\"string\"},"                                                             \
	"{\"name\":\"n\",\"type\":[\"null\",\"int\"],\"default\":null},"                                     \
	"{\"name\":\"ok\",\"type\":\"boolean\",\"default\":false},"                                          \
	"{\"name\":\"x\",\"type\":\"double\",\"default\":0},"                                                \
	"{\"name\":\"day\",\"type\":{\"type\":\"int\",\"logicalType\":\"date\"},\"default\":0},"             \
	"{\"name\":\"at\",\"type\":{\"type\":\"long\",\"logicalType\":\"timestamp-millis\"},\"default\":0}," \
	"{\"name\":\"kind\",\"type\":{\"type\":\"enum\",\"name\":\"K\",\"symbols\":[\"A\",\"B\"]},"          \
	"\"default\":\"A\"},"                                                                                \
	"{\"name\":\"tags\",\"type\":{\"type\":\"array\",\"items\":\"string\"},\"default\":[]},"             \
	"{\"name\":\"sealed\",\"type\":[\"null\",\"bytes\"],\"default\":null},"                              \
	"{\"name\":\"parts\",\"type\":{\"type\":\"array\",\"items\":{\"type\":\"record\",\"name\":\"P\","    \
	"\"fields\":["                                                                                       \
	"{\"name\":\"c\",\"type\":\"string\"},{\"name\":\"v\",\"type\":[\"null\",\"long\"],\"default\":"     \
	"null}]}},"                                                                                          \
	"\"default\":[]}%s]}"
#define EVENT                                                                                                \
	"{\"type\":\"record\",\"name\":\"E\",\"x_jenis\":\"peristiwa\",\"x_kunci\":\"id\",\"fields\":["      \
	"{\"name\":\"id\",\"type\":\"string\"},{\"name\":\"v\",\"type\":\"int\"}]}"

static struct schema *registered(const char *more)
{
	char *text = bus_xasprintf(REGISTER, more);
	struct schema *s = engine_schema(text);

	free(text);
	return s;
}

static struct engine *start(void)
{
	struct engine *t = engine_new();

	engine_topic(t, "pku.uji.barang.v1", registered(""));
	engine_topic(t, "pku.uji.kejadian.v2", engine_schema(EVENT));
	engine_open(t, NULL);
	return t;
}

static void expect_text(struct engine *t, const char *sql, const char *want)
{
	struct bus_error err = { 0 };
	struct gw_stmt *s = NULL;
	char got[400];
	bool row;

	engine_must(gw_db_prepare(t->e->db, sql, &s, &err), &err);
	engine_must(gw_stmt_step(s, &row, &err), &err);
	assert_true(row);
	snprintf(got, sizeof(got), "%.*s", (int)gw_stmt_text(s, 0).n,
		 gw_stmt_text(s, 0).p ? gw_stmt_text(s, 0).p : "");
	assert_string_equal(got, want);
	gw_stmt_free(&s);
}

static struct gw_topic_state state_of(struct engine *t, int topic)
{
	struct gw_topic_state s[4];

	assert_true(gw_topics(t->e, s, 4) > (size_t)topic);
	return s[topic];
}

static void each_avro_type_becomes_its_column(void **state)
{
	struct engine *t = start();

	(void)state;
	engine_put(t, 0, "a",
		   "{\"id\":\"a\",\"n\":7,\"ok\":true,\"x\":1.5,\"day\":\"2025-12-31\",\"at\":\"2025-01-"
		   "10T08:00:00+07:00\","
		   "\"kind\":\"B\",\"tags\":[\"p\",\"q\\\"\"],\"sealed\":\"AAH/"
		   "\",\"parts\":[{\"c\":\"z\",\"v\":null},"
		   "{\"c\":\"y\",\"v\":12}]}");
	engine_apply(t, 10, GW_LIVE);
	expect_text(t,
		    "SELECT "
		    "_key||'|'||n||'|'||ok||'|'||x||'|'||day||'|'||at||'|'||kind||'|'||tags||'|'||hex(sealed)"
		    "||'|'||parts "
		    "FROM uji_barang",
		    "a|7|1|1.5|2025-12-31|2025-01-10T08:00:00+07:00|B|[\"p\",\"q\\\"\"]|0001FF|"
		    "[{\"c\":\"z\",\"v\":null},{\"c\":\"y\",\"v\":12}]");
	expect_text(t, "SELECT typeof(n)||typeof(x)||typeof(sealed)||_part||_off||_sid FROM uji_barang",
		    "integerrealblob001");
	engine_free(&t);
}

static void a_register_is_upserted_and_a_null_value_removes(void **state)
{
	struct engine *t = start();

	(void)state;
	engine_put(t, 0, "a", "{\"id\":\"a\",\"n\":1}");
	engine_put(t, 0, "b", "{\"id\":\"b\",\"n\":1}");
	engine_put(t, 0, "a", "{\"id\":\"a\",\"n\":2}");
	engine_put(t, 0, "b", NULL);
	engine_put(t, 0, "never", NULL);
	engine_apply(t, 100, GW_LIVE);
	expect_text(t, "SELECT group_concat(_key||n) FROM uji_barang", "a2");
	assert_int_equal(state_of(t, 0).rows, 1);
	assert_int_equal(state_of(t, 0).applied, 5);
	engine_free(&t);
}

static void of_two_events_with_one_number_the_first_stays(void **state)
{
	struct engine *t = start();

	(void)state;
	engine_put(t, 1, "who", "{\"id\":\"e1\",\"v\":1}");
	engine_put(t, 1, "who", "{\"id\":\"e2\",\"v\":2}");
	engine_put(t, 1, "who", "{\"id\":\"e1\",\"v\":3}");
	engine_apply(t, 2, GW_LIVE);
	expect_text(t, "SELECT group_concat(_key||v) FROM (SELECT * FROM uji_kejadian_v2 ORDER BY _key)",
		    "e11,e22");
	engine_free(&t);
}

static void what_cannot_be_read_is_set_aside_and_counted(void **state)
{
	struct engine *t = start();
	struct engine_record *r;
	const struct bus_str rubbish = BUS_STR("\xff\xff\xff");

	(void)state;
	engine_add(t, 0, BUS_STR("a"), &rubbish, 0);
	engine_add(t, 0, BUS_STR("a"), &rubbish, 7); /* an id nobody registered */
	r = engine_put(t, 0, "a", "{\"id\":\"a\"}");
	r->value[0] = 1;	     /* not the frame's magic byte */
	engine_put(t, 1, "e", NULL); /* a null value among events */
	engine_put(t, 0, "b", "{\"id\":\"b\"}");
	engine_apply(t, 100, GW_LIVE);
	assert_int_equal(state_of(t, 0).undecodable, 3);
	assert_int_equal(state_of(t, 1).undecodable, 1);
	assert_int_equal(state_of(t, 0).rows, 1);
	expect_text(t,
		    "SELECT group_concat(off) FROM (SELECT off FROM _undecodable WHERE topic LIKE '%barang%' "
		    "ORDER BY off)",
		    "0,1,2");
	engine_free(&t);
}

static void a_record_that_comes_again_is_dropped(void **state)
{
	struct engine *t = start();
	struct engine_record *r;

	(void)state;
	engine_put(t, 0, "a", "{\"id\":\"a\",\"n\":1}");
	engine_put(t, 0, "a", "{\"id\":\"a\",\"n\":2}");
	r = engine_put(t, 0, "a", "{\"id\":\"a\",\"n\":1}");
	strcpy(r->seq, "1"); /* the producer sent it a second time, later in the log */
	engine_apply(t, 2, GW_LIVE);
	expect_text(t, "SELECT n FROM uji_barang", "2");
	assert_int_equal(state_of(t, 0).repeated, 1);
	assert_int_equal(state_of(t, 0).applied, 2);
	assert_int_equal(state_of(t, 0).gaps, 0);
	engine_free(&t);
}

static void a_number_that_never_came_is_a_gap_unless_compaction_took_it(void **state)
{
	struct engine *t = start();

	(void)state;
	engine_put(t, 0, "a", "{\"id\":\"a\"}");
	t->topic[0].offset += 3; /* three records gone from the log, numbers and offsets alike */
	t->topic[0].seq += 3;
	engine_put(t, 0, "b", "{\"id\":\"b\"}");
	t->topic[0].seq += 2; /* two numbers that no offset ever had */
	engine_put(t, 0, "c", "{\"id\":\"c\"}");
	t->topic[1].offset += 5; /* the beginning of an event topic is kept by time only */
	t->topic[1].seq += 5;
	engine_put(t, 1, "e", "{\"id\":\"e1\",\"v\":1}");
	t->topic[1].offset += 1; /* but nothing may be missing within it */
	t->topic[1].seq += 1;
	engine_put(t, 1, "e", "{\"id\":\"e2\",\"v\":1}");
	engine_apply(t, 100, GW_LIVE);
	assert_int_equal(state_of(t, 0).gaps, 2);
	assert_int_equal(state_of(t, 1).gaps, 1);
	assert_int_equal(state_of(t, 0).rows, 3);
	expect_text(t, "SELECT seq_from||'-'||seq_to FROM _gaps WHERE topic LIKE '%barang%'", "6-7");
	engine_free(&t);
}

static void an_absurd_number_is_not_believed_and_hides_no_genuine_record(void **state)
{
	struct engine *t = start();
	struct engine_record *r;

	(void)state;
	engine_put(t, 0, "a", "{\"id\":\"a\"}");
	r = engine_put(t, 0, "forged", "{\"id\":\"forged\"}");
	strcpy(r->seq, "1000000000000000");
	r = engine_put(t, 0, "foreign", "{\"id\":\"foreign\"}");
	strcpy(r->stream, "another.topic/0");
	strcpy(r->seq, "9223372036854775807");
	r = engine_put(t, 0, "b", "{\"id\":\"b\"}");
	strcpy(r->seq, "2");
	engine_apply(t, 100, GW_LIVE);
	assert_int_equal(state_of(t, 0).rows, 4);
	assert_int_equal(state_of(t, 0).repeated, 0);
	assert_int_equal(state_of(t, 0).gaps, 0);
	engine_free(&t);
}

static void the_registry_is_asked_once_for_all_unknown_ids_in_hand(void **state)
{
	struct engine *t = start();
	const struct bus_str rubbish = BUS_STR("x");

	(void)state;
	t->e->schemas.catch_up = engine_catch_up;
	for (int id = 9001; id <= 9050; id++)
		engine_add(t, 0, BUS_STR("a"), &rubbish, id);
	engine_add(t, 0, BUS_STR("a"), &rubbish, 9001);
	engine_apply(t, 100, GW_LIVE);
	assert_int_equal(state_of(t, 0).undecodable, 51);
	assert_int_equal(t->caught_up, 1);
	engine_put(t, 0, "b", "{\"id\":\"b\"}");
	engine_add(t, 0, BUS_STR("a"), &rubbish, 9001); /* known to be unknown */
	engine_apply(t, 100, GW_LIVE);
	assert_int_equal(t->caught_up, 1);
	engine_add(t, 0, BUS_STR("a"), &rubbish, 9999);
	engine_apply(t, 100, GW_LIVE);
	assert_int_equal(t->caught_up, 2);
	assert_int_equal(state_of(t, 0).rows, 1);
	engine_free(&t);
}

static void the_store_is_for_its_owner_only(void **state)
{
	struct engine *t = start();
	struct stat st;

	(void)state;
	engine_put(t, 0, "b", "{\"id\":\"b\"}");
	engine_apply(t, 100, GW_LIVE);
	assert_int_equal(stat(t->db, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	engine_free(&t);
}

static void a_log_made_anew_is_noticed_by_its_last_record(void **state)
{
	struct engine *t = start();
	struct bus_error err = { 0 };

	(void)state;
	engine_put(t, 0, "a", "{\"id\":\"a\",\"n\":1}");
	engine_apply(t, 1, GW_LIVE);
	t->topic[0].offset = 0;
	t->topic[0].seq = 0;
	engine_put(t, 0, "a", "{\"id\":\"a\",\"n\":1}"); /* the one we know */
	engine_must(engine_try_apply(t, 0, 1, &err), &err);
	engine_must(gw_commit(t->e, &err), &err);
	engine_drop_waiting(t);
	t->topic[0].offset = 0;
	engine_put(t, 0, "b", "{\"id\":\"b\",\"n\":1}");
	assert_int_equal(engine_try_apply(t, 0, 1, &err), BUS_ECONFLICT);
	engine_must(gw_core_wipe(t->e, &err), &err);
	assert_int_equal(state_of(t, 0).rows, 0);
	engine_apply(t, 1, GW_LIVE);
	assert_int_equal(state_of(t, 0).rows, 1);
	engine_free(&t);
}

static void a_newer_schema_is_taken_up_at_once(void **state)
{
	struct engine *t = start();

	(void)state;
	engine_put(t, 0, "a", "{\"id\":\"a\",\"n\":1}");
	engine_topic(t, "pku.uji.barang.v1",
		     registered(",{\"name\":\"baru\",\"type\":\"string\",\"default\":\"it's\"}"));
	engine_put(t, 0, "b", "{\"id\":\"b\",\"n\":2,\"baru\":\"x\"}");
	engine_apply(t, 1, GW_LIVE);
	expect_text(t, "SELECT group_concat(_key||n) FROM (SELECT * FROM uji_barang ORDER BY _key)", "a1,b2");
	gw_core_close(&t->e);
	engine_open(t, NULL);
	engine_put(t, 0, "c", "{\"id\":\"c\",\"n\":3,\"baru\":\"y\"}");
	engine_apply(t, 1, GW_LIVE);
	expect_text(t, "SELECT group_concat(_key||baru) FROM (SELECT * FROM uji_barang ORDER BY _key)",
		    "ait's,bx,cy");
	assert_int_equal(state_of(t, 0).rows, 3);
	engine_free(&t);
}

static void positions_and_counts_survive_a_restart(void **state)
{
	struct engine *t = start();
	uint64_t id = gw_store_id(t->e);

	(void)state;
	engine_put(t, 0, "a", "{\"id\":\"a\"}");
	engine_put(t, 0, "b", "{\"id\":\"b\"}");
	engine_apply(t, 10, GW_LIVE);
	gw_core_close(&t->e);
	engine_open(t, NULL);
	assert_true(gw_store_id(t->e) == id);
	assert_int_equal(t->e->part[gw_core_part(t->e, "pku.uji.barang.v1", 0)].next, 2);
	assert_int_equal(state_of(t, 0).applied, 2);
	t->topic[0].offset = 1;
	t->topic[0].seq = 1;
	engine_put(t, 0, "b", "{\"id\":\"b\"}"); /* handed out again */
	engine_put(t, 0, "c", "{\"id\":\"c\"}");
	engine_apply(t, 10, GW_LIVE);
	assert_int_equal(state_of(t, 0).applied, 3);
	assert_int_equal(state_of(t, 0).gaps, 0);
	engine_free(&t);
}

static void a_column_of_another_type_leaves_the_store_as_it_is(void **state)
{
	struct engine *t = engine_new();
	uint64_t id;

	(void)state;
	engine_topic(t, "pku.uji.kejadian.v1", engine_schema(EVENT));
	engine_open(t, NULL);
	id = gw_store_id(t->e);
	gw_core_close(&t->e);
	engine_topic(
	    t, "pku.uji.kejadian.v1",
	    engine_schema(
		"{\"type\":\"record\",\"name\":\"E\",\"x_jenis\":\"peristiwa\",\"x_kunci\":\"id\","
		"\"fields\":[{\"name\":\"id\",\"type\":\"string\"},{\"name\":\"v\",\"type\":\"double\"}]}"));
	engine_open(t, NULL);
	assert_true(gw_store_id(t->e) == id); /* the topic is read again into a table beside: test_evolve */
	engine_free(&t);
}

static void a_damaged_file_is_made_anew(void **state)
{
	struct engine *t = start();
	FILE *f;

	(void)state;
	gw_core_close(&t->e);
	f = fopen(t->db, "r+");
	assert_non_null(f);
	fputs("this is no database, and was never meant to be one", f);
	fclose(f);
	engine_open(t, NULL);
	assert_int_equal(state_of(t, 0).rows, 0);
	engine_free(&t);
}

static void names_that_are_no_topic_of_the_catalogue_are_refused(void **state)
{
	static const char *const no[] = { "barang",
					  "pku.uji.barang",
					  "pku.uji.Barang.v1",
					  "pku.uji.barang.1",
					  "pku.uji.barang.v1.x",
					  "pku..barang.v1",
					  "pku.uji.ba\"rang.v1" };
	char *name = NULL, *opd = NULL, *entity = NULL;

	(void)state;
	for (size_t i = 0; i < BUS_LEN(no); i++)
		assert_int_equal(gw_table_name(no[i], &name, &opd, &entity, NULL), BUS_EINVAL);
	assert_int_equal(gw_table_name("pku.uji.barang.v12", &name, &opd, &entity, NULL), BUS_OK);
	assert_string_equal(name, "uji_barang_v12");
	assert_string_equal(opd, "uji");
	assert_string_equal(entity, "barang");
	free(name);
	free(opd);
	free(entity);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_avro_type_becomes_its_column),
		cmocka_unit_test(a_register_is_upserted_and_a_null_value_removes),
		cmocka_unit_test(of_two_events_with_one_number_the_first_stays),
		cmocka_unit_test(what_cannot_be_read_is_set_aside_and_counted),
		cmocka_unit_test(a_record_that_comes_again_is_dropped),
		cmocka_unit_test(a_number_that_never_came_is_a_gap_unless_compaction_took_it),
		cmocka_unit_test(an_absurd_number_is_not_believed_and_hides_no_genuine_record),
		cmocka_unit_test(the_registry_is_asked_once_for_all_unknown_ids_in_hand),
		cmocka_unit_test(the_store_is_for_its_owner_only),
		cmocka_unit_test(a_log_made_anew_is_noticed_by_its_last_record),
		cmocka_unit_test(a_newer_schema_is_taken_up_at_once),
		cmocka_unit_test(positions_and_counts_survive_a_restart),
		cmocka_unit_test(a_column_of_another_type_leaves_the_store_as_it_is),
		cmocka_unit_test(a_damaged_file_is_made_anew),
		cmocka_unit_test(names_that_are_no_topic_of_the_catalogue_are_refused),
	};

	bus_log_setup(BUS_LOG_ERROR + 1, false);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
