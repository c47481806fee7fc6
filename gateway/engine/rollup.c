#include "gateway/engine/rollup.h"

#include <strings.h>

#include "gateway/define/rollup.h"

#define IMAGES_MAX ((size_t)2 * 1024 * 1024) /* bytes that wait in memory */

struct gw_sum {
	int *column; /* of the table, that the view reads */
	size_t n_columns;
	struct bus_buf images; /* packed: sign, then the columns */
	size_t n;
	struct gw_stmt *put, *clear, *add, *remove;
	struct gw_keys gone;
};

static void put_name(struct bus_buf *sql, const struct gw_live *v)
{
	bus_buf_printf(sql, "\"_image_%s\"", v->def->pub.name);
}

/* A table in memory that looks to the SELECT like the one it reads: the columns it needs, with their types. */
static enum bus_err make_image_table(struct gw_engine *e, struct gw_live *v, const struct gw_rel *rel,
				     struct bus_error *err)
{
	struct gw_sum *s = v->sum;
	struct bus_buf sql = { 0 }, put = { 0 };
	const struct gw_read *read = &v->def->read[0];
	struct gw_stmt *info = NULL;
	enum bus_err rc;
	bool row;

	s->column = bus_xcalloc(rel->n_columns + 1, sizeof(*s->column));
	bus_buf_puts(&sql, "DROP TABLE IF EXISTS temp.");
	put_name(&sql, v);
	bus_buf_puts(&sql, "; CREATE TEMP TABLE ");
	put_name(&sql, v);
	bus_buf_puts(&sql, "(_r_sign INTEGER");
	bus_buf_puts(&put, "INSERT INTO temp.");
	put_name(&put, v);
	bus_buf_puts(&put, " VALUES(?");
	bus_buf_reset(&e->scratch);
	bus_buf_printf(&e->scratch, "SELECT cid, name, type FROM pragma_table_info('%s') ORDER BY cid",
		       rel->name);
	rc = gw_db_prepare(e->db, bus_buf_cstr(&e->scratch), &info, err);
	while (rc == BUS_OK && (rc = gw_stmt_step(info, &row, err)) == BUS_OK && row) {
		struct bus_str name = gw_stmt_text(info, 1), type = gw_stmt_text(info, 2);

		for (size_t i = 0; i < read->n; i++) {
			if (strlen(read->column[i]) != name.n ||
			    strncasecmp(read->column[i], name.p, name.n) != 0)
				continue;
			s->column[s->n_columns++] = (int)gw_stmt_int(info, 0);
			bus_buf_printf(&sql, ", \"%.*s\" %.*s", (int)name.n, name.p, (int)type.n,
				       type.p ? type.p : "");
			bus_buf_puts(&put, ",?");
			break;
		}
	}
	gw_stmt_free(&info);
	bus_buf_putc(&sql, ')');
	bus_buf_putc(&put, ')');
	if (rc == BUS_OK)
		rc = gw_db_exec(e->db, err, "%s", bus_buf_cstr(&sql));
	if (rc == BUS_OK)
		rc = gw_db_prepare(e->db, bus_buf_cstr(&put), &s->put, err);
	bus_buf_reset(&sql);
	bus_buf_puts(&sql, "DELETE FROM temp.");
	put_name(&sql, v);
	if (rc == BUS_OK)
		rc = gw_db_prepare(e->db, bus_buf_cstr(&sql), &s->clear, err);
	bus_buf_release(&sql);
	bus_buf_release(&put);
	return rc;
}

enum bus_err gw_sum_open(struct gw_engine *e, struct gw_live *v, const struct gw_rel *rel,
			 struct bus_error *err)
{
	struct bus_buf sql = { 0 }, image = { 0 };
	enum bus_err rc;
	int64_t there;

	v->sum = bus_xcalloc(1, sizeof(*v->sum));
	rc = gw_db_int(e->db, 0, &there, err,
		       "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = '_sum_%s'",
		       v->def->pub.name);
	if (rc == BUS_OK && !there) {
		v->all = true;
		rc = gw_rollup_create(e->db, v->def, &sql, err);
		if (rc == BUS_OK)
			rc = gw_db_exec(e->db, err, "%s; UPDATE _view SET all_dirty = 1 WHERE id = %lld",
					bus_buf_cstr(&sql), (long long)v->id);
	}
	if (rc == BUS_OK)
		rc = make_image_table(e, v, rel, err);
	bus_buf_reset(&sql);
	bus_buf_printf(&image, "_image_%s", v->def->pub.name);
	gw_rollup_add(e->db, v->def, bus_buf_cstr(&image), "_r_sign", false, &sql);
	if (rc == BUS_OK)
		rc = gw_db_prepare(e->db, bus_buf_cstr(&sql), &v->sum->add, err);
	bus_buf_reset(&sql);
	bus_buf_printf(&sql, "DELETE FROM \"_sum_%s\" WHERE _r_id = ? AND _r_n = 0", v->def->pub.name);
	if (rc == BUS_OK)
		rc = gw_db_prepare(e->db, bus_buf_cstr(&sql), &v->sum->remove, err);
	bus_buf_release(&sql);
	bus_buf_release(&image);
	return rc;
}

void gw_sum_close(struct gw_engine *e, struct gw_live *v)
{
	struct gw_sum *s = v->sum;

	if (!s)
		return;
	gw_stmt_free(&s->put);
	gw_stmt_free(&s->clear);
	gw_stmt_free(&s->add);
	gw_stmt_free(&s->remove);
	(void)!gw_db_exec(e->db, NULL, "DROP TABLE IF EXISTS temp.\"_image_%s\"", v->def->pub.name);
	gw_keys_release(&s->gone);
	bus_buf_release(&s->images);
	free(s->column);
	free(s);
	v->sum = NULL;
}

bool gw_sum_image(struct gw_engine *e, struct gw_live *v, bool after)
{
	struct gw_sum *s = v->sum;
	struct gw_value value;

	bus_buf_putc(&s->images, after);
	for (size_t i = 0; i < s->n_columns; i++) {
		(after ? gw_db_new : gw_db_old)(e->db, s->column[i], &value);
		gw_value_pack(&s->images, &value);
	}
	s->n++;
	return s->images.n > IMAGES_MAX;
}

static enum bus_err put_images(struct gw_sum *s, struct bus_error *err)
{
	const char *p = s->images.p;
	struct gw_value value;
	enum bus_err rc = BUS_OK;

	for (size_t i = 0; i < s->n && rc == BUS_OK; i++) {
		gw_stmt_bind_int(s->put, 1, *p++ ? 1 : -1);
		for (size_t k = 0; k < s->n_columns; k++) {
			p += gw_value_unpack(p, &value);
			gw_stmt_bind_value(s->put, (int)k + 2, &value);
		}
		rc = gw_stmt_run(s->put, err);
	}
	return rc;
}

enum bus_err gw_sum_flush(struct gw_engine *e, struct gw_live *v, struct bus_error *err)
{
	struct gw_rel *writing = e->writing;
	struct gw_sum *s = v->sum;
	enum bus_err rc = BUS_OK;
	struct bus_str key;
	bool row;

	if (s->n == 0)
		return BUS_OK;
	e->writing = NULL; /* what is written here is nobody's source */
	if (!v->all) {
		rc = put_images(s, err);
		while (rc == BUS_OK && (rc = gw_stmt_step(s->add, &row, err)) == BUS_OK && row) {
			key = gw_stmt_text(s->add, 1);
			if (key.p)
				gw_keys_add(&v->dirty, key);
			if (gw_stmt_int(s->add, 2) == 0 && !v->def->rollup->whole)
				gw_keys_add(&s->gone, gw_stmt_text(s->add, 0));
		}
		gw_stmt_reset(s->add);
		if (rc == BUS_OK)
			rc = gw_stmt_run(s->clear, err);
		for (size_t i = 0; i < s->gone.n && rc == BUS_OK; i++) {
			gw_stmt_bind_text(s->remove, 1, gw_keys_at(&s->gone, i));
			rc = gw_stmt_run(s->remove, err);
		}
		gw_keys_clear(&s->gone);
	}
	bus_buf_reset(&s->images);
	s->n = 0;
	e->writing = writing;
	return rc;
}

/* Read under the deadline, written row by row outside of it: gateway/store/db.h says why. */
enum bus_err gw_sum_fill(struct gw_engine *e, struct gw_live *v, struct bus_error *err)
{
	struct bus_buf sums = { 0 }, into = { 0 };
	struct gw_stmt *select = NULL, *put = NULL;
	struct gw_value value;
	enum bus_err rc;
	bool row;

	bus_buf_reset(&v->sum->images);
	v->sum->n = 0;
	rc = gw_db_exec(e->db, err, "DELETE FROM \"_sum_%s\"", v->def->pub.name);
	gw_rollup_sums(e->db, v->def, v->def->rollup->table, "1", true, &sums);
	gw_rollup_put(v->def, &into);
	if (rc == BUS_OK)
		rc = gw_db_prepare(e->db, bus_buf_cstr(&sums), &select, err);
	if (rc == BUS_OK)
		rc = gw_db_prepare(e->db, bus_buf_cstr(&into), &put, err);
	v->left_us = gw_eval_most_us(e, v->def);
	while (rc == BUS_OK && (rc = gw_eval_step(e, v, select, v->left_us, &row, err)) == BUS_OK && row) {
		for (int i = 0; i < gw_stmt_columns(select); i++) {
			gw_stmt_value(select, i, &value);
			gw_stmt_bind_value(put, i + 1, &value);
		}
		rc = gw_stmt_run(put, err);
	}
	gw_stmt_free(&select);
	gw_stmt_free(&put);
	bus_buf_release(&sums);
	bus_buf_release(&into);
	return rc;
}
