/* gateway/hook/sign.h - signatures of Standard Webhooks (standardwebhooks.com, specification 1.0): over
 * `id.timestamp.body`, `v1,BASE64` for HMAC-SHA-256, `v1a,BASE64` for Ed25519; while a secret changes, one of each
 * that is valid, parted by spaces. Thread: any. */
#ifndef GATEWAY_HOOK_SIGN_H
#define GATEWAY_HOOK_SIGN_H

#include "gateway/hook/sub.h"

/* The value of the header webhook-signature. now: wall ms; timestamp: seconds, as in webhook-timestamp. */
void gw_hook_sign(const struct gw_hook_sub *s, int64_t now, const char *id, int64_t timestamp,
		  struct bus_str body, struct bus_buf *out);

/* What the receiver verifies with: `whpk_...` (Ed25519, may be known), `whsec_...` (HMAC, a secret). */
void gw_hook_verifier(const struct gw_hook_sub *s, size_t i, struct bus_buf *out);

#endif
