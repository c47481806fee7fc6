/* gateway/engine/evolve.h - a topic's newer schema, taken up while the gateway runs.
 *
 * A table holds what every record of its topic says, read with one schema: the reader's. When a newer version is
 * registered, it is
 *   taken up in place   fields were added, with defaults that a column can have, or types were widened within one
 *                       SQLite type (int to long): the table gets columns, views go on
 *   taken up by replay  anything else that it can read of what is there (another SQLite type, a field gone or
 *                       renamed): the topic is read again from its beginning into a table beside (gateway/engine/
 *                       refill.c). Until that has caught up, readers see the table as it stood, and /v1/topics how
 *                       far it is behind; then the two are exchanged in one transaction, and views that read it are
 *                       evaluated
 *   held back           a view reads a field that would be gone, or it cannot read what was written before: the table
 *                       goes on with the schema it has (Avro's rules say what it makes of newer records), the reason
 *                       stands in /v1/topics, and it is looked at again when views change or a newer version comes
 * Which schema a table has is kept in `_meta` (`schema:<topic>`), so a restart changes nothing of this.
 * Thread: the writer's.
 */
#ifndef GATEWAY_ENGINE_EVOLVE_H
#define GATEWAY_ENGINE_EVOLVE_H

#include "gateway/engine/core.h"

/* The schema to open the table with: the one it had, else the newest. Takes nothing; *out is the caller's. */
enum bus_err gw_evolve_start(struct gw_engine *e, struct gw_topic *t, struct schema **out, int32_t *id,
			     struct bus_error *err) BUS_MUSTCHECK;
/* Looks whether there is a newer schema; in the open transaction, or one of its own that is left open. A replay is only
 * asked for (t->replay): the caller begins it between two batches. */
enum bus_err gw_evolve(struct gw_engine *e, struct gw_topic *t, struct bus_error *err) BUS_MUSTCHECK;
enum bus_err gw_evolve_note(struct gw_engine *e, const struct gw_topic *t,
			    struct bus_error *err) BUS_MUSTCHECK;

/* refill.c: begins: from now on the topic's records go to the table beside, and its partitions are at their
 * beginning (the caller fetches them from there). */
enum bus_err gw_refill_begin(struct gw_engine *e, struct gw_topic *t, struct bus_error *err) BUS_MUSTCHECK;
/* Every record that the table had seen has been read again. at_end(ctx, part): nothing comes before the place where
 * the partition was (compaction may have taken the last records). */
bool gw_refill_done(struct gw_engine *e, const struct gw_topic *t, bool (*at_end)(void *ctx, int slot),
		    void *ctx);
enum bus_err gw_refill_end(struct gw_engine *e, struct gw_topic *t, struct bus_error *err) BUS_MUSTCHECK;
void gw_evolve_hold(struct gw_engine *e, struct gw_topic *t,
		    const char *why);				/* NULL: nothing is held back */
void gw_refill_forget(struct gw_engine *e, struct gw_topic *t); /* what memory holds of it */

#endif
