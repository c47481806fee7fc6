/* What followers of the same share: the newest stretches of the log, read once and written once. */
#include <assert.h>

#include "bus/clock.h"
#include "bus/log.h"
#include "gateway/feed/feeds_impl.h"

#define SHARED_PIECE 200 /* changes a block */
#define REST_MS 10000	 /* who is farther behind reads alone */

void gw_channel_free(struct gw_channel **cp)
{
	struct gw_channel *c = *cp;

	*cp = NULL;
	if (!c)
		return;
	for (size_t i = 0; i < c->n_blocks; i++)
		bus_http_bytes_unref(&c->block[(c->oldest + i) % GW_CHANNEL_BLOCKS].bytes);
	for (size_t i = 0; i < c->n_parts; i++)
		gw_view_unref(&c->part[i].view);
	free(c->part);
	free(c->name);
	bus_buf_release(&c->identity);
	bus_arena_free(&c->arena);
	pthread_mutex_destroy(&c->lock);
	free(c);
}

struct gw_channel *gw_channel_enter(struct gw_feeds *f, struct gw_channel *c)
{
	struct gw_channel *there;

	pthread_mutex_lock(&f->lock);
	for (there = f->channels; there; there = there->next)
		if (bus_str_eq(bus_buf_str(&there->identity), bus_buf_str(&c->identity)))
			break;
	if (!there) {
		c->next = f->channels;
		f->channels = c;
	}
	(there ? there : c)->refs++;
	pthread_mutex_unlock(&f->lock);
	if (there)
		gw_channel_free(&c);
	return there ? there : c;
}

void gw_channel_leave(struct gw_feeds *f, struct gw_channel **cp)
{
	struct gw_channel *c = *cp, **at;

	*cp = NULL;
	pthread_mutex_lock(&f->lock);
	if (--c->refs > 0) {
		c = NULL;
	} else {
		for (at = &f->channels; *at != c; at = &(*at)->next)
			;
		*at = c->next;
	}
	pthread_mutex_unlock(&f->lock);
	gw_channel_free(&c);
}

int64_t gw_channel_newest(const struct gw_channel *c)
{
	int64_t newest = 0, seq;

	for (size_t i = 0; i < c->n_parts; i++) {
		seq = gw_newest(c->api->engine, c->part[i].view);
		newest = seq > newest ? seq : newest;
	}
	return newest;
}

static struct gw_block *block_at(struct gw_channel *c, size_t i)
{
	return &c->block[(c->oldest + i) % GW_CHANNEL_BLOCKS];
}

static void drop_oldest(struct gw_channel *c)
{
	struct gw_block *b = block_at(c, 0);

	c->tail = b->to;
	if (b->bytes)
		c->bytes -= bus_http_bytes_len(b->bytes);
	bus_http_bytes_unref(&b->bytes);
	c->oldest = (c->oldest + 1) % GW_CHANNEL_BLOCKS;
	c->n_blocks--;
}

static void begin_at(struct gw_channel *c, int64_t seq)
{
	while (c->n_blocks > 0)
		drop_oldest(c);
	c->tail = c->head = seq;
	c->begun = true;
}

/* One block more, of what came behind the head, up to `to` (0: the end). */
static enum bus_err read_on(struct gw_channel *c, int64_t to)
{
	struct gw_feeds *f = c->api->feeds;
	struct gw_block b = { .from = c->head };
	struct bus_error err = { 0 };
	struct bus_buf out = { 0 };
	struct gw_written w;
	struct gw_place at;
	enum bus_err rc;

	if (to == 0 && gw_channel_newest(c) <= c->head)
		return BUS_OK;
	if (c->way == GW_WAY_POLL)
		gw_events_poll_begin(&out);
	rc = gw_events_read(c, (struct gw_place){ .seq = c->head }, to, SHARED_PIECE, &out, &w, &err);
	if (rc != BUS_OK) {
		bus_log(BUS_LOG_WARN, "gateway.feed_read", LOG_ERR(&err));
		bus_buf_release(&out);
		return rc;
	}
	bus_metric_add(f->shared_reads, 1);
	if (w.last <= c->head) { /* told of, and not to be seen by this connection yet */
		bus_buf_release(&out);
		return BUS_OK;
	}
	at = (struct gw_place){ .seq = w.last };
	b.to = w.last;
	b.changes = w.changes;
	b.end = w.last >= gw_channel_newest(c);
	if (w.changes > 0) {
		if (c->way == GW_WAY_POLL)
			gw_events_poll_end(c, at, b.end, &out);
		else if (b.end)
			gw_events_put(c, "up-to-date", at, &out);
		b.bytes = bus_http_bytes_new(&out, &f->held);
		c->bytes += bus_http_bytes_len(b.bytes);
	}
	bus_buf_release(&out);
	if (c->n_blocks == GW_CHANNEL_BLOCKS)
		drop_oldest(c);
	*block_at(c, c->n_blocks++) = b;
	while (c->bytes > GW_CHANNEL_BYTES && c->n_blocks > 1)
		drop_oldest(c);
	c->head = b.to;
	c->read_ms = bus_clock_mono_ms();
	return BUS_OK;
}

void gw_channel_rest(struct gw_channel *c, int64_t now, bool hurry)
{
	if (pthread_mutex_trylock(&c->lock) != 0)
		return;
	if (c->n_blocks > 0 && (hurry || now - c->read_ms > REST_MS))
		begin_at(c, c->head);
	pthread_mutex_unlock(&c->lock);
}

/* The block that begins at seq, or the end of the one that seq lies in: *to. */
static struct gw_block *find(struct gw_channel *c, int64_t seq, int64_t *to)
{
	for (size_t i = c->n_blocks; i > 0; i--) {
		struct gw_block *b = block_at(c, i - 1);

		*to = b->to;
		if (b->from == seq)
			return b;
		if (b->from < seq)
			return NULL;
	}
	*to = c->tail;
	return NULL;
}

static enum gw_next next(struct gw_channel *c, int64_t seq, struct gw_block *block, int64_t *to)
{
	struct gw_block *b;

	if (!c->begun || c->store != gw_store_id(c->api->engine)) {
		c->store = gw_store_id(c->api->engine);
		begin_at(c, seq);
	}
	/* A follower from a place that the channel has not come to. */
	if (seq > c->head && read_on(c, seq) != BUS_OK)
		return GW_NEXT_FAILED;
	if (seq > c->head)
		begin_at(c, seq);
	if (seq == c->head && read_on(c, 0) != BUS_OK)
		return GW_NEXT_FAILED;
	if (seq == c->head)
		return GW_NEXT_NOTHING;
	b = find(c, seq, to);
	if (!b)
		return GW_NEXT_ALONE;
	*block = *b;
	if (b->bytes)
		bus_http_bytes_ref(b->bytes);
	return GW_NEXT_BLOCK;
}

enum gw_next gw_channel_next(struct gw_channel *c, struct gw_place at, struct gw_block *block, int64_t *to)
{
	enum gw_next got;

	if (at.seq < at.fresh) { /* a snapshot: everybody's begins elsewhere */
		*to = at.fresh;
		return GW_NEXT_ALONE;
	}
	pthread_mutex_lock(&c->lock);
	got = next(c, at.seq, block, to);
	pthread_mutex_unlock(&c->lock);
	return got;
}
