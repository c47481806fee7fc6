/* gateway/define/trial.h - routes put to the test before they are believed.
 *
 * Tables are filled with made-up rows (few values, so that joins meet; the SELECT's own literals, so that its
 * conditions are met), then changed one row at a time. After each change the view is computed from nothing and
 * compared with what it was: every key that differs must be among those that the changed table's routes give for
 * the row before and after. What a trial finds is wrong; what it does not find is not proven, but a route that is
 * missing or leads elsewhere does not stay hidden for long. The same seed makes the same trial. No row of the city
 * is in it. Thread: one.
 */
#ifndef GATEWAY_DEFINE_TRIAL_H
#define GATEWAY_DEFINE_TRIAL_H

#include "gateway/define/view.h"

#define GW_TRIAL_TABLES_MAX 64

struct gw_trial_table {
	const char *table; /* of the definition */
	int changes;	   /* rows changed */
	int mattered;	   /* of them: a row of the view differed */
	int missed;	   /* of them: a differing key that no route gave */
	char column[64];   /* of a missed one: what was changed; "" a whole row came or went */
	int64_t steps;	   /* of SQLite's machine, to evaluate one key: the most that one took */
};

struct gw_trial {
	struct gw_trial_table table[GW_TRIAL_TABLES_MAX];
	size_t n;
	int twice;	  /* keys that two rows had */
	int nulls;	  /* rows without a key */
	int wrong_type;	  /* values that are not of their column's declared type */
	int wrong_column; /* of one of them */
	bool cut;	  /* the time was over before all changes were made */
};

/* db: gw_sandbox_open's, empty; d: bound to it. At most ms milliseconds. BUS_ETIMEOUT, BUS_ETOOBIG: even the first
 * evaluation of a few rows is too much. */
enum bus_err gw_trial_run(struct gw_db *db, const struct gw_def *d, const struct gw_world *w, int ms,
			  struct gw_trial *out, struct bus_error *err) BUS_MUSTCHECK;

#endif
