/* adapters/index.h - what one entity topic holds: of each key, the record that stands there now.
 *
 * Rebuilt from the log at start, kept up with what is published; never written to disk but as cache
 * (seen.h). It answers the one question of the runner: what is to be done with this row?
 *
 * `file` is the runner's number of a file (0: unknown). An entry of the file in hand was published by an
 * earlier, interrupted reading of it: that is how a restart goes on without a mark of its own.
 * Thread: one.
 */
#ifndef ADAPTERS_INDEX_H
#define ADAPTERS_INDEX_H

#include "adapters/seen.h"

struct adapter_index;

enum adapter_verdict {
	ADAPTER_SEND,	 /* new, or changed */
	ADAPTER_SENT,	 /* this file's, and in the log already */
	ADAPTER_SAME,	 /* in the log from an earlier file, unchanged */
	ADAPTER_OLDER,	 /* newest_by: what stands there is of the same or a higher version */
	ADAPTER_CONFLICT /* an event that is in the log with other content */
};

enum adapter_index_rule {
	ADAPTER_RULE_LATEST, /* register: the later row stands */
	ADAPTER_RULE_NEWEST, /* register with newest_by: the higher version stands */
	ADAPTER_RULE_FIRST,  /* events: the first record of an id stands */
};

enum bus_err adapter_index_new(const char *dir, enum adapter_index_rule rule, struct adapter_index **out,
			       struct bus_error *err) BUS_MUSTCHECK;
void adapter_index_share(struct adapter_index *ix, struct adapter_seen_budget *b); /* adapter_seen_share */
void adapter_index_free(struct adapter_index **ix);

struct adapter_index_row {
	struct bus_str key;
	uint64_t content; /* adapter_fingerprint of the Avro bytes */
	int64_t version;
	uint32_t file, line;
};

/* Makes room for the key (BUS_EFULL: before anything was published) and judges. */
enum bus_err adapter_index_judge(struct adapter_index *ix, const struct adapter_index_row *row,
				 enum adapter_verdict *out, struct bus_error *err) BUS_MUSTCHECK;
/* What stands under the key judged last: its content, version, file and line; content 0: nothing does, and file 0 too:
 * nothing ever did. */
struct adapter_index_row adapter_index_stands(const struct adapter_index *ix);
enum adapter_index_rule adapter_index_rule(const struct adapter_index *ix);
/* The row judged last has been published. */
void adapter_index_sent(struct adapter_index *ix, const struct adapter_index_row *row);

/* A record read from the log; removed: a tombstone. *again: a tombstone that this file had sent before. */
enum bus_err adapter_index_load(struct adapter_index *ix, const struct adapter_index_row *row, bool removed,
				bool *again, struct bus_error *err) BUS_MUSTCHECK;
void adapter_index_remove(struct adapter_index *ix, struct bus_str key,
			  uint32_t file); /* a tombstone was sent */

bool adapter_index_live(struct adapter_index *ix, struct bus_str key);
size_t adapter_index_count(const struct adapter_index *ix); /* live keys */

#endif
