#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "adapters/intake/body.h"
#include "adapters/intake/key.h"
#include "adapters/intake/remember.h"
#include "adapters/intake/replay.h"
#include "adapters/intake/tokens.h"

#define X60 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

/* Of something else. */
#define HASH "8fed0c4d1f8acb38a6d8a3e4c0eee1c9a5a0b7c59b37d6ad1c7b9d5b8a7d4a10"

static enum bus_err load(const char *text, mode_t mode, struct adapter_tokens **t, struct bus_error *err)
{
	char path[] = "/tmp/titian-tokens-XXXXXX";
	int fd = mkstemp(path);
	enum bus_err rc;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	fchmod(fd, mode);
	close(fd);
	rc = adapter_tokens_load(path, t, err);
	unlink(path);
	return rc;
}

static void a_token_opens_its_own_feeds_alone(void **state)
{
	uint8_t hash[BUS_SHA256_LEN];
	char hex[2 * BUS_SHA256_LEN + 1], *text;
	struct adapter_tokens *t;

	(void)state;
	bus_sha256("kata-sandi", 10, hash);
	bus_hex(hash, sizeof(hash), hex);
	text = bus_xasprintf("# siapa\n\nsimrs kunjungan,faskes %s # rumah sakit\nsemua * %s\n", hex, HASH);
	assert_int_equal(load(text, 0600, &t, NULL), BUS_OK);
	assert_int_equal(adapter_tokens_find(t, NULL), -1);
	assert_int_equal(adapter_tokens_find(t, "Basic kata-sandi"), -1);
	assert_int_equal(adapter_tokens_find(t, "Bearer kata-sandi2"), -1);
	assert_int_equal(adapter_tokens_find(t, "bearer  kata-sandi"), 0);
	assert_true(adapter_tokens_may(t, 0, "faskes"));
	assert_false(adapter_tokens_may(t, 0, "faske"));
	assert_false(adapter_tokens_may(t, 0, "kunjungan,faskes2"));
	assert_true(adapter_tokens_may(t, 1, "apa_saja"));
	assert_string_equal(adapter_tokens_name(t, 0), "simrs");
	adapter_tokens_free(&t);
	free(text);
}

static void a_token_file_that_is_wrong_or_read_by_others_is_refused(void **state)
{
	struct adapter_tokens *t;
	struct bus_error err;

	(void)state;
	assert_int_equal(load("a b " HASH "\n", 0644, &t, &err), BUS_EINVAL);
	assert_int_equal(load("a b " HASH "\nx y 1234\n", 0600, &t, &err), BUS_EPARSE);
	assert_non_null(strstr(err.text, ":2:"));
	assert_null(strstr(err.text, "1234"));
	assert_int_equal(load("# nobody\n", 0600, &t, &err), BUS_EPARSE);
	assert_null(t);
}

static void a_line_of_the_token_file_may_be_long(void **state)
{
	struct bus_buf text = { 0 };
	struct adapter_tokens *t;
	struct bus_error err;

	(void)state;
	bus_buf_puts(&text, "# ");
	for (int i = 0; i < 5000; i++)
		bus_buf_putc(&text, '-');
	bus_buf_puts(&text, "\nsimrs ");
	for (int i = 0; i < 500; i++)
		bus_buf_printf(&text, "%sdinkes_kunjungan_%d", i ? "," : "", i);
	bus_buf_puts(&text, " " HASH "\n");
	if (load(bus_buf_cstr(&text), 0600, &t, &err))
		fail_msg("%s", err.text);
	assert_true(adapter_tokens_may(t, 0, "dinkes_kunjungan_499"));
	assert_false(adapter_tokens_may(t, 0, "dinkes_kunjungan_500"));
	adapter_tokens_free(&t);
	bus_buf_release(&text);
}

static void a_list_of_feeds_with_a_gap_is_refused(void **state)
{
	static const char *const feeds[] = { ",", "a,", ",a", "a,,b" };
	struct adapter_tokens *t;

	(void)state;
	for (size_t i = 0; i < BUS_LEN(feeds); i++) {
		char *line = bus_xasprintf("simrs %s " HASH "\n", feeds[i]);

		assert_int_equal(load(line, 0600, &t, NULL), BUS_EPARSE);
		free(line);
	}
}

static struct adapter_remembered key_of(unsigned n, int64_t time_ms)
{
	struct adapter_remembered e = { .n = n, .time_ms = time_ms };

	/* All in few chains. */
	e.key[0] = (uint8_t)(n % 3);
	memcpy(e.key + 8, &n, sizeof(n));
	return e;
}

static void keys_are_known_until_they_are_old_forgotten_or_too_many(void **state)
{
	struct adapter_remember *r = adapter_remember_new(100, 1000);
	struct adapter_remembered e;

	(void)state;
	for (unsigned n = 0; n < 250; n++) {
		e = key_of(n, n);
		adapter_remember_put(r, &e);
		for (unsigned k = 0; k <= n; k++) {
			struct adapter_remembered want = key_of(k, k),
						  *found = adapter_remember_find(r, want.key, n);

			assert_int_equal(found != NULL, k + 100 > n);
			assert_true(!found || found->n == k);
		}
	}
	e = key_of(200, 0);
	adapter_remember_forget(r, e.key);
	assert_null(adapter_remember_find(r, e.key, 250));
	e = key_of(201, 0);
	assert_null(adapter_remember_find(r, e.key, 201 + 1001));
	e = key_of(202, 5);
	e.pending = true;
	adapter_remember_put(r, &e); /* anew: the same key is there once */
	assert_non_null(adapter_remember_find(r, e.key, 100000));
	adapter_remember_forget(r, e.key);
	assert_null(adapter_remember_find(r, e.key, 6));
	adapter_remember_free(&r);
}

static void a_time_to_begin_again_from_is_read(void **state)
{
	int64_t ms;

	(void)state;
	assert_int_equal(adapter_replay_time("72h", INT64_C(1000000000000), &ms, NULL), BUS_OK);
	assert_int_equal(ms, INT64_C(1000000000000) - INT64_C(72) * 3600 * 1000);
	assert_int_equal(adapter_replay_time("2026-11-20", 0, &ms, NULL), BUS_OK);
	assert_int_equal(ms, INT64_C(1795107600000)); /* date -d '2026-11-20 00:00 +0700' +%s000 */
	assert_int_equal(adapter_replay_time("2026-11-20T08:30", 0, &ms, NULL), BUS_OK);
	assert_int_equal(ms, INT64_C(1795138200000));
	assert_int_equal(adapter_replay_time("3d", INT64_C(1000000000000), &ms, NULL), BUS_OK);
	assert_int_equal(ms, INT64_C(1000000000000) - INT64_C(3) * 24 * 3600 * 1000);
	assert_int_equal(adapter_replay_time("2026-11-20T08:30+08:00", 0, &ms, NULL), BUS_OK);
	assert_int_equal(ms, INT64_C(1795134600000));
	assert_int_equal(adapter_replay_time(" 2026-11-20", 0, &ms, NULL), BUS_EINVAL);
	assert_int_equal(adapter_replay_time("2026-1 -2 ", 0, &ms, NULL), BUS_EINVAL);
	assert_int_equal(adapter_replay_time("+202-+1-+2", 0, &ms, NULL), BUS_EINVAL);
	assert_int_equal(adapter_replay_time("2026-02-30", 0, &ms, NULL), BUS_EINVAL);
	assert_int_equal(adapter_replay_time("2026-11-20T24:00", 0, &ms, NULL), BUS_EINVAL);
	assert_int_equal(adapter_replay_time("2026-11-20x", 0, &ms, NULL), BUS_EINVAL);
	assert_int_equal(adapter_replay_time("kemarin", 0, &ms, NULL), BUS_EINVAL);
}

static void types_of_bodies_are_known_by_name(void **state)
{
	enum adapter_body_kind kind;

	(void)state;
	assert_true(adapter_body_kind("Application/JSON; charset=utf-8", false, &kind) &&
		    kind == ADAPTER_BODY_JSON);
	assert_true(adapter_body_kind("application/json", true, &kind) && kind == ADAPTER_BODY_BINARY);
	assert_false(adapter_body_kind("text/csv", true, &kind));
	assert_false(adapter_body_kind("application/jsonx", false, &kind));
	assert_false(adapter_body_kind(NULL, false, &kind));
}

static void a_row_over_its_limit_or_too_many_rows_are_not_taken(void **state)
{
	struct bus_buf body = { 0 }, rows = { 0 };
	uint32_t n;

	(void)state;
	bus_buf_puts(&body, "[{\"a\":\"");
	for (int i = 0; i < 1100; i++)
		bus_buf_printf(&body, "%01000d", 0);
	bus_buf_puts(&body, "\"}]");
	assert_int_not_equal(
	    adapter_body_rows(ADAPTER_BODY_JSON, bus_buf_str(&body), (struct bus_str){ 0 }, &rows, &n, NULL),
	    BUS_OK);
	bus_buf_reset(&body);
	bus_buf_reset(&rows);
	for (int i = 0; i <= ADAPTER_BODY_ROWS; i++)
		bus_buf_puts(&body, "{}\n");
	assert_int_equal(
	    adapter_body_rows(ADAPTER_BODY_LINES, bus_buf_str(&body), (struct bus_str){ 0 }, &rows, &n, NULL),
	    BUS_ETOOBIG);
	bus_buf_reset(&rows);
	body.n -= 3;
	assert_int_equal(
	    adapter_body_rows(ADAPTER_BODY_LINES, bus_buf_str(&body), (struct bus_str){ 0 }, &rows, &n, NULL),
	    BUS_OK);
	assert_int_equal(n, ADAPTER_BODY_ROWS);
	bus_buf_release(&body);
	bus_buf_release(&rows);
}

/* The source would refuse the row later, when its sender was told that it is taken. */
static void data_that_has_our_own_member_is_refused(void **state)
{
	static const struct {
		enum adapter_body_kind kind;
		const char *text;
	} bad[] = {
		{ ADAPTER_BODY_BINARY, "{\"a\":1,\"_ce\":{\"id\":\"2\"}}" },
		{ ADAPTER_BODY_BINARY, "{\"\\u005fce\":null}" },
		{ ADAPTER_BODY_EVENT, "{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"s\",\"type\":\"t\","
				      "\"data\":{\"_ce\":1}}" },
	};
	struct bus_buf rows = { 0 };
	struct bus_error why;
	uint32_t n;

	(void)state;
	for (size_t i = 0; i < BUS_LEN(bad); i++) {
		assert_int_equal(adapter_body_rows(bad[i].kind, bus_str(bad[i].text), BUS_STR("\"id\":\"1\""),
						   &rows, &n, &why),
				 BUS_EPARSE);
		assert_non_null(strstr(why.text, "_ce"));
	}
	bus_buf_reset(&rows);
	assert_int_equal(adapter_body_rows(ADAPTER_BODY_BINARY, BUS_STR("{\"_CE\":1,\"x\":{\"_ce\":2}}"),
					   BUS_STR("\"id\":\"1\""), &rows, &n, &why),
			 BUS_OK);
	assert_string_equal(bus_buf_cstr(&rows), "{\"_CE\":1,\"x\":{\"_ce\":2},\"_ce\":{\"id\":\"1\"}}\n");
	bus_buf_release(&rows);
}

static void a_key_is_one_to_255_visible_characters_without_a_nik(void **state)
{
	static const struct {
		const char *sent;
		enum adapter_key want;
	} key[] = {
		{ NULL, ADAPTER_KEY_NONE },
		{ "", ADAPTER_KEY_BAD },
		{ "\"", ADAPTER_KEY_GOOD }, /* a character as any other */
		{ "\"\"", ADAPTER_KEY_BAD },
		{ "a", ADAPTER_KEY_GOOD },
		{ "~!", ADAPTER_KEY_GOOD },
		{ "a b", ADAPTER_KEY_BAD },
		{ "a\tb", ADAPTER_KEY_BAD },
		{ "a\x7f", ADAPTER_KEY_BAD },
		{ "\xc3\xa9", ADAPTER_KEY_BAD },
		{ "147101010190000", ADAPTER_KEY_GOOD },
		{ "1471010101900001", ADAPTER_KEY_BAD },
		{ "\"kunjungan-1471010101900001\"", ADAPTER_KEY_BAD },
		{ "a14710101019000012b", ADAPTER_KEY_BAD },
		{ X60 X60 X60 X60 "xxxxxxxxxxxxxxx", ADAPTER_KEY_GOOD }, /* 255 */
		{ X60 X60 X60 X60 "xxxxxxxxxxxxxxxx", ADAPTER_KEY_BAD },
		{ "\"" X60 X60 X60 X60 "xxxxxxxxxxxxxxx\"", ADAPTER_KEY_GOOD },
	};
	uint8_t bare[BUS_SHA256_LEN], quoted[BUS_SHA256_LEN];

	(void)state;
	for (size_t i = 0; i < BUS_LEN(key); i++)
		assert_int_equal(adapter_key_read(key[i].sent, bare), key[i].want);
	assert_int_equal(adapter_key_read("k-1", bare), ADAPTER_KEY_GOOD);
	assert_int_equal(adapter_key_read("\"k-1\"", quoted), ADAPTER_KEY_GOOD);
	assert_memory_equal(bare, quoted, sizeof(bare));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_token_opens_its_own_feeds_alone),
		cmocka_unit_test(a_token_file_that_is_wrong_or_read_by_others_is_refused),
		cmocka_unit_test(a_line_of_the_token_file_may_be_long),
		cmocka_unit_test(a_list_of_feeds_with_a_gap_is_refused),
		cmocka_unit_test(keys_are_known_until_they_are_old_forgotten_or_too_many),
		cmocka_unit_test(a_time_to_begin_again_from_is_read),
		cmocka_unit_test(types_of_bodies_are_known_by_name),
		cmocka_unit_test(a_row_over_its_limit_or_too_many_rows_are_not_taken),
		cmocka_unit_test(data_that_has_our_own_member_is_refused),
		cmocka_unit_test(a_key_is_one_to_255_visible_characters_without_a_nik),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
