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

struct gw_group_conf; /* gateway/engine/group.h */
struct schema_store; /* schemas/store/store.h */

struct gw_engine_conf {
	const char *db_path;
	const char *views_dir; /* *.sql */
	struct bus_kafka_conf kafka;
	const char *schemas_topic; /* "_schemas" */
	const char *const *topics; /* names, NULL-ended */
	int batch_max;		   /* records a transaction; 0 = 10,000 */
	int batch_wait_ms;	   /* 0 = 20: how long a small batch waits for company, while some comes */
	int64_t cache_bytes;	   /* SQLite page cache of the writer; 0 = 32 MiB */
	int verify_per_s;	   /* keys compared with their SELECT a second, while nothing else is to do; 0: none */
	const struct gw_group_conf *group; /* NULL: this gateway is alone */
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

/* The registry's topic as it is read; NULL: none. */
struct schema_store *gw_engine_schemas(struct gw_engine *e);

/* A consistent copy of the store as it is now, as a file that must not be there; seconds for a city. Any thread but those
 * that answer requests. */
enum bus_err gw_engine_save(struct gw_engine *e, const char *path, struct bus_error *err) BUS_MUSTCHECK;

/* Tells the registry's side topic which fields of which topics' schemas each view reads: after _open, when the set of
 * views has become another one, and once a day, since it counts for a week. instance: this gateway's own name among all,
 * "host:port"; what the others have said stands beside it. Some seconds at most. Any thread. */
void gw_engine_announce(struct gw_engine *e, const struct bus_kafka_conf *kafka, const char *schemas_topic,
			const char *instance);

/* One view computed from nothing, and compared with what is stored, on a gateway at work: what waits for evaluation
 * is counted and passed over. Reads one snapshot, takes seconds for a city; any thread but those that answer
 * requests. Counted in titian_view_verify_keys_total and titian_view_verify_differences_total. */
struct gw_verdict {
	int64_t keys;	   /* compared */
	int64_t differing; /* missing, too many or other */
	int64_t waiting;   /* passed over */
	bool waits;	   /* the whole view waits for evaluation: nothing was compared, ask again later */
};
/* Told every 4,096 keys; false: enough, and gw_verify_view gives BUS_ESTOPPED. */
typedef bool (*gw_verify_fn)(void *ctx, const struct gw_verdict *so_far);
enum bus_err gw_verify_view(struct gw_engine *e, const struct gw_view *v, gw_verify_fn fn, void *ctx,
			    struct gw_verdict *out, struct bus_error *err) BUS_MUSTCHECK;
/* Every view. differing[i]: of gw_view_at(i); -1: it waits for evaluation, or a key of it does. n: gw_view_count. */
enum bus_err gw_verify(struct gw_engine *e, int64_t *differing, size_t n,
		       struct bus_error *err) BUS_MUSTCHECK;

#endif
