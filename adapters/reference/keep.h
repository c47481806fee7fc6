/* adapters/reference/keep.h - keeps copies of reference topics beside the adapter, for as long as it runs.
 *
 * Reference tables (regions and what they were called before, business fields, schools, facilities) are registers on the
 * bus as any other. A thread of its own reads those that the mappings name, and writes each as a file (copy.h) when
 * nothing new has come for two seconds, a minute at most: a table that is being published is not taken for
 * whole. While the bus is away the last copy serves. An empty topic is no table, and neither is one without a
 * schema; both are waited for.
 *
 * Thread: what is declared here may be called from one thread.
 */
#ifndef ADAPTERS_REFERENCE_KEEP_H
#define ADAPTERS_REFERENCE_KEEP_H

#include <stdint.h>

#include "bus/kafka.h"

struct adapter_reference;

#define ADAPTER_REFERENCES 64 /* topics of one adapter */

struct adapter_reference_conf { /* all copied, but for what kafka borrows */
	struct bus_kafka_conf kafka;
	const char *schemas_topic;
	const char *dir;	  /* made when it is not there */
	const char *const *topic; /* n of them, each once */
	size_t n;
};

/* *out NULL when n is 0. BUS_EIO: the folder cannot be made. */
enum bus_err adapter_reference_start(const struct adapter_reference_conf *conf,
				     struct adapter_reference **out, struct bus_error *err) BUS_MUSTCHECK;
void adapter_reference_stop(struct adapter_reference **r);

/* Whether every topic has been read from the bus since the start, or (old) has a copy from before. false: err says which
 * topic is waited for, and what to do. NULL is ready. */
bool adapter_reference_ready(struct adapter_reference *r, bool old, struct bus_error *err);
/* Grows when a copy has changed: then adapter_map_refresh(). */
uint64_t adapter_reference_changes(struct adapter_reference *r);

#endif
