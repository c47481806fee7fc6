/* schemas/registry/nodes.h - which of several registries on one topic writes.
 *
 * Every node writes a beat (its name, its URL, the term, its state) to the topic "<topic>_nodes" twice a
 * second and reads all of them: one partition, so that all nodes see the same beats in the same order, and
 * what follows is decided by that order alone, by no clock:
 *   - The writer of a term is the node whose claim to that term stands first in the log.
 *   - A writer is gone when it says so, or when NODES_SILENCE of my own beats stand in the log after its last.
 *     Who cannot reach Kafka sees no own beats, and claims nothing; who was stopped for a while counts from what
 *     it reads then.
 *   - The live node with the least name claims first, the others two beats later each.
 * That settles who should write. That only one can is Kafka's doing: the writer's transactional id
 * (registry/write.c) fences whoever wrote before, whatever it believes.
 *
 * A node that starts under the name of the present writer (it was killed, and is back) claims at once.
 *
 * What is believed of what stands on the topic: registry/beat.h.
 *
 * Thread: any; beats are read and sent on threads of its own. on_change is called on one of them, without a
 * lock.
 */
#ifndef SCHEMAS_REGISTRY_NODES_H
#define SCHEMAS_REGISTRY_NODES_H

#include "bus/kafka.h"

struct schema_nodes;

struct schema_nodes_conf { /* strings are copied */
	struct bus_kafka_conf kafka;
	const char *topic;	      /* of the beats */
	const char *url;	      /* where the other nodes reach this one; also its name */
	const uint8_t *key;	      /* BUS_KEY_LEN bytes: beats without its seal are ignored; NULL: none */
	void (*on_change)(void *ctx); /* writer or term changed */
	void *ctx;
};

enum bus_err schema_nodes_open(const struct schema_nodes_conf *conf, int timeout_ms,
			       struct schema_nodes **out, struct bus_error *err) BUS_MUSTCHECK;
/* Says that it leaves, so that another writes at once. */
void schema_nodes_close(struct schema_nodes **n);

enum schema_node_role {
	SCHEMA_NODE_ALONE,    /* the writer is not known, or cannot be: Kafka does not answer */
	SCHEMA_NODE_FOLLOWER, /* another writes */
	SCHEMA_NODE_WRITER,
};
struct schema_nodes_view {
	enum schema_node_role role;
	int64_t term;
	char url[512]; /* of the writer; "" while ALONE */
	bool active;   /* the writer has opened its producer and read the log to its end */
	int live;      /* nodes whose beats are fresh, this one too */
};
void schema_nodes_view(struct schema_nodes *n, struct schema_nodes_view *out);
/* The writer of that term is ready (or, false, cannot write at the moment). */
void schema_nodes_set_active(struct schema_nodes *n, int64_t term, bool active);
/* Reads the beats to their end now: what _view says then is not older than this call. */
enum bus_err schema_nodes_catch_up(struct schema_nodes *n, int timeout_ms,
				   struct bus_error *err) BUS_MUSTCHECK;

#endif
