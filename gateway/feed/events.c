/* Changes as text: SSE, JSON. */
#include <stdlib.h>

#include "bus/json_out.h"
#include "gateway/feed/feeds_impl.h"

#define BYTES_MAX ((size_t)256 * 1024) /* in one reading: a row may be large */

struct item { /* of several views: where one change's text is */
	int64_t seq;
	size_t at, n;
};

struct writing {
	const struct gw_channel *channel;
	const struct gw_part *part;
	struct gw_cursors cursors;
	int64_t fresh;
	struct bus_buf *out;
	struct item *item; /* NULL: one view, in order already */
	size_t n;
	size_t begin; /* of out, when it began */
};

void gw_events_put_cursor(const struct gw_channel *c, struct gw_place at, struct bus_buf *out)
{
	const struct gw_cursors cursors = gw_api_cursors(c->api);

	gw_cursor_put_place(&cursors, c->name, at, out);
}

void gw_events_put(const struct gw_channel *c, const char *event, struct gw_place at, struct bus_buf *out)
{
	if (c->way == GW_WAY_SSE) {
		bus_buf_puts(out, "id: ");
		if (at.seq >= 0)
			gw_events_put_cursor(c, at, out);
		bus_buf_printf(out, "\nevent: %s\ndata: {}\n\n", event);
	} else if (c->way == GW_WAY_NDJSON) {
		bus_buf_printf(out, "{\"event\":\"%s\",\"cursor\":\"", event);
		if (at.seq >= 0)
			gw_events_put_cursor(c, at, out);
		bus_buf_puts(out, "\"}\n");
	}
}

void gw_events_poll_begin(struct bus_buf *out)
{
	bus_buf_puts(out, "{\"changes\":[");
}

void gw_events_poll_end(const struct gw_channel *c, struct gw_place at, bool end, struct bus_buf *out)
{
	bus_buf_puts(out, "],\"cursor\":\"");
	gw_events_put_cursor(c, at, out);
	bus_buf_printf(out, "\",\"up_to_date\":%s}", end ? "true" : "false");
}

/* {"key":...,"row":{...}}; with event and cursor inside where there is no SSE around it. */
static bool put_change(void *ctx, const struct gw_change *change)
{
	struct writing *w = ctx;
	enum gw_way way = w->channel->way;
	const char *event = change->removed ? "delete" : "upsert";
	const struct gw_place at = { change->seq, w->fresh };
	struct bus_json_out j = { .buf = w->out };
	struct bus_buf row = { 0 };

	if (w->item)
		w->item[w->n] = (struct item){ change->seq, w->out->n, 0 };
	else if (way == GW_WAY_POLL && w->n > 0)
		bus_buf_putc(w->out, ',');
	if (way == GW_WAY_SSE) {
		bus_buf_puts(w->out, "id: ");
		gw_cursor_put_place(&w->cursors, w->channel->name, at, w->out);
		bus_buf_printf(w->out, "\nevent: %s\ndata: ", event);
	}
	bus_json_object(&j);
	if (way != GW_WAY_SSE) {
		bus_json_text_member(&j, "event", event);
		bus_buf_puts(w->out, ",\"cursor\":\"");
		gw_cursor_put_place(&w->cursors, w->channel->name, at, w->out);
		bus_buf_putc(w->out, '"');
	}
	if (w->channel->several)
		bus_json_text_member(&j, "view", w->part->view->name);
	bus_json_key(&j, "key");
	bus_json_put_str(&j, change->key);
	if (!change->removed) {
		gw_format_json(&w->part->params, change->value, &row);
		bus_json_key(&j, "row");
		bus_json_put_raw(&j, bus_buf_str(&row));
		bus_buf_release(&row);
	}
	bus_json_object_end(&j);
	bus_buf_puts(w->out, way == GW_WAY_SSE ? "\n\n" : way == GW_WAY_NDJSON ? "\n" : "");
	if (w->item)
		w->item[w->n].n = w->out->n - w->item[w->n].at;
	w->n++;
	return w->out->n - w->begin < BYTES_MAX;
}

static enum bus_err read_part(struct writing *w, const struct gw_part *part, struct gw_place at, int64_t to,
			      int limit, int64_t *last, struct bus_error *err)
{
	const struct gw_following f = { .view = part->view,
					.date = part->params.query.date,
					.rows = &part->scope,
					.after = at.seq,
					.to = to,
					.fresh = at.fresh,
					.limit = limit };

	w->part = part;
	return gw_follow(gw_reader_of(w->channel->api->engine), &f, put_change, w, last, err);
}

static int by_seq(const void *a, const void *b)
{
	const struct item *x = a, *y = b;

	return (x->seq > y->seq) - (x->seq < y->seq);
}

/* Each view up to where it was read, all together up to where every one was: what one has beyond is read again. */
static enum bus_err read_several(struct writing *w, struct gw_place at, int64_t to, int limit,
				 struct bus_buf *out, struct gw_written *written, struct bus_error *err)
{
	const struct gw_channel *c = w->channel;
	struct bus_buf text = { 0 };
	enum bus_err rc = BUS_OK;
	int64_t last;

	w->item = bus_xcalloc(c->n_parts * (size_t)limit, sizeof(*w->item));
	w->out = &text;
	for (size_t i = 0; i < c->n_parts && rc == BUS_OK; i++) {
		w->begin = text.n;
		rc = read_part(w, &c->part[i], at, to, limit, &last, err);
		if (i == 0 || last < written->last)
			written->last = last;
	}
	qsort(w->item, w->n, sizeof(*w->item), by_seq);
	for (size_t i = 0; rc == BUS_OK && i < w->n && w->item[i].seq <= written->last; i++) {
		if (c->way == GW_WAY_POLL && i > 0)
			bus_buf_putc(out, ',');
		bus_buf_put(out, text.p + w->item[i].at, w->item[i].n);
		written->changes++;
	}
	free(w->item);
	bus_buf_release(&text);
	return rc;
}

enum bus_err gw_events_read(const struct gw_channel *c, struct gw_place at, int64_t to, int limit,
			    struct bus_buf *out, struct gw_written *written, struct bus_error *err)
{
	struct writing w = { .channel = c,
			     .cursors = gw_api_cursors(c->api),
			     .fresh = at.fresh,
			     .out = out,
			     .begin = out->n };
	enum bus_err rc;

	*written = (struct gw_written){ 0 };
	if (c->n_parts > 1)
		return read_several(&w, at, to, limit, out, written, err);
	rc = read_part(&w, &c->part[0], at, to, limit, &written->last, err);
	written->changes = (int)w.n;
	return rc;
}
