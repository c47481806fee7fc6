/* gateway/publish/claims.h - whose an idempotency key is: what every gateway makes of the two topics, in the same way.
 *
 * A gateway that has a transactional producer open is an incarnation, with an id of its own. The topic of claims, one
 * partition, has in its order:
 *
 *   O incarnation transactional-id   has opened: everything older of that id was fenced before
 *   X incarnation                    is over: it was fenced, by whoever writes this, and commits nothing any more
 *   C key print incarnation          wants the key
 *   F key incarnation                gives it back: nothing was committed under it
 *
 * A claim is granted when the key is nobody's: never claimed, given back, of an incarnation that is over, or older than
 * what is kept. Everything else about it follows from that order, so all gateways agree without asking each other.
 * Only the incarnation to which it was granted commits records under a key, and with them the answer:
 *
 *   R key print incarnation answer   in the topic of answers, in the transaction of the records
 *   T ...                            the same for a batch without a key of the client's; for its own gateway alone
 *
 * So a key's records are committed at most once: before a second one commits, the first one was fenced (its open
 * transaction is aborted, or done), and the second has read the answers to their end and found none.
 * Times are the broker's (LogAppendTime). Memory: bounded by gw_claims_full(), asked before a claim is made; each reader
 * (its hash, with which keys begin) has a part of it. O is said again now and then: an incarnation of which nothing was heard for as long as keys
 * are kept, and that holds none, is forgotten. Only ids of ours (GW_PUBLISH_ID_PREFIX) are taken: whoever is named there
 * may be fenced.
 * Thread: under the journal's lock.
 */
#ifndef GATEWAY_PUBLISH_CLAIMS_H
#define GATEWAY_PUBLISH_CLAIMS_H

#include "bus/mem.h"
#include "gateway/publish/publish.h"

#define GW_CLAIM_ID_MAX 200 /* of a transactional id */

struct gw_claims;

struct gw_claims *gw_claims_new(int64_t keep_ms, int64_t memory);
void gw_claims_free(struct gw_claims **c);

enum gw_claim_said { GW_CLAIM_NOTHING, GW_CLAIM_CLAIM, GW_CLAIM_OTHER, GW_CLAIM_BROKEN };
struct gw_claim_event { /* what a record of claims did */
	enum gw_claim_said said;
	uint8_t key[GW_PUBLISH_KEY_LEN], incarnation[GW_PUBLISH_KEY_LEN];
	bool granted, history;
};
/* A record of the topic of claims, of answers; at: its time. */
void gw_claims_read(struct gw_claims *c, struct bus_str value, int64_t at_ms, struct gw_claim_event *out);
/* key: whose answer it is; false: none of ours. */
bool gw_claims_read_answer(struct gw_claims *c, struct bus_str value, int64_t at_ms,
			   uint8_t key[GW_PUBLISH_KEY_LEN]);

enum gw_claim_state { GW_KEY_FREE, GW_KEY_HELD, GW_KEY_DONE };
struct gw_claim {
	enum gw_claim_state state;
	bool same; /* the print is this one */
	int64_t at_ms;
	const uint8_t *holder; /* incarnation, of HELD; borrowed under the lock */
	const char *holder_id; /* its transactional id */
	struct bus_str answer; /* of DONE */
};
void gw_claims_look(const struct gw_claims *c, const uint8_t key[GW_PUBLISH_KEY_LEN],
		    const uint8_t print[GW_PUBLISH_KEY_LEN], int64_t now_ms, struct gw_claim *out);
/* What this gateway committed, before it is read back. */
void gw_claims_done(struct gw_claims *c, const uint8_t key[GW_PUBLISH_KEY_LEN],
		    const uint8_t print[GW_PUBLISH_KEY_LEN], struct bus_str answer, int64_t at_ms);
/* NULL: there is room for the key; else the problem's code: no room, or its reader has his part. */
const char *gw_claims_full(const struct gw_claims *c, const uint8_t key[GW_PUBLISH_KEY_LEN]);
void gw_claims_sweep(struct gw_claims *c, int64_t now_ms); /* forgets what is older than is kept */
size_t gw_claims_count(const struct gw_claims *c);
size_t gw_claims_incarnations(const struct gw_claims *c);
/* Incarnations of this transactional id that are not over. */
typedef void (*gw_claims_fn)(void *ctx, const uint8_t incarnation[GW_PUBLISH_KEY_LEN]);
void gw_claims_each_open(const struct gw_claims *c, const char *id, gw_claims_fn fn, void *ctx);
bool gw_claims_opened(const struct gw_claims *c, const uint8_t incarnation[GW_PUBLISH_KEY_LEN]);

/* claims_put.c, result.c: records, as they are written. */
void gw_claims_put_open(struct bus_buf *out, const uint8_t *incarnation, const char *id);
void gw_claims_put_over(struct bus_buf *out, const uint8_t *incarnation);
void gw_claims_put_claim(struct bus_buf *out, const struct gw_publish_batch *b);
void gw_claims_put_back(struct bus_buf *out, const uint8_t *key, const uint8_t *incarnation);
void gw_claims_put_answer(struct bus_buf *out,
			  const struct gw_publish_batch *b); /* the records' places with it */
/* What became of a batch, from an answer. False: it is none. */
bool gw_claims_get_answer(struct bus_str answer, struct gw_publish_batch *b);

#endif
