/* adapters/care/judge.h - may a row that was refused once be published now? The rules of order (adapters/README.md) for a row that
 * comes after its time: what is newer under its key stands. One thread.
 */
#ifndef ADAPTERS_CARE_JUDGE_H
#define ADAPTERS_CARE_JUDGE_H

#include "adapters/feed.h"

enum adapter_late {
	ADAPTER_LATE_SEND,
	ADAPTER_LATE_SENT,  /* this very row is in the log already, from here */
	ADAPTER_LATE_SAME,  /* in the log from another row */
	ADAPTER_LATE_OLDER, /* what stands is newer, or a later whole file does not have it */
	ADAPTER_LATE_TWICE, /* another row of its file, or another event, stands under this key */
};

/* row->file: the number of the file it was refused from. *why: words for the refusals, in both languages. Leaves the index ready
 * for adapter_index_sent. */
enum bus_err adapter_late_judge(struct adapter_desk *d, const struct adapter_feed *f,
				const struct adapter_index_row *row, enum adapter_late *out, const char **why,
				struct bus_error *err) BUS_MUSTCHECK;

#endif
