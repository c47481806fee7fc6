/* Wishes in a group of gateways: the leader grants them, and its log says what runs. */
#include "gateway/engine/live_impl.h"

static bool runs(struct gw_engine *e, const struct gw_wanted *w)
{
	const struct gw_live *v = gw_lives_running(e, w->name);
	const struct gw_shipped *file = gw_lives_shipped(e->lives, w->name);

	if (w->text)
		return v && v->defined && v->def->text.n == w->n &&
		       memcmp(v->def->text.p, w->text, w->n) == 0;
	if (file)
		return v && !v->defined && v->def->text.n == file->n &&
		       memcmp(v->def->text.p, file->text, file->n) == 0;
	return !v;
}

void gw_lives_follow(struct gw_engine *e)
{
	struct gw_lives *l = e->lives;

	gw_wish_take(e);
	for (size_t i = 0; i < l->n;) {
		size_t n = l->n;

		if (runs(e, &l->wish[i]) &&
		    (l->wish[i].fresh || l->wish[i].state.state != GW_STATE_RUNNING || !l->wish[i].text))
			gw_wish_granted(e, &l->wish[i]);
		i += l->n == n; /* else it is forgotten */
	}
}

/* Of no wish: the file holds, or there is none and the view goes. */
static void wish_none(struct gw_engine *e, const char *name)
{
	const struct gw_wish none = { .name = name, .by = "" };

	if (!gw_wish_find(e->lives->wish, e->lives->n, name))
		gw_wish(e, &none);
}

void gw_lives_files(struct gw_engine *e)
{
	struct gw_lives *l = e->lives;

	gw_wish_take(e);
	for (size_t i = 0; i < l->n_shipped; i++) {
		const struct gw_live *v = gw_lives_running(e, l->shipped[i].name);

		if (!v || v->def->text.n != l->shipped[i].n ||
		    memcmp(v->def->text.p, l->shipped[i].text, l->shipped[i].n) != 0)
			wish_none(e, l->shipped[i].name);
	}
	for (size_t i = 0; i < e->n_views; i++)
		if (!e->view[i]->defined && !gw_lives_shipped(l, e->view[i]->def->pub.name))
			wish_none(e, e->view[i]->def->pub.name);
	gw_wish_take(e);
}
