/* A question for a gateway's store, and the answer: each with the group's key, so that neither is another's. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "gateway/engine/group.h"

#define HEX_LEN ((size_t)2 * BUS_SHA256_LEN)

static void mac_of(const uint8_t key[BUS_KEY_LEN], const struct bus_buf *text, char hex[HEX_LEN + 1])
{
	uint8_t mac[BUS_SHA256_LEN], own[BUS_SHA256_LEN];

	bus_hmac_sha256(key, "group-copy", 10, own);
	bus_hmac_sha256(own, text->p, text->n, mac);
	bus_hex(mac, sizeof(mac), hex);
	explicit_bzero(own, sizeof(own));
}

static void question(const uint8_t key[BUS_KEY_LEN], const char *url, int64_t ms, const char *nonce,
		     char hex[HEX_LEN + 1])
{
	struct bus_buf b = { 0 };

	bus_buf_printf(&b, "GET %s" GW_GROUP_COPY_PATH " %" PRId64 " %s", url, ms, nonce);
	mac_of(key, &b, hex);
	bus_buf_release(&b);
}

void gw_group_sign(const uint8_t key[BUS_KEY_LEN], const char *url, int64_t now_ms,
		   const uint8_t nonce[GW_GROUP_NONCE_LEN], struct bus_buf *out)
{
	char hex[HEX_LEN + 1], chance[2 * GW_GROUP_NONCE_LEN + 1];

	bus_hex(nonce, GW_GROUP_NONCE_LEN, chance);
	question(key, url, now_ms, chance, hex);
	bus_buf_printf(out, "Authorization: Titian-Group %" PRId64 ".%s.%s", now_ms, chance, hex);
}

static int digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool gw_group_signed(const uint8_t key[BUS_KEY_LEN], const char *url, int64_t now_ms,
		     const char *authorization, uint8_t nonce[GW_GROUP_NONCE_LEN])
{
	static const char scheme[] = "Titian-Group ";
	char hex[HEX_LEN + 1], chance[2 * GW_GROUP_NONCE_LEN + 1], *p;
	int64_t ms;

	if (!authorization || strncmp(authorization, scheme, sizeof(scheme) - 1) != 0)
		return false;
	authorization += sizeof(scheme) - 1;
	if (strspn(authorization, "0123456789") > 15)
		return false;
	ms = strtoll(authorization, &p, 10);
	if (*p++ != '.' || ms < now_ms - GW_GROUP_CLOCKS_MS || ms > now_ms + GW_GROUP_CLOCKS_MS ||
	    strlen(p) != sizeof(chance) + HEX_LEN || p[sizeof(chance) - 1] != '.')
		return false;
	for (size_t i = 0; i < GW_GROUP_NONCE_LEN; i++) {
		int high = digit(p[2 * i]), low = digit(p[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		nonce[i] = (uint8_t)(high << 4 | low);
	}
	snprintf(chance, sizeof(chance), "%.*s", (int)sizeof(chance) - 1, p);
	question(key, url, ms, chance, hex);
	return bus_equal_secret(p + sizeof(chance), hex, HEX_LEN);
}

static void answer(const uint8_t key[BUS_KEY_LEN], const uint8_t nonce[GW_GROUP_NONCE_LEN],
		   const char *repr_digest, int64_t bytes, char hex[HEX_LEN + 1])
{
	char chance[2 * GW_GROUP_NONCE_LEN + 1];
	struct bus_buf b = { 0 };

	bus_hex(nonce, GW_GROUP_NONCE_LEN, chance);
	bus_buf_printf(&b, "COPY %s %" PRId64 " %s", chance, bytes, repr_digest);
	mac_of(key, &b, hex);
	bus_buf_release(&b);
}

void gw_group_copy_seal(const uint8_t key[BUS_KEY_LEN], const uint8_t nonce[GW_GROUP_NONCE_LEN],
			const char *repr_digest, int64_t bytes, struct bus_buf *out)
{
	char hex[HEX_LEN + 1];

	answer(key, nonce, repr_digest, bytes, hex);
	bus_buf_printf(out, "%" PRId64 ".%s", bytes, hex);
}

bool gw_group_copy_sealed(const uint8_t key[BUS_KEY_LEN], const uint8_t nonce[GW_GROUP_NONCE_LEN],
			  const char *repr_digest, const char *seal, int64_t *bytes)
{
	char hex[HEX_LEN + 1], *p;

	if (seal[0] < '0' || seal[0] > '9' || strspn(seal, "0123456789") > 18)
		return false;
	*bytes = strtoll(seal, &p, 10);
	if (*p++ != '.' || strlen(p) != HEX_LEN)
		return false;
	answer(key, nonce, repr_digest, *bytes, hex);
	return bus_equal_secret(p, hex, HEX_LEN);
}
