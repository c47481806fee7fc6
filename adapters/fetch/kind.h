/* adapters/fetch/kind.h - what one way of fetching is, and what it fills. */
#ifndef ADAPTERS_FETCH_KIND_H
#define ADAPTERS_FETCH_KIND_H

#include <stdatomic.h>

#include "adapters/adapter.h"
#include "adapters/fetch/haul.h"

struct adapter_fetch_kind {
	const char *name;   /* `fetch.kind` in the mapping */
	const char *ending; /* of the files it brings, with the point; "": as they are called */
	/* Reads its own options from conf (`kind` and `every` are taken) and asks nobody. complete: the mapping wants the
	 * whole set each time. stop: set when the run in progress is to end. yaml, conf and stop stay until close. */
	enum bus_err (*open)(struct bus_yaml *yaml, struct bus_yaml_node *conf, bool complete,
			     const atomic_bool *stop, void **fetch, struct bus_error *err);
	/* Puts what is new since mark (n 0: all there is) into out, and the new mark. Nothing put: there is nothing new.
	 * An error: out is thrown away, and it is tried again later. BUS_ESTOPPED when stop is set. Its own thread. */
	enum bus_err (*run)(void *fetch, struct bus_str mark, struct adapter_haul *out,
			    struct bus_error *err);
	/* stop has been set: wakes a run that waits for somebody. Any thread. NULL: it looks at stop often enough. */
	void (*wake)(void *fetch);
	void (*close)(void *fetch);
};

extern const struct adapter_fetch_kind adapter_fetch_sql;
extern const struct adapter_fetch_kind adapter_fetch_http;
extern const struct adapter_fetch_kind adapter_fetch_folder;

const struct adapter_fetch_kind *adapter_fetch_kind_at(size_t i); /* NULL: no more */

#endif
