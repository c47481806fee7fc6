/* gateway/engine/try.h - a stranger's definition looked at against the running gateway, without danger to it.
 *
 * A process of its own does it: this program again, as `titian-gateway try`, with the question on its standard input
 * and the report on its standard output. SQLite's memory limit holds for a whole process, and what its planner or a
 * hostile expression does beyond all limits then ends that process only. It opens the store read-only, has no network
 * and no secret, and is ended when its time is over or its asker stops.
 *
 *   memory   GW_TRY_HEAP for SQLite (over it: an error in the report), GW_TRY_SPACE for the whole process
 *   time     the question's ms for reading the city's rows, some seconds more for the rest
 */
#ifndef GATEWAY_ENGINE_TRY_H
#define GATEWAY_ENGINE_TRY_H

#include <stdatomic.h>

#include "bus/buf.h"
#include "bus/error.h"

#define GW_TRY_HEAP ((int64_t)96 * 1024 * 1024)
#define GW_TRY_SPACE ((int64_t)768 * 1024 * 1024)
#define GW_TRY_MS_MAX 600000

struct gw_engine;

struct gw_try {
	const char *program; /* NULL: the one that runs */
	const char *file;    /* the definition's name in messages */
	struct bus_str text;
	int ms;			  /* for comparing with the running version; 0: not compared */
	const _Atomic bool *stop; /* may be NULL */
	_Atomic int *permille;	  /* how far the comparison is; may be NULL */
};

/* Blocks: a thread that may. report: a JSON object, the members of define/review.h and "diff" (engine/try_diff.h); *good:
 * nothing speaks against the definition. BUS_ETOOBIG: it died of its memory; BUS_ETIMEOUT; BUS_ESTOPPED. */
enum bus_err gw_try_run(struct gw_engine *e, const struct gw_try *t, struct bus_buf *report, bool *good,
			struct bus_error *err) BUS_MUSTCHECK;

/* The process's main: returns its exit status. */
int gw_try_main(void);
/* What it does, apart from being a process: lines of progress and at last the report. For tests. */
void gw_try_answer(struct bus_str question, void (*line)(void *ctx, const struct bus_buf *line), void *ctx);
/* The question for it. */
void gw_try_question(struct gw_engine *e, const struct gw_try *t, struct bus_buf *out);

#endif
