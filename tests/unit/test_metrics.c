#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <pthread.h>
#include <stdio.h>

#include "bus/metrics.h"

static void writes_prometheus_text_sorted(void **state)
{
	struct bus_buf out = { 0 };

	(void)state;
	bus_metric_set(bus_metric("t_lag", "gauge", "How far behind.", ""), 1.5);
	bus_metric_add(bus_metric("t_rows_total", "counter", "Rows\nread \\ kept.", "opd=\"dinsos\""), 2);
	bus_metric_add(bus_metric("t_rows_total", "counter", "Rows\nread \\ kept.", "opd=\"dinkes\""), 40);
	bus_metric_add(bus_metric("t_rows_total", "counter", "Rows\nread \\ kept.", "opd=\"dinkes\""), 2);
	bus_metrics_text(&out);
	assert_string_equal(bus_buf_cstr(&out), "# HELP t_lag How far behind.\n"
						"# TYPE t_lag gauge\n"
						"t_lag 1.5\n"
						"# HELP t_rows_total Rows\\nread \\\\ kept.\n"
						"# TYPE t_rows_total counter\n"
						"t_rows_total{opd=\"dinkes\"} 42\n"
						"t_rows_total{opd=\"dinsos\"} 2\n");
	bus_buf_release(&out);
}

static void gives_the_same_series_for_the_same_words(void **state)
{
	(void)state;
	assert_ptr_equal(bus_metric("t_a", "counter", "A.", "x=\"1\""),
			 bus_metric("t_a", "counter", "A.", "x=\"1\""));
	assert_ptr_not_equal(bus_metric("t_a", "counter", "A.", "x=\"1\""),
			     bus_metric("t_a", "counter", "A.", "x=\"2\""));
}

static void keeps_gauges_as_they_were_set(void **state)
{
	struct bus_metric *m = bus_metric("t_gauge", "gauge", "G.", "");
	struct bus_buf out = { 0 };

	(void)state;
	bus_metric_set(m, 10);
	bus_metric_add(m, -3);
	assert_true(bus_metric_get(m) == 7);
	bus_metric_set(m, INFINITY);
	bus_metrics_text(&out);
	assert_non_null(strstr(bus_buf_cstr(&out), "\nt_gauge +Inf\n"));
	bus_buf_release(&out);
}

static void *count(void *m)
{
	for (int i = 0; i < 100000; i++)
		bus_metric_add(m, 1);
	return NULL;
}

static void loses_no_count_between_threads(void **state)
{
	struct bus_metric *m[2] = { bus_metric("t_threads_total", "counter", "T.", ""),
				    bus_metric("t_threads", "gauge", "T.", "") };

	(void)state;
	for (int k = 0; k < 2; k++) {
		pthread_t t[4];

		for (int i = 0; i < 4; i++)
			assert_int_equal(pthread_create(&t[i], NULL, count, m[k]), 0);
		for (int i = 0; i < 4; i++)
			pthread_join(t[i], NULL);
		assert_true(bus_metric_get(m[k]) == 400000);
	}
}

static void stops_growing_at_its_limit(void **state)
{
	struct bus_metric *last = NULL;
	struct bus_buf out = { 0 };

	(void)state;
	for (int i = 0; i < 6000; i++) {
		char labels[32];

		snprintf(labels, sizeof(labels), "n=\"%d\"", i);
		last = bus_metric("t_many_total", "counter", "M.", labels);
		bus_metric_add(last, 1);
	}
	assert_ptr_equal(last, bus_metric("t_many_total", "counter", "M.", "n=\"never seen\""));
	bus_metrics_text(&out);
	assert_non_null(strstr(bus_buf_cstr(&out), "\nt_many_total{overflow=\"true\"} "));
	bus_buf_release(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writes_prometheus_text_sorted), /* first: nothing else is in the table yet */
		cmocka_unit_test(gives_the_same_series_for_the_same_words),
		cmocka_unit_test(keeps_gauges_as_they_were_set),
		cmocka_unit_test(loses_no_count_between_threads),
		cmocka_unit_test(stops_growing_at_its_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
