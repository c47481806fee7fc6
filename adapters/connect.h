/* adapters/connect.h - `test-connection`: everything the adapter needs from others, asked once, a line each. Publishes nothing
 * and leaves nothing in the drop folder. Thread: one.
 */
#ifndef ADAPTERS_CONNECT_H
#define ADAPTERS_CONNECT_H

#include <stdio.h>

#include "adapters/run.h"

/* Folders, each fetch (into a folder that is thrown away), each table that is followed, Kafka, topics (those of the mappings, and the
 * department's files, quarantine and status) and their schemas. Every line begins with "ok", "GAGAL/FAILED" or, of what is not tried,
 * "-"; a failed one is followed by the way out. Returns how many failed. */
int adapter_connect_test(const struct adapter_run_conf *conf, FILE *out);

#endif
