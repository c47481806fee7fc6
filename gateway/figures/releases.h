/* gateway/figures/releases.h - months that were published: a topic, followed for ever, written once a month.
 *
 * One partition, kept for ever (no compaction). Key: `INDICATOR|2025-11`; value: JSON, exactly what is told, small counts
 * left out already. The first record of a key holds, whoever wrote a later one: what was told once is never told
 * otherwise, so two answers can not be compared for what is between them. Every gateway reads the same.
 * Thread: any, but gw_releases_write: one at a time, and it takes seconds.
 */
#ifndef GATEWAY_FIGURES_RELEASES_H
#define GATEWAY_FIGURES_RELEASES_H

#include "bus/buf.h"
#include "bus/kafka.h"

#define GW_RELEASES_MAX 50000 /* further ones are not taken */

struct gw_releases;

struct gw_releases_conf {
	struct bus_kafka_conf kafka; /* borrowed strings */
	const char *topic;
};

struct gw_releases *gw_releases_new(const struct gw_releases_conf *conf);
void gw_releases_free(struct gw_releases **r);
/* Makes the topic when it is missing, reads it to its end; no-op when it is followed already. Seconds. */
enum bus_err gw_releases_open(struct gw_releases *r, struct bus_error *err) BUS_MUSTCHECK;
/* Writes a month unless it is there; waits until it is read back. BUS_EEXIST: it was there; BUS_EFULL: there
 * are GW_RELEASES_MAX. */
enum bus_err gw_releases_write(struct gw_releases *r, const char *indicator, const char *month,
			       struct bus_str text, struct bus_error *err) BUS_MUSTCHECK;
bool gw_releases_has(struct gw_releases *r, const char *indicator, const char *month);
struct gw_release {
	char month[8];
	struct bus_str text; /* lives as long as the releases */
};
/* The months of an indicator in their order, from..to ("": open), the newest `most` of them. False: the topic has not
 * been read. */
bool gw_releases_of(struct gw_releases *r, const char *indicator, const char *from, const char *to,
		    struct gw_release *out, size_t most, size_t *n);

#endif
