#include "bus/client_folder.h"

#include <assert.h>
#include <curl/curl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "bus/base64.h"
#include "bus/crypto.h"
#include "bus/secret.h"

#define NAMES_MAX ((size_t)8 * 1024 * 1024)
#define CONNECT_S 30L
#define IDLE_S 60L

struct bus_folder {
	struct bus_folder_conf conf;
	CURL *curl;
	char *url;  /* ends in '/' */
	char *path; /* of an SFTP folder as its server knows it; ends in '/' or is empty: the home */
	bool sftp;
	struct bus_buf password;
	char offered[64]; /* the fingerprint that the server showed last */
	bool known;	  /* ... is the one that was wanted */
	struct bus_buf *names;
	bool over;
	enum bus_err (*take)(void *ctx, const void *p, size_t n, struct bus_error *err);
	void *take_ctx;
	enum bus_err refused; /* by take */
	struct bus_error *err;
};

static enum bus_err check_mode(const char *path, struct bus_error *err)
{
	struct stat st;

	if (stat(path, &st) != 0)
		return bus_fail(err, BUS_EINVAL, "cannot read the key '%s': %m", path);
	if (st.st_mode & 077)
		return bus_fail(err, BUS_EINVAL, "'%s' can be read by others: chmod 600 %s", path, path);
	return BUS_OK;
}

static enum bus_err read_url(struct bus_folder *f, struct bus_error *err)
{
	CURLU *u = curl_url();
	char *scheme = NULL, *user = NULL, *path = NULL, *host = NULL;
	enum bus_err rc = BUS_OK;

	if (!u || curl_url_set(u, CURLUPART_URL, f->conf.url, 0) != CURLUE_OK ||
	    curl_url_get(u, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK ||
	    curl_url_get(u, CURLUPART_HOST, &host, 0) != CURLUE_OK ||
	    curl_url_get(u, CURLUPART_PATH, &path, CURLU_URLDECODE) != CURLUE_OK)
		rc = bus_fail(err, BUS_EINVAL, "url: an address such as sftp://host/folder/");
	else if (strcmp(scheme, "sftp") != 0 && strcmp(scheme, "ftps") != 0 && strcmp(scheme, "ftp") != 0)
		rc = bus_fail(err, BUS_EINVAL, "url: sftp://, ftps:// or ftp:// (with TLS); not %s://",
			      scheme);
	else if (curl_url_get(u, CURLUPART_USER, &user, 0) == CURLUE_OK)
		rc = bus_fail(err, BUS_EINVAL,
			      "url: without user and password: they belong in user and password_file");
	if (!rc) {
		f->sftp = strcmp(scheme, "sftp") == 0;
		f->path = bus_xstrdup(strncmp(path, "/~/", 3) == 0 ? path + 3 : path);
		f->url = bus_xasprintf("%s%s", f->conf.url,
				       f->conf.url[strlen(f->conf.url) - 1] == '/' ? "" : "/");
		if (f->path[0] && f->path[strlen(f->path) - 1] != '/') {
			char *whole = bus_xasprintf("%s/", f->path);

			free(f->path);
			f->path = whole;
		}
	}
	curl_free(scheme);
	curl_free(user);
	curl_free(path);
	curl_free(host);
	curl_url_cleanup(u);
	return rc;
}

static enum bus_err read_secrets(struct bus_folder *f, struct bus_error *err)
{
	enum bus_err rc = BUS_OK;

	if (!f->conf.user)
		return bus_fail(err, BUS_EINVAL, "user: who logs in there?");
	if (!f->conf.password_file && !(f->sftp && f->conf.key))
		return bus_fail(err, BUS_EINVAL, "%s is missing",
				f->sftp ? "password_file or key" : "password_file");
	if (f->conf.key)
		rc = check_mode(f->conf.key, err);
	if (!rc && f->conf.password_file)
		rc = bus_secret_load(f->conf.password_file, &f->password, err);
	return rc;
}

enum bus_err bus_folder_open(const struct bus_folder_conf *conf, struct bus_folder **out,
			     struct bus_error *err)
{
	struct bus_folder *f = bus_xcalloc(1, sizeof(*f));
	enum bus_err rc;

	*out = NULL;
	f->conf = *conf;
	rc = read_url(f, err);
	if (!rc)
		rc = read_secrets(f, err);
	if (!rc && !(f->curl = curl_easy_init()))
		rc = bus_fail(err, BUS_EIO, "cannot start a transfer");
	if (rc)
		bus_folder_close(&f);
	*out = f;
	return rc;
}

void bus_folder_close(struct bus_folder **fp)
{
	struct bus_folder *f = *fp;

	if (!f)
		return;
	if (f->curl)
		curl_easy_cleanup(f->curl);
	bus_secret_release(&f->password);
	free(f->url);
	free(f->path);
	free(f);
	*fp = NULL;
}

/* --- who is the other? ------------------------------------------------------------------------------- */

static void fingerprint(struct bus_folder *f, const char *key, size_t n)
{
	uint8_t digest[BUS_SHA256_LEN];
	struct bus_buf text = { 0 };

	bus_sha256(key, n, digest);
	bus_base64_put((struct bus_str){ (const char *)digest, sizeof(digest) }, &text);
	snprintf(f->offered, sizeof(f->offered), "SHA256:%.43s", bus_buf_cstr(&text)); /* without padding */
	bus_buf_release(&text);
}

static int on_host_key(void *ctx, int type, const char *key, size_t n)
{
	struct bus_folder *f = ctx;

	(void)type;
	fingerprint(f, key, n);
	f->known = f->conf.host_key && strcmp(f->conf.host_key, f->offered) == 0;
	return f->known ? CURLKHMATCH_OK : CURLKHMATCH_MISMATCH;
}

static int on_known_host(CURL *curl, const struct curl_khkey *known, const struct curl_khkey *found,
			 enum curl_khmatch match, void *ctx)
{
	struct bus_folder *f = ctx;
	struct bus_buf raw = { 0 };

	(void)curl;
	(void)known;
	if (found->len > 0)
		fingerprint(f, found->key, found->len);
	else if (bus_base64_parse(bus_str(found->key), &raw))
		fingerprint(f, raw.p, raw.n);
	bus_buf_release(&raw);
	f->known = match == CURLKHMATCH_OK;
	return f->known ? CURLKHSTAT_FINE : CURLKHSTAT_REJECT;
}

static enum bus_err unknown_host(const struct bus_folder *f, struct bus_error *err)
{
	if (f->conf.host_key)
		return bus_fail(
		    err, BUS_EDENIED,
		    "the server's host key is %s, not %s: it is another machine, or its key was changed; "
		    "ask its administrator before you change host_key",
		    f->offered, f->conf.host_key);
	if (f->conf.known_hosts)
		return bus_fail(
		    err, BUS_EDENIED,
		    "the server's host key %s is not the one in '%s': ask its administrator before you "
		    "add or change it (ssh-keyscan)",
		    f->offered, f->conf.known_hosts);
	return bus_fail(
	    err, BUS_EDENIED,
	    "the server shows the host key %s: if its administrator confirms that (ssh-keygen -l), write "
	    "host_key: \"%s\"",
	    f->offered, f->offered);
}

/* --- a transfer -------------------------------------------------------------------------------------- */

static size_t on_bytes(char *p, size_t size, size_t n, void *ctx)
{
	struct bus_folder *f = ctx;

	n *= size;
	if (f->take) {
		f->refused = f->take(f->take_ctx, p, n, f->err);
		return f->refused ? 0 : n;
	}
	if (!f->names)
		return n;
	f->over = f->names->n + n > NAMES_MAX;
	if (f->over)
		return 0;
	bus_buf_put(f->names, p, n);
	return n;
}

static int on_progress(void *ctx, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
	const struct bus_folder *f = ctx;

	(void)a, (void)b, (void)c, (void)d;
	return f->conf.go_on && !f->conf.go_on(f->conf.ctx);
}

static void prepare_sftp(struct bus_folder *f)
{
	CURL *h = f->curl;

	if (f->conf.known_hosts) {
		curl_easy_setopt(h, CURLOPT_SSH_KNOWNHOSTS, f->conf.known_hosts);
		curl_easy_setopt(h, CURLOPT_SSH_KEYFUNCTION, on_known_host);
		curl_easy_setopt(h, CURLOPT_SSH_KEYDATA, f);
	} else {
		curl_easy_setopt(h, CURLOPT_SSH_HOSTKEYFUNCTION, on_host_key);
		curl_easy_setopt(h, CURLOPT_SSH_HOSTKEYDATA, f);
	}
	if (f->conf.key) {
		curl_easy_setopt(h, CURLOPT_SSH_AUTH_TYPES, (long)CURLSSH_AUTH_PUBLICKEY);
		curl_easy_setopt(h, CURLOPT_SSH_PRIVATE_KEYFILE, f->conf.key);
		if (f->password.n > 0)
			curl_easy_setopt(h, CURLOPT_KEYPASSWD, bus_buf_cstr(&f->password));
		return;
	}
	curl_easy_setopt(h, CURLOPT_SSH_AUTH_TYPES, (long)(CURLSSH_AUTH_PASSWORD | CURLSSH_AUTH_KEYBOARD));
}

static void prepare(struct bus_folder *f, const char *url)
{
	CURL *h = f->curl;

	curl_easy_reset(h); /* keeps its connections */
	curl_easy_setopt(h, CURLOPT_URL, url);
	curl_easy_setopt(h, CURLOPT_PROTOCOLS_STR, "sftp,ftps,ftp");
	curl_easy_setopt(h, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(h, CURLOPT_NOPROXY, "*");
	curl_easy_setopt(h, CURLOPT_CONNECTTIMEOUT, CONNECT_S);
	curl_easy_setopt(h, CURLOPT_SERVER_RESPONSE_TIMEOUT, IDLE_S);
	curl_easy_setopt(h, CURLOPT_LOW_SPEED_LIMIT, 1L);
	curl_easy_setopt(h, CURLOPT_LOW_SPEED_TIME, IDLE_S);
	curl_easy_setopt(h, CURLOPT_USERNAME, f->conf.user);
	if (!f->conf.key)
		curl_easy_setopt(h, CURLOPT_PASSWORD, bus_buf_cstr(&f->password));
	curl_easy_setopt(h, CURLOPT_NOPROGRESS, 0L);
	curl_easy_setopt(h, CURLOPT_XFERINFOFUNCTION, on_progress);
	curl_easy_setopt(h, CURLOPT_XFERINFODATA, f);
	curl_easy_setopt(h, CURLOPT_WRITEFUNCTION, on_bytes);
	curl_easy_setopt(h, CURLOPT_WRITEDATA, f);
	if (f->sftp) {
		prepare_sftp(f);
		return;
	}
	curl_easy_setopt(h, CURLOPT_USE_SSL, f->conf.insecure ? (long)CURLUSESSL_TRY : (long)CURLUSESSL_ALL);
	curl_easy_setopt(h, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	if (f->conf.ca) {
		curl_easy_setopt(h, CURLOPT_CAINFO, f->conf.ca);
		curl_easy_setopt(h, CURLOPT_CAPATH, NULL); /* these CAs, and not the system's beside them */
	}
}

static enum bus_err login_denied(const struct bus_folder *f, struct bus_error *err)
{
	if (f->conf.key)
		return bus_fail(
		    err, BUS_EDENIED,
		    "the server does not take the key of '%s': put its public half into that user's "
		    "authorized_keys; an RSA key may be too old a kind: ssh-keygen -t ed25519",
		    f->conf.user);
	return bus_fail(err, BUS_EDENIED, "the server does not take user '%s' with the password of '%s'",
			f->conf.user, f->conf.password_file);
}

static enum bus_err failed(struct bus_folder *f, CURLcode code, const char *what, const char *why,
			   struct bus_error *err)
{
	enum bus_err rc = BUS_EIO;

	if (f->sftp && f->offered[0] && !f->known)
		return unknown_host(f, err);
	switch (code) {
	case CURLE_LOGIN_DENIED:
		return login_denied(f, err);
	case CURLE_USE_SSL_FAILED:
		return bus_fail(
		    err, BUS_EDENIED,
		    "the server does no TLS: passwords and rows would pass in clear; use sftp://, or say "
		    "insecure: true");
	case CURLE_PEER_FAILED_VERIFICATION:
		return bus_fail(
		    err, BUS_EDENIED,
		    "the server's certificate is not to be trusted (%s): give its authority as ca", why);
	case CURLE_REMOTE_ACCESS_DENIED:
		return bus_fail(err, BUS_EDENIED, "%s: no such folder, or no rights there", what);
	case CURLE_REMOTE_FILE_NOT_FOUND:
	case CURLE_FTP_COULDNT_RETR_FILE:
		return bus_fail(err, BUS_ENOENT, "%s: not there", what);
	case CURLE_ABORTED_BY_CALLBACK:
		return bus_fail(err, BUS_ESTOPPED, "stopped");
	case CURLE_OPERATION_TIMEDOUT:
		rc = BUS_ETIMEOUT;
		break;
	case CURLE_QUOTE_ERROR:
		rc = BUS_EDENIED;
		break;
	default:
		break;
	}
	return bus_fail(err, rc, "%s: %s", what, why[0] ? why : curl_easy_strerror(code));
}

static enum bus_err perform(struct bus_folder *f, const char *what, struct bus_error *err)
{
	char why[CURL_ERROR_SIZE] = "";
	CURLcode code;

	f->refused = BUS_OK;
	f->over = false;
	f->offered[0] = '\0'; /* only a fresh connection shows a key */
	f->err = err;
	curl_easy_setopt(f->curl, CURLOPT_ERRORBUFFER, why);
	code = curl_easy_perform(f->curl);
	curl_easy_setopt(f->curl, CURLOPT_ERRORBUFFER, NULL);
	if (f->refused)
		return f->refused;
	if (f->over)
		return bus_fail(err, BUS_ETOOBIG,
				"the folder's list is over %zu MiB: move away what was read",
				NAMES_MAX >> 20);
	return code == CURLE_OK ? BUS_OK : failed(f, code, what, why, err);
}

/* name NULL: the folder. */
static void begin(struct bus_folder *f, const char *folder, const char *name)
{
	char *as = name ? curl_easy_escape(f->curl, name, (int)strlen(name)) : NULL;
	char *url = bus_xasprintf("%s%s%s", f->url, folder, as ? as : "");

	assert(!name || (!strchr(name, '/') && name[0]));
	f->take = NULL;
	f->names = NULL;
	prepare(f, url);
	curl_free(as);
	free(url);
}

enum bus_err bus_folder_names(struct bus_folder *f, struct bus_buf *out, struct bus_error *err)
{
	struct bus_error why = { 0 };
	enum bus_err rc;

	begin(f, "", NULL);
	f->names = out;
	curl_easy_setopt(f->curl, CURLOPT_DIRLISTONLY, 1L);
	rc = perform(f, "the folder", &why);
	if (rc == BUS_ENOENT && !f->sftp)
		return BUS_OK; /* many FTP servers answer 550 for a folder with nothing in it; CWD had succeeded */
	if (rc && err)
		*err = why;
	return rc;
}

static enum bus_err look(struct bus_folder *f, const char *folder, const char *name, int64_t *size,
			 int64_t *mtime, struct bus_error *err)
{
	curl_off_t n = -1, t = -1;
	enum bus_err rc;

	begin(f, folder, name);
	curl_easy_setopt(f->curl, CURLOPT_NOBODY, 1L);
	curl_easy_setopt(f->curl, CURLOPT_FILETIME, 1L);
	rc = perform(f, "a file", err);
	if (rc)
		return rc;
	curl_easy_getinfo(f->curl, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &n);
	curl_easy_getinfo(f->curl, CURLINFO_FILETIME_T, &t);
	if (n < 0)
		return bus_fail(err, BUS_ENOENT, "a file: the server does not say its size");
	*size = n;
	*mtime = t;
	return BUS_OK;
}

enum bus_err bus_folder_look(struct bus_folder *f, const char *name, int64_t *size, int64_t *mtime,
			     struct bus_error *err)
{
	return look(f, "", name, size, mtime, err);
}

enum bus_err bus_folder_get(struct bus_folder *f, const char *name, int64_t offset,
			    enum bus_err (*take)(void *ctx, const void *p, size_t n, struct bus_error *err),
			    void *ctx, struct bus_error *err)
{
	begin(f, "", name);
	f->take = take;
	f->take_ctx = ctx;
	curl_easy_setopt(f->curl, CURLOPT_RESUME_FROM_LARGE, (curl_off_t)offset);
	return perform(f, "a file", err);
}

/* A name within the quotes of libcurl's SFTP commands. */
static void put_quoted(struct bus_buf *b, const char *folder, const char *more, const char *name)
{
	const char *const part[] = { folder, more, name };

	bus_buf_puts(b, " \"");
	for (size_t i = 0; i < BUS_LEN(part); i++)
		for (const char *p = part[i]; *p; p++) {
			if (*p == '"' || *p == '\\')
				bus_buf_putc(b, '\\');
			bus_buf_putc(b, *p);
		}
	bus_buf_putc(b, '"');
}

/* Commands sent to the server in the folder; the second may be NULL. */
static enum bus_err command(struct bus_folder *f, const char *first, const char *second, const char *what,
			    struct bus_error *err)
{
	struct curl_slist *list = curl_slist_append(NULL, first);
	enum bus_err rc;

	if (list && second)
		curl_slist_append(list, second);
	begin(f, "", NULL);
	curl_easy_setopt(f->curl, CURLOPT_NOBODY, 1L);
	/* FTP: after CWD; SFTP knows whole paths only. */
	curl_easy_setopt(f->curl, f->sftp ? CURLOPT_QUOTE : CURLOPT_PREQUOTE, list);
	rc = perform(f, what, err);
	curl_easy_setopt(f->curl, f->sftp ? CURLOPT_QUOTE : CURLOPT_PREQUOTE, NULL);
	curl_slist_free_all(list);
	return rc;
}

enum bus_err bus_folder_remove(struct bus_folder *f, const char *name, struct bus_error *err)
{
	struct bus_buf line = { 0 };
	enum bus_err rc;

	if (f->sftp) {
		bus_buf_puts(&line, "rm");
		put_quoted(&line, f->path, "", name);
	} else {
		bus_buf_printf(&line, "DELE %s", name);
	}
	rc = command(f, bus_buf_cstr(&line), NULL, "cannot remove a file there", err);
	bus_buf_release(&line);
	return rc;
}

enum bus_err bus_folder_move(struct bus_folder *f, const char *name, const char *folder, const char *as,
			     struct bus_error *err)
{
	struct bus_buf from = { 0 }, to = { 0 };
	char *into = bus_xasprintf("%s/", folder);
	struct bus_error why;
	int64_t size, mtime;
	enum bus_err rc;

	if (look(f, into, as, &size, &mtime, &why) == BUS_OK) { /* some servers would write over it */
		free(into);
		return bus_fail(err, BUS_EEXIST, "a file of that name is in '%s' already", folder);
	}
	if (f->sftp) {
		bus_buf_puts(&from, "rename");
		put_quoted(&from, f->path, "", name);
		put_quoted(&from, f->path, into, as);
	} else {
		bus_buf_printf(&from, "RNFR %s", name);
		bus_buf_printf(&to, "RNTO %s%s", into, as);
	}
	rc =
	    command(f, bus_buf_cstr(&from), to.n ? bus_buf_cstr(&to) : NULL, "cannot move a file there", err);
	free(into);
	bus_buf_release(&from);
	bus_buf_release(&to);
	return rc;
}
