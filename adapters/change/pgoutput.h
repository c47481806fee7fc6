/* adapters/change/pgoutput.h - what PostgreSQL's logical replication says, message by message.
 *
 * The protocol of the output plugin pgoutput, version 1 (PostgreSQL 15 manual, 55.5 "Logical Streaming
 * Replication Protocol" and 55.9 "Logical Replication Message Formats"): text values, transactions whole and in
 * order of commit. No network here: bytes in, one message out. A server is trusted little more than a file: every
 * count and length is checked against the bytes there are.
 *
 * Relations are remembered as they are described, each where it is until the reader is freed; a change names one. Thread: one.
 */
#ifndef ADAPTERS_CHANGE_PGOUTPUT_H
#define ADAPTERS_CHANGE_PGOUTPUT_H

#include <stdint.h>

#include "bus/error.h"
#include "bus/mem.h"

#define ADAPTER_PG_COLUMNS_MAX 1600 /* PostgreSQL's own limit, MaxHeapAttributeNumber */

enum adapter_pg_kind {
	ADAPTER_PG_BEGIN,
	ADAPTER_PG_COMMIT,
	ADAPTER_PG_RELATION, /* described, or described anew: its columns may be others now */
	ADAPTER_PG_INSERT,
	ADAPTER_PG_UPDATE,
	ADAPTER_PG_DELETE,
	ADAPTER_PG_TRUNCATE,
	ADAPTER_PG_MESSAGE, /* pg_logical_emit_message: our own heartbeat */
	ADAPTER_PG_OTHER,   /* origin, type: nothing that changes a row */
};

struct adapter_pg_column {
	char *name;
	uint32_t type; /* OID */
	bool key;      /* part of the replica identity */
};

struct adapter_pg_relation {
	uint32_t id; /* OID */
	char *schema, *name;
	char identity; /* 'd' default, 'n' nothing, 'f' full, 'i' index (pg_class.relreplident) */
	struct adapter_pg_column *column;
	size_t n;
};

enum adapter_pg_value_kind {
	ADAPTER_PG_NULL,
	ADAPTER_PG_UNCHANGED, /* a TOASTed value that was not touched: the message does not have it */
	ADAPTER_PG_TEXT,
};

struct adapter_pg_value {
	enum adapter_pg_value_kind kind;
	struct bus_str text;
};

struct adapter_pg_row {			      /* NULL value: no such row in the message */
	const struct adapter_pg_value *value; /* one a column of the relation */
	bool key_only;			      /* old rows: only the columns of the identity are there */
};

struct adapter_pg_change { /* all of it but relations borrowed until the next read */
	enum adapter_pg_kind kind;
	uint64_t lsn;	 /* BEGIN: of the commit that ends it; COMMIT: of that; MESSAGE: its own */
	uint64_t end;	 /* COMMIT: where the next transaction begins: what may be confirmed */
	int64_t time_ms; /* BEGIN, COMMIT: when it was committed */
	uint32_t xid;	 /* BEGIN */
	const struct adapter_pg_relation *relation; /* RELATION, INSERT, UPDATE, DELETE */
	struct adapter_pg_row old, new;
	const struct adapter_pg_relation *const *truncated; /* TRUNCATE */
	size_t n_truncated;
	struct bus_str prefix; /* MESSAGE */
};

struct adapter_pg_reader;

struct adapter_pg_reader *adapter_pg_reader_new(void);
void adapter_pg_reader_free(struct adapter_pg_reader **r);
/* BUS_EDATA: not a message, or it names a relation that was not described; where, in bytes, never what. The reader
 * is then of no more use. */
enum bus_err adapter_pg_read(struct adapter_pg_reader *r, struct bus_str bytes, struct adapter_pg_change *out,
			     struct bus_error *err) BUS_MUSTCHECK;

#define ADAPTER_PG_LSN 20
/* "16/B374D848", as pg_lsn is written. out: ADAPTER_PG_LSN bytes; returned. */
char *adapter_pg_lsn(uint64_t lsn, char *out);
/* false: it is none. */
bool adapter_pg_lsn_read(struct bus_str text, uint64_t *out);

#endif
