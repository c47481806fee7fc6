/* adapters/change/at.h - where in a stream of changes a record stands: what a restart finds in the log.
 *
 * A stream is one replication slot, or one binary log of MariaDB, from one snapshot on; its id is the first 16 hex digits of its SHA-256, as of a
 * file, and stands in titian_file. Within it: the LSN of the transaction's commit (MariaDB: gtid.h), and the number of the record in
 * that transaction. Every record of a change carries it in the header titian_lsn, "16/B374D848:3". Streams come in
 * order of commit, and a partition's records in order of the stream: the last one of a partition says how far it is.
 * Thread: any.
 */
#ifndef ADAPTERS_CHANGE_AT_H
#define ADAPTERS_CHANGE_AT_H

#include <stdint.h>

#include "bus/mem.h"

#define ADAPTER_LSN_HEADER "titian_lsn"
#define ADAPTER_AT_TEXT 40

struct adapter_at { /* zeroed: nowhere */
	uint64_t stream, lsn, n;
};

/* b is at a or before it, in the same stream. */
static inline bool adapter_at_reached(const struct adapter_at *a, const struct adapter_at *b)
{
	return a->stream == b->stream && (b->lsn < a->lsn || (b->lsn == a->lsn && b->n <= a->n));
}

/* out: ADAPTER_AT_TEXT bytes; returned. */
char *adapter_at_put(const struct adapter_at *at, char *out);
/* file: of titian_file. false: they are none, *out untouched. */
bool adapter_at_read(struct bus_str file, struct bus_str lsn, struct adapter_at *out);

#endif
