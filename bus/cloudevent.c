#include "bus/cloudevent.h"

#include <strings.h>

#include "bus/percent.h"
#include "bus/utf8.h"

#define PREFIX 3 /* "ce-" */

static const char *const must[] = { "id", "source", "type", "specversion" };

void bus_cloudevent_begin(struct bus_cloudevent *e)
{
	*e = (struct bus_cloudevent){ .out = { .buf = &e->text } };
	bus_json_object(&e->out);
}

/* CloudEvents 1.0, 2.1: a-z and 0-9, and none is called data. Headers have no case. */
static bool lower_name(const char *sent, char name[BUS_CLOUDEVENT_MOST])
{
	size_t n = strlen(sent);

	if (n == 0 || n + PREFIX >= BUS_CLOUDEVENT_MOST)
		return false;
	for (size_t i = 0; i < n; i++) {
		char c = sent[i] >= 'A' && sent[i] <= 'Z' ? (char)(sent[i] + 32) : sent[i];

		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')))
			return false;
		name[i] = c;
	}
	name[n] = '\0';
	return strcmp(name, "data") != 0;
}

/* The name, kept; NULL: it cannot be one. */
static const char *take_name(struct bus_cloudevent *e, const char *sent)
{
	char *name;

	if (e->n == BUS_CLOUDEVENT_MOST) {
		e->why = "lebih dari 64 atribut / more than 64 attributes";
		return NULL;
	}
	name = e->name[e->n];
	if (!lower_name(sent, name)) {
		e->why = "nama / name: ce-*, 1-60 a-z 0-9";
		return NULL;
	}
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

void bus_cloudevent_header(struct bus_cloudevent *e, const char *name, const char *value)
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

enum bus_err bus_cloudevent_end(struct bus_cloudevent *e, struct bus_str *members, struct bus_error *err)
{
	const char *why = e->why;

	if (!why && e->must != (1U << BUS_LEN(must)) - 1)
		why = "ce-id, ce-source, ce-type, ce-specversion 1.0";
	if (why)
		return bus_fail(err, BUS_EPARSE, "CloudEvents 1.0: %s", why);
	*members = (struct bus_str){ e->text.p + 1, e->text.n - 1 };
	return BUS_OK;
}

void bus_cloudevent_release(struct bus_cloudevent *e)
{
	bus_buf_release(&e->text);
}
