/* adapters/references.h - the runner's side of reference topics: which the mappings name, waiting for the first copies,
 * taking up new ones between two files. One thread, the runner's. */
#ifndef ADAPTERS_REFERENCES_H
#define ADAPTERS_REFERENCES_H

#include "adapters/run.h"

/* Starts keeping copies of what the mappings name; *out NULL: they name none. */
enum bus_err adapter_references_open(const struct adapter_run_conf *conf, struct adapter_reference **out,
				     struct bus_error *err) BUS_MUSTCHECK;
/* Until each has a copy: of today, or after three seconds of before. Says once what is waited for. BUS_ESTOPPED. */
enum bus_err adapter_references_wait(struct adapter_reference *r, const char *opd,
				     struct bus_error *err) BUS_MUSTCHECK;
/* Until each has been read from the bus since the start, ten seconds at most: Kafka is there, so this is soon. */
void adapter_references_catch_up(struct adapter_reference *r);
/* Takes up what has changed since the last call. What cannot be taken up is told, and the table in use stays. */
void adapter_references_take_up(struct adapter_desk *d);

#endif
