/* adapters/spool/spool.h - the spool of one feed: posts on disk, sealed, until they are in Kafka.
 *
 *   DIR/<number>.spool             waiting, or growing; read in order of their numbers
 *   DIR/delivered/<number>.spool   in Kafka; kept for a while, so that a lost centre can be fed again
 *   DIR/damaged/<number>.spool     what was whole in it is in Kafka, the rest is in the report beside it
 *
 * Threads: the writer's calls by one thread, the reader's by one, the rest by any.
 */
#ifndef ADAPTERS_SPOOL_SPOOL_H
#define ADAPTERS_SPOOL_SPOOL_H

#include "adapters/spool/segment.h"

/* For tests, asked before each operation on the disk. Not 0: it fails with this errno. n (of a write, else NULL): bytes
 * that it may write, which may be made fewer. */
typedef int (*adapter_spool_trouble_fn)(void *ctx, const char *what, size_t *n);

struct adapter_spool_conf {
	const char *dir; /* the feed's; made, with those above it */
	const char *feed;
	const struct adapter_spool_keys *keys; /* stays */
	int64_t segment_bytes, segment_ms;     /* a segment that is larger or older grows no more */
	adapter_spool_trouble_fn trouble;      /* NULL: none */
	void *trouble_ctx;
};

struct adapter_spool;

/* What a predecessor left grows no more. */
enum bus_err adapter_spool_open(const struct adapter_spool_conf *conf, struct adapter_spool **out,
				struct bus_error *err) BUS_MUSTCHECK;
void adapter_spool_close(struct adapter_spool **s);

/* --- the writer --- */
/* One post more for the next commit; `before` is set here. BUS_ETOOBIG. */
enum bus_err adapter_spool_put(struct adapter_spool *s, struct adapter_post *post,
			       struct bus_error *err) BUS_MUSTCHECK;
/* All of them are on disk, or (BUS_EFULL, BUS_EIO) none is in the spool. */
enum bus_err adapter_spool_commit(struct adapter_spool *s, struct bus_error *err) BUS_MUSTCHECK;

/* --- the reader --- */
/* The segment that waits longest; false: none. */
bool adapter_spool_first(struct adapter_spool *s, uint64_t *number);
char *adapter_spool_path(const struct adapter_spool *s, uint64_t number); /* the caller's; while it waits */
/* How far it may be read: adapter_segment_next's limit. */
int64_t adapter_spool_limit(struct adapter_spool *s, uint64_t number);
/* It is to grow no more: at once, or not yet (false) because something is being written to it. only_old: if its time is
 * over. */
bool adapter_spool_turn(struct adapter_spool *s, uint64_t number, bool only_old);
/* Where a segment goes; borrowed. */
const char *adapter_spool_folder(const struct adapter_spool *s, bool damaged);
/* Moves it there. moved: the caller's. BUS_EFULL, BUS_EIO: try again. */
enum bus_err adapter_spool_place(struct adapter_spool *s, uint64_t number, bool damaged, char **moved,
				 struct bus_error *err) BUS_MUSTCHECK;

/* --- any thread --- */
struct adapter_spool_state {
	int64_t bytes;		 /* waiting */
	uint64_t segments;	 /* of them */
	int64_t oldest_ms;	 /* when the first of them was begun; 0: nothing waits */
	uint64_t commits, posts; /* since the start */
};
void adapter_spool_state(struct adapter_spool *s, struct adapter_spool_state *out);
/* Of those delivered: older than keep_ms, and the oldest while they are more than keep_bytes. Returns how many went. */
size_t adapter_spool_clean(struct adapter_spool *s, int64_t keep_ms, int64_t keep_bytes);
/* Every whole post of segments written to since then, waiting or delivered; before anything is put. What cannot be read is
 * passed over: the reader reports it. */
typedef void (*adapter_spool_fn)(void *ctx, const struct adapter_post *post);
void adapter_spool_posts(struct adapter_spool *s, int64_t since_ms, adapter_spool_fn fn, void *ctx);
/* Delivered segments of posts since then wait again. Nobody has the spool open. *n: how many. */
enum bus_err adapter_spool_again(const char *dir, int64_t since_ms, size_t *n,
				 struct bus_error *err) BUS_MUSTCHECK;

#endif
