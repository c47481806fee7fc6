/* gateway/engine/provenance.h - where each cell of a row came from: department, topic, partition, offset, schema version,
 * time of the records it was made of, through the views between. Evaluated, not inferred (gateway/define/trace.h), in
 * the same snapshot as the row. Thread: the reader's.
 */
#ifndef GATEWAY_ENGINE_PROVENANCE_H
#define GATEWAY_ENGINE_PROVENANCE_H

#include "gateway/engine/read.h"

/* provenance: a JSON object, a member for each column of `shown`:
 *   {"way":"copied"|"computed"|"counted", "rows":N, "complete":true, "sources":[{"opd","topic","partition","offset",
 *    "time","schema":{"id","subject","version"},"table","columns":[...],"via":[...]}]}
 * rows: records (of what is counted: rows of the table or view that is counted; null where that is not known); not
 * complete: the first of them are listed. Or {"sources":null,"reason":CODE,"detail","declared":[...]}:
 *   masked        not in `clear`
 *   untraceable   the SELECT reads it in a way that gives no exact answer; declared: what the definition says
 *   pending       a view between waits for its evaluation: ask again
 *   too-many      it takes more than a request may cost
 */
typedef void (*gw_traced_fn)(void *ctx, const struct gw_value *value, uint64_t hash,
			     struct bus_str provenance);
/* q: the view, the day, the part of it that the reader may see; its filters are not looked at. */
enum bus_err gw_traced(struct gw_reader *r, const struct gw_query *q, struct bus_str key, uint64_t shown,
		       uint64_t clear, gw_traced_fn fn, void *ctx,
		       struct bus_error *err) BUS_MUSTCHECK; /* BUS_ENOENT */

#endif
