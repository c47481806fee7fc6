/* gateway/national/signer.h - answers signed by the bus, requests signed by readers (docs/national-centre.md).
 *
 * Answers: to readers with `signed: true`, and to whoever sends Accept-Signature; Ed25519 with the key of bundles
 * (`exports.key`). Covered is what is there of gw_signer_cover; content has Content-Digest, a file or a part of one
 * Repr-Digest. An answer that is a stream (SSE, NDJSON without end) has its head signed alone.
 * Requests: of a reader with `verify` in the policy; keyid is the reader's name. No bearer key is needed then.
 * Thread: the HTTP pool's.
 */
#ifndef GATEWAY_NATIONAL_SIGNER_H
#define GATEWAY_NATIONAL_SIGNER_H

#include "gateway/serve/api.h"

#define GW_SIGNER_AGE_S 300  /* a signed request's age, at most */
#define GW_SIGNER_AHEAD_S 30 /* of a clock before ours */
#define GW_SIGNER_NONCES (1 << 17)

struct gw_signer;

/* A problem answered in the shape of the request's path. */
typedef void (*gw_signer_refuse_fn)(struct bus_http_request *req, const char *code, const char *detail);

/* key: an Ed25519 seed. base: URL where readers reach this gateway; borrowed. named: it is what the operator says, so what was
 * signed for another host is refused. */
struct gw_signer *gw_signer_new(struct gw_access *access, const uint8_t key[BUS_KEY_LEN], const char *base,
				bool named, gw_signer_refuse_fn refuse);
void gw_signer_free(struct gw_signer **s);
const char *gw_signer_keyid(const struct gw_signer *s); /* the key's JWK thumbprint */

/* Whether the request is signed by a reader of ours, as far as its headers tell; REFUSED: and answered. name:
 * GW_READER_NAME_MAX. Nothing is remembered of it. */
enum gw_signed { GW_SIGNED_NOT, GW_SIGNED, GW_SIGNED_REFUSED };
enum gw_signed gw_signer_look(struct gw_api *api, struct bus_http_request *req, char *name);

/* For struct bus_http_conf; ctx: struct gw_api. */
bool gw_signer_admit(void *api, struct bus_http_request *req);
void gw_signer_finish(void *api, struct bus_http_request *req, int status, const struct bus_str *content);

#endif
