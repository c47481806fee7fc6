/* adapters/position.h - how far we are, recovered from the log.
 *
 * The adapter keeps no state of its own: at start it reads its OPD's own topics to their end. That gives the
 * last sequence number of each stream, what stands under each key (index.h), which refused rows are in
 * quarantine (quarantine.h) and which files were read (files.h). An event topic may have lost its oldest
 * records, or all of them, to its retention; therefore the last `berkas` record of a file also carries, in
 * the header `titian_state`, the last number of every stream. Thread: one.
 */
#ifndef ADAPTERS_POSITION_H
#define ADAPTERS_POSITION_H

#include "adapters/files.h"
#include "adapters/index.h"
#include "adapters/quarantine.h"
#include "adapters/stream.h"
#include "bus/kafka.h"

#define ADAPTER_STATE_HEADER "titian_state"
#define ADAPTER_UNDONE_HEADER "titian_undone" /* of an undo's last `berkas` record: the files it took back (files.h) */

struct adapter_part { /* one topic of the adapter */
	struct adapter_topic topic;
	enum { ADAPTER_PART_ENTITY, ADAPTER_PART_QUARANTINE, ADAPTER_PART_FILES } kind;
	struct adapter_index *index; /* ENTITY */
};

struct adapter_position {
	struct adapter_part *part;
	size_t n;
	struct adapter_files *files;
	struct adapter_quarantine *quarantine;
	struct adapter_tally_reader *tally;
	/* What a killed predecessor had on the wire may arrive after its death: the end must stand still for
	 * this long before it is believed. */
	int settle_ms;
};

/* Makes the topics' streams (how many partitions) and fills everything, which is new and empty before; after
 * a failure, begin with new ones. *records: how many were read. BUS_ENOENT: a topic does not exist (yet). */
enum bus_err adapter_position_recover(const struct bus_kafka_conf *kafka, struct adapter_position *p,
				      uint64_t *records, struct bus_error *err) BUS_MUSTCHECK;

/* The value of titian_state: "held=N", or the last number of every stream ("<topic>/<partition>=N ..."). */
void adapter_position_put_state(const struct adapter_position *p, struct bus_buf *out);

#endif
