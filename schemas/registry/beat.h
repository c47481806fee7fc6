/* schemas/registry/beat.h - a node's heartbeat on the topic of the nodes:
 *
 *     key: URL
 *     {"node":"URL RUN","url":"URL","term":7,"state":"writer","seal":"HMAC"}
 *
 * Whoever may write to that topic can claim to be the writer. With a node key every beat carries a seal (HMAC-
 * SHA-256 under that key over topic, node, term and state), and others are none. Without one, any beat of
 * the right shape is believed: an unsealed claim that nobody follows up is silent, and passed over like a dead
 * writer.
 *
 * A term is at most its record's offset + SCHEMA_TERM_SLACK: a claim adds one to the term and at least one to
 * the offset, so that the next claim is always allowed, whatever stands in the log, and whatever compaction took
 * away; every reader comes to the same verdict. The slack is for a topic that was made anew under running
 * nodes.
 *
 * Thread: any.
 */
#ifndef SCHEMAS_REGISTRY_BEAT_H
#define SCHEMAS_REGISTRY_BEAT_H

#include "bus/arena.h"
#include "bus/buf.h"
#include "bus/consumer.h"
#include "bus/crypto.h"

#define SCHEMA_NODE_URL_MAX 512
#define SCHEMA_TERM_SLACK 1000000

enum schema_beat_state {
	SCHEMA_BEAT_FOLLOWS,
	SCHEMA_BEAT_CLAIMS,
	SCHEMA_BEAT_WRITES,
	SCHEMA_BEAT_LEAVES,
};
struct schema_beat {
	char id[SCHEMA_NODE_URL_MAX + 32]; /* url, a space, and the run in hex */
	char url[SCHEMA_NODE_URL_MAX];
	int64_t term;
	enum schema_beat_state state;
};

/* http(s)://host:port, and nothing that a URL of a node has no need of: blanks, controls, '@', '?', '#'. */
bool schema_node_url_ok(const char *url);
/* key NULL: no seal. */
struct bus_buf schema_beat_write(const struct schema_beat *b, const char *topic, const uint8_t *key);

enum schema_beat_verdict {
	SCHEMA_BEAT_OURS,
	SCHEMA_BEAT_MALFORMED, /* a shape, key or term that no node writes */
	SCHEMA_BEAT_UNSEALED,  /* key is not NULL, and the seal is missing or wrong */
};
/* arena is reset. */
enum schema_beat_verdict schema_beat_read(const struct bus_record *record, const char *topic,
					  const uint8_t *key, struct bus_arena *arena, struct schema_beat *b);

#endif
