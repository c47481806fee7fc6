/* adapters/feed.h - what the runner, the reading of one file and the removal share.
 *
 * A desk is all that one running adapter holds: where it publishes, what the log holds, the shapes of its two
 * own records. A feed is one mapping on that desk. Both live as long as adapter_run. One thread.
 */
#ifndef ADAPTERS_FEED_H
#define ADAPTERS_FEED_H

#include "adapters/change/change.h"
#include "adapters/drop.h"
#include "adapters/fetch/fetch.h"
#include "adapters/map.h"
#include "adapters/pace.h"
#include "adapters/position.h"
#include "adapters/publish.h"
#include "adapters/quiet.h"
#include "adapters/reference/keep.h"

/* Where a test may pull the plug. */
enum adapter_point {
	ADAPTER_AT_START,     /* the file's first record is on its way */
	ADAPTER_AT_ROW,	      /* a row has been dealt with */
	ADAPTER_AT_END,	      /* all rows are; nothing flushed */
	ADAPTER_AT_ACKED,     /* all of the file's records are in the log */
	ADAPTER_AT_TOMBSTONE, /* one has been sent */
	ADAPTER_AT_CLOSED,    /* the file's last record is in the log; the file is not moved yet */
	ADAPTER_AT_IDLE,      /* no file is waiting */
};
/* true: stop here at once, as if killed. */
typedef bool (*adapter_hook_fn)(void *ctx, enum adapter_point point);

struct adapter_live;

struct adapter_feed {
	struct adapter_map *map;
	struct adapter_fetch *fetch;   /* NULL: its files are dropped */
	struct adapter_change *change; /* NULL: no table is followed */
	struct adapter_live *live;     /* NULL: nothing is posted to it */
	struct adapter_part *part;     /* its topic */
	struct schema *schema;
	int32_t schema_id;
	struct adapter_seen *best; /* newest_by: of this file, the row of each key that stands; else NULL */
	struct adapter_seen *contained; /* complete: the keys of this file; else NULL */
	char *source;			/* ce_source */
	struct adapter_pace pace;
	int older, unique; /* class indices; -1: none */
};

struct adapter_desk {
	const char *opd;
	const uint8_t *opd_key;		 /* NULL: none */
	const char *state_dir;		 /* for temporary files */
	struct bus_pseudonym *pseudonym; /* with the city's key */
	struct bus_kafka_conf kafka;
	struct schema_store *store;
	struct adapter_publisher *publisher;
	struct adapter_owner *owner;	     /* of the run: outlives the desk */
	struct adapter_reference *reference; /* likewise; NULL: no mapping names a reference topic */
	uint64_t references_seen;	     /* adapter_reference_changes() when they were taken up last */
	struct adapter_position position;
	struct adapter_part *files_part, *quarantine_part;
	struct adapter_shape files_shape, quarantine_shape;
	struct adapter_drop *drop;
	int wake_fd; /* eventfd: a followed table has news */
	struct adapter_feed *feed;
	size_t n_feeds;
	struct adapter_pace pace; /* of all feeds together */
	struct adapter_quiet quiet;
	bool quiet_told;
	adapter_hook_fn hook; /* NULL: none */
	void *hook_ctx;
};

static inline bool adapter_plug_pulled(const struct adapter_desk *d, enum adapter_point point)
{
	return d->hook && d->hook(d->hook_ctx, point);
}

/* A file's name as it may stand in records and logs: well-formed UTF-8, and digits of a NIK or longer number
 * (16 in a row) as '#'. out: 256 bytes. */
void adapter_file_label(const char *name, char *out, size_t n);

#endif
