/* gateway/engine/live_impl.h - inside live.c (wishes), live_check.c, live_state.c, build.c (a view being built) and switch.c (the moment it
 * replaces the running one). Thread: the writer's, but what is marked otherwise. */
#ifndef GATEWAY_ENGINE_LIVE_IMPL_H
#define GATEWAY_ENGINE_LIVE_IMPL_H

#include "gateway/engine/core.h"
#include "gateway/engine/live.h"
#include "gateway/engine/snapshot.h"

struct gw_wanted {
	char *name;
	char *text; /* NULL: it goes */
	size_t n;
	char by[64];
	int64_t when_ms;
	bool fresh;	   /* not looked at yet */
	uint64_t tried_at; /* epoch in which it was refused */
	struct gw_view_state state;
};

struct gw_shipped { /* a definition of views.dir */
	char *name, *text;
	size_t n;
};

struct gw_standing { /* a view whose rows stand still */
	char name[64];
	char why[GW_STATE_FAULT_MAX];
};

struct gw_lives {
	pthread_mutex_t lock;
	struct gw_wanted *inbox;   /* lock */
	size_t n_inbox;		   /* lock */
	bool read;		   /* lock: the topic, to its end */
	struct gw_wanted *wish;	   /* state: lock; the rest is the writer's */
	size_t n;		   /* lock */
	bool settled;		   /* what was defined before and is no longer named has been dealt with */
	struct gw_standing *stuck; /* lock */
	size_t n_stuck;		   /* lock */
	struct bus_metric *stuck_metric;
	struct gw_shipped *shipped;
	size_t n_shipped;
	struct gw_build *build;
	size_t building; /* index of its wish */
	struct bus_metric *refused;
};

struct gw_wanted *gw_wish_find(struct gw_wanted *w, size_t n, const char *name);
/* The place of a name in a list of wishes, emptied. NULL: too many. */
struct gw_wanted *gw_wish_place(struct gw_wanted **list, size_t *n, const char *name);
void gw_wish_take(struct gw_engine *e); /* what came in, into the list */
void gw_wish_granted(struct gw_engine *e, struct gw_wanted *w); /* it is what runs now; w may be gone then */
/* Asked again when tables or views have changed. */
void gw_wish_refuse(struct gw_engine *e, struct gw_wanted *w, const char *why);
const struct gw_shipped *gw_lives_shipped(const struct gw_lives *l, const char *name); /* NULL: no file */
/* A view of conflicts is what its base as it runs gives (define/conflict.h). */
enum bus_err gw_live_adopt(struct gw_engine *e, struct gw_def **d, struct bus_error *err) BUS_MUSTCHECK;
void gw_live_roll_back(struct gw_engine *e); /* the open transaction */
struct gw_live *gw_lives_running(struct gw_engine *e, const char *name);

/* live_check.c: everything that can be said of a definition against what is there; d is bound by it. Its indexes are
 * made for it, and are gone again with the transaction when it is refused. */
enum bus_err gw_live_check(struct gw_engine *e, struct gw_def *d, bool trusted, struct bus_error *err) BUS_MUSTCHECK;
/* Other words at most: the same rows, found in the same way. */
bool gw_live_same_rows(const struct gw_def *a, const struct gw_def *b);

struct gw_build {		  /* a definition on its way to be a view */
	struct gw_live *v;	  /* beside */
	struct gw_snapshot *scan; /* NULL: it is over */
	struct bus_buf rows;	  /* a piece of it */
	struct gw_keys todo;	  /* touched meanwhile; todo_at: done up to there */
	size_t todo_at;
	int64_t scanned, expected;
};

/* build.c. A refusal is BUS_EPARSE or BUS_ECONFLICT; BUS_ETIMEOUT: it was given up; all else is the store's trouble. */
enum bus_err gw_build_new(struct gw_engine *e, struct gw_def *def, bool defined, struct gw_build **out,
			  struct bus_error *err) BUS_MUSTCHECK; /* takes def, whatever comes */
/* Goes on for about ms. *ready: it may be switched to. */
enum bus_err gw_build_step(struct gw_engine *e, struct gw_build *b, int ms, bool *ready,
			   struct bus_error *err) BUS_MUSTCHECK;
void gw_build_free(struct gw_engine *e, struct gw_build **b); /* and its tables, if it was not switched to */

/* switch.c: each in a transaction of its own; the readers of what is replaced or dropped are told. After an error
 * gw_core_reload must follow. */
enum bus_err gw_switch_to(struct gw_engine *e, struct gw_build *b, struct bus_error *err) BUS_MUSTCHECK;
/* The same rows in other words: takes def. */
enum bus_err gw_switch_words(struct gw_engine *e, struct gw_live *v, struct gw_def *def, bool defined,
			     struct bus_error *err) BUS_MUSTCHECK;
enum bus_err gw_switch_drop(struct gw_engine *e, struct gw_live *v, struct bus_error *err) BUS_MUSTCHECK;

#endif
