#include "bus/client_url.h"

#include <ctype.h>
#include <curl/curl.h>

#include "bus/mem.h"

static bool plain(const char *text)
{
	for (const char *p = text; *p; p++)
		if (*p <= ' ' || *p > '~')
			return false;
	return true;
}

/* A part of the URL; NULL: it has none. To be freed with curl_free. */
static char *part(CURLU *u, CURLUPart what, unsigned flags)
{
	char *text = NULL;

	return curl_url_get(u, what, &text, flags) == CURLUE_OK ? text : NULL;
}

static bool has(CURLU *u, CURLUPart what)
{
	char *text = part(u, what, 0);

	curl_free(text);
	return text != NULL;
}

static enum bus_err take_host(CURLU *u, struct bus_url *out, struct bus_error *err)
{
	char *host = part(u, CURLUPART_HOST, 0);
	const char *from = host;
	size_t n = host ? strlen(host) : 0;
	enum bus_err rc = BUS_OK;

	if (n > 2 && host[0] == '[' && host[n - 1] == ']') {
		from++;
		n -= 2;
	}
	if (n == 0 || n >= sizeof(out->host) || memchr(from, '%', n))
		rc = bus_fail(err, BUS_EINVAL, "the URL's host is not a name or an address");
	for (size_t i = 0; rc == BUS_OK && i < n; i++)
		out->host[i] = (char)tolower((unsigned char)from[i]);
	out->host[rc == BUS_OK ? n : 0] = '\0';
	curl_free(host);
	return rc;
}

static enum bus_err take_parts(CURLU *u, struct bus_url *out, struct bus_error *err)
{
	char *scheme = part(u, CURLUPART_SCHEME, 0), *port = part(u, CURLUPART_PORT, CURLU_DEFAULT_PORT);
	bool known = scheme && (strcmp(scheme, "https") == 0 || strcmp(scheme, "http") == 0);

	if (known) {
		out->https = strcmp(scheme, "https") == 0;
		out->port = port ? atoi(port) : 0;
	}
	curl_free(scheme);
	curl_free(port);
	if (!known || out->port < 1 || out->port > 65535)
		return bus_fail(err, BUS_EINVAL, "not a URL of http or https");
	if (has(u, CURLUPART_USER) || has(u, CURLUPART_PASSWORD) || has(u, CURLUPART_FRAGMENT) ||
	    has(u, CURLUPART_ZONEID))
		return bus_fail(err, BUS_EINVAL, "the URL has a user, a password, a fragment or a zone");
	return take_host(u, out, err);
}

enum bus_err bus_url_read(const char *text, struct bus_url *out, struct bus_error *err)
{
	CURLU *u;
	enum bus_err rc;

	*out = (struct bus_url){ 0 };
	if (strlen(text) > BUS_URL_MAX || !plain(text))
		return bus_fail(err, BUS_EINVAL, "not a URL of at most %d plain characters", BUS_URL_MAX);
	u = curl_url();
	if (!u || curl_url_set(u, CURLUPART_URL, text, 0) != CURLUE_OK)
		rc = bus_fail(err, BUS_EINVAL, "not a URL of http or https");
	else
		rc = take_parts(u, out, err);
	curl_url_cleanup(u);
	return rc;
}
