#include "adapters/intake/event.h"

#include <strings.h>

#include "bus/percent.h"
#include "bus/utf8.h"

#define PREFIX 3 /* "ce-" */

static const char *const must[] = { "id", "source", "type", "specversion" };

void adapter_event_begin(struct adapter_event *e)
{
	*e = (struct adapter_event){ .out = { .buf = &e->text } };
	bus_json_object(&e->out);
}

/* The name in lower case, kept; NULL: it cannot be one. */
static const char *take_name(struct adapter_event *e, const char *sent)
{
	size_t n = strlen(sent);
	char *name;

	if (n == 0 || n + PREFIX >= ADAPTER_EVENT_MOST) {
		e->why = "nama / name: ce-*, 1-60 bita / bytes";
		return NULL;
	}
	if (e->n == ADAPTER_EVENT_MOST) {
		e->why = "lebih dari 64 atribut / more than 64 attributes";
		return NULL;
	}
	name = e->name[e->n];
	for (size_t i = 0; i <= n; i++)
		name[i] = sent[i] >= 'A' && sent[i] <= 'Z' ? (char)(sent[i] + 32) : sent[i];
	for (size_t i = 0; i < e->n; i++)
		if (strcmp(e->name[i], name) == 0) {
			e->why = "ce-* dua kali / twice";
			return NULL;
		}
	e->n++;
	return name;
}

/* Of a quoted string, as older versions of CloudEvents had it, what it quotes; of anything else itself. */
static void unquote(const char *sent, struct bus_buf *out)
{
	const char *p = sent;

	if (*p == '"')
		for (p++; *p && *p != '"'; p++) {
			p += p[0] == '\\' && p[1];
			bus_buf_putc(out, *p);
		}
	if (*sent == '"' && p[0] == '"' && p[1] == '\0')
		return;
	bus_buf_reset(out);
	bus_buf_puts(out, sent);
}

void adapter_event_header(struct adapter_event *e, const char *name, const char *value)
{
	struct bus_buf plain = { 0 }, text = { 0 };
	bool there;

	if (strncasecmp(name, "ce-", PREFIX) != 0 || e->why || !(name = take_name(e, name + PREFIX)))
		return;
	unquote(value, &plain);
	bus_percent_undo(&text, bus_buf_str(&plain));
	/* Else two values that are different would become the same U+FFFD. */
	if (bus_utf8_ok(text.p, text.n) < text.n)
		e->why = "ce-*: bukan UTF-8 / not UTF-8";
	there = text.n > 0 && (strcmp(name, "specversion") != 0 || bus_str_is(bus_buf_str(&text), "1.0"));
	for (unsigned i = 0; i < BUS_LEN(must) && there; i++)
		if (strcmp(name, must[i]) == 0)
			e->must |= 1U << i;
	bus_json_key(&e->out, name);
	bus_json_put_str(&e->out, bus_buf_str(&text));
	bus_buf_release(&plain);
	bus_buf_release(&text);
}

enum bus_err adapter_event_end(struct adapter_event *e, struct bus_str *members, struct bus_error *err)
{
	const char *why = e->why;

	if (!why && e->must != (1U << BUS_LEN(must)) - 1)
		why = "ce-id, ce-source, ce-type, ce-specversion 1.0";
	if (why)
		return bus_fail(err, BUS_EPARSE, "CloudEvents 1.0: %s", why);
	*members = (struct bus_str){ e->text.p + 1, e->text.n - 1 };
	return BUS_OK;
}

void adapter_event_release(struct adapter_event *e)
{
	bus_buf_release(&e->text);
}
