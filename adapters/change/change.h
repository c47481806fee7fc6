/* adapters/change/change.h - a table of PostgreSQL or MariaDB that is followed: every change, as soon as it is committed.
 *
 * A feed whose mapping has `change:` gets a thread (link.h), which makes a replication slot and writes the table as
 * it was at that moment into the drop folder: a file as any other (pass.h), a complete set. Once that has been read
 * to its end, the slot's stream is followed: the thread reads it into a bounded queue, the adapter's own thread maps
 * each row and publishes it (follow.c). A place in the stream is confirmed to the server only when everything before
 * it is in Kafka; a restart finds in the log what is there already (at.h). So nothing is lost or doubled wherever a
 * kill falls, and the server keeps on its disk what is not confirmed, and nothing longer.
 *
 * MariaDB has a place in its binary log where PostgreSQL has a slot, and does not remember it for us: it stands in the feed's
 * mark beside the drop folder, and its log is purged whether it was read or not.
 *
 * What cannot be followed (the slot is gone, the table was truncated, a column that the mapping uses is gone) ends in
 * a new slot and a new complete set: the difference is published, and remove_max guards it.
 *
 * Thread: the adapter's own, but for what link.c calls.
 */
#ifndef ADAPTERS_CHANGE_CHANGE_H
#define ADAPTERS_CHANGE_CHANGE_H

#include "adapters/map.h"

struct adapter_change;
struct adapter_desk;
struct adapter_feed;

/* *out NULL: the mapping has no `change:`. Its options are checked here (BUS_EPARSE, file:line), nobody is asked.
 * m and dir (the drop folder) stay until free. */
enum bus_err adapter_change_new(struct adapter_map *m, const char *dir, struct adapter_change **out,
				struct bus_error *err) BUS_MUSTCHECK;
/* Asks conf for every option there is, and does nothing else: for what lists them. */
void adapter_change_options(struct bus_yaml *yaml, struct bus_yaml_node *conf);
void adapter_change_free(struct adapter_change **c); /* ends its thread first */

/* Asks the server whether the table can be followed (log, rights, publication, identity), and changes nothing there. err
 * says the remedy, as SQL where it is. Not after start. */
enum bus_err adapter_change_test(struct adapter_change *c, struct bus_error *err) BUS_MUSTCHECK;

/* wake_fd: an eventfd, written to when there is something to do. */
enum bus_err adapter_change_start(struct adapter_change *c, int wake_fd, struct bus_error *err) BUS_MUSTCHECK;

/* Does what there is to do for the feed, for a moment (some 50 ms). *more: there is more already. Errors end the
 * desk, as those of a file do. */
enum bus_err adapter_change_step(struct adapter_desk *d, struct adapter_feed *f, bool *more,
				 struct bus_error *err) BUS_MUSTCHECK;

#endif
