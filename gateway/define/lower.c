#include "gateway/define/lower.h"

void gw_lower_trace(struct gw_db *db, const struct gw_def *d, const struct gw_ast *a, struct gw_lineage *out)
{
	const char *table, *origin;
	struct gw_stmt *s = NULL;
	struct gw_source source = { 0 };

	(void)!gw_db_prepare(db, d->body, &s, NULL);
	for (size_t i = 0; i < d->pub.n_columns; i++) {
		gw_lineage_of(a, i, &out[i]);
		if (out[i].n == 0 && s && gw_stmt_origin(s, (int)i, &table, &origin) &&
		    (source.table = gw_world_find(a->world, table)) &&
		    gw_world_column(source.table, origin) >= 0) {
			source.column = (size_t)gw_world_column(source.table, origin);
			out[i].source[out[i].n++] = source;
			out[i].computed = false;
		}
	}
	gw_stmt_free(&s);
}

static bool is_lower(char declared, char source)
{
	return gw_world_graver(source, 'P') && gw_world_graver(source, declared);
}

/* Whether rows are groups of nobody in particular. */
static bool key_is_nobody_s(const struct gw_def *d, const struct gw_lineage *l)
{
	const struct gw_lineage *key = &l[d->pub.key];

	for (size_t i = 0; i < key->n; i++) {
		if (gw_world_graver(key->source[i].table->column[key->source[i].column].pdp, 'N'))
			return false;
	}
	return !key->unknown && d->pub.column[d->pub.key].pdp == 'N';
}

static void keep_graver(struct gw_lowered *x, char declared, enum gw_lower how, const char *table,
			const char *column, char pdp)
{
	if (is_lower(declared, pdp) && (x->how == GW_LOWER_NOT || gw_world_graver(pdp, x->pdp)))
		*x = (struct gw_lowered){ how, table, column, pdp };
}

struct gw_lowered gw_lower_find(const struct gw_def *d, const struct gw_world *w, const struct gw_lineage *l,
				size_t column)
{
	const char declared = d->pub.column[column].pdp;
	struct gw_lowered x = { 0 };

	for (size_t i = 0; i < l[column].n; i++) {
		const struct gw_source *s = &l[column].source[i];
		const struct gw_world_column *from = &s->table->column[s->column];

		if (s->summed && (from->type == GW_INT || from->type == GW_REAL) && key_is_nobody_s(d, l))
			continue;
		keep_graver(&x, declared, l[column].computed ? GW_LOWER_COMPUTED : GW_LOWER_COPY,
			    s->table->name, from->name, from->pdp);
	}
	for (size_t i = 0; i < d->n_reads && l[column].unknown; i++) {
		const struct gw_world_table *t = gw_world_find(w, d->read[i].table);

		for (size_t k = 0; k < d->read[i].n; k++) {
			int at = t ? gw_world_column(t, d->read[i].column[k]) : -1;

			keep_graver(&x, declared, GW_LOWER_UNKNOWN, d->read[i].table, d->read[i].column[k],
				    at < 0 ? 'S' : t->column[at].pdp);
		}
	}
	return x;
}

enum bus_err gw_lower_check(struct gw_db *db, const struct gw_def *d, const struct gw_world *w,
			    struct bus_error *err)
{
	struct gw_lineage *l = bus_xcalloc(d->pub.n_columns, sizeof(*l));
	struct bus_arena *arena = bus_arena_new(0);
	enum bus_err rc = BUS_OK;

	gw_lower_trace(db, d, gw_ast_parse(d->body, w, arena), l);
	for (size_t i = 0; i < d->pub.n_columns && rc == BUS_OK; i++) {
		const struct gw_column *c = &d->pub.column[i];
		struct gw_lowered x = gw_lower_find(d, w, l, i);

		if (x.how != GW_LOWER_NOT)
			rc = bus_fail(err, BUS_EPARSE,
				      "%s:%d: column '%s' is of class %c, but made of %s.%s (%c): declare %c",
				      d->file, c->line, c->name, c->pdp, x.table, x.column, x.pdp, x.pdp);
	}
	bus_arena_free(&arena);
	free(l);
	return rc;
}
