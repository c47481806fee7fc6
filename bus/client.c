#include "bus/client.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <pthread.h>

#include "bus/client_conf.h"

#define ANSWER_MAX ((size_t)64 * 1024 * 1024)
#define IDLE_S 60L

struct bus_client {
	CURL *curl;
	char *ca, *certificate, *key;
	char *authorization; /* "Authorization: ..." or NULL */
	bool insecure;
};

struct answer {
	struct bus_buf *buf;
	size_t start;
	bool over;
	const struct bus_client_call *call;
	CURL *curl;
	enum bus_err refused; /* by the caller's take */
	struct bus_error *err;
};

static size_t take(char *p, size_t size, size_t n, void *ctx)
{
	struct answer *a = ctx;
	long status = 0;

	n *= size;
	if (a->call->take)
		curl_easy_getinfo(a->curl, CURLINFO_RESPONSE_CODE, &status);
	if (status / 100 == 2) {
		a->refused = a->call->take(a->call->take_ctx, (int)status, p, n, a->err);
		return a->refused == BUS_OK ? n : 0;
	}
	if (a->buf->n - a->start + n > ANSWER_MAX) {
		a->over = true;
		return 0;
	}
	bus_buf_put(a->buf, p, n);
	return n;
}

static void init_curl(void)
{
	curl_global_init(CURL_GLOBAL_DEFAULT);
}

static char *keep(const char *s)
{
	return s && *s ? bus_xstrdup(s) : NULL;
}

enum bus_err bus_client_open(const struct bus_client_conf *conf, struct bus_client **out,
			     struct bus_error *err)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct bus_client *c = bus_xcalloc(1, sizeof(*c));
	enum bus_err rc;

	*out = NULL;
	pthread_once(&once, init_curl);
	rc = bus_client_authorization(conf, &c->authorization, err);
	if (rc == BUS_OK && !(c->curl = curl_easy_init()))
		rc = bus_fail(err, BUS_EIO, "cannot start an HTTP request");
	if (rc != BUS_OK) {
		bus_client_close(&c);
		return rc;
	}
	c->ca = keep(conf->ca);
	c->certificate = keep(conf->certificate);
	c->key = keep(conf->key);
	c->insecure = conf->insecure;
	*out = c;
	return BUS_OK;
}

void bus_client_close(struct bus_client **cp)
{
	struct bus_client *c = *cp;

	if (!c)
		return;
	if (c->curl)
		curl_easy_cleanup(c->curl);
	if (c->authorization)
		explicit_bzero(c->authorization, strlen(c->authorization));
	free(c->authorization);
	free(c->ca);
	free(c->certificate);
	free(c->key);
	free(c);
	*cp = NULL;
}

static struct curl_slist *add_header(struct curl_slist *list, const char *line)
{
	struct curl_slist *more = curl_slist_append(list, line);

	return more ? more : list;
}

static struct curl_slist *headers_of(const struct bus_client *c, const struct bus_client_call *call)
{
	struct curl_slist *list = NULL;

	if (c->authorization)
		list = add_header(list, c->authorization);
	if (call->type) {
		char *line = bus_xasprintf("Content-Type: %s", call->type);

		list = add_header(list, line);
		free(line);
	}
	for (size_t i = 0; call->header && call->header[i]; i++)
		list = add_header(list, call->header[i]);
	return add_header(list, "Expect:"); /* our servers take small bodies at once */
}

bool bus_client_guarded(const char *url)
{
	CURLU *u = curl_url();
	char *scheme = NULL, *host = NULL;
	struct in_addr v4;
	bool yes = false;

	if (u && curl_url_set(u, CURLUPART_URL, url, 0) == CURLUE_OK &&
	    curl_url_get(u, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
	    curl_url_get(u, CURLUPART_HOST, &host, 0) == CURLUE_OK)
		yes = strcasecmp(scheme, "https") == 0 || strcasecmp(host, "localhost") == 0 ||
		      (inet_pton(AF_INET, host, &v4) == 1 && ntohl(v4.s_addr) >> 24 == 127) ||
		      strcmp(host, "[::1]") == 0;
	curl_free(scheme);
	curl_free(host);
	curl_url_cleanup(u);
	return yes;
}

static bool same_part(CURLU *a, CURLU *b, CURLUPart part)
{
	char *x = NULL, *y = NULL;
	bool same = curl_url_get(a, part, &x, CURLU_DEFAULT_PORT) == CURLUE_OK &&
		    curl_url_get(b, part, &y, CURLU_DEFAULT_PORT) == CURLUE_OK && strcasecmp(x, y) == 0;

	curl_free(x);
	curl_free(y);
	return same;
}

enum bus_err bus_client_resolve(const char *base, const char *reference, struct bus_buf *out, bool *same,
				struct bus_error *err)
{
	CURLU *from = curl_url(), *to = curl_url();
	char *whole = NULL;
	bool ok = from && to && curl_url_set(from, CURLUPART_URL, base, 0) == CURLUE_OK &&
		  curl_url_set(to, CURLUPART_URL, base, 0) == CURLUE_OK &&
		  curl_url_set(to, CURLUPART_URL, reference, 0) == CURLUE_OK &&
		  curl_url_get(to, CURLUPART_URL, &whole, 0) == CURLUE_OK &&
		  (strncasecmp(whole, "https://", 8) == 0 || strncasecmp(whole, "http://", 7) == 0);

	if (ok) {
		bus_buf_puts(out, whole);
		*same = same_part(from, to, CURLUPART_SCHEME) && same_part(from, to, CURLUPART_HOST) &&
			same_part(from, to, CURLUPART_PORT);
	}
	curl_free(whole);
	curl_url_cleanup(from);
	curl_url_cleanup(to);
	return ok ? BUS_OK : bus_fail(err, BUS_EINVAL, "not a URL of HTTP");
}

static void prepare(struct bus_client *c, const struct bus_client_call *call)
{
	CURL *h = c->curl;

	curl_easy_reset(h); /* keeps its connections */
	curl_easy_setopt(h, CURLOPT_URL, call->url);
	curl_easy_setopt(h, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(h, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(h, CURLOPT_NOPROXY, "*");
	curl_easy_setopt(h, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	if (c->ca) {
		curl_easy_setopt(h, CURLOPT_CAINFO, c->ca);
		curl_easy_setopt(h, CURLOPT_CAPATH, NULL); /* these CAs, and not the system's beside them */
	}
	if (c->certificate) {
		curl_easy_setopt(h, CURLOPT_SSLCERT, c->certificate);
		curl_easy_setopt(h, CURLOPT_SSLKEY, c->key);
	}
	curl_easy_setopt(h, CURLOPT_TIMEOUT_MS, (long)call->timeout_ms);
	if (call->take) {
		curl_easy_setopt(h, CURLOPT_LOW_SPEED_LIMIT, 1L);
		curl_easy_setopt(h, CURLOPT_LOW_SPEED_TIME, IDLE_S);
	}
	if (strcmp(call->method, "HEAD") == 0) {
		curl_easy_setopt(h, CURLOPT_NOBODY, 1L);
		return;
	}
	if (call->body.n > 0 || strcmp(call->method, "POST") == 0 || strcmp(call->method, "PUT") == 0) {
		curl_easy_setopt(h, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)call->body.n);
		curl_easy_setopt(h, CURLOPT_POSTFIELDS, call->body.p ? call->body.p : "");
	}
	curl_easy_setopt(h, CURLOPT_CUSTOMREQUEST, call->method);
}

void bus_client_take_header(const char *p, size_t n, struct bus_client_header *want, size_t n_want)
{
	for (size_t i = 0; i < n_want; i++) {
		struct bus_client_header *w = &want[i];
		size_t name = strlen(w->name), from = name + 1, to = n;

		if (n <= name || p[name] != ':' || strncasecmp(p, w->name, name) != 0)
			continue;
		while (from < to && (p[from] == ' ' || p[from] == '\t'))
			from++;
		while (to > from && (p[to - 1] == '\r' || p[to - 1] == '\n' || p[to - 1] == ' '))
			to--;
		if (to - from < sizeof(w->value)) {
			memcpy(w->value, p + from, to - from);
			w->value[to - from] = '\0';
		}
	}
}

static size_t take_header(char *p, size_t size, size_t n, void *ctx)
{
	const struct bus_client_call *call = ctx;

	bus_client_take_header(p, size * n, call->want, call->n_want);
	if (call->heard)
		call->heard(call->heard_ctx, p, size * n);
	return size * n;
}

static int ask_go_on(void *ctx, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
	const struct bus_client_call *call = ctx;

	(void)a, (void)b, (void)c, (void)d;
	return call->go_on(call->ctx) ? 0 : 1;
}

/* curl's options are not const. */
static void prepare_more(CURL *h, const struct bus_client_call *call)
{
	void *ctx;

	memcpy(&ctx, &call, sizeof(ctx));
	for (size_t i = 0; i < call->n_want; i++)
		call->want[i].value[0] = '\0';
	if (call->n_want > 0 || call->heard) {
		curl_easy_setopt(h, CURLOPT_HEADERFUNCTION, take_header);
		curl_easy_setopt(h, CURLOPT_HEADERDATA, ctx);
	}
	if (call->go_on) {
		curl_easy_setopt(h, CURLOPT_NOPROGRESS, 0L);
		curl_easy_setopt(h, CURLOPT_XFERINFOFUNCTION, ask_go_on);
		curl_easy_setopt(h, CURLOPT_XFERINFODATA, ctx);
	}
}

/* The URL may hold a key of a person: it is not repeated here. */
static enum bus_err failed(CURLcode code, const char *method, const char *why, struct bus_error *err)
{
	enum bus_err rc = BUS_EIO;

	if (code == CURLE_URL_MALFORMAT || code == CURLE_UNSUPPORTED_PROTOCOL)
		return bus_fail(err, BUS_EINVAL, "%s: not a URL of HTTP", method);
	if (code == CURLE_OPERATION_TIMEDOUT)
		rc = BUS_ETIMEOUT;
	else if (code == CURLE_ABORTED_BY_CALLBACK)
		rc = BUS_ESTOPPED;
	else if (code == CURLE_PEER_FAILED_VERIFICATION)
		rc = BUS_EDENIED;
	else if (code == CURLE_SSL_CACERT_BADFILE || code == CURLE_SSL_CERTPROBLEM)
		rc = BUS_EINVAL;
	return bus_fail(err, rc, "%s: %s", method, why[0] ? why : curl_easy_strerror(code));
}

enum bus_err bus_client_call(struct bus_client *c, const struct bus_client_call *call, int *status,
			     struct bus_buf *answer, struct bus_error *err)
{
	struct answer a = { .buf = answer, .start = answer->n, .call = call, .curl = c->curl, .err = err };
	struct curl_slist *headers;
	char why[CURL_ERROR_SIZE] = "";
	CURLcode code;
	long got = 0;

	*status = 0;
	if (call->unsent)
		*call->unsent = true;
	if (c->authorization && !c->insecure && !bus_client_guarded(call->url))
		return bus_fail(
		    err, BUS_EDENIED,
		    "%s: will not send a password or token to another machine without TLS; use https, or "
		    "say insecure: true",
		    call->method);
	headers = headers_of(c, call);
	prepare(c, call);
	prepare_more(c->curl, call);
	curl_easy_setopt(c->curl, CURLOPT_ERRORBUFFER, why);
	curl_easy_setopt(c->curl, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(c->curl, CURLOPT_WRITEFUNCTION, take);
	curl_easy_setopt(c->curl, CURLOPT_WRITEDATA, &a);
	code = curl_easy_perform(c->curl);
	if (call->unsent)
		*call->unsent = code == CURLE_COULDNT_CONNECT || code == CURLE_COULDNT_RESOLVE_HOST ||
				code == CURLE_URL_MALFORMAT || code == CURLE_UNSUPPORTED_PROTOCOL;
	if (code == CURLE_OK)
		curl_easy_getinfo(c->curl, CURLINFO_RESPONSE_CODE, &got);
	curl_easy_setopt(c->curl, CURLOPT_ERRORBUFFER, NULL);
	curl_slist_free_all(headers);
	*status = (int)got;
	if (a.refused != BUS_OK)
		return a.refused;
	if (a.over)
		return bus_fail(err, BUS_ETOOBIG, "%s: the answer is over 64 MiB", call->method);
	return code == CURLE_OK ? BUS_OK : failed(code, call->method, why, err);
}

enum bus_err bus_client_request(const char *method, const char *url, const char *bearer, const char *type,
				struct bus_str body, int timeout_ms, int *status, struct bus_buf *answer,
				struct bus_error *err)
{
	const struct bus_client_conf none = { .insecure = true };
	char *line = bearer ? bus_xasprintf("Authorization: Bearer %s", bearer) : NULL;
	const char *header[] = { line, NULL };
	const struct bus_client_call call = { .method = method,
					      .url = url,
					      .type = type,
					      .body = body,
					      .header = header,
					      .timeout_ms = timeout_ms };
	struct bus_client *c;
	enum bus_err rc = bus_client_open(&none, &c, err);

	if (rc == BUS_OK)
		rc = bus_client_call(c, &call, status, answer, err);
	bus_client_close(&c);
	free(line);
	return rc;
}
