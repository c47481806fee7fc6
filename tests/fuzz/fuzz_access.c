/* What decides who may enter, from any bytes: the first says which reader gets the rest. */
#include "bus/secret.h"
#include "schemas/registry/login.h"
#include "schemas/registry/vouch.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void header(const char *text)
{
	struct schema_credentials c;
	struct bus_buf b = { 0 };

	schema_credentials_read(text, &b, &c);
	if (c.kind == SCHEMA_LOGIN_BASIC &&
	    (!schema_user_name_ok(c.name) || c.secret.n > SCHEMA_PASSWORD_MAX))
		__builtin_trap();
	bus_secret_release(&b);
}

static void vouch(const char *text)
{
	const struct schema_vouched of = { "GET", "/", "", { "", 0 } };
	const uint8_t key[BUS_KEY_LEN] = { 1 };
	char user[SCHEMA_USER_MAX];

	if (schema_vouch_check(key, 0, text, &of, user))
		__builtin_trap(); /* who has no key cannot make one */
}

static void policy(struct bus_str text)
{
	struct schema_policy *p;
	const struct schema_principal *who;

	if (schema_policy_parse("policy", text, &p, NULL) != BUS_OK)
		return;
	who = schema_policy_user(p, "a");
	(void)schema_principal_sees(who, ".a");
	for (unsigned r = 1; r < SCHEMA_RIGHT_ADMIN; r <<= 1)
		if (schema_principal_may(who, r, ":.a:b") &&
		    !schema_principal_may(who, SCHEMA_RIGHT_READ, ":.a:b"))
			__builtin_trap();
	schema_policy_free(&p);
}

static void users(struct bus_str text)
{
	const uint8_t *hash[SCHEMA_PASSWORDS_MAX];
	struct schema_users *u;

	if (schema_users_parse("users", text, &u, NULL) != BUS_OK)
		return;
	(void)schema_users_hashes(u, "dinsos", hash);
	(void)schema_users_token(
	    u, BUS_STR("tr_0123abcd_0000000000000000000000000000000000000000000000000000000000000000"));
	schema_users_free(&u);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *rest = (const char *)data + 1;
	char *text;

	if (size == 0)
		return 0;
	text = bus_xstrndup(rest, size - 1);
	switch (data[0]) {
	case 'h':
		header(text);
		break;
	case 'v':
		vouch(text);
		break;
	case 'p':
		policy((struct bus_str){ rest, size - 1 });
		break;
	case 'u':
		users((struct bus_str){ rest, size - 1 });
		break;
	default:
		break;
	}
	free(text);
	return 0;
}
