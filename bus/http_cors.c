/* Pages of other origins that may read our answers in a browser (the Fetch standard, CORS): none but those named. */
#include <stdio.h>

#include "bus/http_impl.h"

#define HEADERS_MAX 512

static const char exposed[] =
    "ETag, Link, Content-Range, Preference-Applied, Retry-After, RateLimit, RateLimit-Policy, X-Request-Id, "
    "Titian-As-Of, Titian-Cursor, Titian-Freshness, Titian-Complete, Deprecation, Sunset";

/* The request's Origin when it is one of ours; NULL: none. */
static const char *origin_of(const struct bus_http_request *req)
{
	const char *origin = bus_http_header(req, "Origin");

	for (const char *const *o = req->h->origins; origin && o && *o; o++)
		if (strcmp(*o, origin) == 0 || strcmp(*o, "*") == 0)
			return origin;
	return NULL;
}

void bus_http_cors(const struct bus_http_request *req, struct MHD_Response *r)
{
	const char *origin;

	if (!req->h->origins || !*req->h->origins)
		return;
	MHD_add_response_header(r, "Vary", "Origin");
	origin = origin_of(req);
	if (!origin)
		return;
	MHD_add_response_header(r, "Access-Control-Allow-Origin", origin);
	MHD_add_response_header(r, "Access-Control-Expose-Headers", exposed);
}

/* Names of headers and commas; the browser asks for those that its page wants to send. */
static bool names_ok(const char *list)
{
	static const char some[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_, ";

	return strlen(list) <= HEADERS_MAX && strspn(list, some) == strlen(list);
}

void bus_http_preflight(struct bus_http_request *req, const char *methods)
{
	const char *want = bus_http_header(req, "Access-Control-Request-Headers");

	if (!bus_http_header(req, "Access-Control-Request-Method") || !origin_of(req))
		return;
	bus_http_set(req, "Access-Control-Allow-Methods", methods);
	if (want && names_ok(want))
		bus_http_set(req, "Access-Control-Allow-Headers", want);
	bus_http_set(req, "Access-Control-Max-Age", "600");
}
