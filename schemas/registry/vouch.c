#include "schemas/registry/vouch.h"

#include <stdio.h>

static void sign(const uint8_t key[BUS_KEY_LEN], int64_t at, const char *user,
		 const struct schema_vouched *of, char hex[2 * BUS_SHA256_LEN + 1])
{
	uint8_t digest[BUS_SHA256_LEN], mac[BUS_SHA256_LEN];
	struct bus_buf b = { 0 };

	bus_sha256(of->body.p, of->body.n, digest);
	bus_hex(digest, sizeof(digest), hex);
	/* No part can hold a line end: names are letters and digits, and a URI with control characters is
	 * 400. */
	bus_buf_printf(&b, "titian node v1\n%lld\n%s\n%s\n%s\n%s\n%s", (long long)at, user, of->method,
		       of->path, of->query, hex);
	bus_hmac_sha256(key, b.p, b.n, mac);
	bus_hex(mac, sizeof(mac), hex);
	bus_buf_release(&b);
}

void schema_vouch_make(const uint8_t key[BUS_KEY_LEN], int64_t now_ms, const char *user,
		       const struct schema_vouched *of, struct bus_buf *out)
{
	char hex[2 * BUS_SHA256_LEN + 1];

	if (!*user)
		user = "*";
	sign(key, now_ms, user, of, hex);
	bus_buf_printf(out, "v1 %lld %s %s", (long long)now_ms, user, hex);
}

bool schema_vouch_check(const uint8_t key[BUS_KEY_LEN], int64_t now_ms, const char *value,
			const struct schema_vouched *of, char user[SCHEMA_USER_MAX])
{
	char name[SCHEMA_USER_MAX], hex[2 * BUS_SHA256_LEN + 1], wanted[2 * BUS_SHA256_LEN + 1];
	long long at;
	int end = 0;

	if (sscanf(value, "v1 %15lld %63[A-Za-z0-9._*-] %64[0-9a-f]%n", &at, name, hex, &end) != 3 ||
	    value[end] || strlen(hex) != 2 * BUS_SHA256_LEN ||
	    (strcmp(name, "*") != 0 && !schema_user_name_ok(name)))
		return false;
	sign(key, at, name, of, wanted);
	if (!bus_equal_secret(wanted, hex, sizeof(wanted)) || at < now_ms - SCHEMA_VOUCH_MS ||
	    at > now_ms + SCHEMA_VOUCH_MS)
		return false;
	snprintf(user, SCHEMA_USER_MAX, "%s", strcmp(name, "*") == 0 ? "" : name);
	return true;
}
