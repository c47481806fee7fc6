/* adapters/fetch/mark.h - how far a feed's fetches have got, in a file of the drop folder. Thread: one. */
#ifndef ADAPTERS_FETCH_MARK_H
#define ADAPTERS_FETCH_MARK_H

#include "bus/buf.h"
#include "bus/error.h"

struct adapter_mark {
	int64_t when_ms;     /* of the last fetch that succeeded; 0: none */
	char file[256];	     /* it brought; "": nothing */
	struct bus_buf mark; /* the kind's own */
};

/* Nothing there, or not readable as what it should be (the reason in err): a mark of no fetch at all, which costs a fetch
 * from the start and nothing else. */
enum bus_err adapter_mark_load(const char *dir, const char *feed, struct adapter_mark *m,
			       struct bus_error *err);
/* Whole or not at all, and on disk. */
enum bus_err adapter_mark_save(const char *dir, const char *feed, const struct adapter_mark *m,
			       struct bus_error *err) BUS_MUSTCHECK;
void adapter_mark_release(struct adapter_mark *m);

#endif
