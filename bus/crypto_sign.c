#include "bus/crypto_sign.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>

/* Any 32 bytes are a key: these calls fail only out of memory. */
static void must(bool good)
{
	if (good)
		return;
	fprintf(stderr, "level=fatal id=bus.crypto_failed\n");
	abort();
}

static EVP_PKEY *key_of(const uint8_t key[BUS_ED25519_LEN])
{
	EVP_PKEY *k = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, key, BUS_ED25519_LEN);

	must(k != NULL);
	return k;
}

void bus_ed25519_public(const uint8_t key[BUS_ED25519_LEN], uint8_t out[BUS_ED25519_LEN])
{
	EVP_PKEY *k = key_of(key);
	size_t n = BUS_ED25519_LEN;

	must(EVP_PKEY_get_raw_public_key(k, out, &n) == 1 && n == BUS_ED25519_LEN);
	EVP_PKEY_free(k);
}

void bus_ed25519_sign(const uint8_t key[BUS_ED25519_LEN], const void *p, size_t n,
		      uint8_t out[BUS_ED25519_SIGNATURE_LEN])
{
	EVP_PKEY *k = key_of(key);
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	size_t len = BUS_ED25519_SIGNATURE_LEN;

	must(c && EVP_DigestSignInit(c, NULL, NULL, NULL, k) == 1);
	must(EVP_DigestSign(c, out, &len, p, n) == 1 && len == BUS_ED25519_SIGNATURE_LEN);
	EVP_MD_CTX_free(c);
	EVP_PKEY_free(k);
}

bool bus_ed25519_verify(const uint8_t public_key[BUS_ED25519_LEN], const void *p, size_t n,
			const uint8_t signature[BUS_ED25519_SIGNATURE_LEN])
{
	EVP_PKEY *k = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, public_key, BUS_ED25519_LEN);
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	bool good;

	must(c != NULL);
	good = k && EVP_DigestVerifyInit(c, NULL, NULL, NULL, k) == 1 &&
	       EVP_DigestVerify(c, signature, BUS_ED25519_SIGNATURE_LEN, p, n) == 1;
	EVP_MD_CTX_free(c);
	EVP_PKEY_free(k);
	return good;
}
