/* Readers: a read-only connection per thread, its statements kept by their text; rows as declared. */
#include "gateway/engine/reading.h"

#define READER_CACHE (2 * 1024 * 1024) /* it ends with the writer's next transaction */
#define DEADLINE_MS 10000
#define QUESTION_MS 1000 /* of what the reader adds to a view: the feeds of the same thread wait meanwhile */

struct gw_engine *gw_reader_engine(struct gw_reader *r)
{
	return r->e;
}

struct gw_db *gw_reader_db(struct gw_reader *r)
{
	return r->db;
}

struct gw_reader *gw_reader_new(struct gw_engine *e)
{
	struct gw_reader *r = bus_xcalloc(1, sizeof(*r));

	r->e = e;
	pthread_mutex_init(&r->held, NULL);
	return r;
}

struct gw_reader *gw_reader_of(struct gw_engine *e)
{
	struct gw_reader *r = pthread_getspecific(e->reader_key);

	if (r)
		return r;
	r = gw_reader_new(e);
	pthread_setspecific(e->reader_key, r);
	pthread_mutex_lock(&e->lock);
	r->next = e->readers;
	e->readers = r;
	pthread_mutex_unlock(&e->lock);
	return r;
}

void gw_reader_empty(struct gw_reader *r)
{
	for (size_t i = 0; i < GW_READ_STATEMENTS_MAX; i++) {
		gw_stmt_free(&r->kept[i].stmt);
		free(r->kept[i].sql);
		r->kept[i] = (struct kept){ 0 };
	}
	gw_db_close(&r->db);
}

static void reader_free(struct gw_reader *r)
{
	if (!r)
		return;
	reader_free(r->past);
	gw_reader_empty(r);
	free(r->value);
	bus_buf_release(&r->packed);
	bus_buf_release(&r->sql);
	bus_buf_release(&r->pattern);
	bus_buf_release(&r->state);
	gw_keys_release(&r->keys);
	pthread_mutex_destroy(&r->held);
	free(r);
}

void gw_readers_free(struct gw_engine *e)
{
	struct gw_reader *r;

	while ((r = e->readers)) {
		e->readers = r->next;
		reader_free(r);
	}
}

void gw_reader_deadline(struct gw_reader *r)
{
	gw_db_deadline(r->db, DEADLINE_MS);
}

enum bus_err gw_reader_kept(struct gw_reader *r, const char *sql, struct kept **out, struct bus_error *err)
{
	struct kept *k, *oldest = &r->kept[0];
	enum bus_err rc;

	*out = NULL;
	if (r->kept_one)
		gw_stand_end(r);
	if (!r->db) {
		rc = gw_db_open(r->e->db_path, GW_DB_READER, READER_CACHE, &r->db, err);
		if (rc != BUS_OK)
			return rc;
	}
	if (!r->bounded)
		gw_reader_deadline(r);
	for (size_t i = 0; i < GW_READ_STATEMENTS_MAX; i++) {
		k = &r->kept[i];
		if (k->sql && strcmp(k->sql, sql) == 0) {
			k->used = ++r->clock;
			*out = k;
			return BUS_OK;
		}
		if (k->used < oldest->used)
			oldest = k;
	}
	gw_stmt_free(&oldest->stmt);
	free(oldest->sql);
	*oldest = (struct kept){ 0 };
	rc = gw_db_prepare(r->db, sql, &oldest->stmt, err);
	if (rc != BUS_OK)
		return rc;
	oldest->sql = bus_xstrdup(sql);
	oldest->used = ++r->clock;
	*out = oldest;
	return BUS_OK;
}

enum bus_err gw_reader_stmt(struct gw_reader *r, const char *sql, struct gw_stmt **out, struct bus_error *err)
{
	struct kept *k;
	enum bus_err rc = gw_reader_kept(r, sql, &k, err);

	*out = rc == BUS_OK ? k->stmt : NULL;
	return rc;
}

static void take_value(struct gw_stmt *s, int i, enum gw_type declared, struct gw_value *out)
{
	gw_stmt_value(s, i, out);
	if (declared == GW_BOOL && out->type == GW_INT) {
		out->type = GW_BOOL;
		out->i = out->i != 0;
	} else if (declared == GW_JSON && out->type == GW_TEXT) {
		out->type = GW_JSON;
	} else if (declared == GW_REAL && out->type == GW_INT) {
		out->type = GW_REAL;
		out->r = (double)out->i;
	}
}

const struct gw_value *gw_read_values(struct gw_reader *r, const struct gw_view *v, struct gw_stmt *s)
{
	if (r->n_values < v->n_columns) {
		r->value = bus_xrealloc(r->value, v->n_columns * sizeof(*r->value));
		r->n_values = v->n_columns;
	}
	for (size_t i = 0; i < v->n_columns; i++)
		take_value(s, (int)i, v->column[i].type, &r->value[i]);
	return r->value;
}

const struct gw_value *gw_read_row(struct gw_reader *r, const struct gw_view *v, struct gw_stmt *s,
				   uint64_t *hash)
{
	bus_buf_reset(&r->packed);
	gw_stmt_pack(s, &r->packed);
	*hash = gw_hash(r->e->secret, r->packed.p, r->packed.n);
	return gw_read_values(r, v, s);
}

void gw_read_limit(struct gw_reader *r, const struct gw_query *q)
{
	if (q->n_filters > 0 || q->n_order > 0)
		gw_db_deadline(r->db, QUESTION_MS);
}

enum bus_err gw_read_over(const struct gw_query *q, enum bus_err rc, struct bus_error *err)
{
	if (rc != BUS_ETIMEOUT)
		return rc;
	return bus_fail(err, BUS_ETOOBIG, "view '%s': this question reads more rows than a request may",
			q->view->name);
}

enum bus_err gw_read_begin(struct gw_reader *r, struct bus_error *err)
{
	struct gw_stmt *s;
	enum bus_err rc = gw_reader_stmt(r, "SELECT 1", &s, err); /* opens the connection */

	return rc == BUS_OK ? gw_db_exec(r->db, err, "BEGIN") : rc;
}
