/* A definition looked at before it is wished for: in a sandbox, and against the views that run. */
#include "bus/json_out.h"
#include "gateway/define/check.h"
#include "gateway/engine/live.h"
#include "gateway/engine/world.h"

/* The tables as they would be without the view of that name. */
static const struct gw_world *world_of(struct gw_engine *e, const struct gw_views *views, const char *name,
				       struct bus_arena *arena)
{
	const struct gw_def **def = bus_arena_zalloc(arena, (views->n + 1) * sizeof(*def));
	size_t n = 0;

	for (size_t i = 0; i < views->n; i++)
		if (strcmp(views->view[i]->name, name) != 0)
			def[n++] = gw_view_def(views->view[i]);
	return gw_world_new(e, def, n, arena);
}

static const char *outcome_of(const struct gw_view *now, struct bus_str text, const struct gw_def *d)
{
	const struct gw_def *old = now ? gw_view_def(now) : NULL;

	if (!old)
		return "new";
	if (bus_str_eq(old->text, text))
		return "same";
	return memcmp(old->digest, d->digest, sizeof(d->digest)) == 0 ? "words" : "changed";
}

enum bus_err gw_view_try(struct gw_engine *e, const struct gw_views *views, const char *name,
			 struct bus_str text, int ms, struct bus_buf *report, const char **outcome,
			 struct bus_error *err)
{
	struct bus_arena *arena = bus_arena_new(0);
	struct gw_check c = { 0 };
	struct bus_json_out j = { .buf = report };
	enum bus_err rc = BUS_OK;

	*outcome = "refused";
	gw_check_run(&c, name, text, world_of(e, views, name, arena), ms);
	for (size_t i = 0; i < c.n_problems && rc == BUS_OK; i++)
		if (c.problem[i].error)
			rc = bus_fail(err, BUS_EPARSE, "%s:%d: %s", name, c.problem[i].line, c.problem[i].en);
	if (rc == BUS_OK && strcmp(c.def->pub.name, name) != 0)
		rc = bus_fail(err, BUS_EPARSE, "%s: its own name is '%s'", name, c.def->pub.name);
	if (rc == BUS_OK)
		rc = gw_view_fits(views, name, c.def, err);
	if (rc == BUS_OK)
		*outcome = outcome_of(gw_views_find(views, name), text, c.def);
	bus_json_object(&j);
	gw_check_put(&c, &j);
	bus_json_object_end(&j);
	gw_check_release(&c);
	bus_arena_free(&arena);
	return rc;
}
