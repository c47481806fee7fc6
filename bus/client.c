#include "bus/client.h"

#include <curl/curl.h>
#include <pthread.h>

#define ANSWER_MAX ((size_t)64 * 1024 * 1024)

struct answer {
	struct bus_buf *buf;
	bool over;
};

static size_t take(char *p, size_t size, size_t n, void *ctx)
{
	struct answer *a = ctx;

	n *= size;
	if (a->buf->n + n > ANSWER_MAX) {
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

static struct curl_slist *add_header(struct curl_slist *list, const char *name, const char *value)
{
	char *line = bus_xasprintf("%s: %s", name, value);
	struct curl_slist *more = curl_slist_append(list, line);

	free(line);
	return more ? more : list;
}

enum bus_err bus_client_request(const char *method, const char *url, const char *bearer, const char *type,
				struct bus_str body, int timeout_ms, int *status, struct bus_buf *answer,
				struct bus_error *err)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct answer a = { .buf = answer };
	struct curl_slist *headers = NULL;
	char why[CURL_ERROR_SIZE] = "";
	CURL *c;
	CURLcode code;
	long got = 0;

	pthread_once(&once, init_curl);
	c = curl_easy_init();
	if (!c)
		return bus_fail(err, BUS_EIO, "cannot start an HTTP request");
	if (bearer) {
		char *value = bus_xasprintf("Bearer %s", bearer);

		headers = add_header(headers, "Authorization", value);
		free(value);
	}
	if (type)
		headers = add_header(headers, "Content-Type", type);
	headers = add_header(headers, "Expect", ""); /* our servers take small bodies at once */
	curl_easy_setopt(c, CURLOPT_URL, url);
	curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c, CURLOPT_NOPROXY, "*");
	curl_easy_setopt(c, CURLOPT_ERRORBUFFER, why);
	curl_easy_setopt(c, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, (long)timeout_ms);
	curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, take);
	curl_easy_setopt(c, CURLOPT_WRITEDATA, &a);
	if (strcmp(method, "HEAD") == 0) {
		curl_easy_setopt(c, CURLOPT_NOBODY, 1L);
	} else {
		if (body.n > 0 || strcmp(method, "POST") == 0 || strcmp(method, "PUT") == 0) {
			curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.n);
			curl_easy_setopt(c, CURLOPT_POSTFIELDS, body.p ? body.p : "");
		}
		curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, method);
	}
	code = curl_easy_perform(c);
	if (code == CURLE_OK)
		curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &got);
	curl_slist_free_all(headers);
	curl_easy_cleanup(c);
	*status = (int)got;
	if (code == CURLE_OK)
		return BUS_OK;
	/* The URL may hold a key of a person: it is not repeated here. */
	if (a.over)
		return bus_fail(err, BUS_ETOOBIG, "%s: the answer is over 64 MiB", method);
	if (code == CURLE_URL_MALFORMAT || code == CURLE_UNSUPPORTED_PROTOCOL)
		return bus_fail(err, BUS_EINVAL, "%s: not a URL of HTTP", method);
	return bus_fail(err, code == CURLE_OPERATION_TIMEDOUT ? BUS_ETIMEOUT : BUS_EIO, "%s: %s", method,
			why[0] ? why : curl_easy_strerror(code));
}
