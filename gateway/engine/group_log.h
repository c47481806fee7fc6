/* gateway/engine/group_log.h - the topic of a group of gateways: one partition, its order is the judge.
 *
 * Every record is sealed with the group's key. What counts is decided while reading, by everybody alike:
 *   a claim   if its epoch is the next one: its node leads from there on
 *   a batch   if its node leads in its epoch, its number is the next one, and so is its part
 * All else is void, also for who wrote it. What cannot be opened (forged, or sealed with another key) is passed over and
 * counted. Whether our key is the group's shows when a beat of another gateway opens, or the first record of the log; who
 * does not know that yet writes nothing, and what it wrote counts for nothing, so that one with a wrong key never leads a
 * group of its own. Thread: the materialiser's; gw_group_beat_put belongs to another one's log.
 */
#ifndef GATEWAY_ENGINE_GROUP_LOG_H
#define GATEWAY_ENGINE_GROUP_LOG_H

#include "bus/crypto.h"
#include "bus/kafka.h"
#include "gateway/engine/group_wire.h"

#define GW_GROUP_END INT64_C(-1) /* an offset: what comes from now on */
#define GW_GROUP_ALL INT64_C(-3) /* what there is, however much went before it */

struct gw_group_log;

struct gw_group_place {		       /* what reading up to `offset` has decided */
	uint64_t epoch, leader, store; /* of the last claim that counts; 0: none yet */
	int64_t n;		       /* the last whole batch */
	int64_t offset;		       /* to go on from; BUS_OFFSET_BEGIN, GW_GROUP_END */
	bool known;		       /* our key is the group's */
};

/* topic, kafka and name are borrowed. node, name: ours. Makes the topic when it is missing. from: where the store stands.
 * BUS_ENOENT: the topic does not reach back so far. */
enum bus_err gw_group_log_open(const struct bus_kafka_conf *kafka, const char *topic,
			       const uint8_t key[BUS_KEY_LEN], uint64_t node, const char *name,
			       const struct gw_group_place *from, struct gw_group_log **out,
			       struct bus_error *err) BUS_MUSTCHECK;
void gw_group_log_close(struct gw_group_log **l);

/* The next record that counts, with *counts; or a beat. *r is borrowed until the next call. BUS_ETIMEOUT: none within
 * timeout_ms. BUS_EDATA: of another version. BUS_ECONFLICT: the topic was cut or made anew. */
enum bus_err gw_group_log_next(struct gw_group_log *l, int timeout_ms, struct gw_group_record *r,
			       struct bus_error *err) BUS_MUSTCHECK;
bool gw_group_log_waiting(const struct gw_group_log *l); /* there are records in memory */
bool gw_group_log_at_end(struct gw_group_log *l);	 /* everything that was there has been read */
bool gw_group_log_known(const struct gw_group_log *l); /* our key is the group's, or nothing says otherwise */
const struct gw_group_place *gw_group_log_place(const struct gw_group_log *l);

/* For a new numbering, when nobody has a store any more: whatever was read counts, nobody leads. */
void gw_group_log_trust(struct gw_group_log *l);

/* Queues a record (bytes as of gw_group_wire.h). _flush: until Kafka has it. After an error whether it has is not
 * known: only a new claim settles that. */
enum bus_err gw_group_log_put(struct gw_group_log *l, struct bus_str bytes,
			      struct bus_error *err) BUS_MUSTCHECK;
enum bus_err gw_group_log_flush(struct gw_group_log *l, int timeout_ms, struct bus_error *err) BUS_MUSTCHECK;

#endif
