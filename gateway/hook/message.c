#include "gateway/hook/message_impl.h"

#include <inttypes.h>
#include <stdio.h>

#include "bus/clock.h"
#include "bus/percent.h"
#include "gateway/hook/sign.h"

#define ENVELOPE ((size_t)1500) /* bytes around a row: attributes, key, cursor */

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

static void put_row_url(const struct gw_hook_message *m, struct bus_str key, struct bus_buf *out)
{
	bus_buf_printf(out, "%s/v1/views/%s/", m->names->base, m->params->view->name);
	bus_percent_put(out, key);
	if (m->params->query.date)
		bus_buf_printf(out, "?per_tanggal=%s", m->params->query.date);
}

char gw_hook_class(const struct gw_hook_message *m)
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

static void event_of(const struct gw_hook_message *m, const struct gw_change *c, struct gw_hook_event *e)
{
	struct bus_json_out j = { .buf = &e->data };
	struct bus_buf url = { 0 };

	*e = (struct gw_hook_event){ .what = c->removed ? "delete" : "upsert", .seq = c->seq, .key = c->key };
	make_id(m, e->what, c->seq, c->seq, e->id);
	if (c->removed)
		return;
	e->whole = m->full || !personal(gw_hook_class(m));
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

void gw_hook_header(struct gw_hook_message *m, char *line)
{
	m->header = bus_xrealloc(m->header, (m->n_headers + 2) * sizeof(*m->header));
	m->header[m->n_headers++] = line;
	m->header[m->n_headers] = NULL;
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
static void put_standard(const struct gw_hook_message *m, const struct gw_hook_event *e,
			 struct bus_json_out *j)
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

/* --- the whole --------------------------------------------------------------------------------------- */

/* Does the subscription take several changes in a message? Then its messages are all of that form. */
static bool several(const struct gw_hook_sub *s)
{
	return s->format == GW_HOOK_BATCH || (s->format == GW_HOOK_STANDARD && s->max_batch > 1);
}

static void put_alone(struct gw_hook_message *m, const struct gw_hook_event *e)
{
	struct bus_json_out j = { .buf = &m->body };

	memcpy(m->id, e->id, sizeof(m->id));
	if (m->sub->format == GW_HOOK_BINARY) {
		gw_hook_binary(m, e);
	} else if (m->sub->format == GW_HOOK_STANDARD) {
		begin_standard(m, e->what, &j);
		put_standard(m, e, &j);
		bus_json_object_end(&j);
		bus_json_object_end(&j);
	} else {
		gw_hook_structured(m, e, &m->body);
	}
}

/* One of several, as it stands in the list. */
static void put_item(const struct gw_hook_message *m, const struct gw_hook_event *e, struct bus_buf *out)
{
	struct bus_json_out j = { .buf = out };

	if (m->sub->format == GW_HOOK_BATCH) {
		gw_hook_structured(m, e, out);
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
static bool put_in_list(struct gw_hook_message *m, const struct gw_hook_event *e)
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
	struct gw_hook_event e;

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
	struct gw_hook_event e = { .what = what };

	make_id(m, what, m->now * (strcmp(what, "test") == 0), 0, e.id);
	if (m->sub->format == GW_HOOK_BATCH) {
		bus_buf_putc(&m->body, '[');
		gw_hook_structured(m, &e, &m->body);
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
	gw_hook_header(m,
		       m->type ? bus_xasprintf("Content-Type: %s", m->type) : bus_xstrdup("Content-Type:"));
	gw_hook_header(m, bus_xasprintf("webhook-id: %s", m->id));
	gw_hook_header(m, bus_xasprintf("webhook-timestamp: %" PRId64, timestamp));
	bus_buf_puts(&line, "webhook-signature: ");
	gw_hook_sign(m->sub, m->now, m->id, timestamp, bus_buf_str(&m->body), &line);
	gw_hook_header(m, bus_buf_take(&line, NULL));
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
