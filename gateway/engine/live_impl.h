/* gateway/engine/live_impl.h - inside live.c (wishes), build.c (a view being built) and switch.c (the moment it
 * replaces the running one). Thread: the writer's, but what is marked otherwise. */
#ifndef GATEWAY_ENGINE_LIVE_IMPL_H
#define GATEWAY_ENGINE_LIVE_IMPL_H

#include "gateway/engine/core.h"
#include "gateway/engine/live.h"
#include "gateway/engine/snapshot.h"

struct gw_build {		  /* a definition on its way to be a view */
	struct gw_live *v;	  /* beside */
	struct gw_snapshot *scan; /* NULL: it is over */
	struct bus_buf rows;	  /* a piece of it */
	struct gw_keys todo;	  /* touched meanwhile; todo_at: done up to there */
	size_t todo_at;
	int64_t scanned, expected;
};

/* build.c. A refusal is BUS_EPARSE or BUS_ECONFLICT; all else is the store's trouble. */
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
