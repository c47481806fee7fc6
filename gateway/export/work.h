/* gateway/export/work.h - the inside of exports, for the files of this folder alone.
 *
 *   exports.c   the folder, the workers
 *   export.c    each one: the queue, who waits, who follows, what is kept
 *   run.c       one export: rows into a file
 *   bundle.c    one export: several files and what is said of them, signed
 *   question.c  what is asked for, from a query or a body
 *   view.c      GET /v1/views/{view} as a file
 *   jobs.c      /v1/exports
 *   serve.c     a file, or a part of it, to a reader
 *
 * Lock order: gw_exports.lock -> the request's. What an export is asked for does not change once it is queued.
 */
#ifndef GATEWAY_EXPORT_WORK_H
#define GATEWAY_EXPORT_WORK_H

#include <pthread.h>
#include <stdatomic.h>

#include "bus/crypto_sign.h"
#include "gateway/engine/scan.h"
#include "gateway/export/exports.h"
#include "gateway/export/file.h"

#define GW_EXPORT_ID_LEN 32 /* hex digits */
#define GW_EXPORTS_WAITING 64
#define GW_EXPORT_AS_JOB "POST /v1/exports" /* a job waits longer, and says how far it is */

enum gw_export_state {
	GW_EXPORT_QUEUED,
	GW_EXPORT_RUNNING,
	GW_EXPORT_DONE,
	GW_EXPORT_FAILED,
	GW_EXPORT_CANCELLED
};

struct gw_follower { /* a stream that reads along */
	struct gw_export *export;
	struct bus_http_stream *stream;
	int64_t at;
	struct gw_follower *next;
};

struct gw_waiter { /* a request that waits for the cut, or for the end */
	struct bus_http_ticket *ticket;
	bool end;
	struct gw_waiter *next;
};

struct gw_export {
	struct gw_exports *all;
	char id[GW_EXPORT_ID_LEN + 1];
	char reader[GW_READER_NAME_MAX];
	bool job; /* asked for by POST: listed, kept its time */
	bool bundle;
	int split;		    /* column, or -1 */
	bool limited;		    /* params.query.limit counts */
	const struct gw_view *view; /* held */
	struct bus_arena *arena;
	struct gw_params params;
	const struct gw_file_kind *kind;
	enum gw_pack pack;
	struct bus_buf question; /* as asked, for who asks again */
	int64_t created_ms, asked_ms; /* asked_ms: monotonic, when it took its place in the queue */

	/* the worker's, and read by others under the lock */
	int fd;
	char *path;
	int64_t bytes, rows, expected; /* expected -1: not known */
	int64_t held; /* of gw_exports.used: its bytes, and those of files that it is put together of */
	int64_t begun_ms, ended_ms; /* monotonic; 0: not yet */
	int64_t seq;
	bool cut; /* seq, cursor, as_of are known */
	char *cursor;
	char as_of[40];
	uint8_t digest[BUS_SHA256_LEN]; /* once done */

	/* lock */
	int refs;
	bool listed; /* among gw_exports.first */
	enum gw_export_state state;
	const char *problem; /* code; of a failed one */
	char why[200];
	const char *hint;
	struct gw_follower *followers;
	struct gw_waiter *waiters;
	struct gw_export *next;
	_Atomic bool stop;
};

struct gw_exports {
	struct gw_api *api;
	char *dir, *work_dir; /* work: parts that files are put together of */
	int64_t space, keep_ms, patience_ms;
	int per_reader, n_threads, started;
	uint8_t key[BUS_KEY_LEN], public_key[BUS_ED25519_LEN];
	pthread_t *thread;

	pthread_mutex_t lock;
	pthread_cond_t more;
	bool stopping;
	int64_t used; /* bytes of all files */
	int running_jobs;
	struct gw_export *first, **last; /* in the order in which they were asked for */
};

/* export.c */
struct gw_export *gw_export_new(struct gw_exports *all, const char *reader, const struct gw_view *v,
				struct gw_grant grant); /* one reference */
void gw_export_unref(struct gw_export **x);
/* Takes a place in the queue. NULL, or the code of the problem. */
const char *gw_export_queue(struct gw_export *x);
/* With a reference, or NULL: none of this reader's. */
struct gw_export *gw_export_find(struct gw_exports *all, const char *id, const char *reader);
/* Under the lock; false: it is so far already. */
bool gw_export_waits(const struct gw_export *x, bool end);
void gw_export_cancel(struct gw_export *x); /* and forget; its file goes */
void gw_export_forget(struct gw_export *x); /* under the lock: nobody finds it any more, and its file goes */
/* Under the lock: followers are woken; who has waited long enough is handed out, for gw_export_give_back once the
 * lock is free: a request whose peer has gone ends there, and lets go of its export. */
struct gw_waiter *gw_export_tell(struct gw_export *x);
void gw_export_give_back(struct gw_waiter *ready);
/* From the worker: n bytes more are in the file; n bytes more, or fewer, are on the disk for it. BUS_EFULL. */
enum bus_err gw_export_grown(struct gw_export *x, size_t n, struct bus_error *err) BUS_MUSTCHECK;
enum bus_err gw_export_held(struct gw_export *x, int64_t n, struct bus_error *err) BUS_MUSTCHECK;
void gw_export_cut(struct gw_export *x, int64_t seq); /* from the worker */

/* run.c, bundle.c; on a worker's thread */
/* All n bytes to fd, and into the digest. */
enum bus_err gw_export_write(int fd, struct bus_sha256_stream *digest, const char *bytes, size_t n,
			     struct bus_error *err) BUS_MUSTCHECK;
enum bus_err gw_export_run(struct gw_export *x, struct bus_error *err) BUS_MUSTCHECK;
enum bus_err gw_export_bundle(struct gw_export *x, struct bus_error *err) BUS_MUSTCHECK;
struct gw_sheet gw_export_sheet(struct gw_export *x);
struct gw_scan gw_export_scan(const struct gw_export *x);
const char *gw_export_suffix(const struct gw_export *x); /* "parquet", "zip" */
const char *gw_export_type(const struct gw_export *x);

/* question.c. False: *problem, and in x->params.detail and hint what. */
bool gw_export_ask(struct gw_export *x, const char *name, const char *value, const char **problem);
bool gw_export_asked(struct gw_export *x, const char **problem); /* that was all */

/* serve.c: answers with x as far as it is; on the connection's thread. */
void gw_export_answer(struct gw_export *x, struct bus_http_request *req);
/* Attaches x (and takes the caller's reference); answers, or defers until it is cut (end: whole). */
void gw_export_await(struct gw_export *x, struct bus_http_request *req, bool end);

#endif
