/* The inside of gateway/store/pg.h, for pg*.c only. */
#ifndef GATEWAY_STORE_PG_IMPL_H
#define GATEWAY_STORE_PG_IMPL_H

#include <libpq-fe.h>
#include <pthread.h>
#include <stdatomic.h>

#include "gateway/store/pg.h"
#include "gateway/store/pg_sql.h"

#define GW_PG_QUEUE_MAX                                                                                      \
	400 /* statements sent and not answered: what the server says of them fits its socket */

struct gw_pg_cancel { /* a connection's; who cancels has it too, and a server may keep him waiting */
	PGcancel *cancel;
	_Atomic int users;
	_Atomic bool under_way;
};

struct gw_pg {
	PGconn *conn;
	struct gw_pg_shadow shadow;
	enum gw_db_mode mode;
	char *role, *conninfo;
	uint64_t connections; /* made so far: a statement belongs to one */
	uint64_t statements;  /* prepared so far */
	size_t queued;
	bool lost;	 /* the connection, as an answer told: libpq may notice later */
	bool begun;	 /* a transaction, that was not ended: a new connection is not in it */
	bool defined;	 /* the shadow is ahead of what the server keeps */
	int64_t version; /* of the definitions that the shadow has */
	int64_t changes; /* rows written since statistics were made */
	int64_t moment_ms, moment_sent;
	int64_t deadline_ms;
	_Atomic int64_t given_up_ms; /* monotonic: what runs was told to end; 0: it was not */
	pthread_mutex_t lock; /* cancel: another thread may want it while the connection is made anew */
	struct gw_pg_cancel *cancel;
	gw_db_change_fn changed;
	void *changed_ctx;
	struct { /* of the row that changed() is told of */
		const PGresult *res;
		int row, before, after; /* first column of each image; -1: there is none */
	} image;
};

enum gw_pg_stage { GW_PG_IDLE, GW_PG_ROWS, GW_PG_DONE };
struct gw_pg_stmt {
	struct gw_pg *pg;
	struct gw_pg_text text;
	char name[24], followed_name[24];
	uint64_t made, followed_made; /* pg->connections when it was prepared there; 0: not yet */
	Oid *type;		      /* of its parameters */
	Oid *column;		      /* of what it gives */
	int n_columns;
	char **value; /* as sent */
	int *length, *format;
	struct bus_buf *own; /* copies and numbers */
	bool bad;	     /* text that PostgreSQL cannot keep was bound */
	enum gw_pg_stage stage;
	PGresult *res;
	int row;
	bool cursor;		/* more of it is at the server */
	char *portal;		/* its cursor's name; NULL: none */
	struct bus_buf text_of; /* bytes of a bytea */
};

/* pg.c */
enum bus_err gw_pg_failed(struct gw_pg *pg, const PGresult *res, const char *doing, struct bus_error *err);
bool gw_pg_in_transaction(const struct gw_pg *pg);
bool gw_pg_lost(const struct gw_pg *pg);
/* What failed may be asked once more: it was a reader's, outside of a transaction, on a connection that had been lost
 * unseen, and there is a new one. Not once its time is over. */
bool gw_pg_again(struct gw_pg *pg);
/* Sends what is in the connection's buffer on, waits for the answers of all that is queued, and of one more if `one`: *last.
 * The caller clears it. */
enum bus_err gw_pg_drain(struct gw_pg *pg, bool one, PGresult **last, struct bus_error *err);
/* To what was sent outside of the pipeline, waited for as everything is; the caller clears it. */
PGresult *gw_pg_answer(struct gw_pg *pg);
/* Text in the simple protocol, several statements too. */
enum bus_err gw_pg_send_text(struct gw_pg *pg, const char *sql, PGresult **last, struct bus_error *err);
/* The same behind a point to go back to: what fails leaves the transaction as it was. */
enum bus_err gw_pg_guarded(struct gw_pg *pg, const char *sql, struct bus_error *err);
/* pg_cancel.c */
bool gw_pg_cancelling(const struct gw_pg *pg);
struct gw_pg_cancel *gw_pg_cancel_new(PGconn *conn);
void gw_pg_cancel_unref(struct gw_pg_cancel **c);
/* pg_stmt.c */
/* Under a point to go back to: what cannot be prepared leaves the transaction as it was. */
enum bus_err gw_pg_make(struct gw_pg_stmt *s, const char *name, const char *sql, struct bus_error *err);
enum bus_err gw_pg_make_plain(struct gw_pg_stmt *s, struct bus_error *err);
/* pg_open.c */
enum bus_err gw_pg_connect(struct gw_pg *pg, struct bus_error *err);
void gw_pg_read_value(const PGresult *res, int row, int column, struct gw_value *out, struct bus_buf *own);

#endif
