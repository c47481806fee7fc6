/* adapters/care/figures.h - what a running adapter counts of itself, for `status` and whoever reads metrics.
 *
 * Metrics (bus/metrics.h) since the program began; once a second a thread writes all of them as Prometheus text to
 * "<drop folder>/done/.status", atomically. So the page needs no port, and works while Kafka is away and the adapter's own thread
 * waits for it. No value, key or name of a row or file is in it. The functions of _figures_: any thread.
 */
#ifndef ADAPTERS_CARE_FIGURES_H
#define ADAPTERS_CARE_FIGURES_H

#include "adapters/tally.h"

#define ADAPTER_FIGURES_FILE "done/.status"

/* Counts follow a file while it is read, and a table while it is followed: what the tally has more than it had is added. */
void adapter_figures_reading(struct adapter_tally *t, uint64_t bytes); /* in the middle of a file */
void adapter_figures_followed(
    struct adapter_tally *t); /* may be called for each record: looks twice a second */
void adapter_figures_closed(struct adapter_tally *t);
void adapter_figures_withdrawn(
    struct adapter_tally *t); /* unless closed: it will be read again from its start */
void adapter_figures_kafka(bool away);
void adapter_figures_fetched(const char *feed, bool failed, int64_t next_ms); /* next_ms: from now */

struct adapter_figures;
/* refresh: called by the thread before it writes; NULL: nothing to be refreshed. */
struct adapter_figures *adapter_figures_start(const char *drop_dir, void (*refresh)(void *ctx), void *ctx);
void adapter_figures_stop(struct adapter_figures **f);

#endif
