/* adapters/intake/intake.h - the HTTP intake: programs of the department post, and are told 202 when it is on disk.
 *
 *   POST /v1/feeds/{feed}   body.h; Authorization: Bearer; Idempotency-Key. 202 with a receipt {id, feed, count, sha256,
 *                           received_at}: sealed in the feed's spool, by an fsync that came back. Whoever posts at the same
 *                           time shares it. The same key and body again: the same receipt, and nothing new
 *   GET  /healthz           503 while the spool is full, or the disk refuses
 *   GET  /metrics           with any token: programs reach this port, and figures are for the house
 *
 * Refused, and never dropped: 503 with Retry-After when more than max_bytes wait, or the oldest waits longer than max_age.
 * A pool of threads reads bodies, one writes the spool; the adapter's own thread reads it (live.h).
 */
#ifndef ADAPTERS_INTAKE_INTAKE_H
#define ADAPTERS_INTAKE_INTAKE_H

#include "adapters/spool/spool.h"

struct adapter_intake_conf {
	const char *address; /* "" : no intake */
	int port;
	const char *certificate, *key; /* TLS; "": none, loopback only */
	const char *tokens;	       /* tokens.h */
	int64_t body_max;
	int address_connections; /* of one address at a time */
	const char *spool_dir, *spool_key;
	const char *const *old_keys;
	size_t n_old_keys;
	int64_t max_bytes, max_age_ms;	   /* of what waits */
	int64_t segment_bytes, segment_ms; /* spool.h */
	int64_t keep_ms, keep_bytes;	   /* of what is delivered */
	int64_t remember_ms;		   /* Idempotency-Keys */
	int64_t drain_rate;		   /* rows a second a feed, on the way to Kafka; 0: any number */
};

struct adapter_intake;

/* Options, keys and tokens; nothing is opened. */
enum bus_err adapter_intake_check(const struct adapter_intake_conf *conf,
				  struct bus_error *err) BUS_MUSTCHECK;
/* feeds: those that can be posted to; copied. conf stays. */
enum bus_err adapter_intake_start(const struct adapter_intake_conf *conf, const char *const *feeds, size_t n,
				  struct adapter_intake **out, struct bus_error *err) BUS_MUSTCHECK;
/* Posts that wait for the disk are still answered. */
void adapter_intake_stop(struct adapter_intake **i);
/* NULL: cannot be posted to. */
struct adapter_spool *adapter_intake_spool(const struct adapter_intake *i, const char *feed);
const struct adapter_spool_keys *adapter_intake_keys(const struct adapter_intake *i);
void adapter_intake_figures(void *intake); /* brings the metrics of the spools up to date; any thread */
/* An event descriptor that is told when something has come; -1: none. */
void adapter_intake_wake(struct adapter_intake *i, int fd);

#endif
