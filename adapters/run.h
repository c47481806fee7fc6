/* adapters/run.h - one running adapter: the drop folder on one side, Kafka on the other.
 *
 * Start: lock the drop folder, load the mappings, wait for Kafka, topics and schemas, recover the position
 * from the log. Then file after file (pass.h), until the program is stopped. Whatever passes (Kafka away, a
 * topic not made yet, a full disk, no rights) is waited out and told once. One thread, bus_proc_stopping()
 * ends it. What is posted is taken from the start on, whether Kafka is there or not (intake/), and read between files (live.h).
 */
#ifndef ADAPTERS_RUN_H
#define ADAPTERS_RUN_H

#include "adapters/feed.h"
#include "adapters/intake/intake.h"
#include "adapters/office/office.h"

struct adapter_run_conf {
	const char *opd;
	struct adapter_drop_conf drop;
	struct bus_kafka_conf kafka;
	const char *schemas_topic;
	const char *schemas_dir;    /* for check and preview; NULL: the usual places */
	const char *const *mapping; /* paths */
	size_t n_mappings;
	struct adapter_map_env env;
	const uint8_t *opd_key;	  /* BUS_KEY_LEN bytes; NULL: refused rows are quarantined without the row */
	const char *state_dir;	  /* for temporary files */
	int settle_ms;		  /* position.h */
	struct adapter_pace pace; /* limits of all feeds together */
	struct adapter_quiet quiet;
	const struct adapter_intake_conf *intake; /* NULL: none */
	const struct adapter_office_conf *office; /* NULL: none */
	int64_t status_every_ms;		  /* care/beat.h; 0: never */
	adapter_hook_fn hook;			  /* tests; NULL */
	void *hook_ctx;
};

/* BUS_ESTOPPED is how it ends well. BUS_EEXIST: another adapter of the department has begun (owner.h). BUS_EINVAL, BUS_EPARSE, BUS_ESCHEMA: configuration, mapping or schema. */
enum bus_err adapter_run(const struct adapter_run_conf *conf, struct bus_error *err) BUS_MUSTCHECK;

/* Loads every mapping and checks what concerns several of them. */
enum bus_err adapter_run_check(const struct adapter_run_conf *conf, struct bus_error *err) BUS_MUSTCHECK;

#endif
