#include "adapters/xml.h"

#include <expat.h>
#include <stdarg.h>
#include <stdio.h>

#define PIECE 65536
#define DEPTH_MAX 64
#define TAG_MAX ((long long)1024 * 1024)

struct adapter_xml {
	XML_Parser parser;
	adapter_xml_read_fn *read;
	void *read_ctx;
	const struct adapter_xml_handler *handler;
	void *ctx;
	long long fed;	  /* bytes */
	long long parsed; /* of them, before the last piece was asked for */
	int depth;
	bool paused;
	bool ended; /* the last piece has been given */
	bool failed;
	bool full; /* names with their namespace */
	bool cut;
	struct bus_error why;
};

static const char *local(const char *name)
{
	const char *colon = strrchr(name, ':');

	return colon ? colon + 1 : name;
}

static const char *shown(const struct adapter_xml *x, const char *name)
{
	return x->full ? name : local(name);
}

static void XMLCALL on_start(void *user, const XML_Char *name, const XML_Char **atts)
{
	struct adapter_xml *x = user;

	if (++x->depth > DEPTH_MAX) {
		adapter_xml_fail(x, "XML lebih dalam dari %d tingkat / XML nested deeper than %d", DEPTH_MAX,
				 DEPTH_MAX);
		return;
	}
	if (x->handler->start)
		x->handler->start(x->ctx, shown(x, name), atts);
}

static void XMLCALL on_end(void *user, const XML_Char *name)
{
	struct adapter_xml *x = user;

	x->depth--;
	if (!x->failed && x->handler->end)
		x->handler->end(x->ctx, shown(x, name));
}

static void XMLCALL on_text(void *user, const XML_Char *p, int n)
{
	struct adapter_xml *x = user;

	if (!x->failed)
		x->handler->text(x->ctx, p, n);
}

static void XMLCALL on_doctype(void *user, const XML_Char *name, const XML_Char *system_id,
			       const XML_Char *public_id, int internal)
{
	(void)name;
	(void)system_id;
	(void)public_id;
	(void)internal;
	adapter_xml_fail(user, "XML dengan DOCTYPE ditolak / XML with a DOCTYPE is refused");
}

static struct adapter_xml *make(adapter_xml_read_fn *read, void *read_ctx,
				const struct adapter_xml_handler *handler, void *ctx, bool full)
{
	struct adapter_xml *x = bus_xcalloc(1, sizeof(*x));

	*x = (struct adapter_xml){
		.read = read, .read_ctx = read_ctx, .handler = handler, .ctx = ctx, .full = full
	};
	x->parser = full ? XML_ParserCreateNS(NULL, ' ') : XML_ParserCreate(NULL);
	if (!x->parser)
		abort();
	XML_SetUserData(x->parser, x);
	XML_SetElementHandler(x->parser, on_start, on_end);
	if (handler->text)
		XML_SetCharacterDataHandler(x->parser, on_text);
	XML_SetStartDoctypeDeclHandler(x->parser, on_doctype);
	return x;
}

struct adapter_xml *adapter_xml_new(adapter_xml_read_fn *read, void *read_ctx,
				    const struct adapter_xml_handler *handler, void *ctx)
{
	return make(read, read_ctx, handler, ctx, false);
}

struct adapter_xml *adapter_xml_new_full(adapter_xml_read_fn *read, void *read_ctx,
					 const struct adapter_xml_handler *handler, void *ctx)
{
	return make(read, read_ctx, handler, ctx, true);
}

uint64_t adapter_xml_line(const struct adapter_xml *x)
{
	return XML_GetCurrentLineNumber(x->parser);
}

uint64_t adapter_xml_at(const struct adapter_xml *x, size_t *n)
{
	*n = (size_t)XML_GetCurrentByteCount(x->parser);
	return (uint64_t)XML_GetCurrentByteIndex(x->parser);
}

uint64_t adapter_xml_parsed(const struct adapter_xml *x)
{
	return (uint64_t)x->parsed;
}

bool adapter_xml_cut(const struct adapter_xml *x)
{
	return x->cut;
}

void adapter_xml_free(struct adapter_xml **x)
{
	if (!*x)
		return;
	XML_ParserFree((*x)->parser);
	free(*x);
	*x = NULL;
}

void adapter_xml_pause(struct adapter_xml *x)
{
	if (x->failed || x->paused)
		return;
	x->paused = true;
	XML_StopParser(x->parser, XML_TRUE);
}

void adapter_xml_fail(struct adapter_xml *x, const char *fmt, ...)
{
	va_list ap;

	if (x->failed)
		return;
	x->failed = true;
	va_start(ap, fmt);
	vsnprintf(x->why.text, sizeof(x->why.text), fmt, ap);
	va_end(ap);
	x->why.code = BUS_EDATA;
	XML_StopParser(x->parser, XML_FALSE);
}

static enum bus_err give(struct adapter_xml *x, enum XML_Status *status, struct bus_error *err)
{
	long long at = XML_GetCurrentByteIndex(x->parser); /* XML_GetBuffer forgets it */
	char *to = XML_GetBuffer(x->parser, PIECE);
	size_t got = 0;
	enum bus_err rc;

	x->parsed = at > 0 ? at : 0;
	if (!to)
		return bus_fail(err, BUS_EDATA, "XML tidak terbaca / the XML cannot be read");
	rc = x->read(x->read_ctx, to, PIECE, &got, err);
	if (rc != BUS_OK)
		return rc;
	x->fed += (long long)got;
	x->ended = got == 0;
	*status = XML_ParseBuffer(x->parser, (int)got, x->ended);
	return BUS_OK;
}

enum bus_err adapter_xml_next(struct adapter_xml *x, struct bus_error *err)
{
	while (!x->failed) {
		enum XML_Status status = XML_STATUS_OK;
		enum bus_err rc = BUS_OK;

		if (x->paused) {
			x->paused = false;
			status = XML_ResumeParser(x->parser);
		} else if (x->ended) {
			return BUS_ENOENT;
		} else {
			rc = give(x, &status, err);
		}
		if (rc != BUS_OK)
			return rc;
		if (status == XML_STATUS_SUSPENDED)
			return BUS_OK;
		if (status == XML_STATUS_ERROR && !x->failed) {
			enum XML_Error code = XML_GetErrorCode(x->parser);

			x->cut = x->ended &&
				 (code == XML_ERROR_NO_ELEMENTS || code == XML_ERROR_UNCLOSED_TOKEN ||
				  code == XML_ERROR_PARTIAL_CHAR || code == XML_ERROR_UNCLOSED_CDATA_SECTION);
			adapter_xml_fail(
			    x, "XML rusak atau terpotong / the XML is damaged or cut: %s, line %lu",
			    XML_ErrorString(code), (unsigned long)XML_GetCurrentLineNumber(x->parser));
		} else if (!x->ended && x->fed - XML_GetCurrentByteIndex(x->parser) > TAG_MAX) {
			adapter_xml_fail(x, "XML dengan tanda lebih dari 1 MiB / XML with a tag over 1 MiB");
		}
	}
	if (err)
		*err = x->why;
	return BUS_EDATA;
}

enum bus_err adapter_xml_all(struct adapter_xml *x, struct bus_error *err)
{
	enum bus_err rc;

	while ((rc = adapter_xml_next(x, err)) == BUS_OK)
		;
	return rc == BUS_ENOENT ? BUS_OK : rc;
}

const char *adapter_xml_att(const char **atts, const char *name)
{
	for (; *atts; atts += 2)
		if (strcmp(local(*atts), name) == 0)
			return atts[1];
	return NULL;
}
