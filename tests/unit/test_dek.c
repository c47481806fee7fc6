/* Keys for field encryption: the table and its records. Bytes of keys: what Jackson 2.21 writes for classes annotated as
 * Confluent's KeyEncryptionKeyId and DataEncryptionKeyId. Order: DataEncryptionKeyId.compareTo. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "schemas/registry/dek_record.h"

#define KEK_KEY "{\"tenant\":\"default\",\"name\":\"k\",\"type\":\"KEK\"}"
#define KEK_VALUE                                                                                            \
	"{\"name\":\"k\",\"kmsType\":\"t\",\"kmsKeyId\":\"i\",\"kmsProps\":{\"a\":\"2\",\"b\":\"1\"},"       \
	"\"doc\":\"d\",\"shared\":false,\"deleted\":true,\"type\":\"KEK\"}"
#define DEK_KEY(subject, version)                                                                            \
	"{\"tenant\":\"default\",\"kekName\":\"k\",\"subject\":\"" subject                                   \
	"\",\"algorithm\":\"AES256_GCM\",\"version\":" version ",\"type\":\"DEK\"}"

static struct schema_keys_table table;
static struct bus_arena *arena;

static int start(void **state)
{
	(void)state;
	arena = bus_arena_new((size_t)1024 * 1024);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	schema_keys_release(&table);
	bus_arena_free(&arena);
	return 0;
}

static enum bus_err apply(const char *key, const char *value, struct bus_error *err)
{
	return schema_keys_apply(&table, bus_str(key), bus_str(value ? value : ""), !value, 77, arena, err);
}

static void add(const char *kek, const char *subject, int algorithm, int version, bool deleted)
{
	struct schema_dek d = { .kek = kek,
				.subject = subject,
				.algorithm = algorithm,
				.version = version,
				.material = "bQ==",
				.deleted = deleted };

	schema_keys_put_dek(&table, &d);
}

static void records_are_confluents_byte_for_byte(void **state)
{
	struct bus_buf b = { 0 };
	struct schema_dek id = {
		.kek = "k", .subject = "a<\"&", .algorithm = SCHEMA_AES256_GCM, .version = 1
	};

	(void)state;
	schema_kek_key("k", &b);
	assert_string_equal(bus_buf_cstr(&b), KEK_KEY);
	bus_buf_reset(&b);
	schema_dek_key(&id, &b);
	assert_string_equal(bus_buf_cstr(&b), DEK_KEY("a<\\\"&", "1"));
	bus_buf_reset(&b);
	assert_int_equal(apply(KEK_KEY, KEK_VALUE, NULL), BUS_OK);
	schema_kek_value(table.kek[0], &b);
	assert_string_equal(bus_buf_cstr(&b), KEK_VALUE);
	assert_int_equal(table.kek[0]->at_ms, 77);
	bus_buf_release(&b);
}

static void a_record_puts_changes_and_takes_away(void **state)
{
	(void)state;
	assert_int_equal(apply(KEK_KEY, KEK_VALUE, NULL), BUS_OK);
	assert_int_equal(
	    apply(KEK_KEY, "{\"kmsProps\":{\"b\":\"1\",\"a\":\"2\"},\"ts\":5,\"type\":\"KEK\"}", NULL),
	    BUS_OK);
	assert_int_equal(table.n_keks, 1);
	assert_string_equal(table.kek[0]->props, "{\"a\":\"2\",\"b\":\"1\"}");
	assert_null(table.kek[0]->doc);
	assert_false(table.kek[0]->deleted);
	assert_int_equal(apply(KEK_KEY, NULL, NULL), BUS_OK);
	assert_int_equal(table.n_keks, 0);
	assert_int_equal(apply(DEK_KEY("s", "1"), "{\"encryptedKeyMaterial\":\"bQ==\"}", NULL), BUS_OK);
	assert_int_equal(apply(DEK_KEY("s", "1"), NULL, NULL), BUS_OK);
	assert_int_equal(table.n_deks, 0);
	assert_int_equal(apply(DEK_KEY("s", "1"), NULL, NULL), BUS_OK);
}

static void what_is_no_key_changes_nothing_and_is_not_quoted(void **state)
{
	static const char *const record[][2] = {
		{ "secret", "{}" },
		{ "[\"secret\"]", "{}" },
		{ "{\"tenant\":\"secret\",\"name\":\"k\",\"type\":\"KEK\"}", "{}" },
		{ "{\"tenant\":\"default\",\"name\":\"k\",\"type\":\"secret\"}", "{}" },
		{ "{\"tenant\":\"default\",\"type\":\"KEK\"}", "{}" },
		{ KEK_KEY, "{\"kmsProps\":{\"secret\":[]}}" },
		{ KEK_KEY, "{\"doc\":[\"secret\"]}" },
		{ KEK_KEY, "{\"shared\":\"secret\"}" },
		{ KEK_KEY, "{\"doc\":\"secret" },
		{ DEK_KEY("s", "0"), "{}" },
		{ DEK_KEY("s", "1.5"), "{}" },
		{ DEK_KEY("s", "2147483648"), "{}" },
		{ DEK_KEY("s", "1"), "{\"encryptedKeyMaterial\":{\"secret\":1}}" },
	};

	(void)state;
	for (size_t i = 0; i < BUS_LEN(record); i++) {
		struct bus_error err = { 0 };

		if (apply(record[i][0], record[i][1], &err) == BUS_OK)
			fail_msg("%s %s is taken", record[i][0], record[i][1]);
		if (strstr(err.text, "secret"))
			fail_msg("%s", err.text);
	}
	assert_int_equal(table.n_keks + table.n_deks, 0);
}

static void deks_stand_by_kek_context_subject_algorithm_and_version(void **state)
{
	static const char *const wanted[] = { "a", "b", ":.c:a", "a" };
	size_t from, to;

	(void)state;
	add("l", "a", SCHEMA_AES256_GCM, 1, false);
	add("k", ":.c:a", SCHEMA_AES256_GCM, 1, false);
	add("k", "b", SCHEMA_AES128_GCM, 1, false);
	add("k", "a", SCHEMA_AES256_GCM, 1, false);
	for (size_t i = 0; i < BUS_LEN(wanted); i++)
		assert_string_equal(table.dek[i]->subject, wanted[i]);
	schema_keys_range(&table, "k", NULL, SCHEMA_ALGORITHM_ANY, &from, &to);
	assert_int_equal(to - from, 3);
	schema_keys_range(&table, "m", NULL, SCHEMA_ALGORITHM_ANY, &from, &to);
	assert_int_equal(to - from, 0);
}

static void the_latest_is_the_highest_that_is_there(void **state)
{
	struct schema_dek id = { .kek = "k", .subject = "s", .algorithm = SCHEMA_AES256_GCM };
	size_t from, to;

	(void)state;
	for (int v = 12; v > 0; v--)
		add("k", "s", SCHEMA_AES256_GCM, v, v > 10);
	add("k", "s", SCHEMA_AES256_SIV, 99, false);
	add("k", "t", SCHEMA_AES256_GCM, 98, false);
	assert_int_equal(schema_keys_find(&table, &id, false)->version, 10);
	assert_int_equal(schema_keys_find(&table, &id, true)->version, 12);
	id.version = 11;
	assert_null(schema_keys_find(&table, &id, false));
	assert_int_equal(schema_keys_find(&table, &id, true)->version, 11);
	schema_keys_range(&table, "k", "s", SCHEMA_AES256_GCM, &from, &to);
	assert_int_equal(to - from, 12);
	id.version = 5;
	schema_keys_remove_dek(&table, &id);
	assert_null(schema_keys_find(&table, &id, true));
	assert_int_equal(table.n_deks, 13);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(records_are_confluents_byte_for_byte, start, stop),
		cmocka_unit_test_setup_teardown(a_record_puts_changes_and_takes_away, start, stop),
		cmocka_unit_test_setup_teardown(what_is_no_key_changes_nothing_and_is_not_quoted, start,
						stop),
		cmocka_unit_test_setup_teardown(deks_stand_by_kek_context_subject_algorithm_and_version,
						start, stop),
		cmocka_unit_test_setup_teardown(the_latest_is_the_highest_that_is_there, start, stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
