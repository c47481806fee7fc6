/* gateway/hook/hooks_impl.h - the inside of the hooks, shared by the files behind gateway/hook/hooks.h. */
#ifndef GATEWAY_HOOK_HOOKS_IMPL_H
#define GATEWAY_HOOK_HOOKS_IMPL_H

#include <pthread.h>
#include <stdatomic.h>

#include "bus/client_many.h"
#include "bus/follow.h"
#include "bus/producer.h"
#include "gateway/hook/hooks.h"
#include "gateway/hook/message.h"

#define GW_HOOK_WAIT_MS 5000 /* for Kafka, a write */

struct gw_hook_attempt {
	int64_t at; /* wall ms */
	int64_t ms;
	int status;
	const char *why;		     /* static */
	const char *kind;		     /* static: changes, reset, validation, test */
	char id[GW_HOOK_MESSAGE_ID_LEN + 1]; /* "": none */
};

struct gw_hook { /* one subscription; all under the lock */
	char id[GW_HOOK_ID_LEN + 1];
	struct gw_hook_sub *sub; /* NULL: only its position has been read so far */
	struct gw_hook_pos pos;
	bool busy;	    /* a request is under way, or being made: it is not let go */
	bool dead;	    /* removed while busy */
	bool dirty;	    /* its position is to be written */
	int64_t not_before; /* monotonic ms: its rate */
	int64_t looked;	    /* the view's newest change when nothing was left; -1: not looked yet */
	struct gw_hook_attempt *attempt; /* a ring */
	size_t attempts;		 /* ever */
	struct gw_hook *next;
};

/* A change of a subscription on its way to the topic; or a test on its way to its receiver. */
struct gw_hook_change {
	struct bus_http_ticket *ticket;
	bool english;
	char id[GW_HOOK_ID_LEN + 1];
	struct gw_hook_sub *sub; /* NULL: remove it */
	int64_t version;	 /* that it changes; 0: it makes a new one */
	bool secrets;		 /* the answer shows them */
	struct gw_hook_change *next;
};

struct gw_hook_queue {
	struct gw_hook_change *first, **last;
	size_t n;
};

struct gw_hooks {
	struct gw_hooks_conf conf;
	struct gw_hook_names names;
	char node[17]; /* this gateway, in the lease */
	char *transactional_id, *origin, *base;
	pthread_t topic_thread, deliver_thread;
	bool running;
	atomic_bool stopping;

	pthread_mutex_t lock; /* guards what follows */
	pthread_cond_t work;  /* for the topic's thread */
	struct gw_hook *first;
	size_t n;
	struct gw_hook_queue changes, tests;
	bool known;	     /* the topic has been read to its end once */
	bool holding;	     /* the lease is ours */
	int64_t lease_until; /* monotonic ms: what we may rely on */
	char lease_node[17]; /* whose it is, as last read; "": nobody's */
	int64_t lease_seen;  /* monotonic ms */

	/* the topic's thread */
	struct bus_follow *follow;
	struct bus_producer *writer; /* of subscriptions */
	struct bus_producer *fence;  /* of positions and the lease; not NULL: it is ours */
	uint64_t token;		     /* of the last record produced */
	bool fenced;		     /* another took it from us, or may have */
	int64_t beat;		     /* monotonic ms of the last commit */

	/* the delivering thread */
	struct bus_many *many;
	uint64_t store;	     /* that `looked` is about */
	uint64_t generation; /* of keys and policy, likewise */
	struct gw_hook_schedule schedule;
};

/* hooks.c; under the lock */
struct gw_hook *gw_hook_find(struct gw_hooks *h, const char *id);
struct gw_hook *gw_hook_entry(struct gw_hooks *h, const char *id); /* made when it is not there */
void gw_hook_drop(struct gw_hooks *h, struct gw_hook *e); /* at once, or when it is not busy any more */
void gw_hook_suspend(struct gw_hook *e, enum gw_hook_reason why); /* and tells: log, metric */
void gw_hook_suspended(const struct gw_hook *e);		  /* tells */
/* False: too many wait, or it is stopping. */
bool gw_hook_put(struct gw_hooks *h, struct gw_hook_queue *q, struct gw_hook_change *c);
struct gw_hook_change *gw_hook_take(struct gw_hook_queue *q);

void gw_hook_change_free(struct gw_hook_change *c);
/* The request's answer, and its end. */
void gw_hook_refuse(struct gw_hook_change *c, const char *code);

/* topic.c */
void *gw_hook_topic_run(void *hooks);
/* A sealed record; value empty: a tombstone. Queued, not flushed. */
enum bus_err gw_hook_produce(struct gw_hooks *h, struct bus_producer *p, const char *kind, const char *id,
			     const struct bus_buf *value, struct bus_error *err) BUS_MUSTCHECK;

/* lease.c; the topic's thread */
void gw_hook_lease_tick(struct gw_hooks *h);
void gw_hook_lease_give_up(struct gw_hooks *h);

/* deliver.c */
void *gw_hook_deliver_run(void *hooks);

/* prepare.c; the delivering thread, without the lock */
enum gw_hook_step {
	GW_HOOK_SEND,	 /* message and call are made */
	GW_HOOK_NOTHING, /* no change is left; *cursor may have moved */
	GW_HOOK_STOP,	 /* *reason says why it is suspended */
	GW_HOOK_LATER,	 /* the store cannot be read now */
};
struct gw_hook_plan {
	struct gw_hook_pos pos; /* as it was; reset and cursor are changed by what is found */
	enum gw_hook_reason reason;
	const char *kind;
	char after[GW_HOOK_CURSOR_MAX]; /* the position once this is delivered */
	int64_t newest;			/* of the view, before looking */
	size_t changes;
	char id[GW_HOOK_MESSAGE_ID_LEN + 1];
	struct bus_many_call call;
};
enum gw_hook_step gw_hook_prepare(struct gw_hooks *h, const struct gw_hook_sub *s, struct gw_hook_plan *plan);
/* A test message; false: the view is not granted, or the address is not open. */
bool gw_hook_prepare_test(struct gw_hooks *h, const struct gw_hook_sub *s, struct gw_hook_plan *plan);

/* part.c: the part of the view that is followed, as view and grant are now. False: params.problem says why. */
struct gw_hook_part {
	struct gw_params params;
	struct gw_scope scope; /* the grant's and the reader's; n 0: all rows */
	struct gw_scope_part scope_part[GW_SCOPE_PARTS_MAX + GW_HOOK_FILTERS_MAX];
};
bool gw_hook_part_make(const struct gw_hook_sub *s, const struct gw_view *v, struct gw_grant grant,
		       struct bus_arena *arena, struct gw_hook_part *out);

/* show.c */
/* The webhook of the path, if it is the asking reader's: then the lock is held. Or answered, and NULL. */
struct gw_hook *gw_hook_mine(struct gw_api *api, struct bus_http_request *req);
/* under the lock */
void gw_hook_show(struct gw_hooks *h, const struct gw_hook *e, bool secrets, struct bus_json_out *j);

#endif
