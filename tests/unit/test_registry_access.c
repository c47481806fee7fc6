/* Who may do what in the registry, without a registry: policies, passwords and tokens (their hashes made by
 * Python's hashlib), the Authorization header, what one node tells another, and that every route wants
 * something. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bus/clock.h"
#include "bus/secret.h"
#include "schemas/registry/registry.h"
#include "schemas/registry/login.h"
#include "schemas/registry/rights.h"
#include "schemas/registry/users.h"
#include "schemas/registry/vouch.h"

#define R SCHEMA_RIGHT_READ
#define W SCHEMA_RIGHT_WRITE
#define D SCHEMA_RIGHT_DELETE
#define C SCHEMA_RIGHT_CONFIGURE

static struct schema_policy *policy_of(const char *text)
{
	struct schema_policy *p;
	struct bus_error err;

	if (schema_policy_parse("policy.yaml", bus_str(text), &p, &err) != BUS_OK)
		fail_msg("%s", err.text);
	return p;
}

static const char city[] = "users:\n"
			   "  dinsos:\n"
			   "    certificate: [\"DNS:adapter.dinsos.test\", \"CN=dinsos,O=Pekanbaru\"]\n"
			   "    write: [\"pku.dinsos.*\", \"pku.bersama.agama.v1-value\", \":.uji:*\"]\n"
			   "    delete: [\"pku.dinsos.uji.*\"]\n"
			   "  dukcapil: { write: [\":*:pku.dukcapil.*\"], configure: [\":.uji:\"] }\n"
			   "  operator: { admin: true }\n"
			   "everyone: { read: [\"pku.bersama.*\"] }\n"
			   "anonymous: { read: [\"pku.umum.*\"] }\n";

static void lets_prefixes_and_names_through_and_nothing_else(void **state)
{
	static const struct {
		const char *user;
		enum schema_right right;
		const char *subject;
		bool may;
	} try[] = {
		{ "dinsos", W, "pku.dinsos.bansos.v1-value", true },
		{ "dinsos", R, "pku.dinsos.bansos.v1-value", true }, /* who writes reads */
		{ "dinsos", D, "pku.dinsos.bansos.v1-value", false },
		{ "dinsos", D, "pku.dinsos.uji.v1-value", true },
		{ "dinsos", C, "pku.dinsos.uji.v1-value", false },
		{ "dinsos", W, "pku.dinsos.", true },
		{ "dinsos", W, "pku.dinsos", false },
		{ "dinsos", W, "PKU.DINSOS.a", false },
		{ "dinsos", W, "pku.dinsosx.a", false },
		{ "dinsos", W, "pku.dinsos%2ea", false },
		{ "dinsos", W, " pku.dinsos.a", false },
		{ "dinsos", W, "", false },
		{ "dinsos", W, "pku.bersama.agama.v1-value", true },
		{ "dinsos", W, "pku.bersama.agama.v1-value2", false },
		{ "dinsos", R, "pku.bersama.darah.v1-value", true }, /* everyone */
		{ "dinsos", W, "pku.bersama.darah.v1-value", false },
		{ "dinsos", R, "pku.umum.a", false }, /* anonymous is not everyone */
		/* contexts are names of their own */
		{ "dinsos", W, ":.:pku.dinsos.a", true },
		{ "dinsos", W, ":.uji:pku.dukcapil.a", true },
		{ "dinsos", W, ":.uji:", true },
		{ "dinsos", W, ":.uji", true },
		{ "dinsos", W, ":.ujix:pku.dinsos.a", false },
		{ "dinsos", W, ":.lain:pku.dinsos.a", false },
		{ "dinsos", W, ":.__GLOBAL:", false },
		{ "dinsos", W, ":*:pku.dinsos.a", false },
		{ "dukcapil", W, "pku.dukcapil.a", true },
		{ "dukcapil", W, ":.lain:pku.dukcapil.a", true },
		{ "dukcapil", W, ":.pku.dukcapil.x:a", false },
		{ "dukcapil", C, ":.uji:", true },
		{ "dukcapil", C, ":.uji:a", false },
		{ "operator", D, ":.__GLOBAL:", true },
		{ "stranger", R, "pku.bersama.darah.v1-value", true }, /* known, and not named here */
		{ "stranger", R, "pku.dinsos.a", false },
		{ "", R, "pku.dinsos.a", false },
	};
	struct schema_policy *p = policy_of(city);

	(void)state;
	for (size_t i = 0; i < BUS_LEN(try); i++)
		if (schema_principal_may(schema_policy_user(p, try[i].user), try[i].right, try[i].subject) !=
		    try[i].may)
			fail_msg("%s %s '%s': wanted %d", try[i].user, schema_right_name(try[i].right),
				 try[i].subject, try[i].may);
	assert_true(schema_principal_may(schema_policy_anonymous(p), R, "pku.umum.a"));
	assert_false(schema_principal_may(schema_policy_anonymous(p), R, "pku.bersama.a"));
	assert_true(schema_principal_sees(schema_policy_user(p, "dinsos"), ".uji"));
	assert_false(schema_principal_sees(schema_policy_user(p, "dinsos"), ".lain"));
	assert_true(schema_principal_sees(schema_policy_user(p, "dukcapil"), ".lain"));
	schema_policy_free(&p);
}

static void takes_the_policy_that_is_shipped(void **state)
{
	struct schema_policy *p;
	struct bus_error err;

	(void)state;
	if (schema_policy_load("deploy/registry/policy.yaml", &p, &err) != BUS_OK)
		fail_msg("%s", err.text);
	assert_true(schema_principal_may(schema_policy_user(p, "dinsos"), W, "pku.dinsos.bansos.v1-value"));
	assert_false(schema_principal_may(schema_policy_user(p, "dinsos"), W, "pku.dinkes.bansos.v1-value"));
	assert_true(schema_principal_may(schema_policy_user(p, "tim-data"), D, ":.uji:a"));
	assert_null(schema_policy_anonymous(p));
	schema_policy_free(&p);
}

static void knows_whose_certificate_it_is(void **state)
{
	const struct bus_http_certificate by_subject = { .subject = "CN=dinsos,O=Pekanbaru" };
	const struct bus_http_certificate by_name = { .subject = "CN=x",
						      .name = { "URI:a", "DNS:adapter.dinsos.test" },
						      .n_names = 2 };
	const struct bus_http_certificate wrong = { .subject = "CN=dinsos",
						    .name = { "EMAIL:adapter.dinsos.test" },
						    .n_names = 1 };
	const struct bus_http_certificate inside = { .subject = "CN=DNS:adapter.dinsos.test" };
	struct schema_policy *p = policy_of(city);

	(void)state;
	assert_string_equal(schema_principal_name(schema_policy_certificate(p, &by_subject)), "dinsos");
	assert_string_equal(schema_principal_name(schema_policy_certificate(p, &by_name)), "dinsos");
	assert_null(schema_policy_certificate(p, &wrong));
	assert_null(schema_policy_certificate(p, &inside));
	schema_policy_free(&p);
	p = policy_of("users: {}\n");
	assert_null(schema_policy_certificate(p, &by_name));
	assert_null(schema_policy_anonymous(p));
	assert_false(schema_principal_may(schema_policy_user(p, "dinsos"), R, "a"));
	schema_policy_free(&p);
}

static void refuses_a_policy_that_may_mean_something_else(void **state)
{
	static const struct {
		const char *text, *says;
	} wrong[] = {
		{ "", "'users' is missing" },
		{ "users: []\n", "'users' is missing" },
		{ "users: {}\nuser: {}\n", "unknown key 'user'" },
		{ "users:\n  a: { raed: [\"x\"] }\n", "did you mean 'read'" },
		{ "users:\n  a: { read: \"x*\" }\n", "policy.yaml:2: 'read' needs a list" },
		{ "users:\n  a: { read: [\"*x\"] }\n", "at the end only" },
		{ "users:\n  a: { read: [\"a*b*\"] }\n", "at the end only" },
		{ "users:\n  a: { read: [\":.c*:x\"] }\n", "at the end only" },
		{ "users:\n  a: { read: [\":x\"] }\n", "a context is written" },
		{ "users:\n  a: { read: [\"\"] }\n", "a subject is wanted" },
		{ "users:\n  a: { read: [[\"x\"]] }\n", "a subject is wanted" },
		{ "users:\n  a b: { read: [\"x\"] }\n", "a user is a name" },
		{ "users:\n  a: true\n", "a user is a name" },
		{ "users:\n  a: { admin: yes }\n", "true or false" },
		{ "users:\n  a: { certificate: [\"adapter\"] }\n", "a certificate is known by" },
		{ "users:\n  a: { certificate: [\"DNS:x\"] }\n  b: { certificate: [\"DNS:x\"] }\n",
		  "given to" },
		{ "users: {}\nanonymous: { admin: true }\n", "admin" },
	};
	struct schema_policy *p;
	struct bus_error err;

	(void)state;
	for (size_t i = 0; i < BUS_LEN(wrong); i++) {
		assert_int_equal(schema_policy_parse("policy.yaml", bus_str(wrong[i].text), &p, &err),
				 BUS_EPARSE);
		assert_null(p);
		if (!strstr(err.text, wrong[i].says))
			fail_msg("%s\nsays: %s", wrong[i].text, err.text);
	}
}

#define TOKEN "tr_0123abcd_5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a"
#define TOKEN_SHA "59b4db940b607fb3a87903396cd81695e627f8dd80b3aaa781de736ecf52544f"
#define HASH "8ab6ba272b3546eb97a26d37469e24379309ef1bd8cdeb4f628af1624d63d085"
#define SALT "000102030405060708090a0b0c0d0e0f"

static const char users_file[] =
    "# who\n"
    "password dinsos pbkdf2-sha256 10000 " SALT " " HASH " 2026-01-01T00:00:00+07:00\n"
    "\n"
    "token kominfo 0123abcd " TOKEN_SHA " 2026-01-01T00:00:00+07:00\n";

static void checks_passwords_and_tokens(void **state)
{
	struct bus_str right = BUS_STR("rahasia kota: \xc3\xa9");
	struct schema_users *u;
	struct bus_error err;

	(void)state;
	assert_int_equal(schema_users_parse("users", bus_str(users_file), &u, &err), BUS_OK);
	assert_non_null(schema_users_password(u, "dinsos", right));
	assert_null(schema_users_password(u, "dinsos", BUS_STR("rahasia kota: e")));
	assert_null(schema_users_password(u, "kominfo", right));
	assert_string_equal(schema_users_token(u, BUS_STR(TOKEN)), "kominfo");
	assert_null(schema_users_token(u, BUS_STR(TOKEN "5")));
	assert_null(schema_users_token(
	    u, BUS_STR("tr_0123abcd_5b5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a")));
	assert_null(schema_users_token(u, BUS_STR("")));
	schema_users_free(&u);
}

static void refuses_lines_it_does_not_understand(void **state)
{
	static const char *const wrong[] = {
		"password dinsos pbkdf2-sha256 9999 " SALT " " HASH
		" x\n", /* too few rounds to be worth it */
		"password dinsos pbkdf2-sha256 100000000 " SALT " " HASH " x\n",
		"password dinsos sha256 10000 " SALT " " HASH " x\n",
		"password din/sos pbkdf2-sha256 10000 " SALT " " HASH " x\n",
		"password dinsos pbkdf2-sha256 10000 0001 " HASH " x\n",
		"token kominfo 0123abc " TOKEN_SHA " x\n",
		"token kominfo 0123abcd deadbeef x\n",
		"admin\n",
	};
	struct schema_users *u;
	struct bus_error err;
	char three[1000];

	(void)state;
	for (size_t i = 0; i < BUS_LEN(wrong); i++) {
		assert_int_equal(schema_users_parse("users", bus_str(wrong[i]), &u, &err), BUS_EPARSE);
		assert_non_null(strstr(err.text, "users:1:"));
		assert_null(strstr(err.text, HASH));
	}
	snprintf(three, sizeof(three), "%1$s%1$s%1$s",
		 "password a pbkdf2-sha256 10000 " SALT " " HASH " x\n");
	assert_int_equal(schema_users_parse("users", bus_str(three), &u, &err), BUS_EPARSE);
	assert_non_null(strstr(err.text, "users:3:"));
}

static void makes_entries_that_it_takes(void **state)
{
	char path[] = "/tmp/test_registry_access.XXXXXX";
	int fd = mkstemp(path);
	struct bus_buf token = { 0 };
	struct schema_users *u;
	struct bus_error err;

	(void)state;
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(schema_users_add_token(path, "dinsos", &token, &err), BUS_OK);
	assert_int_equal(schema_users_add_password(path, "admin", BUS_STR("kata sandi"), &err), BUS_OK);
	assert_int_equal(schema_users_add_password(path, "admin", BUS_STR("pendek"), &err), BUS_EINVAL);
	assert_int_equal(schema_users_add_password(path, "a b", BUS_STR("kata sandi"), &err), BUS_EINVAL);
	assert_int_equal(schema_users_load(path, &u, &err), BUS_OK);
	assert_string_equal(schema_users_token(u, bus_buf_str(&token)), "dinsos");
	assert_non_null(schema_users_password(u, "admin", BUS_STR("kata sandi")));
	assert_null(schema_users_password(u, "admin", BUS_STR("kata sand1")));
	schema_users_free(&u);
	assert_int_equal(chmod(path, 0644), 0);
	assert_int_equal(schema_users_load(path, &u, &err), BUS_EINVAL);
	unlink(path);
	assert_int_equal(schema_users_load(path, &u, &err), BUS_ENOENT);
	assert_non_null(strstr(err.text, "token new"));
	bus_buf_release(&token);
}

static void reads_the_authorization_header(void **state)
{
	static const struct {
		const char *header;
		int kind;
		const char *name, *secret;
	} try[] = {
		{ NULL, SCHEMA_LOGIN_NONE, "", "" },
		{ "Basic ZGluc29zOmE6Yg==", SCHEMA_LOGIN_BASIC, "dinsos", "a:b" },
		{ "bAsIc  ZGluc29zOmE6Yg==", SCHEMA_LOGIN_BASIC, "dinsos", "a:b" },
		{ "Basic ZGluc29zOg==", SCHEMA_LOGIN_BASIC, "dinsos", "" },
		{ "Basic ZGluc29zOmE6Yg", SCHEMA_LOGIN_MALFORMED, "", "" },   /* no padding */
		{ "Basic ZGluc29z", SCHEMA_LOGIN_MALFORMED, "", "" },	      /* no colon */
		{ "Basic OmFi", SCHEMA_LOGIN_MALFORMED, "", "" },	      /* no name */
		{ "Basic ZGluc29zOmEAYg==", SCHEMA_LOGIN_MALFORMED, "", "" }, /* NUL */
		{ "Basic ZGlu/c29zOmE=", SCHEMA_LOGIN_MALFORMED, "", "" },
		{ "Basic", SCHEMA_LOGIN_MALFORMED, "", "" },
		{ "", SCHEMA_LOGIN_MALFORMED, "", "" },
		{ "Bearer abc", SCHEMA_LOGIN_BEARER, "", "abc" },
		{ "bearer abc", SCHEMA_LOGIN_BEARER, "", "abc" },
		{ "Bearer ", SCHEMA_LOGIN_MALFORMED, "", "" },
		{ "Digest username=\"dinsos\"", SCHEMA_LOGIN_MALFORMED, "", "" },
	};

	(void)state;
	for (size_t i = 0; i < BUS_LEN(try); i++) {
		struct schema_credentials c;
		struct bus_buf b = { 0 };

		schema_credentials_read(try[i].header, &b, &c);
		if ((int)c.kind != try[i].kind || strcmp(c.name, try[i].name) != 0 ||
		    !bus_str_is(c.secret, try[i].secret))
			fail_msg("'%s': %d '%s' '%.*s'", try[i].header, c.kind, c.name, (int)c.secret.n,
				 c.secret.p);
		bus_secret_release(&b);
	}
}

static void remembers_the_right_and_counts_the_wrong(void **state)
{
	struct schema_memory *m = schema_memory_new();
	struct schema_failures *f = schema_failures_new();
	const uint8_t one[32] = { 1 }, two[32] = { 2 };

	(void)state;
	assert_false(schema_memory_knows(m, one, BUS_STR("bc")));
	schema_memory_keep(m, one, BUS_STR("bc"));
	assert_true(schema_memory_knows(m, one, BUS_STR("bc")));
	assert_false(schema_memory_knows(m, two, BUS_STR("bc")));
	assert_false(schema_memory_knows(m, one, BUS_STR("bd")));
	for (int i = 0; i < 10; i++) {
		assert_false(schema_failures_many(f, "10.0.0.1", "dinsos"));
		schema_failures_add(f, "10.0.0.1", "dinsos");
	}
	assert_true(schema_failures_many(f, "10.0.0.1", "other"));
	assert_false(schema_failures_many(f, "10.0.0.2", "dinsos"));
	for (int i = 0; i < 20; i++)
		schema_failures_add(f, "10.0.0.1", "dinsos");
	assert_true(schema_failures_many(f, "10.0.0.2", "dinsos")); /* from everywhere at one name */
	schema_failures_free(&f);
	schema_memory_free(&m);
}

static void believes_a_node_about_this_request_only(void **state)
{
	/* the HMAC by Python's hmac */
	static const char value[] = "v1 1700000000000 dinsos "
				    "812b75f0012dcc20c9357ebd56fd5626f25a208acbad9cddfce837cfe5241b9e";
	const struct schema_vouched of = { "POST", "/subjects/pku.dinsos.a-value/versions", "normalize=true",
					   BUS_STR("{\"schema\":\"\\\"int\\\"\"}") };
	const int64_t at = INT64_C(1700000000000);
	uint8_t key[BUS_KEY_LEN], other[BUS_KEY_LEN] = { 0 };
	struct schema_vouched changed;
	char user[SCHEMA_USER_MAX];
	struct bus_buf b = { 0 };

	(void)state;
	memset(key, 7, sizeof(key));
	schema_vouch_make(key, at, "dinsos", &of, &b);
	assert_string_equal(bus_buf_cstr(&b), value);
	assert_true(schema_vouch_check(key, at + SCHEMA_VOUCH_MS, value, &of, user));
	assert_string_equal(user, "dinsos");
	assert_false(schema_vouch_check(key, at + SCHEMA_VOUCH_MS + 1, value, &of, user));
	assert_false(schema_vouch_check(key, at - SCHEMA_VOUCH_MS - 1, value, &of, user));
	assert_false(schema_vouch_check(other, at, value, &of, user));
	changed = of;
	changed.method = "DELETE";
	assert_false(schema_vouch_check(key, at, value, &changed, user));
	changed = of;
	changed.path = "/subjects/pku.dinsos.b-value/versions";
	assert_false(schema_vouch_check(key, at, value, &changed, user));
	changed = of;
	changed.query = "";
	assert_false(schema_vouch_check(key, at, value, &changed, user));
	changed = of;
	changed.body = BUS_STR("{}");
	assert_false(schema_vouch_check(key, at, value, &changed, user));
	bus_buf_reset(&b);
	bus_buf_puts(&b, value);
	memcpy(b.p + 17, "DINSOS", 6);
	assert_false(schema_vouch_check(key, at, bus_buf_cstr(&b), &of, user));
	assert_false(schema_vouch_check(key, at, "", &of, user));
	assert_false(schema_vouch_check(key, at, "v1 1700000000000 dinsos", &of, user));
	bus_buf_reset(&b);
	schema_vouch_make(key, at, "", &of, &b);
	assert_true(schema_vouch_check(key, at, bus_buf_cstr(&b), &of, user));
	assert_string_equal(user, "");
	bus_buf_release(&b);
}

/* A route that nobody thought of is an admin's; whoever adds one says here what it wants. */
static void every_route_wants_something(void **state)
{
	(void)state;
	for (const struct bus_http_route *r = schema_registry_routes; r->method; r++) {
		struct schema_wanted w = schema_rights_of(r->method, r->pattern);

		if (!w.listed)
			fail_msg("%s %s: add it to schemas/registry/rights.c", r->method, r->pattern);
		if (w.scope == SCHEMA_SCOPE_SUBJECT)
			assert_non_null(strstr(r->pattern, "{subject}"));
		if (w.scope == SCHEMA_SCOPE_KNOWN || w.scope == SCHEMA_SCOPE_OPEN)
			assert_int_equal(w.right, R);
	}
	assert_int_equal(schema_rights_of("DELETE", "/everything").scope, SCHEMA_SCOPE_ADMIN);
	assert_int_equal(schema_rights_of("HEAD", "/subjects").scope, SCHEMA_SCOPE_KNOWN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lets_prefixes_and_names_through_and_nothing_else),
		cmocka_unit_test(takes_the_policy_that_is_shipped),
		cmocka_unit_test(knows_whose_certificate_it_is),
		cmocka_unit_test(refuses_a_policy_that_may_mean_something_else),
		cmocka_unit_test(checks_passwords_and_tokens),
		cmocka_unit_test(refuses_lines_it_does_not_understand),
		cmocka_unit_test(makes_entries_that_it_takes),
		cmocka_unit_test(reads_the_authorization_header),
		cmocka_unit_test(remembers_the_right_and_counts_the_wrong),
		cmocka_unit_test(believes_a_node_about_this_request_only),
		cmocka_unit_test(every_route_wants_something),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
