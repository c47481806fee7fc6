/* What libmicrohttpd 0.9.75 lets through and RFC 9112 does not: the raw material of request smuggling.
 * MHD has parsed the headers already, but it keeps each one, duplicates too, and has not touched the body
 * when this runs; a refusal closes the connection, so nothing behind the headers is ever read as a request.
 *
 * What MHD hides is found by arithmetic: it cuts the request up in place, so the end of a value and the
 * start of the next name are one line end apart, and whatever else lies between them was dropped by MHD (a
 * NUL and what followed it, a folded line). Checked for 0.9.x only: 1.x refuses those itself, at
 * MHD_OPTION_CLIENT_DISCIPLINE_LVL 1. */
#include "bus/http_impl.h"

#define LENGTH_DIGITS_MAX 15

struct seen {
	const char *why;
	int status;
	int hosts, lengths, encodings;
	bool once[5]; /* of `singles` */
	int64_t length;
	bool chunked;
	const char *expected; /* where the line before ended; NULL: not known */
};

/* Of which two would be read as the one by us, and as the other by whoever stands before us. */
static const struct {
	const char *name, *why;
} singles[] = { { "Authorization", "more than one Authorization" },
		{ "Content-Type", "more than one Content-Type" },
		{ "Content-Encoding", "more than one Content-Encoding" },
		{ "Idempotency-Key", "more than one Idempotency-Key" },
		{ "Expect", "more than one Expect" } };

static bool is_token(const char *p, size_t n)
{
	static const char extra[] = "!#$%&'*+-.^_`|~";

	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)p[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		      (c && strchr(extra, c))))
			return false;
	}
	return n > 0;
}

static bool has_control(const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (((unsigned char)p[i] < 0x20 && p[i] != '\t') || p[i] == 0x7f)
			return true;
	return false;
}

static bool refuse(struct seen *s, int status, const char *why)
{
	if (!s->status) {
		s->status = status;
		s->why = why;
	}
	return false;
}

static bool see_length(struct seen *s, const char *p, size_t n)
{
	if (++s->lengths > 1)
		return refuse(s, 400, "more than one Content-Length");
	if (n == 0)
		return refuse(s, 400, "Content-Length is not a number");
	for (size_t i = 0; i < n; i++)
		if (p[i] < '0' || p[i] > '9')
			return refuse(s, 400, "Content-Length is not a number");
	if (n > LENGTH_DIGITS_MAX)
		return refuse(s, 413, "Content-Length is too large");
	s->length = 0;
	for (size_t i = 0; i < n; i++)
		s->length = s->length * 10 + (p[i] - '0');
	return true;
}

static bool see_encoding(struct seen *s, const char *p, size_t n)
{
	if (++s->encodings > 1)
		return refuse(s, 400, "more than one Transfer-Encoding");
	if (n != 7 || strncasecmp(p, "chunked", 7) != 0)
		return refuse(s, 501, "Transfer-Encoding other than chunked");
	s->chunked = true;
	return true;
}

static bool see_single(struct seen *s, const char *name, size_t n)
{
	for (size_t i = 0; i < BUS_LEN(singles); i++) {
		if (n != strlen(singles[i].name) || strncasecmp(name, singles[i].name, n) != 0)
			continue;
		if (s->once[i])
			return refuse(s, 400, singles[i].why);
		s->once[i] = true;
	}
	return true;
}

/* [where, name): only a line end may stand there. */
static bool hidden_before(const struct seen *s, const char *name)
{
	return s->expected && (name < s->expected + 1 || name > s->expected + 2);
}

static enum MHD_Result see(void *ctx, enum MHD_ValueKind kind, const char *name, size_t name_len,
			   const char *value, size_t value_len)
{
	struct seen *s = ctx;

	(void)kind;
	if (!is_token(name, name_len))
		return refuse(s, 400, "a header's name is malformed");
	if (!value)
		return refuse(s, 400, "a header has no value");
	if (MHD_VERSION < 0x01000000) {
		/* obs-fold makes MHD copy the name away from its value */
		if (hidden_before(s, name) || value <= name + name_len)
			return refuse(s, 400, "a header holds NUL or is folded");
		s->expected = value + value_len;
	}
	if (has_control(value, value_len))
		return refuse(s, 400, "a header holds a control character");
	if (name_len == 4 && strncasecmp(name, "Host", 4) == 0) {
		if (++s->hosts > 1)
			return refuse(s, 400, "more than one Host");
		if (memchr(value, ',', value_len) || memchr(value, ' ', value_len) ||
		    memchr(value, '/', value_len) || memchr(value, '@', value_len))
			return refuse(s, 400, "Host is malformed");
	} else if (name_len == 14 && strncasecmp(name, "Content-Length", 14) == 0) {
		return see_length(s, value, value_len) ? MHD_YES : MHD_NO;
	} else if (name_len == 17 && strncasecmp(name, "Transfer-Encoding", 17) == 0) {
		return see_encoding(s, value, value_len) ? MHD_YES : MHD_NO;
	}
	return see_single(s, name, name_len) ? MHD_YES : MHD_NO;
}

/* The request line: MHD takes spaces and control characters in the URI as they come. */
static int check_line(const struct bus_http_request *req, const char *method, const char *version,
		      const char **why)
{
	if (req->uri_sent > HTTP_URI_MAX) {
		*why = "the URI is longer than 8 KiB";
		return 414;
	}
	*why = "the request line is malformed";
	if (!is_token(method, strlen(method)) || !req->mhd_uri || req->uri.n == 0)
		return 400;
	for (size_t i = 0; i < req->uri.n; i++)
		if ((unsigned char)req->uri.p[i] <= 0x20 || (unsigned char)req->uri.p[i] >= 0x7f)
			return 400;
	if (strcmp(version, MHD_HTTP_VERSION_1_1) != 0 && strcmp(version, MHD_HTTP_VERSION_1_0) != 0)
		return 505;
	/* method SP uri SP version, and no byte between them that MHD passed over */
	if (MHD_VERSION < 0x01000000 &&
	    (method + strlen(method) + 1 != req->mhd_uri || req->mhd_uri + req->uri_sent + 1 != version))
		return 400;
	return 0;
}

int bus_http_guard(struct bus_http_request *req, const char *version, int64_t *length, const char **why)
{
	struct seen s = { 0 };
	const union MHD_ConnectionInfo *size;
	int status = check_line(req, req->method, version, why);

	*length = 0;
	if (status)
		return status;
	if (MHD_VERSION < 0x01000000)
		s.expected = version + strlen(version);
	MHD_get_connection_values_n(req->mhd, MHD_HEADER_KIND, see, &s);
	if (!s.status && s.expected) {
		size = MHD_get_connection_info(req->mhd, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
		/* after the last value: its line end and the empty line, 2 to 4 bytes */
		if (!size || req->method + size->header_size < s.expected + 2 ||
		    req->method + size->header_size > s.expected + 4)
			refuse(&s, 400, "a header holds NUL or is folded");
	}
	if (!s.status && s.chunked && s.lengths)
		refuse(&s, 400, "Content-Length and Transfer-Encoding together");
	if (!s.status && s.chunked && strcmp(version, MHD_HTTP_VERSION_1_0) == 0)
		refuse(&s, 400, "Transfer-Encoding in HTTP/1.0");
	if (!s.status && !s.hosts && strcmp(version, MHD_HTTP_VERSION_1_1) == 0)
		refuse(&s, 400, "no Host");
	*length = s.chunked ? -1 : s.length;
	*why = s.why;
	return s.status;
}

static bool ends_with(struct bus_str s, const char *tail)
{
	size_t n = strlen(tail);

	return s.n >= n && strncasecmp(s.p + s.n - n, tail, n) == 0;
}

bool bus_http_odd_body(const struct bus_http_request *req)
{
	const char *coding = bus_http_header(req, "Content-Encoding"),
		   *type = bus_http_header(req, "Content-Type");
	const char *const *known = req->h->types;
	struct bus_str is = { type, type ? strcspn(type, "; \t") : 0 };

	if (req->match.resource->any_body)
		return false;
	if (coding && strcasecmp(coding, "identity") != 0)
		return true;
	if (!type || !known)
		return false;
	for (; *known; known++)
		if (ends_with(is, *known) && (**known == '+' || is.n == strlen(*known)))
			return false;
	return true;
}
