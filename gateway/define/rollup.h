/* gateway/define/rollup.h - a SELECT that groups the rows of one table, kept by what changed instead of by reading groups.
 *
 *     SELECT g, count(*), sum(x) FROM one_table [WHERE ...] GROUP BY g [HAVING ...]
 *
 * A group's numbers are kept in a table of their own, "_sum_<view>": how many rows, and for each argument of an
 * aggregate how many values, their sum, and how many of them are not whole numbers (of up to 2^52). A changed row takes
 * its old image out and puts its new one in; WHERE, groups and arguments are SQLite's to evaluate on the image, so
 * they mean what they mean in the SELECT. count, sum, total and avg come from these numbers, exactly: a group that has
 * a value which is no whole number reads its rows again, and so do min and max, through an index. A group of no rows
 * goes. Without GROUP BY there is one group, which never goes.
 *
 * The form is found in the text alone and conservatively: what is not surely of it stays what it was, with the
 * reason in gw_def.no_rollup. Only views whose key is nobody's (pdp N) are kept so: groups of persons are small,
 * and their numbers would be a second copy of personal data. Such a view is stored in full.
 * Thread: the caller's.
 */
#ifndef GATEWAY_DEFINE_ROLLUP_H
#define GATEWAY_DEFINE_ROLLUP_H

#include "gateway/define/view.h"

struct gw_rollup {
	const char *table, *alias; /* the one that is read, and its name in the SELECT, both plain */
	bool whole;		   /* no GROUP BY */
	bool rereads;		   /* min or max */
	const char *where;	   /* the condition, or "true" */
	const char *having;	   /* over the state; or "true" */
	const char *key;	   /* the key's expression over the table */
	const char *const *group;  /* expressions over the table */
	size_t n_groups;
	const char *const *named; /* of them, those that GROUP BY calls by an output's name */
	size_t n_named;
	const struct gw_rollup_arg {
		const char *text; /* expression over the table */
		bool summed;	  /* else only counted */
	} * arg;
	size_t n_args;
	const char *const *item; /* output columns as expressions over the state, in their order; n_items */
	const char *const
	    *plain_item; /* the same where all are whole numbers: what is looked at for its plan */
	size_t n_items;
};

/* After the front matter is read: fills d->rollup and then sets d->full, or d->no_rollup. */
void gw_rollup_find(struct gw_def *d);

/* Against the tables that are there, once the columns are in the SELECT's order: false, and d->rollup gone and
 * d->no_rollup filled, when SQLite does not take the form, or min and max have no index to go by. */
bool gw_rollup_bind(struct gw_db *db, struct gw_def *d, const struct gw_catalogue *c);

/* SQL, for a d->rollup. */
/* The state. */
enum bus_err gw_rollup_create(struct gw_db *db, const struct gw_def *d, struct bus_buf *out, struct bus_error *err) BUS_MUSTCHECK;
/* SELECT of the numbers of `from`'s groups, and INSERT that takes one of its rows, as parameters, into an empty state. */
void gw_rollup_sums(struct gw_db *db, const struct gw_def *d, const char *from, const char *sign, bool all, struct bus_buf *out);
void gw_rollup_put(const struct gw_def *d, struct bus_buf *out);
/* INSERT that adds `from`'s rows (plain name of a table like rollup.table), each times `sign`, to the state; gives
 * (_r_id, _r_key, _r_n) of the groups it touched. all: those whose numbers are as before, too. */
void gw_rollup_add(struct gw_db *db, const struct gw_def *d, const char *from, const char *sign, bool all, struct bus_buf *out);
/* "SELECT "a","b" FROM (...) ": the rows of the view, from the state. */
void gw_rollup_select(const struct gw_def *d, struct bus_buf *out);
/* The same where all are whole numbers: to be looked at for its plan. The state is called _r there. */
void gw_rollup_select_plain(const struct gw_def *d, struct bus_buf *out);

#endif
