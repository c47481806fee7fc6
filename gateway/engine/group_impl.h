/* gateway/engine/group_impl.h - inside group*.c. Thread: the materialiser's, but what is marked otherwise. */
#ifndef GATEWAY_ENGINE_GROUP_IMPL_H
#define GATEWAY_ENGINE_GROUP_IMPL_H

#include "gateway/engine/core.h"
#include "gateway/engine/cut.h"
#include "gateway/engine/group.h"
#include "gateway/engine/group_log.h"

#define GW_GROUP_FORGET_MS 60000

struct gw_group_seen {
	uint64_t node;
	int64_t at_ms;	 /* monotonic */
	int64_t said_ms; /* its own clock, in the last beat that counted */
	struct gw_group_member member;
};

struct gw_group {
	struct gw_engine *e;
	struct gw_group_conf conf;
	uint8_t key[BUS_KEY_LEN]; /* of the topic */
	uint64_t node;
	struct gw_group_log *log;
	const _Atomic bool *stop;
	bool leads;
	bool joined; /* the log has been read to where its end was */
	int64_t n;   /* the last batch that this store has, or will have with the open transaction */
	struct gw_group_place stands; /* in the log, after it */
	/* epoch > 0: this store was made anew while it led, and gives new numbers */
	struct gw_group_place wiped;
	/* epoch > 0: the log from here on, after a batch that was never ended */
	struct gw_group_place resume;
	int64_t claim_ms;     /* monotonic: not before */
	int64_t leader_ms;    /* monotonic: the leader was heard of */
	uint64_t leader_said; /* a leader, and what its clock was in its last beat that counted */
	int64_t leader_said_ms;
	int64_t end_ms;	     /* monotonic: the log's end was seen */
	bool ready;	     /* some leader had read its inputs to their ends */
	uint64_t waits_told; /* digest of what waited, as last told */

	/* leads: of the open transaction */
	struct bus_buf out;    /* items that are not sent */
	struct gw_live *about; /* the view that the last one was of */
	bool held;	       /* nothing is sent: it may be taken back to mark */
	size_t mark;
	struct bus_buf waits; /* scratch */
	uint64_t part;
	int64_t *told; /* by slot: the offset that was told last */
	size_t n_told;

	/* follows */
	struct gw_cut *cut;
	struct gw_group_record record;
	struct bus_str items; /* of record, not done yet */
	bool within;	      /* a batch is begun and not ended */
	bool due;	      /* the open transaction ends with a batch, and is to be committed */
	struct gw_live *at;
	struct gw_keys doubtful; /* "VIEW\0KEY" of full views whose row is not the leader's */
	struct bus_metric *doubts, *role, *batches, *wait_us, *silent;

	_Atomic int64_t heard_ms; /* monotonic: a record of the log was read last, be it a beat of ours */
	pthread_mutex_t lock;	  /* guards what follows */
	pthread_cond_t moved;
	struct gw_group_record beat; /* what the beat says */
	bool may_beat;
	int64_t newest;
	struct gw_group_seen seen[GW_GROUP_MEMBERS_MAX];
	size_t n_seen;
	bool end;
	pthread_t thread;
	bool started;
};

/* group.c */
struct gw_group *gw_group_new(struct gw_engine *e, const struct gw_group_conf *conf);
void gw_group_free(struct gw_group **g);
/* A session begins: the log is opened where the store stands. BUS_ENOENT: the store must be copied from another. */
enum bus_err gw_group_open(struct gw_group *g, const _Atomic bool *stop, struct bus_consumer *inputs,
			   struct bus_error *err) BUS_MUSTCHECK;
void gw_group_close(struct gw_group *g);
/* One step of a gateway that does not lead: batches that came, a claim. *idle: nothing came within wait_ms. */
enum bus_err gw_group_step(struct gw_group *g, int wait_ms, bool *idle, struct bus_error *err) BUS_MUSTCHECK;
/* One that leads looks whether it still does: BUS_EFATAL otherwise. */
enum bus_err gw_group_look(struct gw_group *g, struct bus_error *err) BUS_MUSTCHECK;
bool gw_group_ready(struct gw_group *g); /* the log is read, and the leader had read its inputs */
const char *gw_group_waits_for(const struct gw_group *g); /* when it is not; for people */
/* Where the store stands, into it. */
enum bus_err gw_group_note(struct gw_group *g, struct bus_error *err) BUS_MUSTCHECK;
/* Claims when it may: nobody leads, or has for a while; a batch that was begun then will never end. */
enum bus_err gw_group_try(struct gw_group *g, struct bus_error *err) BUS_MUSTCHECK;
/* Claimed or taken back in the middle of a batch: BUS_EFATAL; the next session goes on behind it. */
enum bus_err gw_group_never_ended(struct gw_group *g, struct bus_error *err) BUS_MUSTCHECK;
void gw_group_wipe(struct gw_group *g); /* the store is about to be made anew, by the one that leads */
void gw_group_heard(struct gw_group *g, const struct gw_group_record *r);
void gw_group_show(struct gw_group *g, enum gw_group_role role); /* to the beat */

/* group_lead.c; the rest of it is in core.h */
void gw_group_told_none(struct gw_group *g);

/* group_follow.c */
enum bus_err gw_group_apply(struct gw_group *g,
			    struct bus_error *err) BUS_MUSTCHECK; /* g->record, a batch's part */
enum bus_err gw_group_finish(struct gw_group *g,
			     struct bus_error *err) BUS_MUSTCHECK; /* the batch's other parts */
enum bus_err gw_group_doubts(struct gw_group *g, struct bus_error *err) BUS_MUSTCHECK;

/* group_beat.c */
void gw_group_beat_start(struct gw_group *g);
void gw_group_beat_stop(struct gw_group *g); /* says that it leaves */

/* group_copy.c: BUS_ENOENT: nobody has one. */
enum bus_err gw_group_copy(struct gw_group *g, struct bus_error *err) BUS_MUSTCHECK;

#endif
