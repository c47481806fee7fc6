/* adapters/row.h - one row of the file in hand: accepted or refused, published or there already.
 *
 * Decisions depend on nothing but the file and what the log held before it, so that every reading of the file
 * comes to the same counts, wherever the last one was interrupted. With newest_by the older of two rows of
 * one file is refused when the newer one comes: its counts move from accepted to refused, and its quarantine
 * record has no sealed row.
 *
 * A row of a followed table (change/) stands at a place in its stream. What is at or before the place of its
 * partition's last record is in the log already; its line in quarantine is the LSN of its commit. One thread.
 */
#ifndef ADAPTERS_ROW_H
#define ADAPTERS_ROW_H

#include "adapters/feed.h"

struct adapter_reading { /* one file being read */
	struct adapter_desk *d;
	struct adapter_feed *f;
	struct adapter_tally *t;
	struct adapter_origin origin; /* file and source are set */
	int64_t file_time_ms;	      /* its mtime, for rows that know no time */
	uint32_t number;	      /* of the file */
	const struct adapter_at *at;  /* of a followed table: where in its stream; NULL: a file */
	uint64_t line, nth;	      /* of the last row: its line, and which row on that line */
	bool contain;		      /* keys are kept for the removal */
	size_t kept;		      /* of them, live ones */
	struct bus_buf value, cells;  /* of a quarantine record */
};

enum bus_err adapter_row_take(struct adapter_reading *r, const struct adapter_row *row,
			      struct bus_error *err) BUS_MUSTCHECK;
/* Of a followed table: the row with this key is gone. A tombstone, unless there is nothing to remove. */
enum bus_err adapter_row_remove(struct adapter_reading *r, struct bus_str key,
				struct bus_error *err) BUS_MUSTCHECK;

#endif
