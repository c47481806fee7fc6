/* adapters/change/statement.h - what a statement in MariaDB's binary log means for a table whose rows are followed.
 *
 * With binlog_format=ROW the log has a table's rows, and as statements only what changes tables themselves. A session may
 * log its changes as statements for all that. A statement is not understood here: one that may concern the table does,
 * and the table is then read anew, which costs time and is never wrong. Thread: any.
 */
#ifndef ADAPTERS_CHANGE_STATEMENT_H
#define ADAPTERS_CHANGE_STATEMENT_H

#include "bus/mem.h"

enum adapter_statement {
	ADAPTER_STATEMENT_NOTHING, /* to us */
	ADAPTER_STATEMENT_COMMIT,
	ADAPTER_STATEMENT_ROLLBACK,
	ADAPTER_STATEMENT_ROLLBACK_TO, /* a savepoint */
	ADAPTER_STATEMENT_XA_COMMIT,
	ADAPTER_STATEMENT_TRUNCATE, /* the table is emptied */
	ADAPTER_STATEMENT_ALTERS,   /* it is made, dropped, renamed or altered */
	ADAPTER_STATEMENT_CHANGES,  /* rows are changed by a statement, perhaps ours */
};

/* in: the database that the statement was run in. schema, table: ours. */
enum adapter_statement adapter_statement_of(struct bus_str text, struct bus_str in, const char *schema,
					    const char *table);

#endif
