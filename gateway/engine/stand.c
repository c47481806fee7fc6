/* A snapshot that stands: to begin and end one costs four times what reading a row in it does (locks of the log, asked of the
 * kernel). So a reader's last one is kept while nothing has been committed since, and the next call reads in it what
 * it would read in one of its own.
 *
 * A log that somebody reads in cannot begin anew at its start, and would grow with each commit. So none stands across a
 * commit, nor a checkpoint that gives space back: the writer ends those of idle readers before (gw_stand_clear), and
 * a reader that is at work ends its own when it is done. */
#include "gateway/engine/reading.h"

static void end(struct gw_reader *r)
{
	r->stands = false;
	if (r->db)
		gw_db_rollback(r->db);
}

static bool may_stand(const struct gw_reader *r)
{
	/* A reader of the past is in no list, so that nobody could end its snapshot. */
	return !r->of_past && !atomic_load(&r->e->stand_off) && atomic_load(&r->e->commits) == r->seen &&
	       gw_db_in_transaction(r->db);
}

void gw_stand_end(struct gw_reader *r)
{
	pthread_mutex_lock(&r->held);
	end(r);
	pthread_mutex_unlock(&r->held);
	r->kept_one = false;
}

void gw_stand_clear(struct gw_engine *e)
{
	atomic_store(&e->stand_off, true);
	pthread_mutex_lock(&e->lock);
	for (struct gw_reader *r = e->readers; r; r = r->next) {
		if (pthread_mutex_trylock(&r->held) != 0)
			continue; /* at work: it sees stand_off when it is done */
		if (r->stands)
			end(r);
		pthread_mutex_unlock(&r->held);
	}
	pthread_mutex_unlock(&e->lock);
}

void gw_stand_allow(struct gw_engine *e)
{
	atomic_store(&e->stand_off, false);
}

enum bus_err gw_stand_commit(struct gw_engine *e, struct bus_error *err)
{
	enum bus_err rc;

	gw_stand_clear(e);
	rc = gw_db_exec(e->db, err, "COMMIT");
	gw_stand_allow(e);
	return rc;
}

/* BEGIN, COMMIT: as prepared statements, they cost a tenth. */
static enum bus_err run(struct gw_reader *r, const char *sql, struct bus_error *err)
{
	struct gw_stmt *s;
	enum bus_err rc = gw_reader_stmt(r, sql, &s, err);

	return rc == BUS_OK ? gw_stmt_run(s, err) : rc;
}

enum bus_err gw_read_begin_bounded(struct gw_reader *r, struct bus_error *err)
{
	uint64_t commits =
	    atomic_load(&r->e->commits); /* before the snapshot: it may hold more, never less */
	enum bus_err rc = BUS_OK;

	pthread_mutex_lock(&r->held);
	r->kept_one = false;
	if (r->stands && r->seen == commits) {
		r->stands = false;
		gw_reader_deadline(r);
	} else {
		end(r);
		r->seen = commits;
		rc = run(r, "BEGIN", err);
	}
	r->bounded = rc == BUS_OK;
	if (rc != BUS_OK)
		pthread_mutex_unlock(&r->held);
	return rc;
}

void gw_read_end(struct gw_reader *r)
{
	r->bounded = false;
	r->stands = may_stand(r);
	r->kept_one = r->stands;
	if (!r->stands && (!gw_db_in_transaction(r->db) || run(r, "COMMIT", NULL) != BUS_OK))
		end(r);
	pthread_mutex_unlock(&r->held);
	/* Whoever began to clear while we were at work has passed us by. */
	atomic_thread_fence(memory_order_seq_cst);
	if (r->kept_one && atomic_load(&r->e->stand_off))
		gw_stand_end(r);
}
