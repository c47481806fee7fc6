#include "adapters/fetch/paging.h"

#include <stdio.h>
#include <strings.h>

#include "adapters/source.h"
#include "bus/client.h"
#include "bus/percent.h"

static const struct way {
	const char *name;
	enum adapter_paging_by by;
	bool at, parameter, first;
} ways[] = {
	{ "link", ADAPTER_PAGE_LINK, false, false, false },
	{ "next", ADAPTER_PAGE_NEXT, true, false, false },
	{ "cursor", ADAPTER_PAGE_CURSOR, true, true, false },
	{ "number", ADAPTER_PAGE_NUMBER, false, true, true },
	{ "offset", ADAPTER_PAGE_OFFSET, false, true, false },
};

static const struct way *find_way(const char *name)
{
	for (size_t i = 0; i < BUS_LEN(ways); i++)
		if (strcmp(ways[i].name, name) == 0)
			return &ways[i];
	return NULL;
}

enum bus_err adapter_paging_read(struct adapter_paging *p, struct bus_yaml *yaml, struct bus_yaml_node *conf,
				 struct bus_error *err)
{
	const struct way *way;
	const char *by = NULL;
	enum bus_err rc;

	*p = (struct adapter_paging){ .first = 1 };
	if (!conf)
		return BUS_OK;
	if (conf->kind != BUS_YAML_MAP)
		return bus_yaml_fail(yaml, conf, err,
				     "write page: {by: link}, or next, cursor, number, offset");
	rc = adapter_source_word(yaml, conf, "by", true, &by, err);
	if (rc)
		return rc;
	way = find_way(by);
	if (!way)
		return bus_yaml_fail(yaml, bus_yaml_get(conf, "by"), err,
				     "by: link, next, cursor, number or offset; not '%s'", by);
	p->by = way->by;
	if (way->at)
		rc = adapter_source_word(yaml, conf, "at", true, &p->at, err);
	if (!rc && way->parameter)
		rc = adapter_source_word(yaml, conf, "parameter", true, &p->parameter, err);
	if (!rc && way->first)
		rc = bus_yaml_int(yaml, conf, "first", false, 0, 1, &p->first, err);
	return rc ? rc : bus_yaml_no_more(yaml, conf, err);
}

void adapter_paging_release(struct adapter_paging *p)
{
	bus_buf_release(&p->seen);
}

const struct bus_json *adapter_json_at(const struct bus_json *v, const char *path)
{
	char part[256];

	while (v && *path) {
		size_t n = strcspn(path, ".");

		if (n >= sizeof(part) || v->type != BUS_JSON_OBJECT)
			return NULL;
		memcpy(part, path, n);
		part[n] = '\0';
		v = bus_json_get(v, part);
		path += n + (path[n] == '.');
	}
	return v;
}

/* The address with parameter=value in its query, in place of one that is there. */
static void put_parameter(struct bus_buf *out, const char *url, const char *parameter, struct bus_str value)
{
	size_t name = strlen(parameter), path = strcspn(url, "?#"), end = strcspn(url, "#");
	const char *p = url + path;
	char before = '?';

	bus_buf_put(out, url, path);
	while (p < url + end) {
		const char *from = p + 1, *to = from + strcspn(from, "&#");

		if (to > from && !((size_t)(to - from) > name && memcmp(from, parameter, name) == 0 &&
				   from[name] == '=')) {
			bus_buf_putc(out, before);
			bus_buf_put(out, from, (size_t)(to - from));
			before = '&';
		}
		p = to;
	}
	bus_buf_printf(out, "%c%s=", before, parameter);
	bus_percent_put(out, value);
}

static void put_number(struct bus_buf *out, const char *url, const char *parameter, int64_t v)
{
	char text[24];

	snprintf(text, sizeof(text), "%lld", (long long)v);
	put_parameter(out, url, parameter, bus_str(text));
}

enum bus_err adapter_paging_begin(struct adapter_paging *p, const char *base, struct bus_buf *out,
				  struct bus_error *err)
{
	(void)err;
	p->pages = p->rows = 0;
	bus_buf_reset(&p->seen);
	bus_buf_reset(out);
	if (p->by == ADAPTER_PAGE_NUMBER)
		put_number(out, base, p->parameter, p->first);
	else if (p->by == ADAPTER_PAGE_OFFSET)
		put_number(out, base, p->parameter, 0);
	else
		bus_buf_puts(out, base);
	return BUS_OK;
}

/* One of the relation types in the value of a rel parameter, which may be in quotes. */
static bool says_next(struct bus_str v)
{
	bool quoted = v.n > 0 && v.p[0] == '"';
	size_t i = quoted, from;

	do {
		for (from = i; i < v.n && !strchr(quoted ? "\" " : "; ,", v.p[i]);)
			i++;
		if (i - from == 4 && strncasecmp(v.p + from, "next", 4) == 0)
			return true;
	} while (quoted && i < v.n && v.p[i++] == ' ');
	return false;
}

/* The target of rel="next" (RFC 8288, 3): <URI>; parameter; parameter, <URI> ... */
static struct bus_str next_link(struct bus_str s)
{
	size_t i = 0;

	while (i < s.n) {
		size_t from, to;
		bool next = false;

		while (i < s.n && s.p[i] != '<')
			i++;
		from = i + 1;
		while (i < s.n && s.p[i] != '>')
			i++;
		to = i;
		/* parameters, up to a comma that is in no quotes */
		for (bool quoted = false; i < s.n && (quoted || s.p[i] != ','); i++) {
			if (!quoted && s.n - i > 4 && strncasecmp(s.p + i, "rel=", 4) == 0)
				next |= says_next((struct bus_str){ s.p + i + 4, s.n - i - 4 });
			quoted ^= s.p[i] == '"';
		}
		if (next && to > from && to < s.n)
			return (struct bus_str){ s.p + from, to - from };
	}
	return (struct bus_str){ 0 };
}

static enum bus_err resolve(const char *base, struct bus_str reference, struct bus_buf *out,
			    struct bus_error *err)
{
	char *text = bus_xasprintf("%.*s", (int)reference.n, reference.p);
	bool same = false;
	enum bus_err rc = bus_client_resolve(base, text, out, &same, err);

	free(text);
	if (!rc && !same)
		rc = bus_fail(err, BUS_EDATA,
			      "the next page is on another machine than the first: not followed");
	return rc;
}

static enum bus_err follow(struct adapter_paging *p, const struct adapter_page *page, struct bus_buf *out,
			   struct bus_error *err)
{
	const struct bus_json *v = p->at ? adapter_json_at(page->body, p->at) : NULL;
	struct bus_str next = { 0 };

	if (p->by == ADAPTER_PAGE_LINK)
		next = next_link(page->link);
	else if (v &&
		 (v->type == BUS_JSON_STRING || (p->by == ADAPTER_PAGE_CURSOR && v->type == BUS_JSON_NUMBER)))
		next = v->text;
	else if (v && v->type != BUS_JSON_NULL && v->type != BUS_JSON_FALSE)
		return bus_fail(err, BUS_EDATA, "'%s' in the page is no text", p->at);
	if (next.n == 0)
		return BUS_OK;
	if (p->by != ADAPTER_PAGE_CURSOR)
		return resolve(page->url, next, out, err);
	put_parameter(out, page->url, p->parameter, next);
	return BUS_OK;
}

enum bus_err adapter_paging_next(struct adapter_paging *p, const struct adapter_page *page,
				 struct bus_buf *out, struct bus_error *err)
{
	enum bus_err rc = BUS_OK;

	bus_buf_reset(out);
	p->rows += page->rows;
	if (++p->pages > ADAPTER_PAGES_MAX)
		return bus_fail(err, BUS_ETOOBIG, "more than %d pages", ADAPTER_PAGES_MAX);
	switch (p->by) {
	case ADAPTER_PAGE_ONE:
		return BUS_OK;
	case ADAPTER_PAGE_NUMBER:
		if (page->rows > 0)
			put_number(out, page->url, p->parameter, p->first + (int64_t)p->pages);
		break;
	case ADAPTER_PAGE_OFFSET:
		if (page->rows > 0)
			put_number(out, page->url, p->parameter, (int64_t)p->rows);
		break;
	default:
		rc = follow(p, page, out, err);
	}
	if (rc || out->n == 0)
		return rc;
	if (strcmp(bus_buf_cstr(out), page->url) == 0 || bus_str_eq(bus_buf_str(out), bus_buf_str(&p->seen)))
		return bus_fail(
		    err, BUS_EDATA,
		    "page %llu leads back to itself or to the one before: paging goes round in circles",
		    (unsigned long long)p->pages);
	bus_buf_reset(&p->seen);
	bus_buf_puts(&p->seen, page->url);
	return BUS_OK;
}
