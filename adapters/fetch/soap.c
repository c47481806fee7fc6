#include "adapters/fetch/soap.h"

#include <stdio.h>

#include "adapters/xml.h"

#define TEXT_MAX 100
#define DIGITS 6 /* from this many on, a number may be a person's */

enum part { NONE, CODE, REASON };

struct reading {
	struct bus_str answer;
	size_t at;
	int depth;
	bool in_body, in_fault;
	enum part part;
	struct bus_buf text[3];
};

static enum bus_err read_answer(void *ctx, char *p, size_t n, size_t *got, struct bus_error *err)
{
	struct reading *r = ctx;

	(void)err;
	*got = n < r->answer.n - r->at ? n : r->answer.n - r->at;
	memcpy(p, r->answer.p + r->at, *got);
	r->at += *got;
	return BUS_OK;
}

static bool is(const char *name, const char *local)
{
	static const char *const soap[] = { "http://schemas.xmlsoap.org/soap/envelope/ ",
					    "http://www.w3.org/2003/05/soap-envelope " };

	for (size_t i = 0; i < BUS_LEN(soap); i++)
		if (strncmp(name, soap[i], strlen(soap[i])) == 0 &&
		    strcmp(name + strlen(soap[i]), local) == 0)
			return true;
	return false;
}

static void on_start(void *ctx, const char *name, const char **atts)
{
	struct reading *r = ctx;

	(void)atts;
	r->depth++;
	if (r->depth == 2)
		r->in_body = is(name, "Body");
	else if (r->depth == 3)
		r->in_fault = r->in_body && is(name, "Fault");
	else if (r->depth == 4 && r->in_fault)
		r->part = strcmp(name, "faultcode") == 0 || is(name, "Code")	   ? CODE
			  : strcmp(name, "faultstring") == 0 || is(name, "Reason") ? REASON
										   : NONE;
	else if (r->depth == 5 && r->part != NONE && !is(name, "Value") && !is(name, "Text"))
		r->part = NONE; /* Subcode: the service's own, of any depth */
}

static void on_end(void *ctx, const char *name)
{
	struct reading *r = ctx;

	(void)name;
	if (r->depth == 4)
		r->part = NONE;
	if (r->depth == 3)
		r->in_fault = false;
	r->depth--;
}

static void on_text(void *ctx, const char *p, int n)
{
	struct reading *r = ctx;

	for (int i = 0; r->part != NONE && i < n && r->text[r->part].n < TEXT_MAX; i++)
		bus_buf_putc(&r->text[r->part], (unsigned char)p[i] < ' ' ? ' ' : p[i]);
}

static void mask(char *p)
{
	while (*p) {
		size_t n = strspn(p, "0123456789");

		if (n >= DIGITS)
			memset(p, '#', n);
		p += n ? n : 1;
	}
}

static const char *trimmed(struct bus_buf *b)
{
	const char *p = bus_buf_cstr(b);

	while (b->n > 0 && b->p[b->n - 1] == ' ')
		b->p[--b->n] = '\0';
	return p + strspn(p, " ");
}

enum bus_err adapter_soap_fault(struct bus_str answer, char fault[ADAPTER_FAULT_MAX], struct bus_error *err)
{
	static const struct adapter_xml_handler handler = { .start = on_start,
							    .end = on_end,
							    .text = on_text };
	struct reading r = { .answer = answer };
	struct adapter_xml *xml = adapter_xml_new_full(read_answer, &r, &handler, &r);
	enum bus_err rc = adapter_xml_all(xml, err);

	fault[0] = '\0';
	if (!rc && (r.text[CODE].n > 0 || r.text[REASON].n > 0))
		snprintf(fault, ADAPTER_FAULT_MAX, "%s: %s", trimmed(&r.text[CODE]),
			 trimmed(&r.text[REASON]));
	mask(fault);
	adapter_xml_free(&xml);
	for (size_t i = 0; i < BUS_LEN(r.text); i++)
		bus_buf_release(&r.text[i]);
	return rc;
}
