/* gateway/store/versions.h - every version of a topic's rows, beside the table that has the last: `_ver_<table>`.
 *
 * A version counts from its record's time (`_ts`, at the bus) until that of the next record of its key (`_until`), in the
 * order of offsets: at a moment T stands, of each key, the last record whose time is not after T, if that is no
 * tombstone. Events need none of this: of two with one key the first stays, so an event stands from its own time on.
 * Thread: the writer's.
 */
#ifndef GATEWAY_STORE_VERSIONS_H
#define GATEWAY_STORE_VERSIONS_H

#include "gateway/store/db.h"

#define GW_VERSIONS_PREFIX "_ver_"

struct gw_versions;

/* Made where it is missing, from the rows there are; columns and indexes as the table has them now. */
enum bus_err gw_versions_open(struct gw_db *db, const char *table, struct gw_versions **out,
			      struct bus_error *err) BUS_MUSTCHECK;
void gw_versions_close(struct gw_versions **v);
/* After the table's own row was written (put) or removed, by a record of that time. */
enum bus_err gw_versions_put(struct gw_versions *v, struct bus_str key, int64_t ts_ms,
			     struct bus_error *err) BUS_MUSTCHECK;
enum bus_err gw_versions_remove(struct gw_versions *v, struct bus_str key, int64_t ts_ms,
				struct bus_error *err) BUS_MUSTCHECK;
/* No trace of the key stays. */
enum bus_err gw_versions_forget(struct gw_versions *v, struct bus_str key,
				struct bus_error *err) BUS_MUSTCHECK;

#endif
