/* What an adapter says of itself: sums out of its figures, and the record that the shipped schema reads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "adapters/care/word.h"
#include "schemas/avro/json.h"
#include "tests/support/map_support.h"

static int64_t reason(const struct adapter_word *w, const char *name)
{
	for (size_t i = 0; i < w->n_reasons; i++)
		if (strcmp(w->reason[i].name, name) == 0)
			return w->reason[i].n;
	return 0;
}

static void feeds_are_summed_and_reasons_are_told_apart(void **state)
{
	struct adapter_word w = { 0 };

	(void)state;
	adapter_word_sum(BUS_STR("# HELP titian_adapter_rows_total 99 Rows read.\n"
				 "titian_adapter_rows_total{feed=\"a\"} 100\n"
				 "titian_adapter_rows_total{feed=\"b\"} 23\n"
				 "titian_adapter_rows_totals{feed=\"b\"} 1000\n"
				 "titian_adapter_published_total{feed=\"a\"} 7\n"
				 "titian_adapter_refused_total{feed=\"a\"} 5\n"
				 "titian_adapter_class_total{feed=\"a\",class=\"nik_kosong\"} 50\n"
				 "titian_adapter_refused_class_total{class=\"nik_kosong\"} 3\n"
				 "titian_adapter_refused_class_total{class=\"duplikat\"} 2\n"
				 "titian_adapter_refused_class_total{class=\"tak_ada\"} 0\n"
				 "titian_adapter_last_record_seconds{feed=\"a\"} 1764000000.5\n"
				 "titian_adapter_last_record_seconds{feed=\"b\"} 1763999999\n"
				 "titian_adapter_fetch_failed{feed=\"a\"} 1\n"
				 "titian_adapter_fetch_failed{feed=\"b\"} 0\n"
				 "titian_spool_bytes{feed=\"a\"} 4096\n"
				 "titian_spool_bytes{feed=\"b\"} 1"),
			 &w);
	assert_int_equal(w.rows, 123);
	assert_int_equal(w.published, 7);
	assert_int_equal(w.refused, 5);
	assert_int_equal(w.fetches_failed, 1);
	assert_int_equal(w.spool_bytes, 4097);
	assert_int_equal(w.last_record_ms, INT64_C(1764000000500));
	assert_int_equal(w.n_reasons, 2);
	assert_int_equal(reason(&w, "nik_kosong"), 3);
	assert_int_equal(reason(&w, "duplikat"), 2);
}

/* Names too many or too long share a place, and nothing is lost from the sum. */
static void reasons_are_bounded(void **state)
{
	struct adapter_word w = { 0 };
	struct bus_buf text = { 0 };
	int64_t sum = 0;

	(void)state;
	for (int i = 0; i < 200; i++)
		bus_buf_printf(&text, "titian_adapter_refused_class_total{class=\"k%d\"} 1\n", i);
	bus_buf_printf(&text, "titian_adapter_refused_class_total{class=\"%080d\"} 10\n", 0);
	adapter_word_sum(bus_buf_str(&text), &w);
	for (size_t i = 0; i < w.n_reasons; i++)
		sum += w.reason[i].n;
	assert_int_equal(w.n_reasons, ADAPTER_WORD_REASONS);
	assert_int_equal(sum, 210);
	assert_int_equal(reason(&w, ADAPTER_WORD_REST), 210 - (ADAPTER_WORD_REASONS - 1));
	bus_buf_release(&text);
}

static void assert_said(const struct adapter_word *w, const char *want)
{
	struct schema *schema = map_support_schema("bersama/adapter");
	struct schema_reader *reader = schema_reader_new(NULL);
	struct adapter_shape shape = { 0 };
	struct schema_plan *plan = NULL;
	struct bus_buf avro = { 0 }, json = { 0 };
	struct bus_json_out out = { .buf = &json };
	struct schema_json_sink sink;

	assert_int_equal(adapter_word_fit(&shape, schema, 1, NULL), BUS_OK);
	adapter_word_encode(w, &shape, &avro);
	schema_json_sink_init(&sink, &out, SCHEMA_JSON_PLAIN);
	assert_int_equal(schema_plan(schema, NULL, &plan, NULL), BUS_OK);
	assert_int_equal(schema_read(reader, plan, bus_buf_str(&avro), &sink.sink, NULL), BUS_OK);
	assert_string_equal(bus_buf_cstr(&json), want);
	schema_plan_free(&plan);
	schema_reader_free(&reader);
	adapter_shape_release(&shape);
	schema_unref(&schema);
	bus_buf_release(&avro);
	bus_buf_release(&json);
}

static void the_shipped_schema_reads_what_is_written(void **state)
{
	struct adapter_word w = { .opd = "uji",
				  .stopped = true,
				  .began_ms = 1764000000000,
				  .said_ms = 1764000060000,
				  .every_ms = 30000,
				  .rate = 2.5,
				  .rows = 150,
				  .published = 140,
				  .refused = 10,
				  .reason = { { "nik_kosong", 10 } },
				  .n_reasons = 1,
				  .waiting_files = 2,
				  .waiting_bytes = 300,
				  .spool_bytes = 4,
				  .spool_max = 5,
				  .fetches_failed = 6 };

	(void)state;
	assert_said(
	    &w, "{\"opd\":\"uji\",\"keadaan\":\"BERHENTI\",\"versi\":\"0.1.0\","
		"\"mulai\":\"2025-11-24T23:00:00+07:00\",\"waktu\":\"2025-11-24T23:01:00+07:00\","
		"\"jeda\":30000,\"rekaman_terakhir\":null,\"laju\":2.5,\"dibaca\":150,\"diterbitkan\":140,"
		"\"ditolak\":10,\"kelas_ditolak\":{\"nik_kosong\":10},\"berkas_menunggu\":2,"
		"\"byte_menunggu\":300,\"spul_byte\":4,\"spul_batas\":5,\"ambil_gagal\":6}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(feeds_are_summed_and_reasons_are_told_apart),
		cmocka_unit_test(reasons_are_bounded),
		cmocka_unit_test(the_shipped_schema_reads_what_is_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
