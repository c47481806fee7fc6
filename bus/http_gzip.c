/* Answers compressed for readers that take gzip (RFC 9110, 8.4.1.3): whole ones, and streams piece by piece. */
#include <assert.h>
#include <zlib.h>

#include "bus/http_impl.h"

#define LEAST 1024 /* bytes: below, the headers weigh more than what is saved */
#define LEVEL 1	   /* rows compress to a seventh with it; more costs more than the wire */

struct http_gzip {
	z_stream z;
};

/* "gzip" or "*" in the list, not with q=0. */
bool bus_http_takes_gzip(const char *accept)
{
	while (accept && *accept) {
		size_t n = strcspn(accept, ",");
		const char *name = accept + strspn(accept, " \t");
		size_t word = strcspn(name, " \t;,");
		const char *q = memmem(name, (size_t)(accept + n - name), "q=", 2);

		if ((word == 4 && strncasecmp(name, "gzip", 4) == 0) || (word == 1 && *name == '*'))
			return !q || strtod(q + 2, NULL) > 0;
		accept += n + (accept[n] == ',');
	}
	return false;
}

static bool compressible(const char *type)
{
	return type && (strstr(type, "json") || strncmp(type, "text/", 5) == 0 ||
			strstr(type, "javascript") || strstr(type, "svg"));
}

struct http_gzip *bus_http_gzip_new(void)
{
	struct http_gzip *g = bus_xcalloc(1, sizeof(*g));
	int rc = deflateInit2(&g->z, LEVEL, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);

	assert(rc == Z_OK); /* it fails for want of memory only */
	return g;
}

void bus_http_gzip_free(struct http_gzip **g)
{
	if (!*g)
		return;
	deflateEnd(&(*g)->z);
	free(*g);
	*g = NULL;
}

void bus_http_gzip_put(struct http_gzip *g, const void *p, size_t n, enum http_gzip_flush how,
		       struct bus_buf *out)
{
	static const int flush[] = { Z_NO_FLUSH, Z_SYNC_FLUSH, Z_FINISH };
	int rc;

	g->z.next_in = (Bytef *)(uintptr_t)p;
	g->z.avail_in = (uInt)n;
	do {
		bus_buf_reserve(out, 4096 + n / 8);
		g->z.next_out = (Bytef *)out->p + out->n;
		g->z.avail_out = (uInt)(out->cap - out->n);
		rc = deflate(&g->z, flush[how]);
		assert(rc == Z_OK || rc == Z_STREAM_END || rc == Z_BUF_ERROR);
		out->n = out->cap - g->z.avail_out;
	} while (g->z.avail_out == 0);
}

static bool asked(struct bus_http_request *req)
{
	return bus_http_takes_gzip(bus_http_header(req, "Accept-Encoding"));
}

void bus_http_gzip_body(struct bus_http_request *req, const char *type, struct bus_buf *body)
{
	struct bus_buf small = { 0 };
	struct http_gzip *g;

	if (!req->h->gzip || body->n < LEAST || !compressible(type) || !asked(req))
		return;
	g = bus_http_gzip_new();
	bus_http_gzip_put(g, body->p, body->n, HTTP_GZIP_END, &small);
	bus_http_gzip_free(&g);
	bus_buf_release(body);
	*body = small;
	bus_http_set(req, "Content-Encoding", "gzip");
}

void bus_http_compress(struct bus_http_request *req)
{
	if (!req->h->gzip || !asked(req) || req->gzip)
		return;
	req->gzip = bus_http_gzip_new();
	bus_http_set(req, "Content-Encoding", "gzip");
}
