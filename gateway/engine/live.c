#include "gateway/engine/live.h"

#include <stdio.h>

#include "bus/log.h"
#include "gateway/define/conflict.h"
#include "gateway/engine/live_impl.h"
#include "gateway/engine/world.h"

struct wish {
	char *name;
	char *text; /* NULL: it goes */
	size_t n;
	char by[64];
	int64_t when_ms;
	bool fresh;	   /* not looked at yet */
	uint64_t tried_at; /* epoch in which it was refused */
	struct gw_view_state state;
};

struct shipped { /* a definition of views.dir */
	char *name, *text;
	size_t n;
};

struct standing { /* a view whose rows stand still */
	char name[64];
	char why[GW_STATE_FAULT_MAX];
};

struct gw_lives {
	pthread_mutex_t lock;
	struct wish *inbox;	/* lock */
	size_t n_inbox;		/* lock */
	bool read;		/* lock: the topic, to its end */
	struct wish *wish;	/* state: lock; the rest is the writer's */
	size_t n;		/* lock */
	bool settled;		/* what was defined before and is no longer named has been dealt with */
	struct standing *stuck; /* lock */
	size_t n_stuck;		/* lock */
	struct bus_metric *stuck_metric;
	struct shipped *shipped;
	size_t n_shipped;
	struct gw_build *build;
	size_t building; /* index of its wish */
	struct bus_metric *refused;
};

void gw_lives_new(struct gw_engine *e)
{
	e->lives = bus_xcalloc(1, sizeof(*e->lives));
	pthread_mutex_init(&e->lives->lock, NULL);
	e->views_epoch = 1;
	e->lives->stuck_metric =
	    bus_metric("titian_view_stuck", "gauge",
		       "Views whose SELECT fails on the rows there are: see their states", "");
	e->lives->refused =
	    bus_metric("titian_view_refused", "gauge",
		       "Definitions that this gateway cannot take: see the views' states", "");
}

static void wish_release(struct wish *w)
{
	free(w->name);
	free(w->text);
}

void gw_lives_free(struct gw_engine *e)
{
	struct gw_lives *l = e->lives;

	if (!l)
		return;
	for (size_t i = 0; i < l->n; i++)
		wish_release(&l->wish[i]);
	for (size_t i = 0; i < l->n_inbox; i++)
		wish_release(&l->inbox[i]);
	for (size_t i = 0; i < l->n_shipped; i++) {
		free(l->shipped[i].name);
		free(l->shipped[i].text);
	}
	free(l->wish);
	free(l->inbox);
	free(l->shipped);
	free(l->stuck);
	pthread_mutex_destroy(&l->lock);
	free(l);
	e->lives = NULL;
}

void gw_lives_abandon(struct gw_engine *e)
{
	struct gw_lives *l = e->lives;

	if (!l->build)
		return;
	l->wish[l->building].fresh = true;
	gw_build_free(e, &l->build);
}

void gw_lives_ship(struct gw_engine *e, const struct gw_def *d)
{
	struct gw_lives *l = e->lives;

	l->shipped = bus_xrealloc(l->shipped, (l->n_shipped + 1) * sizeof(*l->shipped));
	l->shipped[l->n_shipped++] =
	    (struct shipped){ bus_xstrdup(d->pub.name), bus_xstrndup(d->text.p, d->text.n), d->text.n };
}

static const struct shipped *shipped_of(const struct gw_lives *l, const char *name)
{
	for (size_t i = 0; i < l->n_shipped; i++)
		if (strcmp(l->shipped[i].name, name) == 0)
			return &l->shipped[i];
	return NULL;
}

void gw_lives_stuck(struct gw_engine *e, struct gw_live *v, const char *why)
{
	struct gw_lives *l = e->lives;
	size_t i;

	pthread_mutex_lock(&l->lock);
	for (i = 0; i < l->n_stuck && strcmp(l->stuck[i].name, v->def->pub.name) != 0; i++)
		;
	if (why && i == l->n_stuck)
		l->stuck = bus_xrealloc(l->stuck, ++l->n_stuck * sizeof(*l->stuck));
	if (why) {
		snprintf(l->stuck[i].name, sizeof(l->stuck[i].name), "%s", v->def->pub.name);
		snprintf(l->stuck[i].why, sizeof(l->stuck[i].why), "%s", why);
	} else if (i < l->n_stuck) {
		l->stuck[i] = l->stuck[--l->n_stuck];
	}
	bus_metric_set(l->stuck_metric, (double)l->n_stuck);
	pthread_mutex_unlock(&l->lock);
}

void gw_lives_changed(struct gw_engine *e)
{
	e->views_epoch++;
}

/* --- wishes ----------------------------------------------------------------------------------------- */

static struct wish *find(struct wish *w, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(w[i].name, name) == 0)
			return &w[i];
	return NULL;
}

/* The place of a name in a list of wishes, emptied. NULL: too many. */
static struct wish *place(struct wish **list, size_t *n, const char *name)
{
	struct wish *w = find(*list, *n, name);

	if (!w && *n == GW_WISHES_MAX)
		return NULL;
	if (w) {
		wish_release(w);
	} else {
		*list = bus_xrealloc(*list, (*n + 1) * sizeof(**list));
		w = &(*list)[(*n)++];
	}
	*w = (struct wish){ .name = bus_xstrdup(name), .fresh = true };
	return w;
}

void gw_wish(struct gw_engine *e, const struct gw_wish *wish)
{
	struct gw_lives *l = e->lives;
	struct wish *w;

	pthread_mutex_lock(&l->lock);
	w = place(&l->inbox, &l->n_inbox, wish->name);
	if (w) {
		w->text = wish->text.p ? bus_xstrndup(wish->text.p, wish->text.n) : NULL;
		w->n = wish->text.n;
		w->when_ms = wish->when_ms;
		snprintf(w->by, sizeof(w->by), "%s", wish->by);
	}
	pthread_mutex_unlock(&l->lock);
	if (!w)
		bus_log(BUS_LOG_ERROR, "gateway.definitions", LOG_STR("why", "more names than are taken"),
			LOG_INT("most", GW_WISHES_MAX));
}

void gw_wishes_read(struct gw_engine *e)
{
	pthread_mutex_lock(&e->lives->lock);
	e->lives->read = true;
	pthread_mutex_unlock(&e->lives->lock);
}

static struct gw_live *running(struct gw_engine *e, const char *name)
{
	for (size_t i = 0; i < e->n_views; i++)
		if (strcmp(e->view[i]->def->pub.name, name) == 0)
			return e->view[i];
	return NULL;
}

static void set_state(struct gw_engine *e, struct wish *w, enum gw_state state, int percent,
		      const char *fault)
{
	struct gw_view_state s = { .state = state,
				   .runs = running(e, w->name) != NULL,
				   .defined = true,
				   .dropping = !w->text,
				   .percent = percent,
				   .when_ms = w->when_ms };
	size_t refused = 0;

	snprintf(s.name, sizeof(s.name), "%s", w->name);
	snprintf(s.by, sizeof(s.by), "%s", w->by);
	snprintf(s.fault, sizeof(s.fault), "%s", fault ? fault : "");
	pthread_mutex_lock(&e->lives->lock);
	w->state = s;
	for (size_t i = 0; i < e->lives->n; i++)
		refused += e->lives->wish[i].state.state == GW_STATE_REFUSED;
	pthread_mutex_unlock(&e->lives->lock);
	bus_metric_set(e->lives->refused, (double)refused);
}

static void refuse(struct gw_engine *e, struct wish *w, const char *why)
{
	w->fresh = false;
	w->tried_at = e->views_epoch;
	if (w->state.state != GW_STATE_REFUSED || strcmp(w->state.fault, why) != 0)
		bus_log(BUS_LOG_ERROR, "gateway.definition_refused", LOG_STR("view", w->name),
			LOG_STR("why", why));
	set_state(e, w, GW_STATE_REFUSED, 0, why);
}

/* What came in, into the list. */
static void take_inbox(struct gw_engine *e)
{
	struct gw_lives *l = e->lives;
	struct wish *in, *w;
	size_t n;

	pthread_mutex_lock(&l->lock);
	in = l->inbox;
	n = l->n_inbox;
	l->inbox = NULL;
	l->n_inbox = 0;
	pthread_mutex_unlock(&l->lock);
	for (size_t i = 0; i < n; i++) {
		if (l->build && strcmp(l->wish[l->building].name, in[i].name) == 0)
			gw_build_free(e, &l->build); /* of what nobody wants any more */
		pthread_mutex_lock(&l->lock);
		w = place(&l->wish, &l->n, in[i].name);
		if (w) {
			free(w->name);
			*w = in[i];
		}
		pthread_mutex_unlock(&l->lock);
		if (w)
			set_state(e, w, GW_STATE_WAITING, 0, NULL);
		else
			wish_release(&in[i]);
	}
	free(in);
}

/* Views defined in another life, of which the topic says nothing now: as if it had said that they go. */
static void miss(struct gw_engine *e)
{
	struct gw_wish none = { .by = "" };
	bool read;

	pthread_mutex_lock(&e->lives->lock);
	read = e->lives->read;
	pthread_mutex_unlock(&e->lives->lock);
	if (!read || e->lives->settled)
		return;
	e->lives->settled = true;
	for (size_t i = 0; i < e->n_views; i++) {
		none.name = e->view[i]->def->pub.name;
		if (e->view[i]->defined && !find(e->lives->wish, e->lives->n, none.name))
			gw_wish(e, &none);
	}
	take_inbox(e);
}

/* --- granting one ----------------------------------------------------------------------------------- */

/* The store's trouble stops the engine until it is over; anything else is the definition's. */
static bool is_refusal(enum bus_err rc)
{
	return rc != BUS_EIO && rc != BUS_EFULL && rc != BUS_EDATA && rc != BUS_ESTOPPED;
}

static void roll_back(struct gw_engine *e)
{
	gw_db_rollback(e->db);
	e->in_transaction = false;
}

static const struct gw_read *reads(const struct gw_def *d, const char *table)
{
	for (size_t i = 0; i < d->n_reads; i++)
		if (strcmp(d->read[i].table, table) == 0)
			return &d->read[i];
	return NULL;
}

enum bus_err gw_view_fits(const struct gw_views *views, const char *name, const struct gw_def *def,
			  struct bus_error *err)
{
	for (size_t i = 0; i < views->n; i++) {
		const struct gw_def *d = gw_view_def(views->view[i]);
		const struct gw_read *r = reads(d, name);

		if (!r || strcmp(d->pub.name, name) == 0)
			continue;
		if (!def || !def->full)
			return bus_fail(err, BUS_ECONFLICT,
					"view '%s' reads it: change or drop that one first", d->pub.name);
		for (size_t k = 0; k < r->n; k++)
			if (gw_view_column(&def->pub, r->column[k]) < 0)
				return bus_fail(
				    err, BUS_ECONFLICT,
				    "view '%s' reads its column '%s', which would be gone: change or "
				    "drop that one first",
				    d->pub.name, r->column[k]);
	}
	return BUS_OK;
}

bool gw_view_shipped(struct gw_engine *e, const char *name)
{
	return shipped_of(e->lives, name) != NULL;
}

/* Whether the view `from` reads `name`, itself or through others. */
static bool leads_to(struct gw_engine *e, const char *from, const char *name, int depth)
{
	struct gw_live *v = running(e, from);

	for (size_t i = 0; v && depth > 0 && i < v->def->n_reads; i++)
		if (strcmp(v->def->read[i].table, name) == 0 ||
		    leads_to(e, v->def->read[i].table, name, depth - 1))
			return true;
	return false;
}

static enum bus_err check_circle(struct gw_engine *e, const struct gw_def *d, struct bus_error *err)
{
	for (size_t i = 0; i < d->n_reads; i++)
		if (leads_to(e, d->read[i].table, d->pub.name, 32))
			return bus_fail(err, BUS_EPARSE, "%s: it reads '%s', which reads it", d->file,
					d->read[i].table);
	return BUS_OK;
}

/* The tables as they would be with d. */
static const struct gw_world *world_with(struct gw_engine *e, const struct gw_def *d, struct bus_arena *arena)
{
	const struct gw_def **def = bus_arena_zalloc(arena, (e->n_views + 1) * sizeof(*def));
	size_t n = 0;

	for (size_t i = 0; i < e->n_views; i++)
		if (strcmp(e->view[i]->def->pub.name, d->pub.name) != 0)
			def[n++] = e->view[i]->def;
	def[n++] = d;
	return gw_world_new(e, def, n, arena);
}

/* Everything that can be said of a definition against what is there. Its indexes are made for it, and are gone
 * again with the transaction when it is refused. */
static enum bus_err check_in(struct gw_engine *e, struct gw_def *d, struct bus_arena *arena,
			     struct bus_error *err)
{
	struct gw_catalogue catalogue = { e, gw_setup_has, world_with(e, d, arena) };
	enum bus_err rc = BUS_OK;

	for (size_t i = 0; i < e->n_topics; i++)
		if (strcmp(e->topic[i].table->name, d->pub.name) == 0)
			return bus_fail(err, BUS_EPARSE, "%s: '%s' is the name of a topic's table", d->file,
					d->pub.name);
	rc = gw_begin(e, err);
	for (size_t i = 0; i < d->n_indexes && rc == BUS_OK; i++)
		if (strcmp(d->index[i].table, d->pub.name) != 0) /* its own table does not stand yet */
			rc = gw_setup_index(e, d, &d->index[i], err);
	if (rc == BUS_OK)
		rc = gw_view_bind(e->db, d, &catalogue, err);
	if (rc == BUS_OK)
		rc = check_circle(e, d, err);
	if (rc == BUS_OK)
		rc = gw_view_fits(e->set, d->pub.name, d, err);
	if (rc == BUS_OK)
		return gw_commit(e, err);
	roll_back(e);
	return rc;
}

static enum bus_err check(struct gw_engine *e, struct gw_def *d, struct bus_error *err)
{
	struct bus_arena *arena = bus_arena_new(0);
	enum bus_err rc = check_in(e, d, arena, err);

	bus_arena_free(&arena);
	return rc;
}

static bool same_list(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

/* Other words at most: the same rows, found in the same way. */
static bool same_rows(const struct gw_def *a, const struct gw_def *b)
{
	bool same = memcmp(a->digest, b->digest, sizeof(a->digest)) == 0 && a->pace == b->pace &&
		    a->pub.internal == b->pub.internal && a->pub.key == b->pub.key &&
		    a->n_routes == b->n_routes && a->n_indexes == b->n_indexes &&
		    a->pub.n_columns == b->pub.n_columns;

	for (size_t i = 0; same && i < a->pub.n_columns; i++)
		same = a->pub.column[i].type == b->pub.column[i].type &&
		       strcmp(a->pub.column[i].name, b->pub.column[i].name) == 0;
	for (size_t i = 0; same && i < a->n_routes; i++)
		same = strcmp(a->route[i].table, b->route[i].table) == 0 &&
		       same_list(a->route[i].column, b->route[i].column) &&
		       same_list(a->route[i].select, b->route[i].select);
	for (size_t i = 0; same && i < a->n_indexes; i++) {
		same = strcmp(a->index[i].table, b->index[i].table) == 0 && a->index[i].n == b->index[i].n;
		for (size_t k = 0; same && k < a->index[i].n; k++)
			same = strcmp(a->index[i].column[k], b->index[i].column[k]) == 0;
	}
	return same;
}

/* The wish is what runs now. */
static void granted(struct gw_engine *e, struct wish *w)
{
	struct gw_lives *l = e->lives;

	e->views_epoch++;
	if (w->text) {
		w->fresh = false;
		set_state(e, w, GW_STATE_RUNNING, 100, NULL);
		return;
	}
	set_state(e, w, GW_STATE_RUNNING, 100, NULL); /* the metric */
	pthread_mutex_lock(&l->lock);
	wish_release(w);
	l->n--;
	memmove(w, w + 1, (size_t)(&l->wish[l->n] - w) * sizeof(*w));
	pthread_mutex_unlock(&l->lock);
}

/* After a switch that failed half-way memory is made anew from the store, which knows nothing of it. */
static enum bus_err undo(struct gw_engine *e, struct wish *w, enum bus_err rc, struct bus_error *err)
{
	struct bus_error why = *err;

	if (!is_refusal(rc))
		return rc; /* the engine does it */
	rc = gw_core_reload(e, err);
	if (rc == BUS_OK)
		refuse(e, w, why.text);
	return rc;
}

/* A view of conflicts is what its base as it runs gives. */
static enum bus_err adopt(struct gw_engine *e, struct gw_def **d, struct bus_error *err)
{
	char base[64];
	struct gw_live *v = gw_conflict_base((*d)->pub.name, base) ? running(e, base) : NULL;

	return gw_conflict_adopt(d, v ? v->def : NULL, err);
}

static enum bus_err grant_text(struct gw_engine *e, struct wish *w, const char *text, size_t n, bool defined,
			       struct bus_error *err)
{
	struct gw_lives *l = e->lives;
	struct gw_live *v = running(e, w->name);
	struct gw_def *d = NULL;
	enum bus_err rc;

	if (v && v->def->text.n == n && memcmp(v->def->text.p, text, n) == 0 && v->defined == defined) {
		granted(e, w);
		return BUS_OK;
	}
	rc = gw_view_parse(w->name, text, n, &d, err);
	if (rc == BUS_OK && strcmp(d->pub.name, w->name) != 0)
		rc = bus_fail(err, BUS_EPARSE, "%s: the definition's own name is '%s'", w->name, d->pub.name);
	if (rc == BUS_OK)
		rc = adopt(e, &d, err);
	if (rc == BUS_OK)
		rc = check(e, d, err);
	if (rc != BUS_OK) {
		gw_view_free(&d);
		return rc;
	}
	if (v && same_rows(v->def, d)) {
		rc = gw_switch_words(e, v, d, defined, err);
		if (rc != BUS_OK)
			return undo(e, w, rc, err);
		granted(e, w);
		return BUS_OK;
	}
	rc = gw_build_new(e, d, defined, &l->build, err);
	if (rc == BUS_OK) {
		l->building = (size_t)(w - l->wish);
		w->fresh = false;
		set_state(e, w, GW_STATE_BUILDING, 0, NULL);
		bus_log(BUS_LOG_INFO, "gateway.view_building", LOG_STR("view", w->name));
	}
	return rc;
}

static enum bus_err grant(struct gw_engine *e, struct wish *w, struct bus_error *err)
{
	const struct shipped *file = shipped_of(e->lives, w->name);
	struct gw_live *v = running(e, w->name);
	enum bus_err rc;

	if (w->text)
		return grant_text(e, w, w->text, w->n, true, err);
	if (file)
		return grant_text(e, w, file->text, file->n, false, err);
	rc = v ? gw_view_fits(e->set, w->name, NULL, err) : BUS_OK;
	if (rc == BUS_OK && v) {
		rc = gw_switch_drop(e, v, err);
		if (rc != BUS_OK)
			return undo(e, w, rc, err);
	}
	if (rc == BUS_OK)
		granted(e, w);
	return rc;
}

/* An error of the definition leaves things as they are; others are the caller's. */
static enum bus_err judge(struct gw_engine *e, struct wish *w, enum bus_err rc, struct bus_error *err)
{
	if (rc == BUS_OK || !is_refusal(rc))
		return rc;
	if (e->in_transaction)
		roll_back(e);
	gw_build_free(e, &e->lives->build);
	refuse(e, w, err->text);
	return BUS_OK;
}

static enum bus_err go_on(struct gw_engine *e, int ms, struct bus_error *err)
{
	struct gw_lives *l = e->lives;
	struct wish *w = &l->wish[l->building];
	enum bus_err rc;
	int percent;
	bool ready;

	rc = gw_build_step(e, l->build, ms, &ready, err);
	if (rc != BUS_OK)
		return judge(e, w, rc, err);
	if (ready) {
		rc = gw_switch_to(e, l->build, err);
		if (rc != BUS_OK)
			return undo(e, w, rc, err);
		gw_build_free(e, &l->build);
		granted(e, w);
		return BUS_OK;
	}
	percent = (int)(l->build->scanned * 100 / (l->build->expected > 0 ? l->build->expected : 1));
	set_state(e, w, GW_STATE_BUILDING, !l->build->scan || percent > 99 ? 99 : percent, NULL);
	return BUS_OK;
}

enum bus_err gw_live_step(struct gw_engine *e, int ms, bool *busy, struct bus_error *err)
{
	struct gw_lives *l = e->lives;
	struct bus_error why = { 0 };
	enum bus_err rc = BUS_OK;

	take_inbox(e);
	miss(e);
	if (l->build) {
		rc = go_on(e, ms, &why);
	} else {
		for (size_t i = 0; i < l->n && !l->build && rc == BUS_OK; i++) {
			struct wish *w = &l->wish[i];
			size_t n = l->n;

			if (!w->fresh &&
			    (w->state.state != GW_STATE_REFUSED || w->tried_at == e->views_epoch))
				continue;
			rc = judge(e, w, grant(e, w, &why), &why);
			if (l->n < n)
				i--; /* granted, and forgotten */
		}
	}
	if (rc != BUS_OK && err)
		*err = why;
	*busy = l->build != NULL;
	for (size_t i = 0; i < l->n; i++)
		*busy |= l->wish[i].fresh || (l->wish[i].state.state == GW_STATE_REFUSED &&
					      l->wish[i].tried_at != e->views_epoch);
	return rc;
}

/* --- at the start ----------------------------------------------------------------------------------- */

static void keep_refused(struct gw_engine *e, const char *name, struct bus_str text, const char *why)
{
	struct wish *w;

	pthread_mutex_lock(&e->lives->lock);
	w = place(&e->lives->wish, &e->lives->n, name);
	if (w) {
		w->text = bus_xstrndup(text.p ? text.p : "", text.n);
		w->n = text.n;
	}
	pthread_mutex_unlock(&e->lives->lock);
	if (w)
		refuse(e, w, why);
}

bool gw_lives_keep(struct gw_engine *e, struct bus_str name)
{
	for (size_t i = 0; i < e->lives->n; i++)
		if (bus_str_is(name, e->lives->wish[i].name))
			return true;
	return false;
}

bool gw_lives_set_aside(struct gw_engine *e, struct gw_live *v, const char *why)
{
	const struct shipped *file;
	struct gw_def *d = NULL;
	size_t i;

	for (i = 0; i < e->n_views && e->view[i] != v; i++)
		;
	if (i == e->n_views || !v->defined)
		return false;
	keep_refused(e, v->def->pub.name, v->def->text, why);
	file = shipped_of(e->lives, v->def->pub.name);
	if (file && gw_view_parse(file->name, file->text, file->n, &d, NULL) == BUS_OK) {
		gw_view_free(&v->def);
		v->def = d;
		v->defined = false;
	} else {
		gw_view_free(&v->def);
		free(v);
		e->n_views--;
		memmove(&e->view[i], &e->view[i + 1], (e->n_views - i) * sizeof(*e->view));
	}
	gw_views_publish(e);
	return true;
}

/* A definition of the topic that the store ran when it was closed: it runs again, before the topic is read. */
enum bus_err gw_lives_stored(struct gw_engine *e, struct bus_error *err)
{
	struct gw_stmt *s = NULL;
	struct gw_def *d = NULL;
	struct bus_str name, text;
	struct bus_error why = { 0 };
	struct gw_live *v;
	char label[64];
	enum bus_err rc;
	int64_t known;
	bool row;

	rc = gw_db_int(e->db, 0, &known, err, "SELECT count(*) FROM sqlite_schema WHERE name = '_view'");
	if (rc != BUS_OK || known == 0)
		return rc;
	rc = gw_db_prepare(e->db, "SELECT name, text FROM _view WHERE defined", &s, err);
	while (rc == BUS_OK && (rc = gw_stmt_step(s, &row, err)) == BUS_OK && row) {
		name = gw_stmt_text(s, 0);
		text = gw_stmt_text(s, 1);
		snprintf(label, sizeof(label), "%.*s", (int)name.n, name.p);
		if (gw_view_parse(label, text.p, text.n, &d, &why) !=
		    BUS_OK) { /* of a format that is no more */
			keep_refused(e, label, text, why.text);
			continue;
		}
		v = running(e, label);
		if (v) {
			gw_view_free(&v->def);
		} else {
			v = bus_xcalloc(1, sizeof(*v));
			e->view = bus_xrealloc(e->view, (e->n_views + 1) * sizeof(*e->view));
			e->view[e->n_views++] = v;
		}
		v->def = d;
		v->defined = true;
	}
	gw_stmt_free(&s);
	for (size_t i = 0; i < e->n_views && rc == BUS_OK; i++) {
		if (e->view[i]->defined) /* one that is not its base's stays a view as any other */
			(void)!adopt(e, &e->view[i]->def, NULL);
	}
	return rc;
}

/* --- told ------------------------------------------------------------------------------------------- */

const char *gw_state_name(enum gw_state s)
{
	static const char *const name[] = { "running", "building", "waiting", "refused", "stuck" };

	return name[s];
}

enum bus_err gw_view_state(struct gw_engine *e, const char *name, struct gw_view_state *out)
{
	struct gw_views *set = gw_views_hold(e);
	const struct gw_view *v = gw_views_find(set, name);
	const struct wish *w;

	*out = (struct gw_view_state){ .state = GW_STATE_RUNNING, .runs = v != NULL, .percent = 100 };
	snprintf(out->name, sizeof(out->name), "%s", name);
	pthread_mutex_lock(&e->lives->lock);
	w = find(e->lives->inbox, e->lives->n_inbox, name);
	if (w) { /* not looked at yet */
		out->state = GW_STATE_WAITING;
		out->percent = 0;
		out->dropping = !w->text;
		out->defined = true;
		out->when_ms = w->when_ms;
		snprintf(out->by, sizeof(out->by), "%s", w->by);
	} else {
		w = find(e->lives->wish, e->lives->n, name);
		if (w)
			*out = w->state;
	}
	for (size_t i = 0; i < e->lives->n_stuck && out->state == GW_STATE_RUNNING; i++)
		if (strcmp(e->lives->stuck[i].name, name) == 0) {
			out->state = GW_STATE_STUCK;
			snprintf(out->fault, sizeof(out->fault), "%s", e->lives->stuck[i].why);
		}
	pthread_mutex_unlock(&e->lives->lock);
	gw_views_release(&set);
	return w || v ? BUS_OK : BUS_ENOENT;
}

void gw_view_states(struct gw_engine *e, void (*fn)(void *ctx, const struct gw_view_state *s), void *ctx)
{
	pthread_mutex_lock(&e->lives->lock);
	for (size_t i = 0; i < e->lives->n; i++)
		fn(ctx, &e->lives->wish[i].state);
	pthread_mutex_unlock(&e->lives->lock);
}
