/* The conformance vectors of tests/vectors/avro, whose answers are Avro Java's: every case of every set. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/support/vectors.h"

static void run(const char *name, size_t cases)
{
	for (size_t i = 0; i < VECTORS_SETS; i++) {
		struct vectors_count n;

		if (strcmp(vectors_set[i].name, name) != 0)
			continue;
		assert_true(vectors_run("tests/vectors/avro", &vectors_set[i], stdout, NULL, &n));
		assert_int_equal(n.cases, cases);
		assert_int_equal(n.different, 0);
		return;
	}
	fail_msg("no set '%s'", name);
}

static void reads_writes_and_fingerprints_schemas_as_avro_java_does(void **state)
{
	(void)state;
	run("canonical", 514);
}

static void refuses_the_schemas_that_avro_java_refuses(void **state)
{
	(void)state;
	run("invalid_schemas", 238);
}

static void transcodes_between_json_and_avro_as_avro_java_does(void **state)
{
	(void)state;
	run("encode", 1681);
}

static void refuses_json_that_does_not_fit(void **state)
{
	(void)state;
	run("encode_errors", 141);
}

static void resolves_writer_and_reader_as_avro_java_does(void **state)
{
	(void)state;
	run("resolve", 1355);
}

static void judges_two_schemas_as_avro_java_does(void **state)
{
	(void)state;
	run("compat", 676);
}

static void judges_a_history_under_every_level(void **state)
{
	(void)state;
	run("compat_chain", 395);
}

static void refuses_malformed_data_quickly_in_little_memory(void **state)
{
	(void)state;
	run("malformed_binary", 578);
}

static void reads_container_files_and_refuses_broken_ones(void **state)
{
	(void)state;
	run("ocf", 80);
}

static void makes_and_reads_single_objects(void **state)
{
	(void)state;
	run("single_object", 23);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_writes_and_fingerprints_schemas_as_avro_java_does),
		cmocka_unit_test(refuses_the_schemas_that_avro_java_refuses),
		cmocka_unit_test(transcodes_between_json_and_avro_as_avro_java_does),
		cmocka_unit_test(refuses_json_that_does_not_fit),
		cmocka_unit_test(resolves_writer_and_reader_as_avro_java_does),
		cmocka_unit_test(judges_two_schemas_as_avro_java_does),
		cmocka_unit_test(judges_a_history_under_every_level),
		cmocka_unit_test(refuses_malformed_data_quickly_in_little_memory),
		cmocka_unit_test(reads_container_files_and_refuses_broken_ones),
		cmocka_unit_test(makes_and_reads_single_objects),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
