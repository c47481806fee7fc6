#include "bus/crypto.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#define NONCE_LEN 12
#define TAG_LEN 16
#define SEAL_VERSION 1

void bus_random(void *p, size_t n)
{
	char *at = p;

	while (n > 0) {
		ssize_t k = getrandom(at, n, 0);

		if (k < 0 && errno == EINTR)
			continue;
		if (k <= 0) {
			fprintf(stderr, "level=fatal id=bus.no_randomness\n");
			abort();
		}
		at += k;
		n -= (size_t)k;
	}
}

static enum bus_err check_key_file(int fd, const char *path, struct bus_error *err)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return bus_fail(err, BUS_EIO, "cannot look at key file '%s': %m", path);
	if (!S_ISREG(st.st_mode))
		return bus_fail(err, BUS_EINVAL, "key file '%s' is not a plain file", path);
	if (st.st_uid != geteuid() && st.st_uid != 0)
		return bus_fail(err, BUS_EINVAL,
				"key file '%s' belongs to user %u; give it to ours: chown %u '%s'", path,
				st.st_uid, geteuid(), path);
	if ((st.st_mode & 07777) != 0600 && (st.st_mode & 07777) != 0400)
		return bus_fail(err, BUS_EINVAL,
				"key file '%s' has mode %04o, others may see it; run: chmod 600 '%s'", path,
				st.st_mode & 07777U, path);
	return BUS_OK;
}

enum bus_err bus_key_load(const char *path, uint8_t key[BUS_KEY_LEN], struct bus_error *err)
{
	char text[2 * BUS_KEY_LEN +
		  2]; /* one byte more than is allowed: if it arrives, the file is too long */
	bool good;
	ssize_t n;
	enum bus_err rc;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return bus_fail(err, errno == ENOENT ? BUS_ENOENT : BUS_EIO, "cannot open key file '%s': %m",
				path);
	rc = check_key_file(fd, path, err);
	if (rc != BUS_OK)
		goto out;
	n = read(fd, text, sizeof(text));
	if (n < 0) {
		rc = bus_fail(err, BUS_EIO, "cannot read key file '%s': %m", path);
		goto out;
	}
	good = n == 2 * BUS_KEY_LEN + 1 && text[2 * BUS_KEY_LEN] == '\n';
	if (!good || !bus_unhex(text, BUS_KEY_LEN, key))
		rc = bus_fail(err, BUS_EINVAL,
			      "key file '%s' must hold 64 hex digits and a newline; make one with: openssl "
			      "rand -hex 32",
			      path);
out:
	OPENSSL_cleanse(text, sizeof(text));
	close(fd);
	return rc;
}

/* The folder too, or the name may be gone after a power cut. */
static int sync_folder_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *folder = slash ? bus_xstrndup(path, (size_t)(slash - path) + 1) : bus_xstrdup(".");
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc = fd < 0 ? -1 : fsync(fd);

	if (fd >= 0)
		close(fd);
	free(folder);
	return rc;
}

enum bus_err bus_key_create(const char *path, struct bus_error *err)
{
	uint8_t key[BUS_KEY_LEN];
	char text[2 * BUS_KEY_LEN + 2];
	/* Written beside and linked, so that path never holds half a key, nor replaces one. */
	char *draft = bus_xasprintf("%s.XXXXXX", path);
	enum bus_err rc = BUS_OK;
	int fd = mkostemp(draft, O_CLOEXEC);

	if (fd < 0) {
		rc = bus_fail(err, BUS_EIO, "cannot make key file '%s': %m", path);
		goto out;
	}
	bus_random(key, sizeof(key));
	bus_hex(key, sizeof(key), text);
	text[2 * BUS_KEY_LEN] = '\n';
	if (fchmod(fd, 0600) != 0 || write(fd, text, 2 * BUS_KEY_LEN + 1) != 2 * BUS_KEY_LEN + 1 ||
	    fsync(fd) != 0)
		rc = bus_fail(err, BUS_EIO, "cannot write key file '%s': %m", path);
	else if (link(draft, path) != 0)
		rc = bus_fail(err, errno == EEXIST ? BUS_EEXIST : BUS_EIO, "cannot make key file '%s': %m",
			      path);
	else if (sync_folder_of(path) != 0)
		rc = bus_fail(err, BUS_EIO, "cannot sync the folder of '%s': %m", path);
	unlink(draft);
	close(fd);
out:
	OPENSSL_cleanse(key, sizeof(key));
	OPENSSL_cleanse(text, sizeof(text));
	free(draft);
	return rc;
}

/* The hash functions have no error to return: with a provider loaded they fail only out of memory. */
static void must(int rc)
{
	if (rc == 1)
		return;
	fprintf(stderr, "level=fatal id=bus.crypto_failed\n");
	abort();
}

static EVP_MD *sha256_md;

static void fetch_sha256(void)
{
	sha256_md = EVP_MD_fetch(NULL, "SHA256", NULL);
	must(sha256_md != NULL);
}

/* Found once: to look for it each time takes longer than a short digest. */
static const EVP_MD *sha256(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, fetch_sha256);
	return sha256_md;
}

void bus_sha256(const void *p, size_t n, uint8_t out[BUS_SHA256_LEN])
{
	must(EVP_Digest(p, n, out, NULL, sha256(), NULL));
}

void bus_md5(const void *p, size_t n, uint8_t out[BUS_MD5_LEN])
{
	must(EVP_Digest(p, n, out, NULL, EVP_md5(), NULL));
}

struct bus_sha256_stream {
	EVP_MD_CTX *c;
};

struct bus_sha256_stream *bus_sha256_new(void)
{
	struct bus_sha256_stream *s = bus_xmalloc(sizeof(*s));

	s->c = EVP_MD_CTX_new();
	must(s->c != NULL);
	must(EVP_DigestInit_ex(s->c, EVP_sha256(), NULL));
	return s;
}

void bus_sha256_add(struct bus_sha256_stream *s, const void *p, size_t n)
{
	must(EVP_DigestUpdate(s->c, p, n));
}

void bus_sha256_end(struct bus_sha256_stream **s, uint8_t out[BUS_SHA256_LEN])
{
	must(EVP_DigestFinal_ex((*s)->c, out, NULL));
	EVP_MD_CTX_free((*s)->c);
	free(*s);
	*s = NULL;
}

/* One keyed context, begun anew for every value, costs 0.16 us a pseudonym of 16 digits (OpenSSL 3.0,
 * SHA-NI); copied digest contexts 0.13; the low-level functions, deprecated since 3.0, 0.09. A row needs
 * one or two: not enough to depend on what OpenSSL wants to remove. */
struct bus_pseudonym {
	EVP_MAC_CTX *c;
};

struct bus_pseudonym *bus_pseudonym_new(const uint8_t key[BUS_KEY_LEN])
{
	struct bus_pseudonym *p = bus_xmalloc(sizeof(*p));
	EVP_MAC *hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	char digest[] = "SHA256";
	const OSSL_PARAM params[] = { OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
				      OSSL_PARAM_construct_end() };

	must(hmac != NULL);
	p->c = EVP_MAC_CTX_new(hmac);
	must(p->c != NULL);
	must(EVP_MAC_init(p->c, key, BUS_KEY_LEN, params));
	EVP_MAC_free(hmac);
	return p;
}

void bus_pseudonym_free(struct bus_pseudonym **p)
{
	if (!*p)
		return;
	EVP_MAC_CTX_free((*p)->c);
	free(*p);
	*p = NULL;
}

void bus_pseudonym_make(struct bus_pseudonym *p, const char *domain, struct bus_str value,
			char hex[BUS_PSEUDONYM_LEN + 1])
{
	uint8_t mac[BUS_SHA256_LEN];
	size_t n;

	must(EVP_MAC_init(p->c, NULL, 0, NULL));
	must(EVP_MAC_update(p->c, (const uint8_t *)domain, strlen(domain)));
	must(EVP_MAC_update(p->c, (const uint8_t *)value.p, value.n));
	must(EVP_MAC_final(p->c, mac, &n, sizeof(mac)));
	bus_hex(mac, BUS_PSEUDONYM_LEN / 2, hex);
}

void bus_hmac_sha256(const uint8_t key[BUS_KEY_LEN], const void *p, size_t n, uint8_t out[BUS_SHA256_LEN])
{
	size_t len;

	must(EVP_Q_mac(NULL, "HMAC", NULL, "SHA256", NULL, key, BUS_KEY_LEN, p, n, out, BUS_SHA256_LEN,
		       &len) != NULL);
}

void bus_pbkdf2(struct bus_str password, struct bus_str salt, int iterations, uint8_t out[BUS_SHA256_LEN])
{
	must(PKCS5_PBKDF2_HMAC(password.p, (int)password.n, (const unsigned char *)salt.p, (int)salt.n,
			       iterations, EVP_sha256(), BUS_SHA256_LEN, out));
}

bool bus_equal_secret(const void *a, const void *b, size_t n)
{
	return CRYPTO_memcmp(a, b, n) == 0;
}

enum bus_err bus_seal(const uint8_t key[BUS_KEY_LEN], struct bus_str aad, struct bus_str plain,
		      struct bus_buf *out, struct bus_error *err)
{
	EVP_CIPHER_CTX *c = NULL;
	size_t size = 1 + NONCE_LEN + plain.n + TAG_LEN;
	uint8_t *at;
	int n;
	bool good;

	if (plain.n > INT_MAX - 64 || aad.n > INT_MAX)
		return bus_fail(err, BUS_ETOOBIG, "cannot seal more than 2 GiB");
	bus_buf_reserve(out, size);
	at = (uint8_t *)out->p + out->n;
	*at++ = SEAL_VERSION;
	bus_random(at, NONCE_LEN);
	c = EVP_CIPHER_CTX_new();
	good = c && EVP_EncryptInit_ex(c, EVP_aes_256_gcm(), NULL, key, at) == 1;
	at += NONCE_LEN;
	good = good &&
	       (aad.n == 0 || EVP_EncryptUpdate(c, NULL, &n, (const uint8_t *)aad.p, (int)aad.n) == 1) &&
	       (plain.n == 0 || EVP_EncryptUpdate(c, at, &n, (const uint8_t *)plain.p, (int)plain.n) == 1) &&
	       EVP_EncryptFinal_ex(c, at + plain.n, &n) == 1 &&
	       EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_GET_TAG, TAG_LEN, at + plain.n) == 1;
	EVP_CIPHER_CTX_free(c);
	if (!good)
		return bus_fail(err, BUS_ECRYPTO, "cannot seal %zu bytes", plain.n);
	out->n += size;
	return BUS_OK;
}

enum bus_err bus_open(const uint8_t key[BUS_KEY_LEN], struct bus_str aad, struct bus_str sealed,
		      struct bus_buf *out, struct bus_error *err)
{
	EVP_CIPHER_CTX *c = NULL;
	const uint8_t *from = (const uint8_t *)sealed.p;
	uint8_t tag[TAG_LEN];
	uint8_t *at;
	size_t plain_n;
	int n;
	bool good;

	if (sealed.n < 1 + NONCE_LEN + TAG_LEN || from[0] != SEAL_VERSION || sealed.n > INT_MAX ||
	    aad.n > INT_MAX)
		return bus_fail(err, BUS_EDATA, "%zu bytes are not a sealed message", sealed.n);
	plain_n = sealed.n - 1 - NONCE_LEN - TAG_LEN;
	memcpy(tag, from + sealed.n - TAG_LEN, TAG_LEN);
	bus_buf_reserve(out, plain_n + 1);
	at = (uint8_t *)out->p + out->n;
	c = EVP_CIPHER_CTX_new();
	good = c && EVP_DecryptInit_ex(c, EVP_aes_256_gcm(), NULL, key, from + 1) == 1;
	from += 1 + NONCE_LEN;
	good = good &&
	       (aad.n == 0 || EVP_DecryptUpdate(c, NULL, &n, (const uint8_t *)aad.p, (int)aad.n) == 1) &&
	       (plain_n == 0 || EVP_DecryptUpdate(c, at, &n, from, (int)plain_n) == 1) &&
	       EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_SET_TAG, TAG_LEN, tag) == 1 &&
	       EVP_DecryptFinal_ex(c, at + plain_n, &n) == 1;
	EVP_CIPHER_CTX_free(c);
	if (!good) {
		OPENSSL_cleanse(at, plain_n); /* not authentic: nobody may see it */
		return bus_fail(err, BUS_ECRYPTO,
				"cannot open a sealed message: another key, or it was changed");
	}
	out->n += plain_n;
	return BUS_OK;
}
