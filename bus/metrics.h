/* bus/metrics.h - counters and gauges as Prometheus text (exposition format 0.0.4).
 *
 * A metric is named once in a table; a series is (metric, label set), found or made by bus_metric() and
 * then updated without a lock. Labels are few and never personal. Thread: any.
 */
#ifndef BUS_METRICS_H
#define BUS_METRICS_H

#include <stdint.h>

#include "bus/buf.h"

struct bus_metric; /* one series; lives as long as the program */

/* type "counter" or "gauge"; labels as `opd="dinkes",class="nik_format"` or "". Same arguments, same
 * series. At most 4,096 series: beyond, the series `name{overflow="true"}` is returned. */
struct bus_metric *bus_metric(const char *name, const char *type, const char *help, const char *labels);
void bus_metric_add(struct bus_metric *m, int64_t n);
void bus_metric_set(struct bus_metric *m, double v); /* a counter too, when something else counts */
double bus_metric_get(const struct bus_metric *m);

void bus_metrics_text(struct bus_buf *out); /* sorted by name, HELP and TYPE once */

#endif
