/* What is told of views and their definitions; what the store ran before, at the start. */
#include <stdio.h>

#include "bus/log.h"
#include "gateway/engine/live_impl.h"

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

const char *gw_state_name(enum gw_state s)
{
	static const char *const name[] = { "running", "building", "waiting", "refused", "stuck",
					     "failed" };

	return name[s];
}

enum bus_err gw_view_state(struct gw_engine *e, const char *name, struct gw_view_state *out)
{
	const struct gw_wanted *w;
	struct gw_views *set;
	bool wished;

	*out = (struct gw_view_state){ .state = GW_STATE_RUNNING, .percent = 100 };
	snprintf(out->name, sizeof(out->name), "%s", name);
	pthread_mutex_lock(&e->lives->lock);
	w = gw_wish_find(e->lives->inbox, e->lives->n_inbox, name);
	if (w) { /* not looked at yet */
		out->state = GW_STATE_WAITING;
		out->percent = 0;
		out->dropping = !w->text;
		out->defined = true;
		out->when_ms = w->when_ms;
		snprintf(out->by, sizeof(out->by), "%s", w->by);
	} else {
		w = gw_wish_find(e->lives->wish, e->lives->n, name);
		if (w && w->state.name[0])
			*out = w->state;
	}
	wished = w != NULL;
	for (size_t i = 0; i < e->lives->n_stuck && out->state == GW_STATE_RUNNING; i++)
		if (strcmp(e->lives->stuck[i].name, name) == 0) {
			out->state = GW_STATE_STUCK;
			snprintf(out->fault, sizeof(out->fault), "%s", e->lives->stuck[i].why);
		}
	pthread_mutex_unlock(&e->lives->lock);
	/* After the wishes: a wish that was granted is forgotten once the set shows it. */
	set = gw_views_hold(e);
	out->runs = gw_views_find(set, name) != NULL;
	gw_views_release(&set);
	return wished || out->runs ? BUS_OK : BUS_ENOENT;
}

void gw_view_states(struct gw_engine *e, void (*fn)(void *ctx, const struct gw_view_state *s), void *ctx)
{
	pthread_mutex_lock(&e->lives->lock);
	for (size_t i = 0; i < e->lives->n; i++)
		fn(ctx, &e->lives->wish[i].state);
	pthread_mutex_unlock(&e->lives->lock);
}

/* --- at the start ----------------------------------------------------------------------------------- */

static void keep_refused(struct gw_engine *e, const char *name, struct bus_str text, const char *why)
{
	struct gw_wanted *w;

	pthread_mutex_lock(&e->lives->lock);
	w = gw_wish_place(&e->lives->wish, &e->lives->n, name);
	if (w) {
		w->text = bus_xstrndup(text.p ? text.p : "", text.n);
		w->n = text.n;
	}
	pthread_mutex_unlock(&e->lives->lock);
	if (w)
		gw_wish_refuse(e, w, why);
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
	const struct gw_shipped *file;
	struct gw_def *d = NULL;
	size_t i;

	for (i = 0; i < e->n_views && e->view[i] != v; i++)
		;
	if (i == e->n_views || !v->defined)
		return false;
	keep_refused(e, v->def->pub.name, v->def->text, why);
	file = gw_lives_shipped(e->lives, v->def->pub.name);
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

/* In a group views are what its log says: files are what the leader may wish. */
static enum bus_err only_stored(struct gw_engine *e, bool *yes, struct bus_error *err)
{
	int64_t member = 0;
	enum bus_err rc = BUS_OK;

	if (e->group)
		rc = gw_db_int(e->db, 0, &member, err, "SELECT count(*) FROM _meta WHERE name = 'group'");
	*yes = member > 0;
	for (size_t i = 0; *yes && i < e->n_views; i++) {
		gw_view_free(&e->view[i]->def);
		free(e->view[i]);
	}
	e->n_views = *yes ? 0 : e->n_views;
	return rc;
}

/* Definitions of the topic that the store ran when it was closed: they run again, before the topic is read. */
enum bus_err gw_lives_stored(struct gw_engine *e, struct bus_error *err)
{
	bool all;
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
	rc = only_stored(e, &all, err);
	if (rc == BUS_OK)
		rc = gw_db_prepare(e->db,
				   all ? "SELECT name, text, defined FROM _view"
				       : "SELECT name, text, defined FROM _view WHERE defined",
				   &s, err);
	while (rc == BUS_OK && (rc = gw_stmt_step(s, &row, err)) == BUS_OK && row) {
		name = gw_stmt_text(s, 0);
		text = gw_stmt_text(s, 1);
		snprintf(label, sizeof(label), "%.*s", (int)name.n, name.p);
		if (gw_view_parse(label, text.p, text.n, &d, &why) !=
		    BUS_OK) { /* of a format that is no more */
			keep_refused(e, label, text, why.text);
			continue;
		}
		v = gw_lives_running(e, label);
		if (v) {
			gw_view_free(&v->def);
		} else {
			v = bus_xcalloc(1, sizeof(*v));
			e->view = bus_xrealloc(e->view, (e->n_views + 1) * sizeof(*e->view));
			e->view[e->n_views++] = v;
		}
		v->def = d;
		v->defined = gw_stmt_int(s, 2) != 0;
	}
	gw_stmt_free(&s);
	for (size_t i = 0; i < e->n_views && rc == BUS_OK; i++) {
		if (e->view[i]->defined || all) /* one that is not its base's stays a view as any other */
			(void)!gw_live_adopt(e, &e->view[i]->def, NULL);
	}
	return rc;
}
