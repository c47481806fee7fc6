/* bus/http_route.h - paths to routes, percent-decoding, queries. No MHD, no I/O: everything here reads
 * untrusted bytes and is fuzzed (tests/fuzz/fuzz_http_route.c). Internal to bus/http*.c.
 *
 * A path is matched segment by segment, still encoded (RFC 3986 3.3): "%2F" never splits a segment. A
 * literal segment of a pattern wins over a part in braces; an empty segment matches no part.
 * Thread: any; a table does not change once built.
 */
#ifndef BUS_HTTP_ROUTE_H
#define BUS_HTTP_ROUTE_H

#include <stdatomic.h>

#include "bus/http.h"
#include "bus/metrics.h"

#define HTTP_PARTS_MAX 12  /* segments of a path; longer ones match nothing */
#define HTTP_METHODS_MAX 6 /* of one pattern */
#define HTTP_QUERY_MAX 256 /* name=value pairs of one request */
#define HTTP_STATUS_FIRST 100
#define HTTP_STATUS_COUNT 500

struct http_part {
	const char *text; /* literal, or the name of the part */
	size_t n;
	bool named;
};

struct http_method {
	const char *name;
	bus_http_handler_fn handler;
};

struct http_resource { /* one pattern with all its methods */
	const char *pattern;
	struct http_part part[HTTP_PARTS_MAX];
	size_t n_parts;
	struct http_method method[HTTP_METHODS_MAX];
	size_t n_methods;
	int64_t body_max; /* 0: the server's */
	bool any_body;	  /* of any type and coding */
	char allow[96]; /* "GET, HEAD, POST, OPTIONS" */
	/* The request counter's series by status, found once each. */
	_Atomic(struct bus_metric *) series[HTTP_STATUS_COUNT];
};

struct http_table {
	struct http_resource *resource;
	size_t n;
	struct http_resource other; /* stands for paths without a route, in the metrics */
};

/* BUS_EINVAL names the route that cannot be: no leading '/', too many parts, the same one twice. The
 * patterns and methods are borrowed. */
enum bus_err bus_http_table_build(const struct bus_http_route *routes, struct http_table *out,
				  struct bus_error *err) BUS_MUSTCHECK;
void bus_http_table_release(struct http_table *t);

struct http_match {
	struct http_resource *resource;	     /* NULL: no such path */
	const struct http_method *method;    /* NULL: the path is there, the method is not */
	struct bus_str part[HTTP_PARTS_MAX]; /* still encoded */
};

/* HEAD finds GET. path begins with '/' and has no query. */
void bus_http_table_match(struct http_table *t, const char *method, struct bus_str path,
			  struct http_match *out);

/* Decodes %XX (and '+' when plus is set) into out, which has room for in.n + 1 bytes; adds a NUL.
 * False: a broken escape, a NUL byte, or no UTF-8. */
bool bus_http_decode(struct bus_str in, bool plus, char *out, size_t *n);

struct http_pair {
	const char *name;
	const char *value; /* "" when there is no '=' */
};

/* "a=1&b=2" (application/x-www-form-urlencoded). text: room for 2 * raw.n + 2 bytes.
 * *n pairs. False: a broken escape, a NUL, or more than HTTP_QUERY_MAX pairs. */
bool bus_http_query_parse(struct bus_str raw, char *text, struct http_pair *pair, size_t *n);

#endif
