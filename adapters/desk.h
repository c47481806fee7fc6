/* adapters/desk.h - setting the desk: mappings, topics, schemas, position. For run.c; one thread. */
#ifndef ADAPTERS_DESK_H
#define ADAPTERS_DESK_H

#include "adapters/run.h"

/* Mappings loaded, drop folder locked; Kafka is not asked yet. Zero-initialised d. */
enum bus_err adapter_desk_open(struct adapter_desk *d, const struct adapter_run_conf *conf,
			       struct bus_error *err) BUS_MUSTCHECK;
/* Schemas and position. A retriable error or BUS_ENOENT: call it again. */
enum bus_err adapter_desk_connect(struct adapter_desk *d, const struct adapter_run_conf *conf,
				  uint64_t *records, struct bus_error *err) BUS_MUSTCHECK;
/* Takes over a newer schema of the feed's topic, if there is one. */
enum bus_err adapter_desk_bind(struct adapter_desk *d, struct adapter_feed *f,
			       struct bus_error *err) BUS_MUSTCHECK;
void adapter_desk_close(struct adapter_desk *d);
/* Mappings only. */
enum bus_err adapter_desk_load(struct adapter_desk *d, const struct adapter_run_conf *conf,
			       struct bus_error *err) BUS_MUSTCHECK;

#endif
