/* gateway/restproxy/state.h - consumers of REST Proxy's API as every gateway knows them: what their topic says, read by
 * its rules, and nothing else. So any gateway serves any request, and none of them asks another.
 *
 * One partition, compacted. A record is a consumer as a whole, under the key "i" and its id: who, in which group, what
 * it subscribed to, which partitions it holds and how far it is in each. Whoever changes a consumer writes what it is
 * then, numbered one higher than what it has read. The order of the topic decides:
 *
 *   a record whose number is not higher than the consumer's is void: somebody was faster
 *   a record that takes a partition which another consumer of the group holds by subscription is void
 *   the first record of an id is void while another of that name is in the group, or one of another reader
 *   a record of a consumer that is gone is void
 *
 * Whoever wrote a void record has changed nothing, reads on and tries again. Beside it:
 *
 *   "c" and the id   the answer that record n promised was given to the peer, or was not (confirm)
 *   "b" and a gateway  nothing: whoever reads its own back has read all that was there before (barrier)
 *
 * An answer moves the places before it is given: `back` is where they were. Unless it is confirmed, the next answer
 * begins there again: a gateway that dies with an answer in its hands loses none of it.
 *
 * Compaction keeps the last record of a key, void or not. So it must not touch what is younger than consumers live
 * (min.compaction.lag.ms over their time-out): until then a void record is followed by a good one or by the end.
 * Thread: one at a time (the log's lock); instances are counted, and never change.
 */
#ifndef GATEWAY_RESTPROXY_STATE_H
#define GATEWAY_RESTPROXY_STATE_H

#include <stdatomic.h>

#include "bus/buf.h"
#include "bus/error.h"
#include "gateway/restproxy/pattern.h"

#define GW_RP_ID_LEN 8
#define GW_RP_NAME_MAX 249   /* of a group, of an instance, of a topic; bytes */
#define GW_RP_TOPICS_MAX 256 /* of a subscription */
#define GW_RP_HELD_MAX 2000  /* partitions of an instance */
#define GW_RP_FORMAT_MAX 3   /* enum gw_rp_format, rp.h */

enum gw_rp_mode { GW_RP_NOTHING, GW_RP_TOPICS, GW_RP_PATTERN, GW_RP_ASSIGNED };

struct gw_rp_place {
	int32_t partition;
	int64_t next; /* the record to be given next */
	int64_t back; /* the same before the last answer */
};

struct gw_rp_held { /* partitions of one topic, ascending */
	char *topic;
	struct gw_rp_place *at;
	size_t n;
};

struct gw_rp_instance {
	atomic_int refs;
	uint8_t id[GW_RP_ID_LEN];
	uint64_t seq;	/* 1: made */
	uint64_t write; /* of this record alone; by chance */
	uint64_t node;	/* the gateway that wrote it */
	bool gone;	/* it is over */
	bool joined;	/* has asked for records since it subscribed: it gets a share */
	bool answer;	/* an answer went with this record, to be confirmed */
	bool auto_commit, earliest;
	uint8_t format; /* enum gw_rp_format */
	int64_t fetch_min, timeout_ms;
	char *reader, *group, *name;
	enum gw_rp_mode mode;
	char **names; /* topics, or one pattern */
	size_t n_names;
	struct gw_rp_held *held; /* by subscription or assignment; by name */
	size_t n_held;
	/* Of the record, not in it. */
	int64_t seen_ms; /* the broker's time */
};

struct gw_rp_instance *gw_rp_instance_new(void);
struct gw_rp_instance *gw_rp_instance_ref(struct gw_rp_instance *i);
void gw_rp_instance_unref(struct gw_rp_instance **i);
/* A copy to be changed and written: seq one higher, a new `write`, no answer; node is the caller's to set. */
struct gw_rp_instance *gw_rp_instance_next(const struct gw_rp_instance *i);
const struct gw_rp_place *gw_rp_held(const struct gw_rp_instance *i, const char *topic, int32_t partition);
/* Adds, or finds. NULL: GW_RP_HELD_MAX. */
struct gw_rp_place *gw_rp_hold(struct gw_rp_instance *i, const char *topic, int32_t partition);
void gw_rp_hold_nothing(struct gw_rp_instance *i);
size_t gw_rp_count_held(const struct gw_rp_instance *i);
void gw_rp_set_names(struct gw_rp_instance *i, enum gw_rp_mode mode, const char *const *name, size_t n);

/* --- records: wire.c ----------------------------------------------------------------------------------------- */

void gw_rp_put_instance(const struct gw_rp_instance *i, struct bus_buf *out);
/* A value of ours, or BUS_EDATA. The id is the key's. */
enum bus_err gw_rp_read_instance(struct bus_str value, struct gw_rp_instance **out,
				 struct bus_error *err) BUS_MUSTCHECK;
void gw_rp_put_key(char kind, const uint8_t id[GW_RP_ID_LEN], struct bus_buf *out);
void gw_rp_put_confirm(uint64_t seq, bool given, struct bus_buf *out);
void gw_rp_put_barrier(uint64_t node, uint64_t number, struct bus_buf *out);

/* --- all of them --------------------------------------------------------------------------------------------- */

struct gw_rp_state;

enum gw_rp_said {
	GW_RP_SAID_NOTHING,
	GW_RP_SAID_TAKEN,
	GW_RP_SAID_VOID,
	GW_RP_SAID_CONFIRM,
	GW_RP_SAID_BARRIER,
	GW_RP_SAID_BROKEN
};
struct gw_rp_event { /* what a record did */
	enum gw_rp_said said;
	uint64_t write;	       /* TAKEN, VOID */
	uint64_t node, number; /* BARRIER */
};

struct gw_rp_state *gw_rp_state_new(void);
void gw_rp_state_free(struct gw_rp_state **s);
/* A record; value p NULL: a tombstone. mono_ms: the reader's clock. */
void gw_rp_state_read(struct gw_rp_state *s, struct bus_str key, struct bus_str value, int64_t timestamp_ms,
		      int64_t mono_ms, struct gw_rp_event *out);

struct gw_rp_found {
	struct gw_rp_instance *i; /* the caller's reference */
	bool confirmed, given;	  /* its answer: it is known what became of it; the peer has it */
	int64_t read_ms;	  /* mono: when this gateway read its record */
};
/* False: there is none that lives. */
bool gw_rp_state_find(const struct gw_rp_state *s, const char *group, const char *name,
		      struct gw_rp_found *out);
/* Whose instances a group's are; NULL: it has none. Borrowed. */
const char *gw_rp_state_owner(const struct gw_rp_state *s, const char *group);
typedef void (*gw_rp_instance_fn)(void *ctx, struct gw_rp_instance *i);
void gw_rp_state_each_in(const struct gw_rp_state *s, const char *group, gw_rp_instance_fn fn, void *ctx);
void gw_rp_state_each(const struct gw_rp_state *s, gw_rp_instance_fn fn, void *ctx); /* those gone too */
/* Who holds it by subscription; NULL: nobody. Borrowed. */
const struct gw_rp_instance *gw_rp_state_holder(const struct gw_rp_state *s, const char *group,
						const char *topic, int32_t partition);
/* A reader's, with those that are gone and not forgotten yet: they are its own to bear. NULL: all that live. */
size_t gw_rp_state_count(const struct gw_rp_state *s, const char *reader);
/* Grows when shares of the group (NULL: of any) may have changed: somebody joined, left, subscribed, took, let go. */
uint64_t gw_rp_state_changes(const struct gw_rp_state *s, const char *group);

/* --- who gets what: share.c ---------------------------------------------------------------------------------- */

/* Which of n members, 0..n-1 in an order that all agree on, a partition goes to: round robin, each topic beginning with
 * another member. */
size_t gw_rp_share(const char *topic, int32_t partition, size_t n);
/* Ids in the order of shares. */
int gw_rp_share_order(const uint8_t a[GW_RP_ID_LEN], const uint8_t b[GW_RP_ID_LEN]);
/* Its pattern, for gw_rp_wants; NULL: it has none. The caller's. */
struct gw_rp_pattern *gw_rp_instance_pattern(const struct gw_rp_instance *i);
/* Whether the instance wants the topic, by name or pattern. */
bool gw_rp_wants(const struct gw_rp_instance *i, const struct gw_rp_pattern *p, const char *topic);

#endif
