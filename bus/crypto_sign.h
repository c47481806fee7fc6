/* bus/crypto_sign.h - Ed25519 signatures (RFC 8032): who wrote this, for those who have the public key only.
 * Thread: any. */
#ifndef BUS_CRYPTO_SIGN_H
#define BUS_CRYPTO_SIGN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BUS_ED25519_LEN 32 /* a private key (its seed), and a public one */
#define BUS_ED25519_SIGNATURE_LEN 64

void bus_ed25519_public(const uint8_t key[BUS_ED25519_LEN], uint8_t out[BUS_ED25519_LEN]);
void bus_ed25519_sign(const uint8_t key[BUS_ED25519_LEN], const void *p, size_t n,
		      uint8_t out[BUS_ED25519_SIGNATURE_LEN]);
/* Whether `signature` is that of these bytes by whoever has the key to this public one; false too when it is no key. */
bool bus_ed25519_verify(const uint8_t public_key[BUS_ED25519_LEN], const void *p, size_t n,
			const uint8_t signature[BUS_ED25519_SIGNATURE_LEN]);

#endif
