/* What keeps SQL of people we do not know small, and tells what it does. Limits start from
 * sqlite.org/security.html, raised where shipped views need it. */
#include "gateway/store/db_impl.h"

void gw_db_narrow(struct gw_db *db)
{
	static const struct {
		int id, value;
	} limit[] = {
		{ SQLITE_LIMIT_LENGTH, 4 * 1024 * 1024 }, /* bytes of a value, of a row */
		{ SQLITE_LIMIT_SQL_LENGTH,
		  128 * 1024 }, /* a definition's 100 kB, and what we put around it */
		{ SQLITE_LIMIT_COLUMN, 512 },
		{ SQLITE_LIMIT_EXPR_DEPTH, 100 },
		{ SQLITE_LIMIT_COMPOUND_SELECT, 20 },
		{ SQLITE_LIMIT_VDBE_OP, 100000 },
		{ SQLITE_LIMIT_FUNCTION_ARG, 64 },
		{ SQLITE_LIMIT_ATTACHED, 0 },
		{ SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 200 },
		{ SQLITE_LIMIT_VARIABLE_NUMBER, 16 },
		{ SQLITE_LIMIT_TRIGGER_DEPTH, 1 },
		{ SQLITE_LIMIT_WORKER_THREADS, 0 },
	};

	for (size_t i = 0; i < BUS_LEN(limit); i++) {
		if (sqlite3_limit(db->handle, limit[i].id, -1) > limit[i].value)
			sqlite3_limit(db->handle, limit[i].id, limit[i].value);
	}
}

void gw_db_memory_limit(int64_t bytes)
{
	sqlite3_hard_heap_limit64(bytes);
}

int gw_db_error_offset(struct gw_db *db)
{
	return sqlite3_error_offset(db->handle);
}

bool gw_stmt_origin(struct gw_stmt *s, int column, const char **table, const char **origin)
{
	*table = sqlite3_column_table_name(s->handle, column);
	*origin = sqlite3_column_origin_name(s->handle, column);
	return *table && *origin;
}

int64_t gw_stmt_steps(struct gw_stmt *s)
{
	return sqlite3_stmt_status(s->handle, SQLITE_STMTSTATUS_VM_STEP, 1);
}

int64_t gw_stmt_scanned(struct gw_stmt *s)
{
	return sqlite3_stmt_status(s->handle, SQLITE_STMTSTATUS_FULLSCAN_STEP, 1);
}
