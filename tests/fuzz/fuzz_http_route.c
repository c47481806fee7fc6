/* "METHOD path?query": matched, decoded and parsed. */
#include "bus/http_route.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void nop(void *ctx, struct bus_http_request *req)
{
	(void)ctx;
	(void)req;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct bus_http_route routes[] = {
		{ "GET", "/", nop },
		{ "GET", "/subjects/{subject}/versions/{version}", nop },
		{ "GET", "/subjects/{subject}/versions/latest", nop },
		{ "DELETE", "/subjects/{subject}", nop },
		{ NULL, NULL, NULL },
	};
	static struct http_pair pair[HTTP_QUERY_MAX];
	static struct http_table t;
	char *line = bus_xstrndup((const char *)data, size);
	char *path = strchr(line, ' ');
	struct http_match m;
	char *query, *text;
	size_t n;

	if (!t.n && bus_http_table_build(routes, &t, NULL) != BUS_OK)
		abort();
	if (!path) {
		free(line);
		return 0;
	}
	*path++ = '\0';
	query = strchr(path, '?');
	if (query)
		*query++ = '\0';
	bus_http_table_match(&t, line, bus_str(path), &m);
	/* exact sizes: a byte too many is found by the sanitizer */
	text = bus_xmalloc(strlen(path) + 1);
	if (bus_http_decode(bus_str(path), false, text, &n))
		assert(n <= strlen(path) && strlen(text) == n);
	free(text);
	if (query) {
		text = bus_xmalloc(2 * strlen(query) + 2);
		if (bus_http_query_parse(bus_str(query), text, pair, &n))
			for (size_t i = 0; i < n; i++)
				assert(strlen(pair[i].name) + strlen(pair[i].value) <= strlen(query));
		free(text);
	}
	free(line);
	return 0;
}
