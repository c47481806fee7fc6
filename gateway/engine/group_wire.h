/* gateway/engine/group_wire.h - records of the group's topic, as bytes (before they are sealed).
 *
 * A record is its kind and what the kind says (struct gw_group_record); of a batch, items follow. Numbers are LEB128,
 * text and bytes a length and themselves. Reading is bounded: whatever does not fit is BUS_EDATA. Thread: any.
 */
#ifndef GATEWAY_ENGINE_GROUP_WIRE_H
#define GATEWAY_ENGINE_GROUP_WIRE_H

#include "bus/error.h"
#include "gateway/store/value.h"

#define GW_GROUP_NAME_MAX 64
#define GW_GROUP_URL_MAX 256
#define GW_GROUP_SCOPE_MAX 64 /* scope columns of a view */

enum gw_group_kind {
	GW_GROUP_CLAIM = 'C', /* node leads from here on, if epoch is the next one */
	GW_GROUP_BATCH =
	    'B', /* a part of batch n; counts if node leads in epoch, n is next and the part too */
	GW_GROUP_VOID = 'N', /* the parts of batch n so far are void */
	GW_GROUP_BEAT = 'P', /* node lives */
};

enum gw_group_role { GW_GROUP_FOLLOWS, GW_GROUP_LEADS, GW_GROUP_COPIES, GW_GROUP_LEAVES };

struct gw_group_record {
	enum gw_group_kind kind;
	uint64_t node; /* drawn at each start */
	uint64_t epoch;
	uint64_t store; /* CLAIM, BEAT: whose numbering */
	int64_t n;	/* BATCH, VOID: its number; else: the last batch that node has applied */
	uint64_t part;	/* BATCH: from 0 */
	bool last;	/* BATCH: its last part */
	/* BEAT */
	enum gw_group_role role;
	int64_t seq, behind;
	bool ready, fault;
	int64_t at_ms; /* node's clock; 0: an older gateway's, which does not say */
	char name[GW_GROUP_NAME_MAX], url[GW_GROUP_URL_MAX];
	struct bus_str items; /* BATCH; borrowed from the bytes read */
};

enum gw_group_what {
	GW_ITEM_INPUT = 'i',	 /* name: topic, part, n: offset to go on from. Before all others */
	GW_ITEM_DEFINE = 'S',	 /* name, n: defined by the topic, text: built beside, and switched to */
	GW_ITEM_WORDS = 'R',	 /* the same of the same rows in other words */
	GW_ITEM_DROP = 'X',	 /* name */
	GW_ITEM_REFILL = 'T',	 /* name: topic, part: schema id: read again, exchanged */
	GW_ITEM_SUM = 'W',	 /* name: this roll-up's numbers were made anew from its table */
	GW_ITEM_VIEW = 'V',	 /* name: what entries after it belong to */
	GW_ITEM_PRESENT = 'e',	 /* n: number (0: of a view without a log), text: key, hash, scope */
	GW_ITEM_GONE = 'd',	 /* n, text: key */
	GW_ITEM_WAITS = 'k',	 /* name: some of its keys wait for evaluation */
	GW_ITEM_WAITS_ALL = 'a', /* name: it waits as a whole */
	GW_ITEM_END = 'Z',	 /* n: the newest number, part: minute. Once, the last of all */
};

struct gw_group_item { /* borrowed from the bytes read */
	enum gw_group_what what;
	struct bus_str name, text;
	int64_t n;
	int64_t part;
	uint64_t hash;
	struct gw_value scope[GW_GROUP_SCOPE_MAX];
	size_t n_scope;
};

void gw_group_put_record(struct bus_buf *out, const struct gw_group_record *r); /* without its items */
enum bus_err gw_group_read_record(struct bus_str bytes, struct gw_group_record *out) BUS_MUSTCHECK;
void gw_group_put_item(struct bus_buf *out, const struct gw_group_item *i);
/* Takes one off the front of items, which is not empty. */
enum bus_err gw_group_read_item(struct bus_str *items, struct gw_group_item *out) BUS_MUSTCHECK;

#endif
