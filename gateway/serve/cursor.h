/* gateway/serve/cursor.h - opaque, signed, stateless places: in a page chain, and in a view's change feed.
 *
 * base64url(kind || view || store || place || HMAC-SHA-256 cut to 128 bits); a page's place holds the last row's values
 * and is sealed instead (AES-256-GCM; the view is bound to it), so that nobody but us can read it. Any gateway with the same cursor
 * key continues any reader. A cursor never expires; a feed's that was made for another store is BUS_ENOENT
 * (the reader starts anew), one that we did not make, or for another view, is BUS_EINVAL.
 * Thread: any; immutable.
 */
#ifndef GATEWAY_SERVE_CURSOR_H
#define GATEWAY_SERVE_CURSOR_H

#include "bus/buf.h"
#include "bus/crypto.h"
#include "gateway/engine/read.h"
#include "gateway/store/hash.h"

struct gw_cursors {
	uint8_t key[BUS_KEY_LEN];
	uint64_t store;
	uint8_t page_key[BUS_KEY_LEN]; /* the rest: gw_cursors_derive */
	struct gw_hash_key tag_key;    /* of ETags */
};
void gw_cursors_derive(struct gw_cursors *c); /* once, when key is set */

/* place: bytes of the caller's */
void gw_cursor_put_page(const struct gw_cursors *c, const struct gw_view *v, struct bus_str place,
			struct bus_buf *out);
/* A place in the feed of one view, or of several at once: name is the view's, or theirs, joined by commas in the
 * order of the alphabet. */
struct gw_place {
	int64_t seq;
	int64_t fresh; /* while seq is behind it: where the follower's snapshot began (gw_following.fresh) */
};
void gw_cursor_put_place(const struct gw_cursors *c, const char *name, struct gw_place place,
			 struct bus_buf *out);
enum bus_err gw_cursor_read_place(const struct gw_cursors *c, const char *name, const char *text,
				  struct gw_place *place) BUS_MUSTCHECK;
/* A place in the records of a topic, of the caller's bytes; name: what is followed. Of no store: Kafka's offsets. */
void gw_cursor_put_records(const struct gw_cursors *c, const char *name, struct bus_str place,
			   struct bus_buf *out);
enum bus_err gw_cursor_read_records(const struct gw_cursors *c, const char *name, const char *text,
				    struct bus_buf *place) BUS_MUSTCHECK; /* appended */
/* The same, of one view, without its snapshot's beginning. */
void gw_cursor_put_feed(const struct gw_cursors *c, const struct gw_view *v, int64_t seq, struct bus_buf *out);

/* place: appended to out. */
enum bus_err gw_cursor_read_page(const struct gw_cursors *c, const struct gw_view *v, const char *text,
				 struct bus_buf *place) BUS_MUSTCHECK;
enum bus_err gw_cursor_read_feed(const struct gw_cursors *c, const struct gw_view *v, const char *text,
				 int64_t *seq) BUS_MUSTCHECK;

#endif
