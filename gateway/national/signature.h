/* gateway/national/signature.h - HTTP message signatures (RFC 9421) by Ed25519, and digests of content (RFC 9530): what
 * is signed, as bytes. Knows no request of ours: a message gives its components by name. Thread: any. */
#ifndef GATEWAY_NATIONAL_SIGNATURE_H
#define GATEWAY_NATIONAL_SIGNATURE_H

#include "bus/crypto.h"
#include "bus/crypto_sign.h"
#include "gateway/national/field.h"

/* A message: fields by their lower-case names, derived components as "@status" (RFC 9421, 2.2). */
struct gw_message {
	/* Appends the component's value (of a field: without spaces around it). request: of the request that this
	 * answers (";req"). False: there is none. */
	bool (*component)(void *ctx, struct bus_str name, bool request, struct bus_buf *out);
	void *ctx;
};

/* The signature base (2.5) of a member of Signature-Input. BUS_EDATA: a component twice, unknown, absent, or with a
 * parameter other than `req`; the message names it. */
enum bus_err gw_signature_base(const struct gw_field_value *input, const struct gw_message *m,
			       struct bus_buf *out, struct bus_error *err) BUS_MUSTCHECK;
/* BUS_EDENIED: not signed with that key. BUS_EDATA: as above. */
enum bus_err gw_signature_verify(const struct gw_field_value *input, struct bus_str signature,
				 const uint8_t public_key[BUS_ED25519_LEN], const struct gw_message *m,
				 struct bus_error *err) BUS_MUSTCHECK;
/* Signs those of `cover` (`"@status"`, `"@path";req`; NULL-ended) that the message has. params: `;created=...`. Appends
 * the two members' values, without their label. Cannot fail: cover and params are ours. */
void gw_signature_make(const char *const *cover, const char *params, const uint8_t key[BUS_ED25519_LEN],
		       const struct gw_message *m, struct bus_buf *input, struct bus_buf *signature);
/* Whether the signature is over this component (";req" or not). */
bool gw_signature_covers(const struct gw_field_value *input, const char *name, bool request);

void gw_digest_put(const void *p, size_t n, struct bus_buf *out); /* `sha-256=:...:` */
/* Whether a Content-Digest holds the SHA-256 of these bytes. Other algorithms beside it are not looked at. */
bool gw_digest_fits(const char *field, struct bus_str content, struct bus_arena *arena);
/* The JWK thumbprint of a public key (RFC 7638, RFC 8037 A.3), base64url. */
void gw_key_thumbprint(const uint8_t public_key[BUS_ED25519_LEN], struct bus_buf *out);

#endif
