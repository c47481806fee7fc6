#include "gateway/hook/sign.h"

#include <inttypes.h>

#include "bus/base64.h"
#include "bus/crypto_sign.h"

static void put_one(enum gw_hook_signature kind, const uint8_t key[BUS_KEY_LEN], struct bus_str text,
		    struct bus_buf *out)
{
	uint8_t bytes[BUS_ED25519_SIGNATURE_LEN];

	if (kind == GW_HOOK_HMAC) {
		bus_hmac_sha256(key, text.p, text.n, bytes);
		bus_buf_puts(out, "v1,");
		bus_base64_put((struct bus_str){ (const char *)bytes, BUS_SHA256_LEN }, out);
	} else {
		bus_ed25519_sign(key, text.p, text.n, bytes);
		bus_buf_puts(out, "v1a,");
		bus_base64_put((struct bus_str){ (const char *)bytes, BUS_ED25519_SIGNATURE_LEN }, out);
	}
}

void gw_hook_sign(const struct gw_hook_sub *s, int64_t now, const char *id, int64_t timestamp,
		  struct bus_str body, struct bus_buf *out)
{
	struct bus_buf text = { 0 };

	bus_buf_printf(&text, "%s.%" PRId64 ".", id, timestamp);
	bus_buf_put(&text, body.p, body.n);
	for (size_t i = 0; i < s->n_secrets; i++) {
		if (s->secret[i].until && s->secret[i].until <= now)
			continue;
		if (i > 0)
			bus_buf_putc(out, ' ');
		put_one(s->signature, s->secret[i].key, bus_buf_str(&text), out);
	}
	bus_buf_release(&text);
}

void gw_hook_verifier(const struct gw_hook_sub *s, size_t i, struct bus_buf *out)
{
	uint8_t public[BUS_ED25519_LEN];
	const uint8_t *bytes = s->secret[i].key;

	if (s->signature == GW_HOOK_ED25519) {
		bus_ed25519_public(s->secret[i].key, public);
		bytes = public;
	}
	bus_buf_puts(out, s->signature == GW_HOOK_ED25519 ? "whpk_" : "whsec_");
	bus_base64_put((struct bus_str){ (const char *)bytes, BUS_KEY_LEN }, out);
}
