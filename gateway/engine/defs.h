/* gateway/engine/defs.h - the compacted topic of views' definitions: followed for ever, written to.
 *
 * One partition; key: the view's name; value: the definition as it is (gateway/views/README.md); no value: the
 * topic says nothing of it any more. Headers: ce_specversion, ce_id, ce_source, ce_type
 * (id.go.pekanbaru.bus.view.defined, .dropped), ce_time, content-type, titian_by (the reader who did it). So every
 * gateway of the city has the same views. Each record becomes a wish (engine/live.h).
 *
 * A topic that is missing is made (compacted, as many copies as the cluster can hold, three at most); while it cannot
 * be, or cannot be read, the views that run go on, and it is tried again every few seconds.
 * Thread: any, but gw_defs_publish: one at a time.
 */
#ifndef GATEWAY_ENGINE_DEFS_H
#define GATEWAY_ENGINE_DEFS_H

#include "bus/kafka.h"
#include "gateway/engine/live.h"

struct gw_defs;

struct gw_defs_conf {
	struct bus_kafka_conf kafka; /* borrowed strings: good until gw_defs_close */
	const char *topic;
	int wait_ms; /* for what the topic holds, before the caller goes on; 0 = 10,000 */
};

/* Returns when the topic has been read to its end, or after wait_ms; a thread goes on in either case. */
enum bus_err gw_defs_open(struct gw_engine *e, const struct gw_defs_conf *conf, struct gw_defs **out,
			  struct bus_error *err) BUS_MUSTCHECK;
void gw_defs_close(struct gw_defs **d);
/* Writes one definition (text NULL: takes it away), and waits until the log has it and this gateway has heard of it:
 * some seconds at most. BUS_ETIMEOUT, BUS_EKAFKA and the like: it may or may not have been written. */
enum bus_err gw_defs_publish(struct gw_defs *d, const char *name, const struct bus_str *text, const char *by,
			     struct bus_error *err) BUS_MUSTCHECK;
bool gw_defs_healthy(struct gw_defs *d); /* the topic is being read */

#endif
