/* adapters/fetch/outbox.h - an outbox: a table into which programs write what happened, in the transaction in which it happened.
 *
 *     outbox: {table: kotak_keluar, id: id, after: delete, wait: 1m}
 *
 * Rows come in the order of their ids. Ids are given before transactions commit, so one that is missing may still come: what
 * lies behind it waits, but no longer than `wait` after an id greater than the missing one was first seen; then it is taken for
 * one that was rolled back. With `after` delete or {mark: COLUMN} one that comes later still is taken then, out of its order;
 * with keep it is not seen any more. What happens to rows there happens when their file has been read to its end, and to no row
 * but those that were in it. No database here. Thread: one.
 */
#ifndef ADAPTERS_FETCH_OUTBOX_H
#define ADAPTERS_FETCH_OUTBOX_H

#include "adapters/fetch/after.h"
#include "bus/buf.h"
#include "bus/yaml.h"

#define ADAPTER_OUTBOX_BATCH 5000 /* rows of a fetch */
#define ADAPTER_OUTBOX_LOOKS 32

struct adapter_outbox_range {
	int64_t from, to; /* both included; every id between them was taken */
};

struct adapter_outbox {
	const char *table, *id, *column; /* column: with ADAPTER_AFTER_NAMED */
	enum adapter_after after;
	int64_t wait_ms;
	/* of the runs */
	bool begun;   /* a row has been taken, ever */
	int64_t last; /* the greatest id taken */
	struct {
		int64_t max, at_ms;
	} look[ADAPTER_OUTBOX_LOOKS]; /* the greatest id there was, and when */
	size_t n_looks;
	struct adapter_outbox_range *range; /* of the rows taken by this run, or by the one before */
	size_t n_ranges;
	struct bus_buf mark;
};

enum bus_err adapter_outbox_read(struct adapter_outbox *o, struct bus_yaml *yaml, struct bus_yaml_node *conf,
				 struct bus_error *err) BUS_MUSTCHECK;
void adapter_outbox_release(struct adapter_outbox *o);

/* What the mark says: the last id, and the ranges of the file brought before. BUS_EDATA: it is none of ours. */
enum bus_err adapter_outbox_begin(struct adapter_outbox *o, struct bus_str mark,
				  struct bus_error *err) BUS_MUSTCHECK;
/* What is done there to the rows of a range; appended, without a `;`. Not with ADAPTER_AFTER_KEEP. */
void adapter_outbox_settle_sql(const struct adapter_outbox *o, const struct adapter_outbox_range *r,
			       struct bus_buf *sql);
void adapter_outbox_settled(struct adapter_outbox *o); /* the ranges are forgotten: rows are taken now */

void adapter_outbox_max_sql(const struct adapter_outbox *o, struct bus_buf *sql);
void adapter_outbox_look(struct adapter_outbox *o, int64_t max, int64_t now_ms); /* monotonic */
void adapter_outbox_rows_sql(const struct adapter_outbox *o, struct bus_buf *sql);
/* May the row be taken, now that those before it were? Ids ascend. */
bool adapter_outbox_may(const struct adapter_outbox *o, int64_t id, int64_t now_ms);
void adapter_outbox_take(struct adapter_outbox *o, int64_t id);
struct bus_str adapter_outbox_mark(struct adapter_outbox *o); /* borrowed until the next call */

#endif
