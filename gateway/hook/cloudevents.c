/* Changes as CloudEvents 1.0.2 (HTTP binding), with the extensions sequence, partitionkey and data classification. */
#include <inttypes.h>

#include "bus/clock.h"
#include "bus/percent.h"
#include "gateway/hook/message_impl.h"

#define ATTRIBUTES_MAX 16

static bool header_char(unsigned char c) /* CloudEvents, HTTP binding 3.1.3.2 */
{
	return c > 0x20 && c < 0x7f && c != '"' && c != '%';
}

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
static void add_class(const struct gw_hook_message *m, const struct gw_hook_event *e, struct attributes *a)
{
	char class = e->whole ? gw_hook_class(m) : 'P';

	add_text(a, "dataclassification",
		 class == 'S'	? "restricted"
		 : class == 'U' ? "confidential"
				: "internal");
	if (class == 'N')
		return;
	add_text(a, "dataregulation", "UU-PDP-27-2022");
	add_text(a, "datacategory", class == 'S' ? "sensitive" : "standard");
}

static void collect(const struct gw_hook_message *m, const struct gw_hook_event *e, struct attributes *a)
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

void gw_hook_structured(const struct gw_hook_message *m, const struct gw_hook_event *e, struct bus_buf *out)
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

void gw_hook_binary(struct gw_hook_message *m, const struct gw_hook_event *e)
{
	struct attributes a = { 0 };
	struct bus_buf line = { 0 };

	collect(m, e, &a);
	for (size_t i = 0; i < a.n; i++) {
		bus_buf_printf(&line, "ce-%s: ", a.item[i].name);
		bus_percent_put_but(&line, bus_buf_str(&a.item[i].value), header_char);
		gw_hook_header(m, bus_buf_take(&line, NULL));
	}
	bus_buf_put(&m->body, e->data.p, e->data.n);
	m->type = e->data.n > 0 ? "application/json" : NULL;
	attributes_release(&a);
}
