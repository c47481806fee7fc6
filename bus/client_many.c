#include "bus/client_many.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <stdio.h>

#include "bus/client_find.h"
#include "bus/clock.h"

#define AT_ONCE 64
#define FIND_POLL_MS 20 /* while names are being resolved */

struct one { /* a request under way */
	struct bus_many *many;
	struct bus_many_call call;
	struct bus_find *find; /* while its host's name is being resolved */
	CURL *curl;	       /* from then on */
	struct curl_slist *header, *resolve;
	size_t answered; /* bytes of the answer's body */
	bool denied;	 /* an address was asked for that is not allowed */
	enum bus_err rc; /* it cannot go out: told by the next run */
	int64_t began;	 /* monotonic ms */
	struct one *next;
};

struct bus_many {
	struct bus_many_conf conf;
	char *ca;
	CURLM *multi;
	struct one *first;
	int n, finding;
	bool moved; /* something was done in this run */
	atomic_bool woken;
};

static void init_curl(void)
{
	curl_global_init(CURL_GLOBAL_DEFAULT);
}

enum bus_err bus_many_new(const struct bus_many_conf *conf, struct bus_many **out, struct bus_error *err)
{
	struct bus_many *m;

	*out = NULL;
	init_curl(); /* counted inside: as often as one likes */
	m = bus_xcalloc(1, sizeof(*m));
	m->conf = *conf;
	m->conf.at_once = conf->at_once ? conf->at_once : AT_ONCE;
	m->ca = conf->ca && *conf->ca ? bus_xstrdup(conf->ca) : NULL;
	m->multi = curl_multi_init();
	if (!m->multi) {
		bus_many_free(&m);
		return bus_fail(err, BUS_EIO, "cannot start HTTP requests");
	}
	curl_multi_setopt(m->multi, CURLMOPT_MAXCONNECTS, (long)m->conf.at_once);
	*out = m;
	return BUS_OK;
}

void bus_many_call_release(struct bus_many_call *call)
{
	for (size_t i = 0; call->header && call->header[i]; i++)
		free(call->header[i]);
	free(call->header);
	free(call->url);
	bus_buf_release(&call->body);
	*call = (struct bus_many_call){ 0 };
}

/* Takes it out of the list. */
static void one_free(struct bus_many *m, struct one *o)
{
	for (struct one **at = &m->first; *at; at = &(*at)->next)
		if (*at == o) {
			*at = o->next;
			break;
		}
	m->n--;
	m->finding -= o->find != NULL;
	bus_find_free(&o->find);
	if (o->curl) {
		curl_multi_remove_handle(m->multi, o->curl);
		curl_easy_cleanup(o->curl);
	}
	curl_slist_free_all(o->header);
	curl_slist_free_all(o->resolve);
	bus_many_call_release(&o->call);
	free(o);
}

static void finish(struct bus_many *m, struct one *o, int status, enum bus_err rc, const char *why)
{
	struct bus_many_answer answer = { .status = status,
					  .rc = status ? BUS_OK : rc,
					  .why = status ? "" : why,
					  .ms = bus_clock_mono_ms() - o->began };
	void (*done)(void *ctx, const struct bus_many_answer *answer) = o->call.done;
	void *ctx = o->call.ctx;

	m->moved = true;
	one_free(m, o);
	done(ctx, &answer);
}

void bus_many_cancel(struct bus_many *m)
{
	while (m->first)
		finish(m, m->first, 0, BUS_ESTOPPED, "stopping");
}

int bus_many_under_way(const struct bus_many *m)
{
	return m->n;
}

void bus_many_free(struct bus_many **mp)
{
	struct bus_many *m = *mp;

	if (!m)
		return;
	while (m->first)
		one_free(m, m->first);
	curl_multi_cleanup(m->multi);
	free(m->ca);
	free(m);
	*mp = NULL;
}

/* --- the end of one ---------------------------------------------------------------------------------- */

/* What a receiver's people are told. curl's own words name the host or the address: they are not used. */
static const char *words(const struct one *o, CURLcode code, enum bus_err *rc)
{
	*rc = BUS_EIO;
	if (o->denied) {
		*rc = BUS_EDENIED;
		return "the address is not allowed";
	}
	switch (code) {
	case CURLE_OPERATION_TIMEDOUT:
		*rc = BUS_ETIMEOUT;
		return "no answer in time";
	case CURLE_PEER_FAILED_VERIFICATION:
		*rc = BUS_EDENIED;
		return "the certificate is not to be trusted";
	case CURLE_SSL_CACERT_BADFILE:
		*rc = BUS_EINVAL;
		return "the CA file cannot be read";
	case CURLE_COULDNT_CONNECT:
		return "no connection";
	case CURLE_SSL_CONNECT_ERROR:
		return "TLS failed";
	default:
		return "the connection broke off";
	}
}

static void ended(struct bus_many *m, CURL *curl, CURLcode code)
{
	struct one *o = NULL;
	enum bus_err rc;
	const char *why;
	long status = 0;

	curl_easy_getinfo(curl, CURLINFO_PRIVATE, (char **)&o);
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	why = words(o, code, &rc);
	finish(m, o, status >= 200 ? (int)status : 0, rc, why);
}

/* --- one that goes out ------------------------------------------------------------------------------- */

static size_t take_body(char *p, size_t size, size_t n, void *ctx)
{
	struct one *o = ctx;

	(void)p;
	o->answered += size * n;
	return o->answered > o->many->conf.answer_max ? 0 : size * n;
}

static size_t take_header(char *p, size_t size, size_t n, void *ctx)
{
	struct one *o = ctx;

	bus_client_take_header(p, size * n, o->call.want, o->call.n_want);
	return size * n;
}

/* The last look before the connection, whatever came between. */
static curl_socket_t open_socket(void *ctx, curlsocktype purpose, struct curl_sockaddr *a)
{
	struct one *o = ctx;

	(void)purpose;
	if (!o->many->conf.may(o->many->conf.ctx, &o->call.to, &a->addr)) {
		o->denied = true;
		return CURL_SOCKET_BAD;
	}
	return socket(a->family, a->socktype | SOCK_CLOEXEC, a->protocol);
}

static bool put_address(const struct sockaddr_storage *a, char out[INET6_ADDRSTRLEN + 2])
{
	char text[INET6_ADDRSTRLEN];
	struct sockaddr_in6 v6;
	struct sockaddr_in v4;

	memcpy(&v4, a, sizeof(v4));
	memcpy(&v6, a, sizeof(v6));
	if (a->ss_family == AF_INET)
		return inet_ntop(AF_INET, &v4.sin_addr, out, INET6_ADDRSTRLEN) != NULL;
	if (a->ss_family != AF_INET6 || !inet_ntop(AF_INET6, &v6.sin6_addr, text, sizeof(text)))
		return false;
	snprintf(out, INET6_ADDRSTRLEN + 2, "[%s]", text);
	return true;
}

/* "host:port:address,address": what curl may connect to, and nothing else. An address needs no name. */
static bool pin(struct one *o, const struct sockaddr_storage *a, size_t n)
{
	const struct bus_url *to = &o->call.to;
	struct bus_buf line = { 0 };
	struct sockaddr_storage literal;
	bool good = true;

	if (bus_find_literal(to->host, &literal))
		return true;
	bus_buf_printf(&line, "%s:%d:", to->host, to->port);
	for (size_t i = 0; i < n && good; i++) {
		char text[INET6_ADDRSTRLEN + 2];

		good = put_address(&a[i], text);
		if (good)
			bus_buf_printf(&line, "%s%s", i ? "," : "", text);
	}
	if (good)
		o->resolve = curl_slist_append(NULL, bus_buf_cstr(&line));
	bus_buf_release(&line);
	return good && o->resolve;
}

static void options(struct bus_many *m, struct one *o)
{
	CURL *h = o->curl;

	curl_easy_setopt(h, CURLOPT_URL, o->call.url);
	curl_easy_setopt(h, CURLOPT_PRIVATE, o);
	curl_easy_setopt(h, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(h, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(h, CURLOPT_PROXY, "");
	curl_easy_setopt(h, CURLOPT_NOPROXY, "*");
	curl_easy_setopt(h, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(h, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	if (m->ca) {
		curl_easy_setopt(h, CURLOPT_CAINFO, m->ca);
		curl_easy_setopt(h, CURLOPT_CAPATH, NULL);
	}
	curl_easy_setopt(h, CURLOPT_TIMEOUT_MS, (long)m->conf.timeout_ms);
	curl_easy_setopt(h, CURLOPT_RESOLVE, o->resolve);
	curl_easy_setopt(h, CURLOPT_OPENSOCKETFUNCTION, open_socket);
	curl_easy_setopt(h, CURLOPT_OPENSOCKETDATA, o);
	curl_easy_setopt(h, CURLOPT_WRITEFUNCTION, take_body);
	curl_easy_setopt(h, CURLOPT_WRITEDATA, o);
	curl_easy_setopt(h, CURLOPT_HEADERFUNCTION, take_header);
	curl_easy_setopt(h, CURLOPT_HEADERDATA, o);
	curl_easy_setopt(h, CURLOPT_HTTPHEADER, o->header);
	if (o->call.body.n > 0 || strcmp(o->call.method, "POST") == 0) {
		curl_easy_setopt(h, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)o->call.body.n);
		curl_easy_setopt(h, CURLOPT_POSTFIELDS, o->call.body.p ? o->call.body.p : "");
	}
	curl_easy_setopt(h, CURLOPT_CUSTOMREQUEST, o->call.method);
}

static bool add_header(struct one *o, const char *line)
{
	struct curl_slist *more = curl_slist_append(o->header, line);

	if (more)
		o->header = more;
	return more != NULL;
}

static bool add_headers(struct one *o)
{
	bool good = add_header(o, "Expect:");

	for (size_t i = 0; good && o->call.header && o->call.header[i]; i++)
		good = add_header(o, o->call.header[i]);
	return good;
}

/* Where nothing goes out, rc says why, and the next run tells. */
static void go(struct bus_many *m, struct one *o, const struct sockaddr_storage *a, size_t n)
{
	o->rc = n == 0 ? BUS_ENOENT : BUS_OK;
	for (size_t i = 0; i < n && o->rc == BUS_OK; i++) {
		struct sockaddr_storage copy = a[i];

		if (!m->conf.may(m->conf.ctx, &o->call.to, (const struct sockaddr *)&copy))
			o->rc = BUS_EDENIED;
	}
	if (o->rc)
		return;
	o->curl = curl_easy_init();
	if (!o->curl || !pin(o, a, n) || !add_headers(o)) {
		o->rc = BUS_EIO;
		return;
	}
	options(m, o);
	curl_multi_add_handle(m->multi, o->curl);
}

bool bus_many_send(struct bus_many *m, struct bus_many_call *call)
{
	struct sockaddr_storage address[BUS_MANY_ADDRESSES];
	struct one *o;
	size_t n = 0;

	if (m->n >= m->conf.at_once)
		return false;
	o = bus_xcalloc(1, sizeof(*o));
	o->many = m;
	o->call = *call;
	*call = (struct bus_many_call){ 0 };
	o->began = bus_clock_mono_ms();
	o->next = m->first;
	m->first = o;
	m->n++;
	for (size_t i = 0; i < o->call.n_want; i++)
		o->call.want[i].value[0] = '\0';
	if (bus_find_literal(o->call.to.host, &address[0]))
		n = 1;
	else if (m->conf.find)
		n = m->conf.find(m->conf.ctx, o->call.to.host, address, BUS_MANY_ADDRESSES);
	if (n > 0) {
		go(m, o, address, n);
		return true;
	}
	o->find = bus_find_start(o->call.to.host);
	m->finding++;
	return true;
}

/* --- working ----------------------------------------------------------------------------------------- */

static const char *refused(enum bus_err rc)
{
	return rc == BUS_EDENIED  ? "the address is not allowed"
	       : rc == BUS_ENOENT ? "the host's name has no address"
				  : "cannot start an HTTP request";
}

/* Names that have been resolved, and what cannot go out. At most one is finished: `done` may change the list. */
static void look(struct bus_many *m)
{
	for (struct one *o = m->first; o; o = o->next) {
		struct sockaddr_storage address[BUS_MANY_ADDRESSES];
		size_t n;

		if (o->find && bus_find_done(o->find, address, BUS_MANY_ADDRESSES, &n)) {
			bus_find_free(&o->find);
			m->finding--;
			go(m, o, address, n);
		}
		if (o->rc) {
			finish(m, o, 0, o->rc == BUS_ENOENT ? BUS_EIO : o->rc, refused(o->rc));
			return;
		}
	}
}

void bus_many_run(struct bus_many *m, int timeout_ms)
{
	int64_t until = bus_clock_mono_ms() + timeout_ms;

	m->moved = false;
	for (;;) {
		int64_t left;
		CURLMsg *msg;
		int running, queued;

		look(m);
		curl_multi_perform(m->multi, &running);
		while ((msg = curl_multi_info_read(m->multi, &queued)))
			if (msg->msg == CURLMSG_DONE)
				ended(m, msg->easy_handle, msg->data.result);
		left = until - bus_clock_mono_ms();
		if (atomic_exchange(&m->woken, false) || m->moved || left <= 0)
			return;
		if (m->finding > 0 && left > FIND_POLL_MS)
			left = FIND_POLL_MS;
		curl_multi_poll(m->multi, NULL, 0, (int)left, NULL);
	}
}

void bus_many_wake(struct bus_many *m)
{
	atomic_store(&m->woken, true);
	curl_multi_wakeup(m->multi);
}
