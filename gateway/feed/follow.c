/* One follower: its next piece. On its connection's thread. */
#include "bus/clock.h"
#include "gateway/feed/feeds_impl.h"

#define OWN_PIECE 50 /* changes that a follower reads alone: about 20 KiB */
#define TURNS_MAX 16 /* stretches without a change for it, in one piece */

/* Whether the key behind this stream may still see what it sees. */
static bool still_granted(struct gw_subscriber *s)
{
	struct gw_access *access = s->channel->api->access;
	uint64_t generation = gw_access_generation(access);

	if (generation == s->generation)
		return true;
	s->generation = generation;
	if (!gw_access_key_known(access, s->who->name, s->key_id))
		return false;
	for (size_t i = 0; i < s->channel->n_parts; i++) {
		const struct gw_part *p = &s->channel->part[i];
		struct gw_grant g = gw_access_grant(access, s->who->name, p->view);

		if (!g.allowed || g.clear != p->params.grant.clear || g.shown != p->params.grant.shown ||
		    g.rows != p->params.grant.rows)
			return false;
	}
	return true;
}

/* A view of it is of another definition now: whoever followed comes back with its cursor, and asks anew. */
static bool gone(struct gw_subscriber *s, struct bus_buf *out)
{
	for (size_t i = 0; i < s->channel->n_parts; i++) {
		enum gw_gone how = gw_view_gone(s->channel->part[i].view);

		if (how == GW_DROPPED)
			gw_events_put(s->channel, "sunset", s->at, out);
		if (how != GW_HERE)
			return true;
	}
	return false;
}

/* The store was made anew under it: what it has is of a log that is no more. */
static void begin_anew(struct gw_subscriber *s, struct bus_buf *out)
{
	s->store = gw_store_id(s->channel->api->engine);
	s->at = (struct gw_place){ .fresh = gw_channel_newest(s->channel) };
	s->anew = false;
	s->told = false;
	gw_events_put(s->channel, "reset", (struct gw_place){ .seq = -1 }, out);
}

/* Read by this follower alone, up to `to`. */
static bool read_alone(struct gw_subscriber *s, int64_t to, int *changes, struct bus_buf *out)
{
	struct bus_error err;
	struct gw_written w;

	if (gw_events_read(s->channel, s->at, to, OWN_PIECE, out, &w, &err) != BUS_OK)
		return false;
	bus_metric_add(s->channel->api->feeds->own_reads, 1);
	s->at.seq = w.last;
	if (s->at.seq >= s->at.fresh)
		s->at.fresh = 0;
	*changes = w.changes;
	return true;
}

static void take_block(struct gw_subscriber *s, struct gw_block *block)
{
	s->at.seq = block->to;
	if (!block->bytes)
		return;
	bus_http_lend(s->stream, block->bytes);
	bus_http_bytes_unref(&block->bytes);
	atomic_store(&s->holds, bus_clock_mono_ms());
}

/* Of a group: its cursor is of another gateway, which was further than this one is by now. Or the store was made anew under it,
 * and has not all rows yet. What is new to the reader comes when this one has it. */
static bool ahead(struct gw_subscriber *s)
{
	int64_t seq = s->at.seq > s->at.fresh ? s->at.seq : s->at.fresh;
	bool yes = gw_grouped(s->channel->api->engine) && seq > gw_seq(s->channel->api->engine);

	for (size_t i = 0; i < s->channel->n_parts; i++)
		yes = yes || !gw_view_whole(s->channel->part[i].view);
	atomic_store(&s->ahead, yes); /* no change of the view need wake it: gw_feeds_tick does */
	return yes;
}

/* --- a poll: the first stretch with changes, or none when its time is over ----------------------------- */

static enum bus_http_more poll_piece(struct gw_subscriber *s, struct bus_buf *out)
{
	struct gw_block block;
	int changes = 0;
	int64_t to;

	if (ahead(s) && bus_clock_mono_ms() < s->wait_until)
		return BUS_HTTP_PARK;
	gw_events_poll_begin(out);
	if (ahead(s)) {
		gw_events_poll_end(s->channel, s->at, false, out);
		return BUS_HTTP_END;
	}
	for (int i = 0; i < TURNS_MAX; i++) {
		switch (gw_channel_next(s->channel, s->at, &block, &to)) {
		case GW_NEXT_FAILED:
			return BUS_HTTP_ABORT;
		case GW_NEXT_BLOCK:
			take_block(s, &block);
			if (block.changes == 0)
				break;
			out->n = 0; /* the block is the whole answer */
			return BUS_HTTP_END;
		case GW_NEXT_ALONE:
			if (!read_alone(s, to, &changes, out))
				return BUS_HTTP_ABORT;
			if (changes == 0)
				break;
			gw_events_poll_end(s->channel, s->at, s->at.seq >= gw_channel_newest(s->channel),
					   out);
			return BUS_HTTP_END;
		case GW_NEXT_NOTHING:
			if (bus_clock_mono_ms() < s->wait_until) {
				out->n = 0;
				return BUS_HTTP_PARK;
			}
			gw_events_poll_end(s->channel, s->at, true, out);
			return BUS_HTTP_END;
		}
	}
	out->n = 0;
	return BUS_HTTP_MORE;
}

/* --- a stream ----------------------------------------------------------------------------------------- */

static enum bus_http_more at_the_end(struct gw_subscriber *s, struct bus_buf *out)
{
	if (!s->told)
		gw_events_put(s->channel, "up-to-date", s->at, out);
	s->told = true;
	if (s->until)
		return BUS_HTTP_END;
	if (out->n == 0 && bus_clock_mono_ms() - atomic_load(&s->spoke) >= GW_HEARTBEAT_MS)
		bus_buf_puts(out, s->channel->way == GW_WAY_SSE ? ": \n\n" : "\n");
	return BUS_HTTP_PARK;
}

static enum bus_http_more stream_piece(struct gw_subscriber *s, struct bus_buf *out)
{
	struct gw_block block;
	int changes = 0;
	int64_t to;

	if (ahead(s)) {
		if (bus_clock_mono_ms() - atomic_load(&s->spoke) >= GW_HEARTBEAT_MS)
			bus_buf_puts(out, s->channel->way == GW_WAY_SSE ? ": \n\n" : "\n");
		return BUS_HTTP_PARK;
	}
	for (int i = 0; i < TURNS_MAX && changes == 0; i++) {
		if (s->until && s->at.seq >= s->until)
			return at_the_end(s, out);
		switch (gw_channel_next(s->channel, s->at, &block, &to)) {
		case GW_NEXT_FAILED:
			return BUS_HTTP_ABORT;
		case GW_NEXT_NOTHING:
			return at_the_end(s, out);
		case GW_NEXT_BLOCK:
			take_block(s, &block);
			changes = block.changes;
			s->told = changes > 0 ? block.end : s->told;
			break;
		case GW_NEXT_ALONE:
			if (!read_alone(s, to, &changes, out))
				return BUS_HTTP_ABORT;
			s->told = s->told && changes == 0;
			break;
		}
	}
	return BUS_HTTP_MORE;
}

enum bus_http_more gw_subscriber_piece(void *state, struct bus_buf *out)
{
	struct gw_subscriber *s = state;
	bool poll = s->channel->way == GW_WAY_POLL;
	enum bus_http_more more;

	atomic_store(&s->holds, 0);
	if (!still_granted(s) || gone(s, out)) {
		if (poll) {
			gw_events_poll_begin(out);
			gw_events_poll_end(s->channel, s->at, false, out);
		}
		return BUS_HTTP_END;
	}
	if (!s->begun && s->channel->way == GW_WAY_SSE)
		bus_buf_puts(out, "retry: 3000\n\n");
	s->begun = true;
	if (s->anew || s->store != gw_store_id(s->channel->api->engine)) {
		if (poll) /* its answer has begun as one of the old store's */
			return BUS_HTTP_ABORT;
		begin_anew(s, out);
	}
	more = poll ? poll_piece(s, out) : stream_piece(s, out);
	if (out->n > 0 || atomic_load(&s->holds))
		atomic_store(&s->spoke, bus_clock_mono_ms());
	return more;
}
