/* adapters/owner.h - one adapter a department: who began last.
 *
 * Two adapters of one department would give the same numbers to different records, and readers would drop one of each pair as a
 * repetition. The drop folder's lock keeps two off one folder; this keeps two off one department, wherever they run. Who begins
 * writes a claim into the department's `berkas` topic: a tombstone under a key that no file has, with the headers titian_owner
 * (this run of the program) and titian_host. The log's order alone says who is last. An older adapter finds the claim
 * while it works, and ends; the newer one counts once the log's end stands still (position.h).
 *
 * An adapter that was suspended all the while may, once woken, still send what it had handed to Kafka's client. Thread: one.
 */
#ifndef ADAPTERS_OWNER_H
#define ADAPTERS_OWNER_H

#include "bus/error.h"
#include "bus/kafka.h"

struct adapter_owner;

/* kafka's strings are borrowed until _free. */
struct adapter_owner *adapter_owner_new(const struct bus_kafka_conf *kafka, const char *opd);
void adapter_owner_free(struct adapter_owner **o);

/* Writes the claim; nothing more once it is written. Retriable errors and BUS_ENOENT (no topic yet): call again. */
enum bus_err adapter_owner_claim(struct adapter_owner *o, struct bus_error *err) BUS_MUSTCHECK;
/* BUS_EEXIST: another adapter has begun since; err says where. BUS_EFATAL: the topic is another one now: begin anew. Asks nobody, and
 * is cheap enough for each record. */
enum bus_err adapter_owner_check(struct adapter_owner *o, struct bus_error *err) BUS_MUSTCHECK;

#endif
