#include "gateway/engine/provenance.h"

#include <stdio.h>
#include <stdlib.h>

#include "bus/clock.h"
#include "bus/json_out.h"
#include "gateway/define/trace.h"
#include "gateway/engine/reading.h"
#include "gateway/store/origin.h"

#define ARENA_MAX ((size_t)32 * 1024 * 1024)
#define TRAILS_MAX 300 /* rows of views that one answer may lead through */
#define DEPTH_MAX 16   /* views over views */
#define VIA_MAX 8
#define VERSIONS_KEPT 32
#define COLUMNS_OF_MAX 16 /* listed of one record */

struct trail { /* a row of a view, traced */
	const struct gw_view *view;
	struct bus_str key;
	const char *reason; /* of the row as a whole: "pending", "untraceable"; NULL: good */
	const char *detail;
	struct gw_trace_column *column;
	struct bus_str *text; /* of each column, then of the row */
	struct trail *next;
};

struct run {
	struct gw_reader *r;
	struct gw_views *views;
	struct bus_arena *arena;
	const char *date;
	struct trail *trail;
	int n_trails;
	struct {
		int64_t id;
		const char *topic;
		int version; /* 0: not known */
	} version[VERSIONS_KEPT];
	size_t n_versions;
	struct bus_error *err;
};

/* --- what there is to read ---------------------------------------------------------------------------- */

static enum gw_trace_kind topic_table(struct run *u, const char *name, const char *const **column, size_t *n)
{
	const char **list = bus_arena_alloc(u->arena, 512 * sizeof(*list));
	struct gw_stmt *s;
	bool row;

	*n = 0;
	if (!list || gw_reader_stmt(u->r, "SELECT name FROM pragma_table_info(?)", &s, u->err) != BUS_OK)
		return GW_TRACE_NONE;
	gw_stmt_bind_text(s, 1, bus_str(name));
	while (gw_stmt_step(s, &row, u->err) == BUS_OK && row && *n < 512) {
		list[*n] = bus_arena_dup(u->arena, gw_stmt_text(s, 0).p, gw_stmt_text(s, 0).n);
		*n += list[*n] != NULL;
	}
	gw_stmt_reset(s);
	*column = list;
	return *n ? GW_TRACE_TOPIC : GW_TRACE_NONE;
}

static enum gw_trace_kind table(void *ctx, const char *name, const char *const **column, size_t *n,
				const char **key)
{
	struct run *u = ctx;
	const struct gw_view *v = gw_views_find(u->views, name);
	const char **list;

	if (!v) {
		for (size_t i = 0; i < u->r->e->n_topics; i++) {
			if (strcmp(u->r->e->topic[i].count.table, name) == 0)
				return topic_table(u, name, column, n);
		}
		return GW_TRACE_NONE;
	}
	list = bus_arena_alloc(u->arena, v->n_columns * sizeof(*list));
	if (!list)
		return GW_TRACE_NONE;
	for (size_t i = 0; i < v->n_columns; i++)
		list[i] = v->column[i].name;
	*column = list;
	*n = v->n_columns;
	*key = v->column[v->key].name;
	return GW_TRACE_VIEW;
}

/* --- one row of one view ------------------------------------------------------------------------------ */

/* The row's texts, joined over all the rows that the trace gives. *hash: of the view's own columns. */
static enum bus_err take(struct run *u, struct trail *t, struct gw_stmt *s, bool *found, uint64_t *hash)
{
	size_t n = t->view->n_columns;
	struct bus_buf joined[GW_COLUMNS_MAX + 1];
	enum bus_err rc;
	bool row;

	memset(joined, 0, sizeof(joined));
	*found = false;
	while ((rc = gw_stmt_step(s, &row, u->err)) == BUS_OK && row) {
		bus_buf_reset(&u->r->packed);
		gw_stmt_pack_first(s, (int)n, &u->r->packed);
		*hash = gw_hash(u->r->e->secret, u->r->packed.p, u->r->packed.n);
		*found = true;
		for (size_t i = 0; i <= n; i++) {
			struct bus_str text = gw_stmt_text(s, (int)(n + i));

			bus_buf_put(&joined[i], text.p, text.n);
		}
	}
	for (size_t i = 0; i <= n; i++) {
		char *copy = bus_arena_dup(u->arena, joined[i].n ? joined[i].p : "", joined[i].n);

		if (!copy && rc == BUS_OK)
			rc = bus_fail(u->err, BUS_ETOOBIG, "a trace is too long");
		t->text[i] = (struct bus_str){ copy, copy ? joined[i].n : 0 };
		bus_buf_release(&joined[i]);
	}
	return rc;
}

/* Is `hash` what is stored for the row? Views not read by others keep no row apart from it. */
static enum bus_err stored(struct run *u, const struct trail *t, uint64_t hash, bool *same)
{
	struct gw_stmt *s;
	char sql[160];
	enum bus_err rc;
	bool row;

	snprintf(sql, sizeof(sql), "SELECT hash FROM \"_view_%s\" WHERE key = ?", t->view->name);
	rc = gw_reader_stmt(u->r, sql, &s, u->err);
	if (rc != BUS_OK)
		return rc;
	gw_stmt_bind_text(s, 1, t->key);
	rc = gw_stmt_step(s, &row, u->err);
	*same = rc == BUS_OK && row && !gw_stmt_is_null(s, 0) && (uint64_t)gw_stmt_int(s, 0) == hash;
	gw_stmt_reset(s);
	return rc;
}

/* NULL: u->err says why. */
static struct trail *trace(struct run *u, const struct gw_view *v, struct bus_str key, uint64_t *hash)
{
	const struct gw_trace_tables tables = { u, table };
	struct trail *t;
	struct bus_buf sql = { 0 };
	struct gw_stmt *s = NULL;
	struct bus_error why;
	bool found = false, same = true;
	uint64_t own = 0;
	enum bus_err rc;

	for (t = u->trail; t; t = t->next) {
		if (t->view == v && bus_str_eq(t->key, key))
			return t;
	}
	t = bus_arena_zalloc(u->arena, sizeof(*t));
	if (!t || ++u->n_trails > TRAILS_MAX) {
		bus_fail(u->err, BUS_ETOOBIG, "it leads through more than %d rows", TRAILS_MAX);
		return NULL;
	}
	*t = (struct trail){ .view = v, .next = u->trail };
	t->key = (struct bus_str){ bus_arena_dup(u->arena, key.p, key.n), key.n };
	t->column = bus_arena_zalloc(u->arena, v->n_columns * sizeof(*t->column));
	t->text = bus_arena_zalloc(u->arena, (v->n_columns + 1) * sizeof(*t->text));
	if (!t->key.p || !t->column || !t->text) {
		bus_fail(u->err, BUS_ETOOBIG, "a trace is too long");
		return NULL;
	}
	rc = gw_trace_select(gw_view_def(v), &tables, u->arena, &sql, t->column, &why);
	if (rc != BUS_OK) {
		t->reason = "untraceable";
		t->detail = bus_arena_dup(u->arena, why.text, strlen(why.text));
		rc = BUS_OK;
	} else {
		bus_buf_printf(&sql, "WHERE \"%s\" = :_key", v->column[v->key].name);
		rc = gw_reader_stmt(u->r, bus_buf_cstr(&sql), &s, u->err);
		if (rc == BUS_EDB) { /* something that we take for what it is not */
			t->reason = "untraceable";
			t->detail = "SQLite does not take the SELECT with its traces";
			u->trail = t;
			bus_buf_release(&sql);
			return t;
		}
		if (rc == BUS_OK) {
			gw_stmt_bind_text(s, gw_stmt_param(s, ":_key"), key);
			if (u->date)
				gw_stmt_bind_text(s, gw_stmt_param(s, ":per_tanggal"), bus_str(u->date));
			rc = take(u, t, s, &found, &own);
			gw_stmt_reset(s);
		}
		if (rc == BUS_OK && gw_view_def(v)->full)
			rc = stored(u, t, own, &same);
		if (!found || !same)
			t->reason = "pending";
	}
	bus_buf_release(&sql);
	*hash = own;
	u->trail = t;
	return rc == BUS_OK ? t : NULL;
}

/* --- one cell: its records, through the views between --------------------------------------------------- */

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

static bool expand(struct run *u, struct cell *c, struct bus_str text, const char **via, size_t n_via);

/* The records behind one column (none: the row) of a stored view's row. */
static bool expand_view(struct run *u, struct cell *c, const struct gw_origin *o, const char **via,
			size_t n_via)
{
	const struct gw_view *v = NULL;
	struct trail *t;
	uint64_t hash;
	size_t i;

	for (i = 0; i < u->views->n && !v; i++) {
		if (bus_str_is(o->table, u->views->view[i]->name))
			v = u->views->view[i];
	}
	t = v && n_via < DEPTH_MAX ? trace(u, v, o->key, &hash) : NULL;
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

static bool expand(struct run *u, struct cell *c, struct bus_str text, const char **via, size_t n_via)
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
static int version_of(struct run *u, const char *topic, const char *subject, int64_t id)
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

static void put_schema(struct run *u, struct bus_json_out *j, const char *topic, int64_t id)
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

static void put_record(struct run *u, struct bus_json_out *j, const struct listed *l)
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

static void put_cell(struct run *u, struct bus_json_out *j, struct cell *c)
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

static void put_column(struct run *u, struct bus_json_out *j, const struct trail *t, size_t i, bool clear)
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

static void put_all(struct run *u, const struct trail *t, uint64_t shown, uint64_t clear, struct bus_buf *out)
{
	struct bus_json_out j = { .buf = out };

	bus_json_object(&j);
	for (size_t i = 0; i < t->view->n_columns; i++) {
		if (shown >> i & 1)
			put_column(u, &j, t, i, clear >> i & 1);
	}
	bus_json_object_end(&j);
}

enum bus_err gw_traced(struct gw_reader *r, const struct gw_query *asked, struct bus_str key, uint64_t shown,
		       uint64_t clear, gw_traced_fn fn, void *ctx, struct bus_error *err)
{
	const struct gw_view *v = asked->view;
	const struct gw_query q = { .view = v, .date = asked->date, .rows = asked->rows };
	struct bus_error own = { 0 };
	struct run u = { .r = r, .date = q.date, .err = &own };
	const struct gw_value *value = NULL;
	struct bus_buf json = { 0 };
	struct gw_stmt *s = NULL;
	uint64_t hash = 0, traced = 0;
	struct trail *t = NULL;
	enum bus_err rc;

	rc = gw_read_check_date(v, q.date, err);
	if (rc == BUS_OK)
		rc = gw_read_begin(r, err);
	if (rc != BUS_OK)
		return rc;
	u.views = gw_views_hold(r->e);
	u.arena = bus_arena_new(ARENA_MAX);
	t = trace(&u, v, key, &traced);
	if (t)
		put_all(&u, t, shown, clear, &json);
	else
		rc = bus_fail(err, own.code, "%s", own.text);
	if (rc == BUS_OK)
		rc = gw_read_one(r, &q, key, &value, &hash, &s, err);
	if (rc == BUS_OK && !value)
		rc = bus_fail(err, BUS_ENOENT, "view '%s' has no such row", v->name);
	if (rc == BUS_OK && !t->reason && traced != hash) {
		/* What was traced is not what is answered: then nothing is said about it. */
		t->reason = "pending";
		bus_buf_reset(&json);
		put_all(&u, t, shown, clear, &json);
	}
	if (rc == BUS_OK)
		fn(ctx, value, hash, bus_buf_str(&json));
	if (s)
		gw_stmt_reset(s);
	gw_db_rollback(r->db);
	bus_buf_release(&json);
	bus_arena_free(&u.arena);
	gw_views_release(&u.views);
	return rc;
}
