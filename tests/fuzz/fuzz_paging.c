/* What a server says of its next page, and of the time a row was changed: the header Link, a page, a mark. The first byte
 * chooses the way; up to the first NUL is the header, behind it the page. */
#include "adapters/fetch/paging.h"
#include "adapters/fetch/since.h"

#include <assert.h>

static struct bus_yaml *parse(const char *conf)
{
	struct bus_yaml *yaml;

	if (bus_yaml_parse("fuzz.yaml", 1, conf, strlen(conf), &yaml, NULL))
		abort();
	return yaml;
}

static void page(const char *conf, struct bus_str link, struct bus_str text)
{
	static const char base[] = "http://h/a?c=1&page=2#x";
	struct bus_arena *arena = bus_arena_new((size_t)1 << 20);
	struct bus_yaml *yaml = parse(conf);
	struct adapter_paging p;
	struct adapter_page now = { .url = base, .link = link, .rows = 1 };
	struct bus_buf out = { 0 };
	struct bus_json *body;

	if (adapter_paging_read(&p, yaml, bus_yaml_root(yaml), NULL) ||
	    adapter_paging_begin(&p, base, &out, NULL))
		abort();
	if (bus_json_parse(text, NULL, arena, &body, NULL) == BUS_OK) {
		now.body = body;
		/* wherever it leads, it is an address of the machine that was asked */
		if (adapter_paging_next(&p, &now, &out, NULL) == BUS_OK && out.n > 0)
			assert(strncmp(bus_buf_cstr(&out), "http://", 7) == 0 && strlen(out.p) == out.n &&
			       !strpbrk(out.p, "\r\n "));
	}
	bus_buf_release(&out);
	adapter_paging_release(&p);
	bus_yaml_free(&yaml);
	bus_arena_free(&arena);
}

static void mark(const char *conf, struct bus_str value)
{
	struct adapter_since s = { 0 };
	struct bus_yaml *yaml = parse(conf);
	char from[ADAPTER_SINCE_MAX];
	struct bus_str seen;

	if (adapter_since_read(&s, yaml, bus_yaml_root(yaml), NULL))
		abort();
	if (adapter_since_begin(&s, value, from, NULL) == BUS_OK &&
	    adapter_since_see(&s, value, NULL) == BUS_OK) {
		seen = adapter_since_mark(&s);
		/* what is kept can be gone on from */
		assert(seen.n < ADAPTER_SINCE_MAX);
		assert(adapter_since_begin(&s, seen, from, NULL) == BUS_OK);
	}
	bus_yaml_free(&yaml);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const ways[] = { "by: link", "{by: next, at: n.m}",
					    "{by: cursor, at: n.m, parameter: c}" };
	struct bus_str link, text;
	const char *nul;

	if (size < 1)
		return 0;
	link = (struct bus_str){ (const char *)data + 1, size - 1 };
	if (data[0] % 5 == 3)
		mark("{column: a, type: time, overlap: 10m}", link);
	else if (data[0] % 5 == 4)
		mark("{column: a, type: integer, overlap: 7}", link);
	if (data[0] % 5 > 2)
		return 0;
	nul = memchr(link.p, '\0', link.n);
	text = nul ? (struct bus_str){ nul + 1, link.n - (size_t)(nul + 1 - link.p) }
		   : (struct bus_str){ "[]", 2 };
	if (nul)
		link.n = (size_t)(nul - link.p);
	page(ways[data[0] % 5], link, text);
	return 0;
}
