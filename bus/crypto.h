/* bus/crypto.h - pseudonyms, digests, sealed rows. The only includer of OpenSSL.
 *
 * Thread: a struct bus_pseudonym belongs to one thread; the rest may be called from any.
 */
#ifndef BUS_CRYPTO_H
#define BUS_CRYPTO_H

#include <stdint.h>

#include "bus/buf.h"
#include "bus/error.h"
#include "bus/hex.h"

#define BUS_KEY_LEN 32
#define BUS_SHA256_LEN 32
#define BUS_MD5_LEN 16
#define BUS_PSEUDONYM_LEN 32 /* hex digits: the first 128 bits of the HMAC */

/* A secret key file: 64 hex digits and a newline, mode 0600 or 0400, owned by us or root; anything else
 * is BUS_EINVAL with the remedy. */
enum bus_err bus_key_load(const char *path, uint8_t key[BUS_KEY_LEN], struct bus_error *err) BUS_MUSTCHECK;
/* Makes one (mode 0600) from the system's random source; BUS_EEXIST when path is there. */
enum bus_err bus_key_create(const char *path, struct bus_error *err) BUS_MUSTCHECK;
void bus_random(void *p, size_t n); /* aborts when the system has no randomness */

/* id = first 128 bits, in lower-case hex, of HMAC-SHA-256(city key, domain || value). A person's id_subjek
 * has the empty domain and the 16 digits of the NIK as value; other identifiers have a domain like "kk:",
 * so that the same digits under another meaning give another id. */
struct bus_pseudonym;
struct bus_pseudonym *bus_pseudonym_new(const uint8_t key[BUS_KEY_LEN]);
void bus_pseudonym_free(struct bus_pseudonym **p);
void bus_pseudonym_make(struct bus_pseudonym *p, const char *domain, struct bus_str value,
			char hex[BUS_PSEUDONYM_LEN + 1]);

void bus_sha256(const void *p, size_t n, uint8_t out[BUS_SHA256_LEN]);
/* For fingerprints that a format wants (Avro's), never where somebody gains from two equal ones. */
void bus_md5(const void *p, size_t n, uint8_t out[BUS_MD5_LEN]);
struct bus_sha256_stream;
struct bus_sha256_stream *bus_sha256_new(void);
void bus_sha256_add(struct bus_sha256_stream *s, const void *p, size_t n);
void bus_sha256_end(struct bus_sha256_stream **s, uint8_t out[BUS_SHA256_LEN]); /* frees it */

void bus_hmac_sha256(const uint8_t key[BUS_KEY_LEN], const void *p, size_t n, uint8_t out[BUS_SHA256_LEN]);
/* PBKDF2-HMAC-SHA-256 (RFC 8018), 32 bytes. Slow on purpose: milliseconds to seconds. */
void bus_pbkdf2(struct bus_str password, struct bus_str salt, int iterations, uint8_t out[BUS_SHA256_LEN]);
bool bus_equal_secret(const void *a, const void *b, size_t n); /* constant time */

/* AES-256-GCM, fresh 96-bit nonce a message: out = 0x01 || nonce || ciphertext || tag (NIST SP 800-38D).
 * aad is bound to the message and not stored. */
enum bus_err bus_seal(const uint8_t key[BUS_KEY_LEN], struct bus_str aad, struct bus_str plain,
		      struct bus_buf *out, struct bus_error *err) BUS_MUSTCHECK;
enum bus_err bus_open(const uint8_t key[BUS_KEY_LEN], struct bus_str aad, struct bus_str sealed,
		      struct bus_buf *out, struct bus_error *err) BUS_MUSTCHECK;

#endif
