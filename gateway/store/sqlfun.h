/* gateway/store/sqlfun.h - the SQL functions that views may call, beside an allow-list of SQLite's own.
 *
 *   nama_baku(text)         a name in its plain form (gateway/store/name.h)
 *   usia_tahun(born, day)   completed years;  usia_bulan(born, day)  completed months
 *
 * Days are ISO text (2025-12-31); NULL or no such text gives NULL. All are functions of their arguments:
 * a view that asked for the time of day would differ from its own change log.
 */
#ifndef GATEWAY_STORE_SQLFUN_H
#define GATEWAY_STORE_SQLFUN_H

#include <stdbool.h>

struct gw_db;

void gw_sqlfun_register(struct gw_db *db);
bool gw_sqlfun_allowed(const char *name); /* in a view */

#endif
