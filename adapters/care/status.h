/* adapters/care/status.h - the page of `status`: what a running adapter does, from its figures (figures.h) and the drop folder.
 *
 * Neither Kafka nor the adapter is asked, so it tells while both are stuck. One thread.
 */
#ifndef ADAPTERS_CARE_STATUS_H
#define ADAPTERS_CARE_STATUS_H

#include "adapters/care/args.h"
#include "adapters/run.h"

/* Exit status: 0; 1: no adapter runs there, or its figures are old; 2: a wrong configuration. --watch: until stopped. */
int adapter_care_status(const struct adapter_run_conf *conf, const struct adapter_care_args *args);

/* What --json says, of these feeds, appended to out. Any thread. */
void adapter_status_json(const struct adapter_run_conf *conf, const struct adapter_map *const *map, size_t n,
			 struct bus_buf *out);

/* One number of a Prometheus text; missing: what it is when the text does not have it, or no number there. labels: as written, or "". */
double adapter_status_figure(const char *text, const char *name, const char *labels, double missing);

#endif
