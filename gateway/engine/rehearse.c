#include "gateway/engine/rehearse.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "gateway/engine/rehearse_impl.h"

#define GIVEN_MAX 100
#define ROWS_MAX 20000 /* records of one test */
#define PAGE 1000

struct act { /* one test while it is played */
	struct gw_stage *stage;
	struct bus_yaml *y;
	const struct gw_view *view;
	const char *day;
	struct gw_stage_row *row; /* all records so far */
	size_t n, cap;
	struct bus_buf *report;
	struct bus_error *err;
	int differences;
};

/* --- records ---------------------------------------------------------------------------------------- */

static enum bus_err apply_one(struct act *a, struct gw_stage_row *row)
{
	struct gw_engine *e = a->stage->engine;
	struct gw_stage_topic *t = gw_stage_find(a->stage, row->topic->table);
	char stream[200], seq[24];
	struct bus_header header[2];
	struct bus_record record;

	snprintf(stream, sizeof(stream), "%s/0", t->topic);
	snprintf(seq, sizeof(seq), "%" PRId64, t->offset + 1);
	header[0] = (struct bus_header){ BUS_STR("titian_stream"), bus_str(stream) };
	header[1] = (struct bus_header){ BUS_STR("titian_seq"), bus_str(seq) };
	record = (struct bus_record){ .topic = t->topic,
				      .offset = t->offset,
				      .timestamp_ms = 1735689600000 + t->offset, /* 2025-01-01 */
				      .key = bus_str(row->key),
				      .value = bus_buf_str(&row->value),
				      .tombstone = row->removed,
				      .header = header,
				      .n_headers = 2,
				      .slot = gw_core_part(e, t->topic, 0) };
	t->offset++;
	return gw_apply(e, &record, 1, a->err);
}

static enum bus_err apply_table(struct act *a, struct bus_yaml_node *rows)
{
	const struct gw_stage_topic *t = gw_stage_find(a->stage, rows->key);
	enum bus_err rc = BUS_OK;

	if (!t) {
		char *table = bus_xasprintf("uji_%s", rows->key); /* a view's stand-in */

		t = gw_stage_find(a->stage, table);
		free(table);
	}
	if (!t)
		return bus_yaml_fail(a->y, rows, a->err,
				     "'%s' is no table of the schemas' folder and no view beside this one",
				     rows->key);
	if (rows->kind != BUS_YAML_LIST)
		return bus_yaml_fail(a->y, rows, a->err, "'%s' wants a list of rows", rows->key);
	for (struct bus_yaml_node *n = rows->first; n && rc == BUS_OK; n = n->next) {
		if (a->n == ROWS_MAX)
			return bus_yaml_fail(a->y, n, a->err, "more than %d rows in a test", ROWS_MAX);
		if (a->n == a->cap) {
			a->cap = a->cap ? a->cap * 2 : 32;
			a->row = bus_xrealloc(a->row, a->cap * sizeof(*a->row));
		}
		rc = gw_stage_row(a->y, n, t, a->row, a->n, &a->row[a->n], a->err);
		a->n++;
		if (rc == BUS_OK)
			rc = apply_one(a, &a->row[a->n - 1]);
	}
	return rc;
}

static enum bus_err settle(struct act *a)
{
	bool pending = true;
	enum bus_err rc = BUS_OK;

	for (int i = 0; i < 100 && pending && rc == BUS_OK; i++) {
		rc = gw_settle(a->stage->engine, GW_FORCE, NULL, &pending, a->err);
		if (rc == BUS_OK)
			rc = gw_commit(a->stage->engine, a->err);
	}
	return rc;
}

/* --- rows ------------------------------------------------------------------------------------------- */

struct found {
	char **cell; /* n_columns of each row; NULL: null */
	size_t n;
	const struct gw_view *view;
	char *last;
};

static char *text_of(const struct gw_value *v, enum gw_type declared)
{
	switch (v->type) {
	case GW_NULL:
		return NULL;
	case GW_INT:
	case GW_BOOL:
		if (declared == GW_BOOL)
			return bus_xstrdup(v->i ? "true" : "false");
		return bus_xasprintf("%" PRId64, v->i);
	case GW_REAL:
		return bus_xasprintf("%.17g", v->r);
	default:
		return bus_xstrndup(v->s.p ? v->s.p : "", v->s.n);
	}
}

static bool take_row(void *ctx, const struct gw_value *value, uint64_t hash)
{
	struct found *f = ctx;
	size_t n = f->view->n_columns;

	(void)hash;
	f->cell = bus_xrealloc(f->cell, (f->n + 1) * n * sizeof(*f->cell));
	for (size_t i = 0; i < n; i++)
		f->cell[f->n * n + i] = text_of(&value[i], f->view->column[i].type);
	f->last = f->cell[f->n * n + f->view->key];
	f->n++;
	return true;
}

static enum bus_err read_rows(struct act *a, struct found *f)
{
	struct gw_query q = { .view = a->view, .date = a->day, .limit = PAGE };
	struct gw_reader *r = gw_reader_of(a->stage->engine);
	enum bus_err rc;
	size_t before;

	f->view = a->view;
	do {
		before = f->n;
		q.after = f->last ? bus_str(f->last) : (struct bus_str){ 0 };
		rc = gw_page(r, &q, take_row, f, a->err);
	} while (rc == BUS_OK && f->n - before == PAGE && f->n < ROWS_MAX);
	return rc;
}

static bool equal(const char *is, const struct bus_yaml_node *want, enum gw_type type)
{
	char *end_is, *end_want;
	double x, y;

	if (!is || bus_yaml_is_null(want))
		return !is && bus_yaml_is_null(want);
	if (type == GW_INT || type == GW_REAL) {
		x = strtod(is, &end_is);
		y = strtod(want->text, &end_want);
		if (*is && *want->text && *end_is == '\0' && *end_want == '\0')
			return type == GW_INT ? strcmp(is, want->text) == 0 || x == y : x == y;
	}
	return strcmp(is, want->text) == 0;
}

static void differ(struct act *a, const struct bus_yaml_node *at)
{
	a->differences++;
	bus_buf_printf(a->report, "    %s:%d: ", bus_yaml_file(a->y), at->line);
}

static enum bus_err compare_row(struct act *a, struct bus_yaml_node *want, const struct found *f, bool *seen)
{
	const struct gw_view *v = a->view;
	struct bus_yaml_node *key, *cell;
	size_t i;

	if (want->kind != BUS_YAML_MAP || !(key = bus_yaml_get(want, v->column[v->key].name)))
		return bus_yaml_fail(a->y, want, a->err, "a row that is expected names its key: {%s: ...}",
				     v->column[v->key].name);
	for (i = 0; i < f->n; i++) {
		if (f->cell[i * v->n_columns + v->key] && !seen[i] &&
		    strcmp(f->cell[i * v->n_columns + v->key], key->text) == 0)
			break;
	}
	if (i == f->n) {
		differ(a, want);
		bus_buf_printf(a->report, "tidak ada baris / no row '%s'\n", key->text);
		return BUS_OK;
	}
	seen[i] = true;
	for (size_t k = 0; k < v->n_columns; k++) {
		const char *is = f->cell[i * v->n_columns + k];

		cell = bus_yaml_get(want, v->column[k].name);
		if (!cell || (cell->kind == BUS_YAML_SCALAR && equal(is, cell, v->column[k].type)))
			continue;
		differ(a, cell);
		bus_buf_printf(a->report, "%s '%s', %s: diharapkan / expected %s, ternyata / got %s\n",
			       v->column[v->key].name, key->text, v->column[k].name,
			       bus_yaml_is_null(cell) ? "null" : cell->text, is ? is : "null");
	}
	return bus_yaml_no_more(a->y, want, a->err);
}

static enum bus_err expect(struct act *a, struct bus_yaml_node *step)
{
	struct bus_yaml_node *list = bus_yaml_get(step, "expect");
	struct found f = { 0 };
	bool *seen = NULL;
	enum bus_err rc;

	if (!list || list->kind != BUS_YAML_LIST)
		return bus_yaml_fail(a->y, step, a->err,
				     "'expect' wants the view's rows: a list, [] for none");
	rc = read_rows(a, &f);
	seen = bus_xcalloc(f.n + 1, sizeof(*seen));
	for (struct bus_yaml_node *n = list->first; n && rc == BUS_OK; n = n->next)
		rc = compare_row(a, n, &f, seen);
	for (size_t i = 0; i < f.n && rc == BUS_OK; i++) {
		const char *key = f.cell[i * a->view->n_columns + a->view->key];

		if (seen[i])
			continue;
		differ(a, list);
		bus_buf_printf(a->report, "baris yang tidak diharapkan / a row that is not expected: '%s'\n",
			       key ? key : "null");
	}
	for (size_t i = 0; i < f.n * a->view->n_columns; i++)
		free(f.cell[i]);
	free(f.cell);
	free(seen);
	return rc;
}

/* Stored and computed from nothing: a route that leads nowhere shows here, whatever the test expects. */
static enum bus_err verify(struct act *a, const struct bus_yaml_node *step)
{
	struct gw_engine *e = a->stage->engine;
	size_t n = gw_view_count(e);
	int64_t *differing = bus_xcalloc(n + 1, sizeof(*differing));
	enum bus_err rc = gw_verify(e, differing, n, a->err);

	for (size_t i = 0; i < n && rc == BUS_OK; i++) {
		if (differing[i] == 0)
			continue;
		differ(a, step);
		bus_buf_printf(a->report,
			       "'%s': %" PRId64 " baris tersimpan lain daripada hasil hitung ulang (rute?) / "
			       "stored rows other than computed afresh (a route?)\n",
			       gw_view_at(e, i)->name, differing[i]);
	}
	free(differing);
	return rc;
}

static enum bus_err play_step(struct act *a, struct bus_yaml_node *step)
{
	struct bus_yaml_node *given = bus_yaml_get(step, "given");
	enum bus_err rc = BUS_OK;

	if (given && given->kind != BUS_YAML_MAP)
		return bus_yaml_fail(a->y, given, a->err, "'given' wants {table: [rows]}");
	for (struct bus_yaml_node *t = given ? given->first : NULL; t && rc == BUS_OK; t = t->next)
		rc = apply_table(a, t);
	if (rc == BUS_OK)
		rc = settle(a);
	if (rc == BUS_OK)
		rc = expect(a, step);
	return rc == BUS_OK ? verify(a, step) : rc;
}

static enum bus_err play(struct act *a, struct bus_yaml_node *test, const char *view)
{
	struct bus_yaml_node *then;
	enum bus_err rc;

	rc = gw_stage_open(a->stage, a->err);
	if (rc == BUS_OK)
		rc = settle(a); /* from here on by touched keys, as in a city that is running */
	if (rc == BUS_OK) {
		a->view = gw_view_find(a->stage->engine, view);
		rc = play_step(a, test);
	}
	then = bus_yaml_get(test, "then");
	if (rc == BUS_OK && then && then->kind != BUS_YAML_LIST)
		rc = bus_yaml_fail(a->y, then, a->err, "'then' wants a list of {given: ..., expect: ...}");
	for (struct bus_yaml_node *n = then ? then->first : NULL; n && rc == BUS_OK; n = n->next) {
		rc = play_step(a, n);
		if (rc == BUS_OK)
			rc = bus_yaml_no_more(a->y, n, a->err);
	}
	gw_stage_close(a->stage);
	return rc == BUS_OK ? bus_yaml_no_more(a->y, test, a->err) : rc;
}

/* --- the file --------------------------------------------------------------------------------------- */

/* Names of tables that any of the tests gives rows for. */
static size_t names_given(struct bus_yaml_node *list, const char **name, size_t n)
{
	for (struct bus_yaml_node *t = list->first; t; t = t->next) {
		struct bus_yaml_node *given = bus_yaml_get(t, "given"), *then = bus_yaml_get(t, "then");

		for (struct bus_yaml_node *g = given ? given->first : NULL; g && n < GIVEN_MAX; g = g->next) {
			if (g->key)
				name[n++] = g->key;
		}
		if (then)
			n = names_given(then, name, n);
	}
	return n;
}

static enum bus_err play_all(struct act *a, struct bus_yaml_node *list, const char *view, int *passed,
			     int *failed)
{
	enum bus_err rc = BUS_OK;
	const char *name;
	struct bus_buf lines = { 0 }, *report = a->report;

	a->report = &lines;
	for (struct bus_yaml_node *n = list->first; n && rc == BUS_OK; n = n->next) {
		name = "?";
		a->day = NULL;
		a->differences = 0;
		bus_buf_reset(&lines);
		rc = bus_yaml_str(a->y, n, "name", true, &name, a->err);
		if (rc == BUS_OK)
			rc = bus_yaml_str(a->y, n, "per_tanggal", false, &a->day, a->err);
		if (rc == BUS_OK)
			rc = play(a, n, view);
		for (size_t i = 0; i < a->n; i++) {
			free(a->row[i].key);
			bus_buf_release(&a->row[i].value);
		}
		a->n = 0;
		if (rc != BUS_OK)
			break;
		*(a->differences ? failed : passed) += 1;
		bus_buf_printf(report, "%s %s: %s\n", a->differences ? "GAGAL/FAILED" : "baik/ok", view,
			       name);
		bus_buf_put(report, lines.p, lines.n);
	}
	bus_buf_release(&lines);
	free(a->row);
	return rc;
}

enum bus_err gw_rehearse(const struct gw_rehearsal *r, struct bus_buf *report, int *passed, int *failed,
			 struct bus_error *err)
{
	struct gw_stage *stage = bus_xcalloc(1, sizeof(*stage));
	struct act a = { .stage = stage, .report = report, .err = err };
	const char *given[GIVEN_MAX], *slash = strrchr(r->view, '/');
	struct bus_yaml_node *list;
	struct gw_def *def = NULL;
	char *test = NULL;
	enum bus_err rc;

	rc = gw_view_load(r->view, &def, err);
	if (rc != BUS_OK)
		goto out;
	test = r->test ? bus_xstrdup(r->test)
		       : bus_xasprintf("%.*stests/%s.yaml", slash ? (int)(slash + 1 - r->view) : 0, r->view,
				       def->pub.name);
	if (!r->test && access(test, F_OK) != 0) {
		rc = bus_fail(err, BUS_ENOENT, "no tests: '%s' is not there", test);
		goto out;
	}
	if ((rc = bus_yaml_load(test, &a.y, err)) != BUS_OK)
		goto out;
	list = bus_yaml_get(bus_yaml_root(a.y), "tests");
	if (!list || list->kind != BUS_YAML_LIST || !list->first) {
		rc = bus_yaml_fail(a.y, list, err, "'tests' wants a list of {name, given, expect, then}");
		goto out;
	}
	rc = gw_stage_init(stage, r, given, names_given(list, given, 0), err);
	if (rc == BUS_OK)
		rc = play_all(&a, list, def->pub.name, passed, failed);
	if (rc == BUS_OK)
		rc = bus_yaml_no_more(a.y, bus_yaml_root(a.y), err);
out:
	gw_stage_release(stage);
	free(stage);
	bus_yaml_free(&a.y);
	gw_view_free(&def);
	free(test);
	return rc;
}
