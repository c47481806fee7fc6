/* gateway/engine/reading.h - the inside of reading, shared by the files behind gateway/engine/read.h: one reader a
 * thread, a read-only connection with its statements kept by their text. Thread: the reader's. */
#ifndef GATEWAY_ENGINE_READING_H
#define GATEWAY_ENGINE_READING_H

#include "gateway/engine/core.h"

#define GW_READ_STATEMENTS_MAX 64

struct kept {
	char *sql;
	struct gw_stmt *stmt;
	uint64_t used;
};

struct gw_reader {
	struct gw_engine *e;
	struct gw_db *db; /* opened at first use */
	struct gw_reader *next;
	struct kept kept[GW_READ_STATEMENTS_MAX];
	uint64_t clock;
	struct gw_value *value; /* of one row */
	size_t n_values;
	struct bus_buf packed, sql, pattern;
	struct gw_keys keys;
};

enum bus_err gw_read_check_date(const struct gw_view *v, const char *date,
				struct bus_error *err) BUS_MUSTCHECK;
/* A transaction for several statements that must see one state; gw_db_rollback ends it. */
enum bus_err gw_read_begin(struct gw_reader *r, struct bus_error *err) BUS_MUSTCHECK;
/* The values of the row that s stands on, as declared, and its hash. Borrowed until the next row. */
const struct gw_value *gw_read_row(struct gw_reader *r, const struct gw_view *v, struct gw_stmt *s,
				   uint64_t *hash);

/* The view's SELECT with the query's filters: of one key (:_key), of keys after :_key (at most :_limit), or their
 * number. Day and filters are bound. Borrowed; reset it after use. */
enum gw_select { GW_ONE_KEY, GW_KEYS_AFTER, GW_COUNT };
enum bus_err gw_read_prepare(struct gw_reader *r, const struct gw_query *q, enum gw_select shape,
			     struct gw_stmt **out, struct bus_error *err) BUS_MUSTCHECK;
/* *value NULL: no such row. *s stands on it: to be reset by the caller. */
enum bus_err gw_read_one(struct gw_reader *r, const struct gw_query *q, struct bus_str key,
			 const struct gw_value **value, uint64_t *hash, struct gw_stmt **s,
			 struct bus_error *err) BUS_MUSTCHECK;

#endif
