/* gateway/engine/engine.h - topics -> tables -> views -> change log, in one SQLite file.
 *
 * One materialiser thread owns the one connection that writes and checkpoints. Rows, offsets, sequences,
 * view changes and the change log commit together. Everything here can be thrown away: started on an empty
 * file it comes to the same answers.
 *
 * A log that is not the one the rows came from (another cluster, a topic cut or made anew) is noticed, and
 * the store is built anew from nothing under its readers: gw_store_id() changes then, and cursors of the old
 * store are no longer known.
 */
#ifndef GATEWAY_ENGINE_ENGINE_H
#define GATEWAY_ENGINE_ENGINE_H

#include "bus/error.h"
#include "bus/kafka.h"
#include "gateway/engine/read.h"

struct gw_engine_conf {
	const char *db_path;
	const char *views_dir; /* *.sql */
	struct bus_kafka_conf kafka;
	const char *schemas_topic; /* "_schemas" */
	const char *const *topics; /* names, NULL-ended */
	int batch_max;		   /* records a transaction; 0 = 10,000 */
	int batch_wait_ms;	   /* 0 = 20: how long a small batch waits for company, while some comes */
	int64_t cache_bytes;	   /* SQLite page cache of the writer; 0 = 32 MiB */
	int wait_ms;		   /* for the registry's topic and the topics' schemas; 0 = 60,000 */
};

/* Opens the database, reads the view files (BUS_EPARSE with file:line), waits for the schemas of the topics
 * (BUS_ETIMEOUT names those missing), makes tables, checks every view's plan. */
enum bus_err gw_engine_open(const struct gw_engine_conf *conf, struct gw_engine **out,
			    struct bus_error *err) BUS_MUSTCHECK;
enum bus_err gw_engine_start(struct gw_engine *e, struct bus_error *err) BUS_MUSTCHECK; /* the thread */
void gw_engine_stop(struct gw_engine *e);   /* after the batch in hand */
void gw_engine_close(struct gw_engine **e); /* readers must be gone */
/* NULL while the engine works; else what stops it (disk, rights, a damaged batch at the broker). It goes on
 * trying, and once it works again this is NULL again. Borrowed; good for the next few faults. */
const char *gw_engine_fault(struct gw_engine *e);

/* Tells the registry's side topic which fields of which topics' schemas each view reads. After _open. */
void gw_engine_announce(struct gw_engine *e, const struct bus_kafka_conf *kafka, const char *schemas_topic);

/* Every view computed from nothing, and compared with what is stored. differing[i]: rows of gw_view_at(i)
 * that are missing, too many or other; -1: the view waits for evaluation. n: gw_view_count. Reads one
 * snapshot, takes seconds for a city; any thread. Kept as metric titian_view_verify_differences. */
enum bus_err gw_verify(struct gw_engine *e, int64_t *differing, size_t n,
		       struct bus_error *err) BUS_MUSTCHECK;

#endif
