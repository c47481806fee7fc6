/* One cell: its records, through the views between, as JSON. */
#include <stdio.h>
#include <stdlib.h>

#include "bus/clock.h"
#include "bus/json_out.h"
#include "gateway/engine/provenance_impl.h"
#include "gateway/store/origin.h"

#define DEPTH_MAX 16 /* views over views */
#define VIA_MAX 8
#define COLUMNS_OF_MAX 16 /* listed of one record */

struct listed {
	struct gw_origin o;
	struct bus_str column[COLUMNS_OF_MAX];
	const char *via[VIA_MAX];
	size_t n_columns, n_via;
};

struct cell {
	struct listed list[GW_ORIGINS_LISTED];
	size_t n;
	bool more;    /* than are listed */
	int64_t rows; /* as counted; -1: not known */
	int numbers;  /* how often something was counted beyond the list */
	enum gw_trace_way way;
	const char *reason, *detail;
};

static void add_once(struct bus_str s, struct bus_str *list, size_t *n, size_t max)
{
	for (size_t i = 0; i < *n; i++) {
		if (bus_str_eq(list[i], s))
			return;
	}
	if (*n < max && s.n > 0)
		list[(*n)++] = s;
}

static void add_record(struct cell *c, const struct gw_origin *o, const char *const *via, size_t n_via)
{
	struct listed *l = NULL;
	size_t k;

	for (size_t i = 0; i < c->n && !l; i++) {
		if (bus_str_eq(c->list[i].o.same, o->same))
			l = &c->list[i];
	}
	if (!l) {
		if (c->n == GW_ORIGINS_LISTED) {
			c->more = true;
			return;
		}
		l = &c->list[c->n++];
		*l = (struct listed){ .o = *o };
	}
	add_once(o->column, l->column, &l->n_columns, COLUMNS_OF_MAX);
	for (size_t i = 0; i < n_via; i++) {
		for (k = 0; k < l->n_via && strcmp(l->via[k], via[i]) != 0; k++)
			;
		if (k == l->n_via && k < VIA_MAX)
			l->via[l->n_via++] = via[i];
	}
}

static bool expand(struct gw_run *u, struct cell *c, struct bus_str text, const char **via, size_t n_via);

/* The records behind one column (none: the row) of a stored view's row. */
static bool expand_view(struct gw_run *u, struct cell *c, const struct gw_origin *o, const char **via,
			size_t n_via)
{
	const struct gw_view *v = NULL;
	struct gw_trail *t;
	uint64_t hash;
	size_t i;

	for (i = 0; i < u->views->n && !v; i++) {
		if (bus_str_is(o->table, u->views->view[i]->name))
			v = u->views->view[i];
	}
	t = v && n_via < DEPTH_MAX ? gw_trail_of(u, v, o->key, &hash) : NULL;
	if (!t) {
		c->reason = "too-many";
		c->detail = "the rows it leads through";
		return false;
	}
	if (t->reason) {
		c->reason = t->reason;
		c->detail = t->detail;
		return false;
	}
	for (i = 0; i < v->n_columns && !bus_str_is(o->column, v->column[i].name); i++)
		;
	if (i < v->n_columns && t->column[i].reason) {
		c->reason = "untraceable";
		c->detail = t->column[i].reason;
		return false;
	}
	if (i < v->n_columns && t->column[i].way > c->way)
		c->way = t->column[i].way;
	via[n_via] = v->name;
	return expand(u, c, t->text[i], via, n_via + 1);
}

static bool expand(struct gw_run *u, struct cell *c, struct bus_str text, const char **via, size_t n_via)
{
	struct gw_origin o;

	while (gw_origin_next(&text, &o)) {
		if (o.kind == GW_ORIGIN_NUMBER) {
			c->more = true;
			c->numbers++;
			c->rows = o.number;
		} else if (o.kind == GW_ORIGIN_ROW) {
			add_record(c, &o, via, n_via);
		} else if (c->n == GW_ORIGINS_LISTED) {
			c->more = true; /* enough are named: the others need not be found */
		} else if (!expand_view(u, c, &o, via, n_via)) {
			return false;
		}
	}
	return true;
}

/* --- as JSON ------------------------------------------------------------------------------------------ */

/* Asked of the registry's store once a request. */
static int version_of(struct gw_run *u, const char *topic, const char *subject, int64_t id)
{
	const struct gw_schemas *s = &u->r->e->schemas;
	int version = 0;

	for (size_t i = 0; i < u->n_versions; i++) {
		if (u->version[i].id == id && u->version[i].topic == topic)
			return u->version[i].version;
	}
	if (!s->version || !s->version(s->ctx, subject, (int32_t)id, &version))
		version = 0;
	if (u->n_versions < VERSIONS_KEPT) {
		u->version[u->n_versions].id = id;
		u->version[u->n_versions].topic = topic;
		u->version[u->n_versions++].version = version;
	}
	return version;
}

static void put_schema(struct gw_run *u, struct bus_json_out *j, const char *topic, int64_t id)
{
	char subject[300];
	int version;

	snprintf(subject, sizeof(subject), "%s-value", topic);
	version = version_of(u, topic, subject, id);
	bus_json_key(j, "schema");
	bus_json_object(j);
	bus_json_key(j, "id");
	bus_json_put_int(j, id);
	bus_json_text_member(j, "subject", subject);
	bus_json_key(j, "version");
	if (version)
		bus_json_put_int(j, version);
	else
		bus_json_put_null(j);
	bus_json_object_end(j);
}

static void put_record(struct gw_run *u, struct bus_json_out *j, const struct listed *l)
{
	const struct gw_engine *e = u->r->e;
	const char *topic = "";
	char when[40];

	bus_json_object(j);
	for (size_t i = 0; i < e->n_topics; i++) {
		const struct gw_topic_state *t = &e->topic[i].count;

		if (!bus_str_is(l->o.table, t->table))
			continue;
		bus_json_text_member(j, "opd", t->opd);
		bus_json_text_member(j, "topic", t->topic);
		topic = t->topic;
	}
	bus_json_key(j, "partition");
	bus_json_put_int(j, l->o.partition);
	bus_json_key(j, "offset");
	bus_json_put_int(j, l->o.offset);
	bus_json_text_member(j, "time", bus_clock_iso_wib(l->o.ts_ms, when, sizeof(when)));
	put_schema(u, j, topic, l->o.schema_id);
	bus_json_key(j, "table");
	bus_json_put_str(j, l->o.table);
	bus_json_key(j, "columns");
	bus_json_array(j);
	for (size_t i = 0; i < l->n_columns; i++)
		bus_json_put_str(j, l->column[i]);
	bus_json_array_end(j);
	bus_json_key(j, "via");
	bus_json_array(j);
	for (size_t i = 0; i < l->n_via; i++)
		bus_json_put_text(j, l->via[i]);
	bus_json_array_end(j);
	bus_json_object_end(j);
}

static void put_none(struct bus_json_out *j, const struct gw_column *column, const char *reason,
		     const char *detail)
{
	bus_json_object(j);
	bus_json_key(j, "sources");
	bus_json_put_null(j);
	bus_json_text_member(j, "reason", reason);
	bus_json_some_text_member(j, "detail", detail);
	if (strcmp(reason, "untraceable") == 0 && column->n_from > 0) {
		bus_json_key(j, "declared");
		bus_json_array(j);
		for (size_t i = 0; i < column->n_from; i++)
			bus_json_put_text(j, column->from[i]);
		bus_json_array_end(j);
	}
	bus_json_object_end(j);
}

static int by_place(const void *a, const void *b)
{
	const struct gw_origin *x = &((const struct listed *)a)->o, *y = &((const struct listed *)b)->o;
	int c = memcmp(x->table.p, y->table.p, x->table.n < y->table.n ? x->table.n : y->table.n);

	if (c == 0)
		c = (x->table.n > y->table.n) - (x->table.n < y->table.n);
	if (c == 0)
		c = (x->partition > y->partition) - (x->partition < y->partition);
	return c ? c : (x->offset > y->offset) - (x->offset < y->offset);
}

static void put_cell(struct gw_run *u, struct bus_json_out *j, struct cell *c)
{
	static const char *const way[] = { "copied", "computed", "counted" };

	qsort(c->list, c->n, sizeof(c->list[0]), by_place);
	bus_json_object(j);
	bus_json_text_member(j, "way", way[c->way]);
	bus_json_key(j, "rows");
	if (!c->more)
		bus_json_put_int(j, (int64_t)c->n);
	else if (c->numbers == 1)
		bus_json_put_int(j, c->rows);
	else
		bus_json_put_null(j);
	bus_json_key(j, "complete");
	bus_json_put_bool(j, !c->more);
	bus_json_key(j, "sources");
	bus_json_array(j);
	for (size_t i = 0; i < c->n; i++)
		put_record(u, j, &c->list[i]);
	bus_json_array_end(j);
	bus_json_object_end(j);
}

static void put_column(struct gw_run *u, struct bus_json_out *j, const struct gw_trail *t, size_t i,
		       bool clear)
{
	const struct gw_column *column = &t->view->column[i];
	const char *via[DEPTH_MAX + 1];
	struct cell *c;

	bus_json_key(j, column->name);
	if (!clear) {
		put_none(j, column, "masked", NULL);
		return;
	}
	if (t->reason || t->column[i].reason) {
		put_none(j, column, t->reason ? t->reason : "untraceable",
			 t->reason ? t->detail : t->column[i].reason);
		return;
	}
	c = bus_xcalloc(1, sizeof(*c));
	c->way = t->column[i].way;
	if (expand(u, c, t->text[i], via, 0))
		put_cell(u, j, c);
	else
		put_none(j, column, c->reason, c->detail);
	free(c);
}

void gw_trail_put(struct gw_run *u, const struct gw_trail *t, uint64_t shown, uint64_t clear,
		  struct bus_buf *out)
{
	struct bus_json_out j = { .buf = out };

	bus_json_object(&j);
	for (size_t i = 0; i < t->view->n_columns; i++) {
		if (shown >> i & 1)
			put_column(u, &j, t, i, clear >> i & 1);
	}
	bus_json_object_end(&j);
}
