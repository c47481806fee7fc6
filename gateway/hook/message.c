#include "gateway/hook/message.h"

#include <inttypes.h>
#include <stdio.h>

#include "bus/clock.h"
#include "gateway/hook/sign.h"

#define ATTRIBUTES_MAX 16
#define ENVELOPE ((size_t)1500) /* bytes around a row: attributes, key, cursor */

struct event {
	const char *what;   /* upsert, delete, reset, test */
	int64_t seq;	    /* 0: none */
	struct bus_str key; /* p NULL: none */
	char id[GW_HOOK_MESSAGE_ID_LEN + 1];
	struct bus_buf data; /* JSON: the row, or where it is; empty: none */
	bool whole;	     /* data is the row */
};

/* --- parts ------------------------------------------------------------------------------------------- */

static void make_id(const struct gw_hook_message *m, const char *what, int64_t first, int64_t last,
		    char out[GW_HOOK_MESSAGE_ID_LEN + 1])
{
	uint8_t digest[BUS_SHA256_LEN];
	struct bus_buf text = { 0 };

	bus_buf_printf(&text, "%s\n%" PRId64 "\n%016" PRIx64 "\n%s\n%" PRId64 "\n%" PRId64, m->sub->id,
		       m->sub->round, m->cursors.store, what, first, last);
	bus_sha256(text.p, text.n, digest);
	bus_buf_release(&text);
	memcpy(out, "msg_", 4);
	bus_hex(digest, 16, out + 4);
}

/* All but what `keep` says is written as %XX. */
static void put_escaped(struct bus_buf *out, struct bus_str text, bool (*keep)(unsigned char c))
{
	for (size_t i = 0; i < text.n; i++) {
		unsigned char c = (unsigned char)text.p[i];

		if (keep(c))
			bus_buf_putc(out, (char)c);
		else
			bus_buf_printf(out, "%%%02X", c);
	}
}

static bool unreserved(unsigned char c) /* RFC 3986, 2.3 */
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
	       (c && strchr("-._~", c));
}

static bool header_char(unsigned char c) /* CloudEvents, HTTP binding 3.1.3.2 */
{
	return c > 0x20 && c < 0x7f && c != '"' && c != '%';
}

static void put_row_url(const struct gw_hook_message *m, struct bus_str key, struct bus_buf *out)
{
	bus_buf_printf(out, "%s/v1/views/%s/", m->names->base, m->params->view->name);
	put_escaped(out, key, unreserved);
	if (m->params->query.date)
		bus_buf_printf(out, "?per_tanggal=%s", m->params->query.date);
}

/* The gravest class of what the message shows: N, P, U, or S (A counts as S). */
static char class_of(const struct gw_hook_message *m)
{
	char gravest = 'N';

	for (size_t i = 0; i < m->params->n_columns; i++) {
		size_t c = m->params->column[i];
		char pdp = m->params->view->column[c].pdp;

		if (!(m->params->grant.clear >> c & 1))
			continue;
		if (pdp == 'S' || pdp == 'A')
			return 'S';
		if (pdp == 'U' || gravest == 'N')
			gravest = pdp;
	}
	return gravest;
}

static bool personal(char class)
{
	return class == 'U' || class == 'S';
}

static void event_of(const struct gw_hook_message *m, const struct gw_change *c, struct event *e)
{
	struct bus_json_out j = { .buf = &e->data };
	struct bus_buf url = { 0 };

	*e = (struct event){ .what = c->removed ? "delete" : "upsert", .seq = c->seq, .key = c->key };
	make_id(m, e->what, c->seq, c->seq, e->id);
	if (c->removed)
		return;
	e->whole = m->full || !personal(class_of(m));
	if (e->whole)
		gw_format_json(m->params, c->value, &e->data);
	if (e->whole && e->data.n + ENVELOPE <= GW_HOOK_BODY_MAX)
		return;
	e->whole = false;
	bus_buf_reset(&e->data);
	put_row_url(m, c->key, &url);
	bus_json_object(&j);
	bus_json_key(&j, "key");
	bus_json_put_str(&j, c->key);
	bus_json_text_member(&j, "url", bus_buf_cstr(&url));
	bus_json_object_end(&j);
	bus_buf_release(&url);
}

/* --- Standard Webhooks ------------------------------------------------------------------------------- */

static void put_cursor(const struct gw_hook_message *m, int64_t seq, struct bus_json_out *j)
{
	struct bus_buf text = { 0 };

	gw_cursor_put_place(&m->cursors, m->params->view->name, (struct gw_place){ seq, m->fresh }, &text);
	bus_json_text_member(j, "cursor", bus_buf_cstr(&text));
	bus_buf_release(&text);
}

/* The members of one event. */
static void put_standard(const struct gw_hook_message *m, const struct event *e, struct bus_json_out *j)
{
	char sequence[24];

	if (!e->key.p)
		return;
	bus_json_key(j, "key");
	bus_json_put_str(j, e->key);
	put_cursor(m, e->seq, j);
	snprintf(sequence, sizeof(sequence), "%020" PRId64, e->seq);
	bus_json_text_member(j, "sequence", sequence);
	if (e->whole) {
		bus_json_key(j, "row");
		bus_json_put_raw(j, bus_buf_str(&e->data));
	} else if (e->data.n > 0) {
		struct bus_buf url = { 0 };

		put_row_url(m, e->key, &url);
		bus_json_text_member(j, "url", bus_buf_cstr(&url));
		bus_buf_release(&url);
	}
}

static void begin_standard(const struct gw_hook_message *m, const char *what, struct bus_json_out *j)
{
	char text[160], when[40];

	snprintf(text, sizeof(text), "%.120s.%s", m->sub->view, what);
	bus_json_object(j);
	bus_json_text_member(j, "type", text);
	bus_json_text_member(j, "timestamp", bus_clock_iso_wib(m->now, when, sizeof(when)));
	bus_json_key(j, "data");
	bus_json_object(j);
	bus_json_text_member(j, "view", m->sub->view);
}

/* --- CloudEvents ------------------------------------------------------------------------------------- */

struct attribute {
	const char *name;
	struct bus_buf value;
};

struct attributes {
	struct attribute item[ATTRIBUTES_MAX];
	size_t n;
};

static struct bus_buf *add(struct attributes *a, const char *name)
{
	a->item[a->n].name = name;
	return &a->item[a->n++].value;
}

static void add_text(struct attributes *a, const char *name, const char *value)
{
	bus_buf_puts(add(a, name), value);
}

/* How UU PDP (27/2022) sees what the event holds; CloudEvents, data classification extension. */
static void add_class(const struct gw_hook_message *m, const struct event *e, struct attributes *a)
{
	char class = e->whole ? class_of(m) : 'P';

	add_text(a, "dataclassification",
		 class == 'S'	? "restricted"
		 : class == 'U' ? "confidential"
				: "internal");
	if (class == 'N')
		return;
	add_text(a, "dataregulation", "UU-PDP-27-2022");
	add_text(a, "datacategory", class == 'S' ? "sensitive" : "standard");
}

static void collect(const struct gw_hook_message *m, const struct event *e, struct attributes *a)
{
	struct bus_buf cursor = { 0 };
	char when[40];

	add_text(a, "specversion", "1.0");
	add_text(a, "id", e->id);
	bus_buf_printf(add(a, "source"), "%s/v1/views/%s", m->names->base, m->sub->view);
	bus_buf_printf(add(a, "type"), "%s.%s.%s.v1", m->names->prefix, m->sub->view, e->what);
	add_text(a, "time", bus_clock_iso_wib(m->now, when, sizeof(when)));
	if (!e->key.p)
		return;
	bus_buf_put(add(a, "subject"), e->key.p, e->key.n);
	bus_buf_put(add(a, "partitionkey"), e->key.p, e->key.n);
	bus_buf_printf(add(a, "sequence"), "%020" PRId64, e->seq);
	gw_cursor_put_place(&m->cursors, m->params->view->name, (struct gw_place){ e->seq, m->fresh },
			    &cursor);
	add_text(a, "cursor", bus_buf_cstr(&cursor));
	bus_buf_release(&cursor);
	add_class(m, e, a);
	if (e->whole)
		bus_buf_printf(add(a, "dataschema"), "%s/v1/openapi.json#/components/schemas/view_%s",
			       m->names->base, m->sub->view);
}

static void attributes_release(struct attributes *a)
{
	for (size_t i = 0; i < a->n; i++)
		bus_buf_release(&a->item[i].value);
}

static void put_structured(const struct gw_hook_message *m, const struct event *e, struct bus_buf *out)
{
	struct bus_json_out j = { .buf = out };
	struct attributes a = { 0 };

	collect(m, e, &a);
	bus_json_object(&j);
	for (size_t i = 0; i < a.n; i++) {
		bus_json_key(&j, a.item[i].name);
		bus_json_put_str(&j, bus_buf_str(&a.item[i].value));
	}
	if (e->data.n > 0) {
		bus_json_text_member(&j, "datacontenttype", "application/json");
		bus_json_key(&j, "data");
		bus_json_put_raw(&j, bus_buf_str(&e->data));
	}
	bus_json_object_end(&j);
	attributes_release(&a);
}

static void add_header(struct gw_hook_message *m, char *line) /* taken */
{
	m->header = bus_xrealloc(m->header, (m->n_headers + 2) * sizeof(*m->header));
	m->header[m->n_headers++] = line;
	m->header[m->n_headers] = NULL;
}

static void put_binary(struct gw_hook_message *m, const struct event *e)
{
	struct attributes a = { 0 };
	struct bus_buf line = { 0 };

	collect(m, e, &a);
	for (size_t i = 0; i < a.n; i++) {
		bus_buf_printf(&line, "ce-%s: ", a.item[i].name);
		put_escaped(&line, bus_buf_str(&a.item[i].value), header_char);
		add_header(m, bus_buf_take(&line, NULL));
	}
	bus_buf_put(&m->body, e->data.p, e->data.n);
	m->type = e->data.n > 0 ? "application/json" : NULL;
	attributes_release(&a);
}

/* --- the whole --------------------------------------------------------------------------------------- */

/* Does the subscription take several changes in a message? Then its messages are all of that form. */
static bool several(const struct gw_hook_sub *s)
{
	return s->format == GW_HOOK_BATCH || (s->format == GW_HOOK_STANDARD && s->max_batch > 1);
}

static void put_alone(struct gw_hook_message *m, const struct event *e)
{
	struct bus_json_out j = { .buf = &m->body };

	memcpy(m->id, e->id, sizeof(m->id));
	if (m->sub->format == GW_HOOK_BINARY) {
		put_binary(m, e);
	} else if (m->sub->format == GW_HOOK_STANDARD) {
		begin_standard(m, e->what, &j);
		put_standard(m, e, &j);
		bus_json_object_end(&j);
		bus_json_object_end(&j);
	} else {
		put_structured(m, e, &m->body);
	}
}

/* One of several, as it stands in the list. */
static void put_item(const struct gw_hook_message *m, const struct event *e, struct bus_buf *out)
{
	struct bus_json_out j = { .buf = out };

	if (m->sub->format == GW_HOOK_BATCH) {
		put_structured(m, e, out);
		return;
	}
	bus_json_object(&j);
	bus_json_text_member(&j, "event", e->what);
	bus_json_text_member(&j, "id", e->id);
	put_standard(m, e, &j);
	bus_json_object_end(&j);
}

static void begin_list(struct gw_hook_message *m)
{
	struct bus_json_out j = { .buf = &m->body };

	if (m->sub->format == GW_HOOK_STANDARD) {
		begin_standard(m, "changes", &j);
		bus_json_key(&j, "changes");
	}
	bus_buf_putc(&m->body, '[');
}

/* False: it has no room. */
static bool put_in_list(struct gw_hook_message *m, const struct event *e)
{
	struct bus_buf item = { 0 };
	bool room;

	put_item(m, e, &item);
	if (m->changes == 0)
		begin_list(m);
	room = m->changes == 0 || m->body.n + item.n + 8 <= GW_HOOK_BODY_MAX;
	if (room) {
		if (m->changes > 0)
			bus_buf_putc(&m->body, ',');
		bus_buf_put(&m->body, item.p, item.n);
	}
	bus_buf_release(&item);
	return room;
}

bool gw_hook_message_change(void *message, const struct gw_change *c)
{
	struct gw_hook_message *m = message;
	struct event e;

	if (m->changes > 0 && (!several(m->sub) || m->changes >= (size_t)m->sub->max_batch)) {
		m->more = true;
		return false;
	}
	event_of(m, c, &e);
	if (!several(m->sub))
		put_alone(m, &e);
	else if (!put_in_list(m, &e))
		m->more = true;
	bus_buf_release(&e.data);
	if (m->more)
		return false;
	if (m->changes++ == 0)
		m->first = c->seq;
	m->last = c->seq;
	return true;
}

void gw_hook_message_event(struct gw_hook_message *m, const char *what)
{
	struct event e = { .what = what };

	make_id(m, what, m->now * (strcmp(what, "test") == 0), 0, e.id);
	if (m->sub->format == GW_HOOK_BATCH) {
		bus_buf_putc(&m->body, '[');
		put_structured(m, &e, &m->body);
		bus_buf_putc(&m->body, ']');
		memcpy(m->id, e.id, sizeof(m->id));
	} else {
		put_alone(m, &e);
	}
}

void gw_hook_message_end(struct gw_hook_message *m)
{
	int64_t timestamp = m->now / 1000;
	struct bus_buf line = { 0 };

	if (m->changes > 0 && several(m->sub)) {
		bus_buf_puts(&m->body, m->sub->format == GW_HOOK_STANDARD ? "]}}" : "]");
		make_id(m, "changes", m->first, m->last, m->id);
	}
	if (m->sub->format != GW_HOOK_BINARY)
		m->type = m->sub->format == GW_HOOK_STANDARD ? "application/json"
			  : m->sub->format == GW_HOOK_STRUCTURED
			      ? "application/cloudevents+json; charset=UTF-8"
			      : "application/cloudevents-batch+json; charset=UTF-8";
	/* Without a type curl would say that it is a form. */
	add_header(m, m->type ? bus_xasprintf("Content-Type: %s", m->type) : bus_xstrdup("Content-Type:"));
	add_header(m, bus_xasprintf("webhook-id: %s", m->id));
	add_header(m, bus_xasprintf("webhook-timestamp: %" PRId64, timestamp));
	bus_buf_puts(&line, "webhook-signature: ");
	gw_hook_sign(m->sub, m->now, m->id, timestamp, bus_buf_str(&m->body), &line);
	add_header(m, bus_buf_take(&line, NULL));
}

void gw_hook_message_release(struct gw_hook_message *m)
{
	for (size_t i = 0; i < m->n_headers; i++)
		free(m->header[i]);
	free(m->header);
	m->header = NULL;
	m->n_headers = 0;
	bus_buf_release(&m->body);
}
