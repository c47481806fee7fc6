#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdio.h>

#include "bus/base64url.h"
#include "gateway/national/replay.h"
#include "gateway/national/signature.h"

/* RFC 9421, B.1.4: test-key-ed25519 as a JWK; B.2: the request; B.2.6: its signature. */
static const char jwk_d[] = "n4Ni-HpISpVObnQMW0wOhCKROaIKqKtW_2ZYb2p9KcU";
static const char jwk_x[] = "JrQLj5P_89iXES9-vFgrIy29clF9CC_oPPsw3c5D0bs";
static const char b26_input[] = "sig-b26=(\"date\" \"@method\" \"@path\" \"@authority\" \"content-type\" "
				"\"content-length\");created=1618884473;keyid=\"test-key-ed25519\"";
static const char b26_base[] =
    "\"date\": Tue, 20 Apr 2021 02:07:55 GMT\n"
    "\"@method\": POST\n"
    "\"@path\": /foo\n"
    "\"@authority\": example.com\n"
    "\"content-type\": application/json\n"
    "\"content-length\": 18\n"
    "\"@signature-params\": (\"date\" \"@method\" \"@path\" \"@authority\" \"content-type\" "
    "\"content-length\");created=1618884473;keyid=\"test-key-ed25519\"";
static const char b26_signature[] =
    "sig-b26=:wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw==:";

static bool rfc_component(void *ctx, struct bus_str name, bool request, struct bus_buf *out)
{
	static const char *const part[][2] = { { "date", "Tue, 20 Apr 2021 02:07:55 GMT" },
					       { "@method", "POST" },
					       { "@path", "/foo" },
					       { "@authority", "example.com" },
					       { "content-type", "application/json" },
					       { "content-length", "18" },
					       { "evil", "a\n\"@method\": GET" } };

	for (size_t i = 0; i < BUS_LEN(part); i++)
		if (!request && bus_str_is(name, part[i][0])) {
			bus_buf_puts(out, ctx && i == 1 ? ctx : part[i][1]);
			return true;
		}
	return false;
}

static const struct gw_message rfc = { rfc_component, NULL };

static void key_of(const char *text, uint8_t out[BUS_ED25519_LEN])
{
	struct bus_buf b = { 0 };

	assert_true(bus_base64url_read(bus_str(text), &b));
	assert_int_equal(b.n, BUS_ED25519_LEN);
	memcpy(out, b.p, b.n);
	bus_buf_release(&b);
}

static struct bus_arena *arena;

static int begin(void **state)
{
	(void)state;
	arena = bus_arena_new((size_t)1 << 20);
	return 0;
}

static int end(void **state)
{
	(void)state;
	bus_arena_free(&arena);
	return 0;
}

static struct gw_field_member *parse(const char *text)
{
	struct gw_field_member *m = NULL;
	struct bus_error err;

	assert_int_equal(gw_field_dictionary(bus_str(text), arena, &m, &err), BUS_OK);
	return m;
}

static void the_base_is_the_rfcs(void **state)
{
	struct bus_buf base = { 0 };
	struct bus_error err;

	(void)state;
	assert_int_equal(gw_signature_base(&parse(b26_input)->value, &rfc, &base, &err), BUS_OK);
	assert_string_equal(bus_buf_cstr(&base), b26_base);
	bus_buf_release(&base);
}

static void signs_what_the_rfc_signs(void **state)
{
	static const char *const cover[] = { "\"date\"",	   "\"@method\"", "\"@path\"",
					     "\"@authority\"",	   "\"absent\"",  "\"content-type\"",
					     "\"content-length\"", NULL };
	struct bus_buf input = { 0 }, signature = { 0 };
	uint8_t key[BUS_ED25519_LEN];

	(void)state;
	key_of(jwk_d, key);
	bus_buf_puts(&input, "sig-b26=");
	bus_buf_puts(&signature, "sig-b26=");
	gw_signature_make(cover, ";created=1618884473;keyid=\"test-key-ed25519\"", key, &rfc, &input,
			  &signature);
	assert_string_equal(bus_buf_cstr(&input), b26_input);
	assert_string_equal(bus_buf_cstr(&signature), b26_signature);
	bus_buf_release(&input);
	bus_buf_release(&signature);
}

static void verifies_the_rfcs_and_no_other(void **state)
{
	const struct gw_message get = { rfc_component, (void *)(uintptr_t) "GET" };
	struct bus_str good = parse(b26_signature)->value.text;
	const struct gw_field_value *input = &parse(b26_input)->value;
	char bent[BUS_ED25519_SIGNATURE_LEN];
	uint8_t key[BUS_ED25519_LEN], other[BUS_ED25519_LEN];
	struct bus_error err;

	(void)state;
	key_of(jwk_x, key);
	key_of(jwk_d, other);
	assert_int_equal(gw_signature_verify(input, good, key, &rfc, &err), BUS_OK);
	assert_int_equal(gw_signature_verify(input, good, other, &rfc, &err), BUS_EDENIED);
	assert_int_equal(gw_signature_verify(input, good, key, &get, &err), BUS_EDENIED);
	assert_int_equal(gw_signature_verify(input, (struct bus_str){ good.p, 63 }, key, &rfc, &err),
			 BUS_EDENIED);
	memcpy(bent, good.p, sizeof(bent));
	bent[17] ^= 4;
	assert_int_equal(gw_signature_verify(input, (struct bus_str){ bent, sizeof(bent) }, key, &rfc, &err),
			 BUS_EDENIED);
	/* one parameter more is another signature */
	input = &parse("sig-b26=(\"date\" \"@method\" \"@path\" \"@authority\" \"content-type\" "
		       "\"content-length\");created=1618884473;keyid=\"test-key-ed25519\";expires=9")
		     ->value;
	assert_int_equal(gw_signature_verify(input, good, key, &rfc, &err), BUS_EDENIED);
}

static void refuses_components_it_cannot_be_sure_of(void **state)
{
	static const char *const bad[] = {
		"s=(\"@method\" \"@method\")", "s=(\"x-absent\")", "s=(\"@method\";sf)",
		"s=(\"date\";key=\"a\")",      "s=(date)",	   "s=\"@method\"",
		"s=(\"@method\";req)",	       "s=(\"evil\")"
	};
	struct bus_buf base = { 0 };
	struct bus_error err;

	(void)state;
	for (size_t i = 0; i < BUS_LEN(bad); i++) {
		assert_int_equal(gw_signature_base(&parse(bad[i])->value, &rfc, &base, &err), BUS_EDATA);
		bus_buf_reset(&base);
	}
	bus_buf_release(&base);
}

/* RFC 9530, B.1 and D.1: `{"hello": "world"}` and a line end. */
static void digests_as_the_rfc_does(void **state)
{
	static const char body[] = "{\"hello\": \"world\"}\n";
	static const char field[] = "sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:";
	struct bus_buf out = { 0 };

	(void)state;
	gw_digest_put(body, strlen(body), &out);
	assert_string_equal(bus_buf_cstr(&out), field);
	assert_true(gw_digest_fits(field, bus_str(body), arena));
	assert_true(gw_digest_fits(
	    "sha-512=:AA==:, sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:", bus_str(body), arena));
	assert_false(gw_digest_fits(field, bus_str("{}"), arena));
	assert_false(gw_digest_fits("sha-512=:AA==:", bus_str(body), arena));
	assert_false(gw_digest_fits(NULL, bus_str(body), arena));
	bus_buf_release(&out);
}

/* RFC 8037, A.3. */
static void a_key_is_named_by_its_thumbprint(void **state)
{
	uint8_t key[BUS_ED25519_LEN];
	struct bus_buf out = { 0 };

	(void)state;
	key_of("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", key);
	gw_key_thumbprint(key, &out);
	assert_string_equal(bus_buf_cstr(&out), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
	bus_buf_release(&out);
}

/* RFC 8941, 3.1 to 3.3: written anew as the RFC writes it. */
static void reads_structured_fields(void **state)
{
	static const char *const text[][2] = {
		{ "", "" },
		{ "en=\"Applepie\", da=:w4ZibGV0w6ZydGU=:", "en=\"Applepie\" da=:w4ZibGV0w6ZydGU=:" },
		{ "a=?0, b, c; foo=bar", "a=?0 b=?1 c=?1;foo=bar" },
		{ "rating=15, feelings=(joy sadness)", "rating=15 feelings=(joy sadness)" },
		{ "a=(1 2), b=3, c=4;aa=bb, d=(5 6);valid", "a=(1 2) b=3 c=4;aa=bb d=(5 6);valid" },
		{ "x=( \"a\"   \"b\" );q=-7 ,\t*k=*t/x", "x=(\"a\" \"b\");q=-7 *k=*t/x" },
		{ "x=\"a\\\"\\\\b\"", "x=\"a\\\"\\\\b\"" },
		{ "x=()", "x=()" },
	};

	(void)state;
	for (size_t i = 0; i < BUS_LEN(text); i++) {
		struct bus_buf out = { 0 };

		for (const struct gw_field_member *m = parse(text[i][0]); m; m = m->next) {
			bus_buf_printf(&out, "%s%.*s=", out.n ? " " : "", (int)m->key.n, m->key.p);
			gw_field_put(&m->value, &out);
		}
		assert_string_equal(bus_buf_cstr(&out), text[i][1]);
		bus_buf_release(&out);
	}
}

static void refuses_what_is_no_structured_field(void **state)
{
	static const char *const text[] = { "A=1",
					    "a=1,",
					    "a=1 b=2",
					    "a=\"x",
					    "a=\"\\x\"",
					    "a=\"\x80\"",
					    "a=:x",
					    "a=:x:",
					    "a=?2",
					    "a=1.5",
					    "a=",
					    "a=(1",
					    "a=(1;)",
					    "a=1;B=2",
					    "a=1, a=2",
					    "a=1;b=1;b=2",
					    "a=1234567890123456",
					    "a=(\"x\"\"y\")",
					    "a=-",
					    ",a=1",
					    "a=((1))" };
	struct gw_field_member *m;
	struct bus_error err;
	char many[200] = "";

	(void)state;
	for (size_t i = 0; i < BUS_LEN(text); i++)
		assert_int_equal(gw_field_dictionary(bus_str(text[i]), arena, &m, &err), BUS_EPARSE);
	snprintf(many, sizeof(many), "a=(%*s", 3, "");
	for (int i = 0; i < GW_FIELD_MEMBERS_MAX + 1; i++)
		strcat(many, "1 ");
	strcat(many, ")");
	assert_int_equal(gw_field_dictionary(bus_str(many), arena, &m, &err), BUS_EPARSE);
}

static const uint8_t *owner(uint8_t n)
{
	static uint8_t id[16];

	id[15] = n;
	return id;
}

static void a_nonce_is_good_once(void **state)
{
	struct gw_replay *r = gw_replay_new(4, 10);
	uint8_t id[16] = { 0 };

	(void)state;
	for (uint8_t i = 0; i < 4; i++) {
		id[0] = i * 4; /* of one bucket */
		assert_int_equal(gw_replay_take(r, id, owner(i), 100 + i), GW_REPLAY_NEW);
		assert_int_equal(gw_replay_take(r, id, owner(i), 100 + i), GW_REPLAY_SEEN);
	}
	id[0] = 99;
	assert_int_equal(gw_replay_take(r, id, owner(9), 105), GW_REPLAY_FULL);
	id[0] = 0;
	assert_int_equal(gw_replay_take(r, id, owner(0), 110), GW_REPLAY_SEEN);
	id[0] = 99;
	assert_int_equal(gw_replay_take(r, id, owner(9), 111), GW_REPLAY_NEW); /* the first is forgotten */
	id[0] = 0;
	assert_int_equal(gw_replay_take(r, id, owner(0), 111), GW_REPLAY_FULL);
	assert_int_equal(gw_replay_take(r, id, owner(0), 112), GW_REPLAY_NEW);
	gw_replay_free(&r);
}

static void one_reader_leaves_room_for_others(void **state)
{
	struct gw_replay *r = gw_replay_new(8, 10);
	uint8_t id[16] = { 0 };

	(void)state;
	for (uint8_t i = 0; i < 3; i++) {
		id[0] = i;
		assert_int_equal(gw_replay_take(r, id, owner(1), 100), i < 2 ? GW_REPLAY_NEW : GW_REPLAY_FULL);
	}
	assert_int_equal(gw_replay_take(r, id, owner(2), 100), GW_REPLAY_NEW);
	id[0] = 9;
	assert_int_equal(gw_replay_take(r, id, owner(1), 111), GW_REPLAY_NEW); /* his are forgotten */
	gw_replay_free(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_base_is_the_rfcs),
		cmocka_unit_test(signs_what_the_rfc_signs),
		cmocka_unit_test(verifies_the_rfcs_and_no_other),
		cmocka_unit_test(refuses_components_it_cannot_be_sure_of),
		cmocka_unit_test(digests_as_the_rfc_does),
		cmocka_unit_test(a_key_is_named_by_its_thumbprint),
		cmocka_unit_test(reads_structured_fields),
		cmocka_unit_test(refuses_what_is_no_structured_field),
		cmocka_unit_test(a_nonce_is_good_once),
		cmocka_unit_test(one_reader_leaves_room_for_others),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
