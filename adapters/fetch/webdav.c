#include "adapters/fetch/webdav.h"

#include <time.h>

#include "adapters/xml.h"
#include "bus/percent.h"

#define TEXT_MAX 4096 /* bytes of an address or a date */

const char adapter_webdav_ask[] =
    "<?xml version=\"1.0\" encoding=\"utf-8\"?><propfind xmlns=\"DAV:\"><prop><resourcetype/>"
    "<getcontentlength/><getlastmodified/></prop></propfind>";

struct reading {
	struct bus_str body;
	size_t at;
	struct adapter_xml *xml;
	struct adapter_far_list *out;
	bool multistatus; /* the root is what it must be */
	bool folder;
	struct bus_buf text, href, size, time;
	enum bus_err rc;
	struct bus_error why;
};

static enum bus_err read_body(void *ctx, char *p, size_t n, size_t *got, struct bus_error *err)
{
	struct reading *r = ctx;

	(void)err;
	*got = n < r->body.n - r->at ? n : r->body.n - r->at;
	memcpy(p, r->body.p + r->at, *got);
	r->at += *got;
	return BUS_OK;
}

/* The last part of an address, with %41 undone. */
static void last_part(struct bus_str href, struct bus_buf *out)
{
	size_t from;

	while (href.n > 0 && href.p[href.n - 1] == '/')
		href.n--;
	for (from = href.n; from > 0 && href.p[from - 1] != '/';)
		from--;
	if (from < href.n) /* an empty address has no place in memory */
		bus_percent_undo(out, (struct bus_str){ href.p + from, href.n - from });
}

static int64_t read_size(struct bus_buf *b)
{
	int64_t v = 0;

	for (size_t i = 0; i < b->n; i++)
		if (b->p[i] < '0' || b->p[i] > '9' || __builtin_mul_overflow(v, 10, &v) ||
		    __builtin_add_overflow(v, b->p[i] - '0', &v))
			return -1;
	return b->n > 0 ? v : -1;
}

static int64_t read_time(struct bus_buf *b)
{
	struct tm t = { 0 };

	return strptime(bus_buf_cstr(b), "%a, %d %b %Y %H:%M:%S GMT", &t) ? timegm(&t) : -1;
}

static void on_start(void *ctx, const char *name, const char **atts)
{
	struct reading *r = ctx;

	(void)atts;
	bus_buf_reset(&r->text);
	if (strcmp(name, "multistatus") == 0) {
		r->multistatus = true;
	} else if (strcmp(name, "response") == 0) {
		r->folder = false;
		bus_buf_reset(&r->href);
		bus_buf_reset(&r->size);
		bus_buf_reset(&r->time);
	} else if (strcmp(name, "collection") == 0) {
		r->folder = true;
	}
}

static void end_response(struct reading *r)
{
	struct bus_buf name = { 0 };

	last_part(bus_buf_str(&r->href), &name);
	if (!r->folder && !r->rc)
		r->rc = adapter_far_add(r->out, bus_buf_str(&name), read_size(&r->size), read_time(&r->time),
					&r->why);
	bus_buf_release(&name);
}

static void on_end(void *ctx, const char *name)
{
	struct reading *r = ctx;
	struct bus_buf *to = strcmp(name, "href") == 0		     ? &r->href
			     : strcmp(name, "getcontentlength") == 0 ? &r->size
			     : strcmp(name, "getlastmodified") == 0  ? &r->time
								     : NULL;

	if (to && to->n == 0) /* a second propstat tells, empty, what was not found */
		bus_buf_put(to, r->text.p, r->text.n);
	if (strcmp(name, "response") == 0)
		end_response(r);
	bus_buf_reset(&r->text);
}

static void on_text(void *ctx, const char *p, int n)
{
	struct reading *r = ctx;

	if (r->text.n == 0)
		while (n > 0 && strchr(" \t\r\n", *p))
			p++, n--;
	if (r->text.n + (size_t)n <= TEXT_MAX)
		bus_buf_put(&r->text, p, (size_t)n);
}

enum bus_err adapter_webdav_read(struct bus_str body, struct adapter_far_list *out, struct bus_error *err)
{
	static const struct adapter_xml_handler handler = { .start = on_start,
							    .end = on_end,
							    .text = on_text };
	struct reading r = { .body = body, .out = out };
	enum bus_err rc;

	r.xml = adapter_xml_new(read_body, &r, &handler, &r);
	rc = adapter_xml_all(r.xml, err);
	adapter_xml_free(&r.xml);
	if (!rc && r.rc) {
		rc = r.rc;
		if (err)
			*err = r.why;
	}
	if (!rc && !r.multistatus)
		rc = bus_fail(err, BUS_EDATA, "the answer is no list of a WebDAV folder");
	bus_buf_release(&r.text);
	bus_buf_release(&r.href);
	bus_buf_release(&r.size);
	bus_buf_release(&r.time);
	return rc;
}
