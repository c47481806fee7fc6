/* gateway/feed/feeds_impl.h - what the files of the feeds share.
 *
 *   feeds.c     who is there; heartbeats; the thread that wakes
 *   channel.c   what followers share: blocks of the log, read once, written once
 *   events.c    changes as text
 *   follow.c    one follower: its next piece
 *   ask.c       GET .../changes: the question
 *   tickets.c   one-use passes for browsers
 */
#ifndef GATEWAY_FEED_FEEDS_IMPL_H
#define GATEWAY_FEED_FEEDS_IMPL_H

#include <pthread.h>

#include "bus/metrics.h"
#include "gateway/feed/feeds.h"
#include "gateway/serve/format.h"
#include "gateway/store/keys.h"

#define GW_TICKETS_MAX 1024
#define GW_TICKETS_PER_READER 32
#define GW_KEY_ID_LEN 8
#define GW_CHANNEL_VIEWS_MAX 16
#define GW_CHANNEL_BLOCKS 64
#define GW_CHANNEL_BYTES (1024 * 1024)		     /* of a channel's blocks */
#define GW_FEED_HELD_MAX (INT64_C(64) * 1024 * 1024) /* of all blocks that somebody holds */

/* --- who -------------------------------------------------------------------------------------------- */

struct gw_who { /* a reader with open feeds; feeds' lock */
	struct gw_who *next;
	char name[GW_READER_NAME_MAX];
	int streams;
};

struct gw_ticket {
	char text[33];
	char reader[GW_READER_NAME_MAX];
	char key_id[GW_KEY_ID_LEN + 1];
	int64_t until;	 /* monotonic ms; 0: used or empty */
	uint64_t number; /* in the order they were given */
};

/* --- channels --------------------------------------------------------------------------------------- */

enum gw_way { GW_WAY_SSE, GW_WAY_POLL, GW_WAY_NDJSON };

struct gw_part {		    /* a view of a channel, as this channel sees it */
	const struct gw_view *view; /* held */
	struct gw_params params;    /* columns and day */
	struct gw_scope scope;	    /* the grant's and the follower's; n 0: all rows */
	struct gw_scope_part scope_part[2 * GW_SCOPE_PARTS_MAX];
};

struct gw_block { /* the log from `from` (exclusive) to `to`, written */
	int64_t from, to;
	int changes;
	bool end;		      /* the log's, when it was read; told in it */
	struct bus_http_bytes *bytes; /* NULL: nothing to tell */
};

struct gw_channel {
	struct gw_api *api;
	struct gw_channel *next; /* feeds' lock, as all up to first */
	int refs;		 /* followers */
	struct gw_subscriber *first;
	struct bus_buf identity; /* what makes it another channel; immutable, as all up to lock */
	char *name;		 /* in cursors: its views' */
	enum gw_way way;
	bool several; /* views: events name theirs */
	struct gw_part *part;
	size_t n_parts;
	struct bus_arena *arena; /* what the parts point to */

	pthread_mutex_t lock; /* the rest */
	bool begun;
	uint64_t store;
	int64_t tail, head; /* the blocks hold (tail, head] */
	struct gw_block block[GW_CHANNEL_BLOCKS];
	size_t oldest, n_blocks;
	size_t bytes;
	int64_t read_ms; /* monotonic: of the newest block */
};

/* Takes c: the channel of this identity that is there already, or c itself. Counted: one follower more. */
struct gw_channel *gw_channel_enter(struct gw_feeds *f, struct gw_channel *c);
void gw_channel_leave(struct gw_feeds *f, struct gw_channel **c);
void gw_channel_free(struct gw_channel **c);
/* Blocks that nobody has asked for in a while are let go; at once if `hurry`. Does not wait for the lock. */
void gw_channel_rest(struct gw_channel *c, int64_t now, bool hurry);
int64_t gw_channel_newest(const struct gw_channel *c); /* of its views */
/* What comes after a place: *block, with a reference to its bytes; or a stretch to be read alone, up to *to (0: to
 * the end); or nothing, when the place is the end. */
enum gw_next { GW_NEXT_BLOCK, GW_NEXT_ALONE, GW_NEXT_NOTHING, GW_NEXT_FAILED };
enum gw_next gw_channel_next(struct gw_channel *c, struct gw_place at, struct gw_block *block, int64_t *to);

/* --- events ----------------------------------------------------------------------------------------- */

struct gw_written {
	int64_t last; /* as gw_follow's */
	int changes;
};
/* The log behind a place, up to `to` (0: the end), at most limit changes, appended to out. A poll's are joined by
 * commas. */
enum bus_err gw_events_read(const struct gw_channel *c, struct gw_place at, int64_t to, int limit,
			    struct bus_buf *out, struct gw_written *w, struct bus_error *err) BUS_MUSTCHECK;
void gw_events_put_cursor(const struct gw_channel *c, struct gw_place at, struct bus_buf *out);
/* "up-to-date", "reset", "sunset"; of a poll: nothing. A place below 0 is none: who comes back begins anew. */
void gw_events_put(const struct gw_channel *c, const char *event, struct gw_place at, struct bus_buf *out);
/* The answer to a poll around its changes. */
void gw_events_poll_begin(struct bus_buf *out);
void gw_events_poll_end(const struct gw_channel *c, struct gw_place at, bool end, struct bus_buf *out);

/* --- followers -------------------------------------------------------------------------------------- */

struct gw_subscriber {
	struct gw_channel *channel;
	struct gw_who *who;
	char key_id[GW_KEY_ID_LEN + 1];
	bool begun;
	bool told;		     /* that it is up to date, since its last change */
	bool anew;		     /* it came with a cursor of another store */
	uint64_t store;		     /* that its place is of */
	_Atomic uint64_t generation; /* of the policy, as last asked */
	struct gw_place at;
	int64_t until;			    /* NDJSON until=now: ends here; 0: never */
	int64_t wait_until;		    /* poll: monotonic ms */
	_Atomic int64_t spoke;		    /* monotonic ms of the last bytes written */
	_Atomic bool ahead;		    /* of this gateway: follow.c */
	_Atomic int64_t holds;		    /* since then it holds a block that is not sent; 0: none */
	struct gw_subscriber *next, **link; /* feeds' lock */
	struct bus_http_stream *stream; /* feeds' lock; NULL: not yet, its first piece finds what is there */
};

/* NULL: this reader has as many streams as it may have. */
struct gw_who *gw_feeds_who_enter(struct gw_feeds *f, const char *reader, int most);
void gw_feeds_who_leave(struct gw_feeds *f, struct gw_who *w);
/* False: this reader has as many streams as it may have. */
bool gw_feeds_enter(struct gw_feeds *f, struct gw_subscriber *s, struct gw_channel *c, const char *reader,
		    int most);
void gw_subscriber_free(void *s);
enum bus_http_more gw_subscriber_piece(void *s, struct bus_buf *out);

/* By key or, for browsers, by ticket of a key that is known still: fills reader and key_id, or answers 401, or 429
 * beyond the quota, and returns false. */
bool gw_feeds_ask_who(struct gw_api *api, struct bus_http_request *req, char *reader, char *key_id);
/* How changes or records are wanted, by Accept; false: no way of ours. */
bool gw_feeds_way(const struct bus_http_request *req, enum gw_way *out);

/* One-use passes of 60 s, so that a browser's EventSource, which cannot send a header, can follow. A reader holds so
 * many at a time: beyond that its own oldest gives way. */
void gw_tickets_new(struct gw_feeds *f, const char *reader, const char *key_id, char out[33]);
bool gw_tickets_take(struct gw_feeds *f, const char *ticket, char *reader, char *key_id);

struct gw_feeds {
	pthread_mutex_t lock;
	struct gw_channel *channels;		 /* lock */
	struct gw_who *who;			 /* lock */
	size_t n;				 /* lock */
	struct gw_ticket ticket[GW_TICKETS_MAX]; /* lock */
	uint64_t tickets;			 /* lock; ever given */
	int64_t slow_ms;
	_Atomic int64_t held; /* bytes of blocks */

	pthread_t waker;
	pthread_mutex_t wake_lock;
	pthread_cond_t wake_cond;
	struct gw_keys changed; /* wake_lock: names of views */
	bool stop;		/* wake_lock */
	struct bus_metric *shared_reads, *own_reads, *wakes, *cuts, *held_bytes;
};

#endif
