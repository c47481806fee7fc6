/* gateway/engine.h - topics -> tables -> views -> change log, in one SQLite file. views.md's engine.
 *
 * One materialiser thread owns the one connection that writes and checkpoints. Rows, offsets, sequences,
 * view changes and the change log commit together. Everything here can be thrown away: started on an empty
 * file it comes to the same answers.
 */
#ifndef GATEWAY_ENGINE_H
#define GATEWAY_ENGINE_H

#include "bus/error.h"
#include "bus/kafka.h"
#include "gateway/read.h"

struct gw_engine_conf {
	const char *db_path;
	const char *views_dir; /* *.sql */
	struct bus_kafka_conf kafka;
	const char *schemas_topic; /* "_schemas" */
	const char *const *topics; /* names, NULL-ended */
	int batch_max;	  /* records a transaction; 0 = 20,000 */
	int batch_wait_ms; /* 0 = 20: how long a small batch waits for company */
	int64_t cache_bytes; /* SQLite page cache of the writer; 0 = 48 MiB */
};

/* Opens the database, reads the view files (BUS_EPARSE with file:line), waits for the schemas of the topics
 * (BUS_ETIMEOUT names those missing), makes tables, checks every view's plan. */
enum bus_err gw_engine_open(const struct gw_engine_conf *conf, struct gw_engine **out, struct bus_error *err)
	BUS_MUSTCHECK;
enum bus_err gw_engine_start(struct gw_engine *e, struct bus_error *err) BUS_MUSTCHECK; /* the thread */
void gw_engine_stop(struct gw_engine *e);  /* after the batch in hand */
void gw_engine_close(struct gw_engine **e); /* readers must be gone */
/* NULL while the engine works; else why it stopped (a fault it cannot mend: topic made anew, disk). */
const char *gw_engine_fault(struct gw_engine *e);

#endif
