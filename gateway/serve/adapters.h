/* gateway/serve/adapters.h - a line per department: what its adapter last said of itself, and when that was.
 *
 * A thread reads the last record of `pku.<opd>.adapter.v1` of every department whose topics this gateway reads, and from there
 * on. It is kept in memory alone: it is no table, feeds no view, and moves no cursor. A topic that is not there yet is
 * looked for every half minute. How long a department has been silent counts from when its word came here, so that
 * clocks need not agree; from a word that was there already when the gateway began, from that record's own time.
 *
 * Thread: _json any; the rest main.
 */
#ifndef GATEWAY_SERVE_ADAPTERS_H
#define GATEWAY_SERVE_ADAPTERS_H

#include "bus/buf.h"
#include "bus/kafka.h"
#include "gateway/engine/engine.h"

struct gw_adapters;

/* The departments are those of the engine's topics. kafka's strings live until _free. */
struct gw_adapters *gw_adapters_new(struct gw_engine *e, const struct bus_kafka_conf *kafka);
void gw_adapters_start(struct gw_adapters *a); /* the thread */
void gw_adapters_free(struct gw_adapters **a); /* stops it first: some seconds while Kafka is away */

/* An array, an object for each department (adapter_said.h). */
void gw_adapters_json(struct gw_adapters *a, struct bus_buf *out);

#endif
