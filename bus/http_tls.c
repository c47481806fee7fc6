/* Certificates. MHD makes one GnuTLS session a connection and would give them all the same credentials for
 * ever; so each session is given ours instead before its handshake begins, and a reload is a matter of
 * pointing at other ones. Old credentials go when the last connection that has them does. */
#include <errno.h>
#include <fcntl.h>
#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "bus/clock.h"
#include "bus/http_impl.h"
#include "bus/log.h"
#include "bus/secret.h"

#define FILE_MAX ((size_t)1024 * 1024)
#define SOON_S (INT64_C(14) * 24 * 3600) /* a certificate that ends within this is warned of */

struct http_credentials {
	gnutls_certificate_credentials_t cred;
	gnutls_certificate_request_t client;
	int refs; /* http_tls.lock */
};

struct http_tls {
	char *certificate, *key, *client_ca, *client_crl;
	enum bus_http_client client;
	pthread_mutex_t lock;
	struct http_credentials *now; /* lock */
	struct bus_metric *ends;
};

struct http_peer {
	struct bus_http_certificate shown;
	char *text[17]; /* what shown points at */
	size_t n_texts;
	bool some;
};

const char bus_http_tls_priorities[] =
    "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-KX-ALL:+ECDHE-ECDSA:+ECDHE-RSA:-CIPHER-ALL:+AES-256-GCM:"
    "+CHACHA20-POLY1305:+AES-128-GCM:-MAC-ALL:+AEAD:-SIGN-RSA-SHA1:-SIGN-ECDSA-SHA1:%SERVER_PRECEDENCE";

/* MHD wants certificates or somebody to ask for them. A session that was not given its credentials must not
 * get any here. */
static int no_certificate(gnutls_session_t session, const gnutls_datum_t *ca, int n_ca,
			  const gnutls_pk_algorithm_t *algorithm, int n_algorithms, gnutls_pcert_st **chain,
			  unsigned int *n_chain, gnutls_privkey_t *key)
{
	(void)session;
	(void)ca;
	(void)n_ca;
	(void)algorithm;
	(void)n_algorithms;
	(void)chain;
	(void)n_chain;
	(void)key;
	return -1;
}

void *const bus_http_tls_callback = (void *)no_certificate;

/* --- files ------------------------------------------------------------------------------------------ */

static enum bus_err read_file(const char *path, bool secret, struct bus_buf *out, struct bus_error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	enum bus_err rc = BUS_OK;
	struct stat st;
	ssize_t n = 0;

	if (fd < 0)
		return bus_fail(err, errno == ENOENT ? BUS_ENOENT : BUS_EIO, "cannot open '%s': %m", path);
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
		rc = bus_fail(err, BUS_EINVAL, "'%s' is not a plain file", path);
	} else if (secret && (st.st_mode & 007)) {
		rc = bus_fail(err, BUS_EINVAL,
			      "key file '%s' has mode %04o, everybody may see it; run: chmod 600 '%s'", path,
			      st.st_mode & 07777U, path);
	} else {
		bus_buf_reserve(out, FILE_MAX + 1);
		while (out->n <= FILE_MAX && (n = read(fd, out->p + out->n, FILE_MAX + 1 - out->n)) > 0)
			out->n += (size_t)n;
		if (n < 0)
			rc = bus_fail(err, BUS_EIO, "cannot read '%s': %m", path);
		else if (out->n > FILE_MAX)
			rc = bus_fail(err, BUS_ETOOBIG, "'%s' is longer than 1 MiB", path);
	}
	close(fd);
	return rc;
}

static gnutls_datum_t datum(const struct bus_buf *b)
{
	return (gnutls_datum_t){ (unsigned char *)b->p, (unsigned)b->n };
}

static enum bus_err add_trusted(gnutls_certificate_credentials_t cred, const char *path, bool revoked,
				struct bus_error *err)
{
	struct bus_buf b = { 0 };
	gnutls_datum_t d;
	int n;
	enum bus_err rc = read_file(path, false, &b, err);

	if (rc == BUS_OK) {
		d = datum(&b);
		n = revoked ? gnutls_certificate_set_x509_crl_mem(cred, &d, GNUTLS_X509_FMT_PEM)
			    : gnutls_certificate_set_x509_trust_mem(cred, &d, GNUTLS_X509_FMT_PEM);
		if (n <= 0)
			rc = bus_fail(err, BUS_EINVAL, "'%s' holds no %s: %s", path,
				      revoked ? "revocation list" : "certificate",
				      n ? gnutls_strerror(n) : "PEM is wanted");
	}
	bus_buf_release(&b);
	return rc;
}

static void tell_end(const struct http_tls *t, gnutls_certificate_credentials_t cred)
{
	gnutls_x509_crt_t *chain = NULL;
	unsigned n = 0;
	int64_t end, now = bus_clock_ms() / 1000;

	if (gnutls_certificate_get_x509_crt(cred, 0, &chain, &n) != 0)
		return;
	end = n ? (int64_t)gnutls_x509_crt_get_expiration_time(chain[0]) : 0;
	for (unsigned i = 0; i < n; i++)
		gnutls_x509_crt_deinit(chain[i]);
	gnutls_free(chain);
	bus_metric_set(t->ends, (double)end);
	bus_log(end - now < SOON_S ? BUS_LOG_WARN : BUS_LOG_INFO, "http.certificate",
		LOG_STR("file", t->certificate), LOG_INT("days_left", (end - now) / 86400));
}

static enum bus_err load_pair(const struct http_tls *t, gnutls_certificate_credentials_t cred,
			      struct bus_error *err)
{
	struct bus_buf certificate = { 0 }, key = { 0 };
	gnutls_datum_t c, k;
	int n;
	enum bus_err rc = read_file(t->certificate, false, &certificate, err);

	if (rc == BUS_OK)
		rc = read_file(t->key, true, &key, err);
	if (rc == BUS_OK) {
		c = datum(&certificate);
		k = datum(&key);
		n = gnutls_certificate_set_x509_key_mem(cred, &c, &k, GNUTLS_X509_FMT_PEM);
		if (n != 0)
			rc = bus_fail(err, BUS_EINVAL, "certificate '%s' and key '%s' cannot be used: %s",
				      t->certificate, t->key, gnutls_strerror(n));
	}
	bus_secret_release(&key);
	bus_buf_release(&certificate);
	return rc;
}

static enum bus_err load(const struct http_tls *t, struct http_credentials **out, struct bus_error *err)
{
	struct http_credentials *c = bus_xcalloc(1, sizeof(*c));
	enum bus_err rc;

	if (gnutls_certificate_allocate_credentials(&c->cred) != 0) {
		free(c);
		return bus_fail(err, BUS_EIO, "out of memory for TLS");
	}
	c->refs = 1;
	c->client = t->client == BUS_HTTP_CLIENT_REQUIRED   ? GNUTLS_CERT_REQUIRE
		    : t->client == BUS_HTTP_CLIENT_OPTIONAL ? GNUTLS_CERT_REQUEST
							    : GNUTLS_CERT_IGNORE;
	rc = load_pair(t, c->cred, err);
	if (rc == BUS_OK && t->client != BUS_HTTP_CLIENT_NONE)
		rc = add_trusted(c->cred, t->client_ca, false, err);
	if (rc == BUS_OK && t->client != BUS_HTTP_CLIENT_NONE && t->client_crl)
		rc = add_trusted(c->cred, t->client_crl, true, err);
	if (rc != BUS_OK) {
		gnutls_certificate_free_credentials(c->cred);
		free(c);
		return rc;
	}
	tell_end(t, c->cred);
	*out = c;
	return BUS_OK;
}

/* --- the set ---------------------------------------------------------------------------------------- */

static char *path_or_null(const char *s)
{
	return s && *s ? bus_xstrdup(s) : NULL;
}

enum bus_err bus_http_tls_open(const struct bus_http_tls *conf, struct http_tls **out, struct bus_error *err)
{
	struct http_tls *t;
	enum bus_err rc;

	*out = NULL;
	if (!conf->certificate || !*conf->certificate || !conf->key || !*conf->key)
		return bus_fail(err, BUS_EINVAL, "TLS needs a certificate and its key: both files");
	if (conf->client != BUS_HTTP_CLIENT_NONE && (!conf->client_ca || !*conf->client_ca))
		return bus_fail(err, BUS_EINVAL,
				"clients' certificates are asked for, but no CA is given that may sign them");
	t = bus_xcalloc(1, sizeof(*t));
	t->certificate = bus_xstrdup(conf->certificate);
	t->key = bus_xstrdup(conf->key);
	t->client_ca = path_or_null(conf->client_ca);
	t->client_crl = path_or_null(conf->client_crl);
	t->client = conf->client;
	t->ends = bus_metric("titian_http_certificate_not_after_seconds", "gauge",
			     "When the server's certificate ends, Unix time.", "");
	pthread_mutex_init(&t->lock, NULL);
	rc = load(t, &t->now, err);
	if (rc != BUS_OK)
		bus_http_tls_close(&t);
	*out = t;
	return rc;
}

static void unref(struct http_credentials *c) /* under the lock */
{
	if (c && --c->refs == 0) {
		gnutls_certificate_free_credentials(c->cred);
		free(c);
	}
}

void bus_http_tls_close(struct http_tls **tp)
{
	struct http_tls *t = *tp;

	if (!t)
		return;
	*tp = NULL;
	unref(t->now);
	pthread_mutex_destroy(&t->lock);
	free(t->certificate);
	free(t->key);
	free(t->client_ca);
	free(t->client_crl);
	free(t);
}

enum bus_err bus_http_tls_check(const struct bus_http_tls *conf, struct bus_error *err)
{
	struct http_tls *t = NULL;
	enum bus_err rc = bus_http_tls_open(conf, &t, err);

	if (rc == BUS_OK)
		bus_http_tls_close(&t);
	return rc;
}

enum bus_err bus_http_tls_reload(struct http_tls *t, struct bus_error *err)
{
	struct http_credentials *fresh = NULL;
	enum bus_err rc = load(t, &fresh, err);

	if (rc != BUS_OK)
		return rc;
	pthread_mutex_lock(&t->lock);
	unref(t->now);
	t->now = fresh;
	pthread_mutex_unlock(&t->lock);
	return BUS_OK;
}

/* --- a connection ----------------------------------------------------------------------------------- */

/* Within the handshake. An unknown signer, a certificate that has ended or is revoked, or one that is not for
 * clients, ends it. */
static int verify(gnutls_session_t session)
{
	static const char purpose[] = GNUTLS_KP_TLS_WWW_CLIENT;
	gnutls_typed_vdata_st data = { .type = GNUTLS_DT_KEY_PURPOSE_OID,
				       .data = (unsigned char *)(uintptr_t)purpose };
	unsigned n = 0, status = 0;
	gnutls_datum_t why = { 0 };
	int rc;

	if (!gnutls_certificate_get_peers(session, &n) || n == 0)
		return 0; /* none was shown; where one is required GnuTLS refuses that itself */
	rc = gnutls_certificate_verify_peers(session, &data, 1, &status);
	if (rc == 0 && status == 0)
		return 0;
	if (rc == 0 && gnutls_certificate_verification_status_print(status, GNUTLS_CRT_X509, &why, 0) != 0)
		why.data = NULL;
	bus_log(BUS_LOG_WARN, "http.client_certificate_refused",
		LOG_STR("reason", why.data ? (const char *)why.data : gnutls_strerror(rc)));
	gnutls_free(why.data);
	return GNUTLS_E_CERTIFICATE_ERROR;
}

static gnutls_session_t session_of(struct MHD_Connection *c)
{
	return MHD_get_connection_info(c, MHD_CONNECTION_INFO_GNUTLS_SESSION)->tls_session;
}

void bus_http_tls_say(struct MHD_Connection *c, const void *p, size_t n)
{
	(void)gnutls_record_send(session_of(c), p, n);
}

struct http_credentials *bus_http_tls_enter(struct http_tls *t, struct MHD_Connection *conn)
{
	gnutls_session_t session = session_of(conn);
	struct http_credentials *c;

	pthread_mutex_lock(&t->lock);
	c = t->now;
	c->refs++;
	pthread_mutex_unlock(&t->lock);
	/* Without memory for it the session keeps MHD's credentials, which have no certificate: it fails. */
	(void)gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, c->cred);
	gnutls_certificate_server_set_request(session, c->client);
	gnutls_session_set_verify_function(session, verify);
	return c;
}

void bus_http_tls_leave(struct http_tls *t, struct http_credentials **c)
{
	pthread_mutex_lock(&t->lock);
	unref(*c);
	pthread_mutex_unlock(&t->lock);
	*c = NULL;
}

/* --- who is there ----------------------------------------------------------------------------------- */

/* A NUL inside a name is an attempt to be taken for somebody else: such a name is passed over. */
static void keep(struct http_peer *p, const char *kind, const void *s, size_t n)
{
	if (p->n_texts == BUS_LEN(p->text) || n == 0 || memchr(s, '\0', n))
		return;
	p->text[p->n_texts++] = bus_xasprintf("%s%.*s", kind, (int)n, (const char *)s);
	if (p->n_texts > 1 && p->shown.n_names < BUS_LEN(p->shown.name))
		p->shown.name[p->shown.n_names++] = p->text[p->n_texts - 1];
}

static void keep_names(struct http_peer *p, gnutls_x509_crt_t crt)
{
	static const struct {
		unsigned type;
		const char *kind;
	} known[] = { { GNUTLS_SAN_DNSNAME, "DNS:" },
		      { GNUTLS_SAN_URI, "URI:" },
		      { GNUTLS_SAN_RFC822NAME, "EMAIL:" } };
	char name[1024];

	for (unsigned i = 0; p->shown.n_names < BUS_LEN(p->shown.name); i++) {
		size_t n = sizeof(name);
		unsigned type = 0;
		int rc = gnutls_x509_crt_get_subject_alt_name2(crt, i, name, &n, &type, NULL);

		if (rc == GNUTLS_E_SHORT_MEMORY_BUFFER)
			continue;
		if (rc < 0)
			return;
		for (size_t k = 0; k < BUS_LEN(known); k++)
			if (known[k].type == type)
				keep(p, known[k].kind, name, n);
	}
}

struct http_peer *bus_http_tls_peer(struct MHD_Connection *c)
{
	struct http_peer *p = bus_xcalloc(1, sizeof(*p));
	gnutls_datum_t dn = { 0 };
	const gnutls_datum_t *chain;
	gnutls_x509_crt_t crt;
	unsigned n = 0;

	chain = gnutls_certificate_get_peers(session_of(c), &n);
	if (!chain || n == 0 || gnutls_x509_crt_init(&crt) != 0)
		return p;
	if (gnutls_x509_crt_import(crt, &chain[0], GNUTLS_X509_FMT_DER) == 0) {
		if (gnutls_x509_crt_get_dn3(crt, &dn, 0) != 0)
			dn.data = NULL;
		p->text[p->n_texts++] = bus_xstrdup(dn.data ? (const char *)dn.data : "");
		p->shown.subject = p->text[0];
		gnutls_free(dn.data);
		keep_names(p, crt);
		p->some = true;
	}
	gnutls_x509_crt_deinit(crt);
	return p;
}

const struct bus_http_certificate *bus_http_peer_certificate(const struct http_peer *p)
{
	return p->some ? &p->shown : NULL;
}

void bus_http_peer_free(struct http_peer **pp)
{
	struct http_peer *p = *pp;

	if (!p)
		return;
	for (size_t i = 0; i < p->n_texts; i++)
		free(p->text[i]);
	free(p);
	*pp = NULL;
}
