/* adapters/change/binlog.h - what a MariaDB server's binary log says of one table, event by event.
 *
 * Format: MariaDB Knowledge Base, "Replication protocol": "2-Binlog event header", "FORMAT_DESCRIPTION_EVENT",
 * "GTID_EVENT", "QUERY_EVENT", "TABLE_MAP_EVENT", "Rows_event_v1/v2", "Compressed events"; for the optional metadata of a
 * TABLE_MAP and the images of the values also what server 10.11 writes. The server must log rows whole
 * (binlog_row_image=FULL) with their columns' names (binlog_row_metadata=FULL); where it did not, that is told.
 *
 * No network here: bytes in, one event out, its rows one by one. A server is trusted little more than a file: every count
 * and length is checked against the bytes there are. Events of other tables are OTHER. Thread: one.
 */
#ifndef ADAPTERS_CHANGE_BINLOG_H
#define ADAPTERS_CHANGE_BINLOG_H

#include <stdint.h>

#include "bus/error.h"
#include "bus/mem.h"

#define ADAPTER_BINLOG_COLUMNS_MAX 4096 /* MariaDB's own limit, MAX_FIELDS */

/* How a column's bytes become text. What a TABLE_MAP does not say the server is asked for, in SQL. */
enum adapter_binlog_spell {
	ADAPTER_BINLOG_UTF8,   /* and numbers, dates: as they are */
	ADAPTER_BINLOG_LATIN1, /* MariaDB's, which is Windows-1252 */
	ADAPTER_BINLOG_HEX,
	ADAPTER_BINLOG_UUID,
	ADAPTER_BINLOG_INET4,
	ADAPTER_BINLOG_INET6,
};

struct adapter_binlog_column { /* one that is wanted */
	const char *name;
	enum adapter_binlog_spell spell;
};

enum adapter_binlog_kind {
	ADAPTER_BINLOG_OTHER,
	ADAPTER_BINLOG_ROTATE,	  /* what follows is of file, from position on */
	ADAPTER_BINLOG_FORMAT,	  /* a file begins */
	ADAPTER_BINLOG_GTID,	  /* a transaction begins: domain, seq, flags, xid */
	ADAPTER_BINLOG_QUERY,	  /* a statement: database, text */
	ADAPTER_BINLOG_COMMIT,	  /* the transaction ends (XID) */
	ADAPTER_BINLOG_PREPARE,	  /* it ends, and another one will decide on it (XA PREPARE) */
	ADAPTER_BINLOG_TABLE,	  /* ours is described, as it was or otherwise */
	ADAPTER_BINLOG_ROWS,	  /* of ours: adapter_binlog_next */
	ADAPTER_BINLOG_STATEMENT, /* of other forms than QUERY: LOAD DATA as a statement. text: all there is */
	ADAPTER_BINLOG_INCIDENT,  /* the server says that something is missing here */
	ADAPTER_BINLOG_HEARTBEAT, /* nothing happens */
};

/* Flags of a GTID (sql/log_event.h, Gtid_log_event). */
#define ADAPTER_BINLOG_STANDALONE 1
#define ADAPTER_BINLOG_PREPARED 64
#define ADAPTER_BINLOG_COMPLETED 128

enum adapter_binlog_op { ADAPTER_BINLOG_INSERT, ADAPTER_BINLOG_UPDATE, ADAPTER_BINLOG_DELETE };

struct adapter_binlog_event { /* borrowed until the next read */
	enum adapter_binlog_kind kind;
	uint32_t time_s, server_id;
	uint32_t end;	     /* where the next one begins in the file; 0: this one is in no file */
	struct bus_str file; /* ROTATE */
	uint64_t position;
	uint32_t domain; /* GTID */
	uint64_t seq;
	uint8_t flags;
	struct bus_str xid;
	struct bus_str database, text; /* QUERY, STATEMENT */
	enum adapter_binlog_op op;     /* ROWS */
};

struct adapter_binlog_value { /* of a wanted column */
	bool missing;	      /* the table does not have it, or the row's image does not */
	bool null;
	struct bus_str text;
};

struct adapter_binlog;

/* column is copied, its names are not. checksum: events end in a CRC until the log says otherwise. */
struct adapter_binlog *adapter_binlog_new(const char *database, const char *table,
					  const struct adapter_binlog_column *column, size_t n,
					  bool checksum);
void adapter_binlog_free(struct adapter_binlog **b);

/* BUS_EDATA: no event, or a checksum that does not fit. BUS_EINVAL: the server does not log what is needed of our table;
 * what, and the remedy. The reader is then of no more use. */
enum bus_err adapter_binlog_read(struct adapter_binlog *b, struct bus_str bytes,
				 struct adapter_binlog_event *out, struct bus_error *err) BUS_MUSTCHECK;

/* Whether our table, as described last, has this wanted column. */
bool adapter_binlog_has(const struct adapter_binlog *b, size_t i);

/* The next row of ROWS: *old (UPDATE, DELETE) and *new (INSERT, UPDATE), one value a wanted column, or NULL; borrowed until
 * the next call. BUS_ENOENT after the last. BUS_EINVAL, BUS_EDATA: as above. */
enum bus_err adapter_binlog_next(struct adapter_binlog *b, const struct adapter_binlog_value **old,
				 const struct adapter_binlog_value **new,
				 struct bus_error *err) BUS_MUSTCHECK;

/* The text of a DOUBLE, of a FLOAT: the shortest that reads back as the same number. */
#define ADAPTER_BINLOG_NUMBER 40
void adapter_binlog_put_double(double v, char out[ADAPTER_BINLOG_NUMBER]);
void adapter_binlog_put_float(float v, char out[ADAPTER_BINLOG_NUMBER]);

#endif
