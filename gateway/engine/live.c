#include "gateway/engine/live.h"

#include <stdio.h>

#include "bus/log.h"
#include "gateway/define/conflict.h"
#include "gateway/engine/live_impl.h"

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

static void wish_release(struct gw_wanted *w)
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
	    (struct gw_shipped){ bus_xstrdup(d->pub.name), bus_xstrndup(d->text.p, d->text.n), d->text.n };
}

const struct gw_shipped *gw_lives_shipped(const struct gw_lives *l, const char *name)
{
	for (size_t i = 0; i < l->n_shipped; i++)
		if (strcmp(l->shipped[i].name, name) == 0)
			return &l->shipped[i];
	return NULL;
}

void gw_lives_changed(struct gw_engine *e)
{
	e->views_epoch++;
}

bool gw_view_shipped(struct gw_engine *e, const char *name)
{
	return gw_lives_shipped(e->lives, name) != NULL;
}

/* --- wishes ----------------------------------------------------------------------------------------- */

struct gw_wanted *gw_wish_find(struct gw_wanted *w, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(w[i].name, name) == 0)
			return &w[i];
	return NULL;
}

/* The place of a name in a list of wishes, emptied. NULL: too many. */
struct gw_wanted *gw_wish_place(struct gw_wanted **list, size_t *n, const char *name)
{
	struct gw_wanted *w = gw_wish_find(*list, *n, name);

	if (!w && *n == GW_WISHES_MAX)
		return NULL;
	if (w) {
		wish_release(w);
	} else {
		*list = bus_xrealloc(*list, (*n + 1) * sizeof(**list));
		w = &(*list)[(*n)++];
	}
	*w = (struct gw_wanted){ .name = bus_xstrdup(name), .fresh = true };
	return w;
}

void gw_wish(struct gw_engine *e, const struct gw_wish *wish)
{
	struct gw_lives *l = e->lives;
	struct gw_wanted *w;

	pthread_mutex_lock(&l->lock);
	w = gw_wish_place(&l->inbox, &l->n_inbox, wish->name);
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

struct gw_live *gw_lives_running(struct gw_engine *e, const char *name)
{
	for (size_t i = 0; i < e->n_views; i++)
		if (strcmp(e->view[i]->def->pub.name, name) == 0)
			return e->view[i];
	return NULL;
}

static void set_state(struct gw_engine *e, struct gw_wanted *w, enum gw_state state, int percent,
		      const char *fault)
{
	struct gw_view_state s = { .state = state,
				   .runs = gw_lives_running(e, w->name) != NULL,
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
		refused += e->lives->wish[i].state.state == GW_STATE_REFUSED ||
			   e->lives->wish[i].state.state == GW_STATE_FAILED;
	pthread_mutex_unlock(&e->lives->lock);
	bus_metric_set(e->lives->refused, (double)refused);
}

void gw_wish_refuse(struct gw_engine *e, struct gw_wanted *w, const char *why)
{
	w->fresh = false;
	w->tried_at = e->views_epoch;
	if (w->state.state != GW_STATE_REFUSED || strcmp(w->state.fault, why) != 0)
		bus_log(BUS_LOG_ERROR, "gateway.definition_refused", LOG_STR("view", w->name),
			LOG_STR("why", why));
	set_state(e, w, GW_STATE_REFUSED, 0, why);
}

/* It took more time than it may, and would again. */
static void give_up(struct gw_engine *e, struct gw_wanted *w, const char *why)
{
	w->fresh = false;
	bus_log(BUS_LOG_ERROR, "gateway.definition_failed", LOG_STR("view", w->name), LOG_STR("why", why));
	set_state(e, w, GW_STATE_FAILED, 0, why);
}

/* What came in, into the list: at once, so that who asks finds each in one of the two. */
void gw_wish_take(struct gw_engine *e)
{
	struct gw_lives *l = e->lives;
	struct gw_wanted *in, *w;
	size_t n;

	pthread_mutex_lock(&l->lock);
	in = l->inbox;
	n = l->n_inbox;
	l->inbox = NULL;
	l->n_inbox = 0;
	for (size_t i = 0; i < n; i++) {
		w = gw_wish_place(&l->wish, &l->n, in[i].name);
		if (w) {
			free(w->name);
			*w = in[i];
			w->state = (struct gw_view_state){ .state = GW_STATE_WAITING };
		} else {
			wish_release(&in[i]);
		}
	}
	pthread_mutex_unlock(&l->lock);
	free(in);
	for (size_t i = 0; i < l->n; i++) {
		w = &l->wish[i];
		if (w->state.name[0])
			continue;
		if (l->build && i == l->building)
			gw_build_free(e, &l->build); /* of what nobody wants any more */
		set_state(e, w, GW_STATE_WAITING, 0, NULL);
	}
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
		if (e->view[i]->defined && !gw_wish_find(e->lives->wish, e->lives->n, none.name))
			gw_wish(e, &none);
	}
	gw_wish_take(e);
}

/* --- granting one ----------------------------------------------------------------------------------- */

/* The store's trouble stops the engine until it is over; anything else is the definition's. */
static bool is_refusal(enum bus_err rc)
{
	return rc != BUS_EIO && rc != BUS_EFULL && rc != BUS_EDATA && rc != BUS_ESTOPPED;
}

void gw_live_roll_back(struct gw_engine *e)
{
	gw_db_rollback(e->db);
	e->in_transaction = false;
}

/* The wish is what runs now. */
void gw_wish_granted(struct gw_engine *e, struct gw_wanted *w)
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

/* A switch that failed half-way: the caller makes memory anew from the store, which knows nothing of it. The
 * definition is not tried again before something changes. */
static enum bus_err undo(struct gw_engine *e, struct gw_wanted *w, enum bus_err rc, struct bus_error *err)
{
	gw_build_free(e, &e->lives->build);
	if (!is_refusal(rc))
		return rc;
	gw_wish_refuse(e, w, err->text);
	return bus_fail_prefix(err, BUS_EDB, "view '%s'", w->name);
}

enum bus_err gw_live_adopt(struct gw_engine *e, struct gw_def **d, struct bus_error *err)
{
	char base[64];
	struct gw_live *v = gw_conflict_base((*d)->pub.name, base) ? gw_lives_running(e, base) : NULL;

	return gw_conflict_adopt(d, v ? v->def : NULL, err);
}

static bool is_shipped(struct gw_engine *e, const char *name, const char *text, size_t n)
{
	const struct gw_shipped *file = gw_lives_shipped(e->lives, name);

	return file && file->n == n && memcmp(file->text, text, n) == 0;
}

static enum bus_err grant_text(struct gw_engine *e, struct gw_wanted *w, const char *text, size_t n,
			       bool defined, struct bus_error *err)
{
	struct gw_lives *l = e->lives;
	struct gw_live *v = gw_lives_running(e, w->name);
	struct gw_def *d = NULL;
	enum bus_err rc;

	if (v && v->def->text.n == n && memcmp(v->def->text.p, text, n) == 0 && v->defined == defined) {
		gw_wish_granted(e, w);
		return BUS_OK;
	}
	rc = gw_view_parse(w->name, text, n, &d, err);
	if (rc == BUS_OK && strcmp(d->pub.name, w->name) != 0)
		rc = bus_fail(err, BUS_EPARSE, "%s: the definition's own name is '%s'", w->name, d->pub.name);
	if (rc == BUS_OK)
		rc = gw_live_adopt(e, &d, err);
	if (rc == BUS_OK)
		rc = gw_live_check(e, d, !defined || is_shipped(e, w->name, text, n), err);
	if (rc != BUS_OK) {
		gw_view_free(&d);
		return rc;
	}
	if (v && gw_live_same_rows(v->def, d)) {
		rc = gw_switch_words(e, v, d, defined, err);
		if (rc != BUS_OK)
			return undo(e, w, rc, err);
		gw_wish_granted(e, w);
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

static enum bus_err grant(struct gw_engine *e, struct gw_wanted *w, struct bus_error *err)
{
	const struct gw_shipped *file = gw_lives_shipped(e->lives, w->name);
	struct gw_live *v = gw_lives_running(e, w->name);
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
		gw_wish_granted(e, w);
	return rc;
}

/* An error of the definition leaves things as they are; others are the caller's. */
static enum bus_err judge(struct gw_engine *e, struct gw_wanted *w, enum bus_err rc, struct bus_error *err)
{
	if (rc == BUS_OK || !is_refusal(rc))
		return rc;
	if (e->in_transaction)
		gw_live_roll_back(e);
	gw_build_free(e, &e->lives->build);
	if (rc == BUS_ETIMEOUT)
		give_up(e, w, err->text);
	else
		gw_wish_refuse(e, w, err->text);
	return BUS_OK;
}

static enum bus_err go_on(struct gw_engine *e, int ms, struct bus_error *err)
{
	struct gw_lives *l = e->lives;
	struct gw_wanted *w = &l->wish[l->building];
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
		gw_wish_granted(e, w);
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

	gw_wish_take(e);
	miss(e);
	if (l->build) {
		rc = go_on(e, ms, &why);
	} else {
		for (size_t i = 0; i < l->n && !l->build && rc == BUS_OK; i++) {
			struct gw_wanted *w = &l->wish[i];
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
