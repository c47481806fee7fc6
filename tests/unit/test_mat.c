/* The materialiser on librdkafka's mock cluster: from the log to the views, across restarts, clusters and
 * topics made anew; and the engine's opening with schemas read from the registry's topic. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "bus/clock.h"
#include "bus/log.h"
#include "bus/producer.h"
#include "gateway/engine/mat.h"
#include "tests/support/engine_support.h"
#include "tests/support/mock.h"

#define TOPIC "pku.uji.a.v1"
#define SCHEMA                                                                                               \
	"{\"type\":\"record\",\"name\":\"A\",\"x_jenis\":\"register\",\"x_kunci\":\"id\",\"fields\":["       \
	"{\"name\":\"id\",\"type\":\"string\"},{\"name\":\"n\",\"type\":\"int\"}]}"
#define VIEW                                                                                                 \
	"/*---\nname: v\nkey: id\nroutes: {uji_a: _key}\ncolumns:\n  id: {type: text, pdp: N}\n"             \
	"  n: {type: int, pdp: N}\n---*/\nSELECT _key AS id, n FROM uji_a"

static void nap(void)
{
	struct timespec t = { 0, 10 * 1000 * 1000 };

	nanosleep(&t, NULL);
}

#define WAIT_FOR(condition)                                                                                  \
	do {                                                                                                 \
		int64_t until = bus_clock_mono_ms() + 20000;                                                 \
		while (!(condition) && bus_clock_mono_ms() < until)                                          \
			nap();                                                                               \
		assert_true(condition);                                                                      \
	} while (0)

static struct engine *start(void)
{
	struct engine *t = engine_new();

	engine_topic(t, TOPIC, engine_schema(SCHEMA));
	engine_view(t, "v", VIEW);
	engine_open(t, NULL);
	return t;
}

static struct gw_mat *run(struct engine *t, const struct mock *m)
{
	const struct gw_mat_conf conf = { .kafka = m->kafka };
	struct gw_mat *mat = gw_mat_new(t->e, &conf);
	struct bus_error err = { 0 };

	engine_must(gw_mat_start(mat, &err), &err);
	return mat;
}

static void end(struct gw_mat **mat)
{
	gw_mat_stop(*mat);
	gw_mat_free(mat);
}

/* Records k<from> ... with n = value, numbered from seq. */
static void produce(const struct mock *m, int from, int n, int value, int64_t seq)
{
	const struct bus_producer_conf conf = { .kafka = m->kafka };
	struct bus_producer *p = NULL;
	struct schema *s = engine_schema(SCHEMA);
	struct bus_error err = { 0 };

	engine_must(bus_producer_open(&conf, &p, &err), &err);
	for (int i = 0; i < n; i++) {
		char key[16], json[64], number[24];
		struct bus_buf b = { 0 };
		struct bus_str value_bytes;
		const struct bus_header header[] = { { BUS_STR("titian_stream"), BUS_STR(TOPIC "/0") },
						     { BUS_STR("titian_seq"), { number, 0 } } };
		struct bus_header h[2] = { header[0], header[1] };

		snprintf(key, sizeof(key), "k%05d", from + i);
		snprintf(json, sizeof(json), "{\"id\":\"%s\",\"n\":%d}", key, value);
		snprintf(number, sizeof(number), "%lld", (long long)seq + i);
		h[1].value = bus_str(number);
		bus_wire_put_prefix(&b, 1);
		engine_must(schema_encode_json(s, bus_str(json), SCHEMA_JSON_PLAIN, &b, &err), &err);
		value_bytes = bus_buf_str(&b);
		engine_must(bus_producer_send(p, TOPIC, 0, bus_str(key), &value_bytes, h, 2,
					      1700000000000 + i, (uint64_t)i + 1, 10000, &err),
			    &err);
		bus_buf_release(&b);
	}
	engine_must(bus_producer_flush(p, 20000, &err), &err);
	bus_producer_close(&p);
	schema_unref(&s);
}

static int64_t rows(struct engine *t)
{
	return gw_view_rows(t->e, gw_view_find(t->e, "v"));
}

static void the_log_becomes_rows_and_views_and_goes_on_after_a_restart(void **state)
{
	struct mock m = mock_start(1);
	struct engine *t = start();
	struct gw_topic_state s;
	struct gw_mat *mat;

	(void)state;
	rd_kafka_mock_topic_create(m.cluster, TOPIC, 1, 1);
	produce(&m, 0, 3000, 1, 1);
	mat = run(t, &m);
	WAIT_FOR(gw_caught_up(t->e) && gw_idle(t->e));
	assert_int_equal(rows(t), 3000);
	produce(&m, 3000, 5, 1, 3001); /* while it runs */
	WAIT_FOR(rows(t) == 3005);
	assert_null(gw_engine_fault(t->e));
	end(&mat);
	gw_core_close(&t->e);

	produce(&m, 3005, 5, 1, 3006);
	engine_open(t, NULL);
	mat = run(t, &m);
	WAIT_FOR(gw_idle(t->e));
	gw_topics(t->e, &s, 1);
	assert_int_equal(s.applied, 3010); /* nothing was read twice */
	assert_int_equal(s.repeated + s.gaps + s.undecodable + s.behind, 0);
	assert_int_equal(rows(t), 3010);
	end(&mat);
	assert_int_equal(engine_differences(t), 0);
	engine_free(&t);
	mock_stop(&m);
}

static void a_topic_made_anew_means_a_store_made_anew(void **state)
{
	struct mock m = mock_start(1), other;
	struct engine *t = start();
	uint64_t id = gw_store_id(t->e);
	struct gw_mat *mat;

	(void)state;
	rd_kafka_mock_topic_create(m.cluster, TOPIC, 1, 1);
	produce(&m, 0, 10, 1, 1);
	mat = run(t, &m);
	WAIT_FOR(gw_idle(t->e) && rows(t) == 10);
	end(&mat);
	mock_stop(&m);

	other = mock_start(1); /* shorter than what was read: the offset is not there any more */
	rd_kafka_mock_topic_create(other.cluster, TOPIC, 1, 1);
	produce(&other, 500, 4, 1, 1);
	mat = run(t, &other);
	WAIT_FOR(gw_idle(t->e) && rows(t) == 4);
	assert_true(gw_store_id(t->e) != id);
	end(&mat);
	mock_stop(&other);

	id = gw_store_id(t->e);
	m = mock_start(1); /* longer: the last record we know is another one */
	rd_kafka_mock_topic_create(m.cluster, TOPIC, 1, 1);
	produce(&m, 700, 20, 1, 1);
	mat = run(t, &m);
	WAIT_FOR(gw_idle(t->e) && rows(t) == 20);
	assert_true(gw_store_id(t->e) != id);
	end(&mat);
	mock_stop(&m);
	engine_free(&t);
}

static void it_waits_for_a_broker_that_is_away(void **state)
{
	struct mock m = mock_start(1);
	struct engine *t = start();
	struct gw_mat *mat;

	(void)state;
	rd_kafka_mock_topic_create(m.cluster, TOPIC, 1, 1);
	produce(&m, 0, 10, 1, 1);
	mat = run(t, &m);
	WAIT_FOR(gw_idle(t->e));
	rd_kafka_mock_broker_set_down(m.cluster, -1);
	for (int i = 0; i < 100; i++)
		nap();
	rd_kafka_mock_broker_set_up(m.cluster, -1);
	produce(&m, 10, 10, 1, 11);
	WAIT_FOR(rows(t) == 20);
	end(&mat);
	engine_free(&t);
	mock_stop(&m);
}

static void register_schema(const struct mock *m)
{
	const struct bus_producer_conf conf = { .kafka = m->kafka };
	struct bus_producer *p = NULL;
	struct bus_error err = { 0 };
	struct bus_buf b = { 0 };
	struct bus_json_out j = { .buf = &b };
	struct bus_str value;

	bus_json_object(&j);
	bus_json_key(&j, "subject");
	bus_json_put_text(&j, TOPIC "-value");
	bus_json_key(&j, "version");
	bus_json_put_int(&j, 1);
	bus_json_key(&j, "id");
	bus_json_put_int(&j, 1);
	bus_json_key(&j, "schema");
	bus_json_put_text(&j, SCHEMA);
	bus_json_key(&j, "deleted");
	bus_json_put_bool(&j, false);
	bus_json_object_end(&j);
	value = bus_buf_str(&b);
	engine_must(bus_producer_open(&conf, &p, &err), &err);
	engine_must(
	    bus_producer_send(p, "_schemas", 0,
			      BUS_STR("{\"keytype\":\"SCHEMA\",\"subject\":\"" TOPIC "-value\",\"version\":1,"
				      "\"magic\":1}"),
			      &value, NULL, 0, 0, 1, 10000, &err),
	    &err);
	engine_must(bus_producer_flush(p, 20000, &err), &err);
	bus_producer_close(&p);
	bus_buf_release(&b);
}

static void the_engine_opens_with_the_registry_s_topic_and_names_what_is_missing(void **state)
{
	static const char *const topics[] = { TOPIC, NULL }, *const more[] = { TOPIC, "pku.uji.lain.v1",
									       NULL };
	struct mock m = mock_start(1);
	struct engine *t = engine_new();
	struct gw_engine_conf conf = { .db_path = t->db,
				       .views_dir = t->views,
				       .kafka = m.kafka,
				       .schemas_topic = "_schemas",
				       .topics = more,
				       .wait_ms = 1500 };
	struct bus_error err = { 0 };
	struct gw_engine *e = NULL;

	(void)state;
	engine_view(t, "v", VIEW);
	rd_kafka_mock_topic_create(m.cluster, "_schemas", 1, 1);
	rd_kafka_mock_topic_create(m.cluster, TOPIC, 1, 1);
	register_schema(&m);
	produce(&m, 0, 7, 1, 1);
	assert_int_equal(gw_engine_open(&conf, &e, &err), BUS_ETIMEOUT);
	assert_non_null(strstr(err.text, "pku.uji.lain.v1"));
	assert_null(strstr(err.text, TOPIC ","));
	conf.topics = topics;
	engine_must(gw_engine_open(&conf, &e, &err), &err);
	engine_must(gw_engine_start(e, &err), &err);
	WAIT_FOR(gw_idle(e));
	assert_int_equal(gw_view_rows(e, gw_view_at(e, 0)), 7);
	gw_engine_stop(e);
	gw_engine_close(&e);
	engine_free(&t);
	mock_stop(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_log_becomes_rows_and_views_and_goes_on_after_a_restart),
		cmocka_unit_test(a_topic_made_anew_means_a_store_made_anew),
		cmocka_unit_test(it_waits_for_a_broker_that_is_away),
		cmocka_unit_test(the_engine_opens_with_the_registry_s_topic_and_names_what_is_missing),
	};

	bus_log_setup(getenv("LOG") ? BUS_LOG_DEBUG : BUS_LOG_ERROR + 1, false);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
