#include "gateway/engine/snapshot.h"

#include <pthread.h>
#include <stdatomic.h>

#include "bus/clock.h"
#include "bus/wait.h"
#include "gateway/store/db.h"

#define SCAN_CACHE (8 * 1024 * 1024)

struct gw_snapshot {
	struct gw_def *def;
	struct gw_db *db; /* the thread's, while it runs */
	struct gw_stmt *rows;
	pthread_t thread;
	int64_t left_us; /* the thread's: waiting to be taken is not counted */
	bool started;
	_Atomic bool stop;
	pthread_mutex_t lock;
	pthread_cond_t moved;	/* a piece was put, or taken */
	struct bus_buf ready;	/* lock */
	bool over;		/* lock: nothing will be added to ready */
	enum bus_err rc;	/* lock */
	struct bus_error error; /* lock */
};

static bool put(struct gw_snapshot *s, struct bus_buf *piece)
{
	struct bus_buf taken;

	pthread_mutex_lock(&s->lock);
	while (s->ready.n > 0 && !s->stop)
		pthread_cond_wait(&s->moved, &s->lock);
	taken = s->ready;
	s->ready = *piece;
	*piece = taken;
	pthread_cond_broadcast(&s->moved);
	pthread_mutex_unlock(&s->lock);
	return !s->stop;
}

static enum bus_err step(struct gw_snapshot *s, bool *row, struct bus_error *err)
{
	int64_t begin = bus_clock_mono_us();
	enum bus_err rc;

	gw_db_deadline(s->db, s->left_us > 1000 ? (int)(s->left_us / 1000) : 1);
	rc = gw_stmt_step(s->rows, row, err);
	s->left_us -= bus_clock_mono_us() - begin;
	return rc == BUS_ETIMEOUT ? bus_fail(err, rc, "its SELECT takes too long on the rows there are") : rc;
}

static void *run(void *ctx)
{
	struct gw_snapshot *s = ctx;
	struct bus_buf piece = { 0 };
	struct bus_error err = { 0 };
	enum bus_err rc = BUS_OK;
	bool row = true;

	while (!s->stop && (rc = step(s, &row, &err)) == BUS_OK && row) {
		gw_stmt_pack(s->rows, &piece);
		if (piece.n >= GW_SNAPSHOT_PIECE && !put(s, &piece))
			break;
	}
	if (rc == BUS_OK && piece.n > 0)
		put(s, &piece);
	bus_buf_release(&piece);
	pthread_mutex_lock(&s->lock);
	s->over = true;
	s->rc = rc;
	s->error = err;
	pthread_cond_broadcast(&s->moved);
	pthread_mutex_unlock(&s->lock);
	return NULL;
}

enum bus_err gw_snapshot_open(const char *db_path, struct gw_def *def, int64_t most_us,
			      struct gw_snapshot **out, struct bus_error *err)
{
	struct gw_snapshot *s = bus_xcalloc(1, sizeof(*s));
	struct bus_buf sql = { 0 };
	enum bus_err rc;
	int64_t seen;

	*out = NULL;
	pthread_mutex_init(&s->lock, NULL);
	bus_cond_init(&s->moved);
	gw_view_ref(&def->pub);
	s->def = def;
	s->left_us = most_us;
	rc = gw_db_open(db_path, GW_DB_READER, SCAN_CACHE, &s->db, err);
	if (rc == BUS_OK)
		rc = gw_db_exec(s->db, err, "BEGIN");
	if (rc == BUS_OK) /* SQLite takes the snapshot with the first read */
		rc = gw_db_int(s->db, 0, &seen, err, "SELECT count(*) FROM _meta");
	gw_view_select(def, &sql);
	if (rc == BUS_OK)
		rc = gw_db_prepare(s->db, bus_buf_cstr(&sql), &s->rows, err);
	bus_buf_release(&sql);
	if (rc == BUS_OK && pthread_create(&s->thread, NULL, run, s) != 0)
		rc = bus_fail(err, BUS_EIO, "cannot start a thread to build view '%s'", def->pub.name);
	s->started = rc == BUS_OK;
	if (rc == BUS_OK)
		*out = s;
	else
		gw_snapshot_close(&s);
	return rc;
}

enum bus_err gw_snapshot_take(struct gw_snapshot *s, struct bus_buf *rows, int wait_ms, bool *end,
			      struct bus_error *err)
{
	int64_t until = bus_clock_mono_ms() + wait_ms;
	struct bus_buf old = *rows;
	enum bus_err rc = BUS_OK;

	bus_buf_reset(&old);
	pthread_mutex_lock(&s->lock);
	while (s->ready.n == 0 && !s->over && bus_cond_wait(&s->moved, &s->lock, until))
		;
	*rows = s->ready;
	s->ready = old;
	*end = s->over && rows->n == 0;
	if (*end && s->rc != BUS_OK) {
		rc = s->rc;
		if (err)
			*err = s->error;
	}
	pthread_cond_broadcast(&s->moved);
	pthread_mutex_unlock(&s->lock);
	return rc;
}

void gw_snapshot_close(struct gw_snapshot **scan)
{
	struct gw_snapshot *s = *scan;

	if (!s)
		return;
	if (s->started) {
		pthread_mutex_lock(&s->lock);
		s->stop = true;
		pthread_cond_broadcast(&s->moved);
		pthread_mutex_unlock(&s->lock);
		gw_db_interrupt(s->db);
		pthread_join(s->thread, NULL);
	}
	gw_stmt_free(&s->rows);
	gw_db_close(&s->db);
	gw_view_free(&s->def);
	bus_buf_release(&s->ready);
	pthread_cond_destroy(&s->moved);
	pthread_mutex_destroy(&s->lock);
	free(s);
	*scan = NULL;
}
