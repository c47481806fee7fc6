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

#include "bus/mem.h"

struct gw_db;

enum gw_fun {			 /* what a call's value is made of */
	      GW_FUN_NONE,	 /* not to be called in a view */
	      GW_FUN_PLAIN,	 /* of all its arguments */
	      GW_FUN_FIRST,	 /* of the first that is not null: coalesce, ifnull */
	      GW_FUN_FIRST_TEXT, /* of the first that is not null and not empty: otoritas */
	      GW_FUN_IF,	 /* of a condition, and the value it chose */
	      GW_FUN_COUNT,	 /* the number of rows, or of those with a value */
	      GW_FUN_SUM,	 /* sum, total, avg: no row's own value comes through */
	      GW_FUN_EXTREME,	 /* min, max: of one argument an aggregate, of several plain */
	      GW_FUN_LIST,	 /* every row's own value: group_concat */
	      GW_FUN_LIST_ALL,	 /* nulls with them: json_group_array */
};

void gw_sqlfun_register(struct gw_db *db);
enum gw_fun gw_sqlfun_kind(struct bus_str name); /* any case */
bool gw_sqlfun_allowed(const char *name);	 /* in a view */

#endif
