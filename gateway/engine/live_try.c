/* A definition looked at before it is wished for: in a sandbox of its own, and against the views that run. */
#include "bus/json.h"
#include "gateway/define/view.h"
#include "gateway/engine/live.h"
#include "gateway/engine/try.h"

#define REPORT_MEMORY ((size_t)32 * 1024 * 1024)

static const char *outcome_of(const struct gw_view *now, struct bus_str text, const struct gw_def *d)
{
	const struct gw_def *old = now ? gw_view_def(now) : NULL;

	if (!old)
		return "new";
	if (bus_str_eq(old->text, text))
		return "same";
	return memcmp(old->digest, d->digest, sizeof(d->digest)) == 0 ? "words" : "changed";
}

/* The first error that a report names. */
static enum bus_err first_error(struct bus_str report, const char *name, struct bus_error *err)
{
	struct bus_arena *arena = bus_arena_new(REPORT_MEMORY);
	const struct bus_json *problems = NULL, *level, *line, *en;
	enum bus_err rc = bus_fail(err, BUS_EPARSE, "%s: it is not a good definition", name);
	struct bus_json *root = NULL;

	if (bus_json_parse(report, NULL, arena, &root, NULL) == BUS_OK)
		problems = bus_json_get(root, "problems");
	for (const struct bus_json *p = problems ? problems->first : NULL; p; p = p->next) {
		level = bus_json_get(p, "level");
		line = bus_json_get(p, "line");
		en = bus_json_get(bus_json_get(p, "text"), "en");
		if (!level || !line || !en || !bus_str_is(level->text, "error"))
			continue;
		rc = bus_fail(err, BUS_EPARSE, "%s:%.*s: %.*s", name, (int)line->text.n, line->text.p,
			      (int)en->text.n, en->text.p);
		break;
	}
	bus_arena_free(&arena);
	return rc;
}

enum bus_err gw_view_try(struct gw_engine *e, const struct gw_views *views, const char *name,
			 struct bus_str text, struct bus_buf *report, const char **outcome,
			 struct bus_error *err)
{
	const struct gw_try t = { .file = name, .text = text };
	struct gw_def *d = NULL;
	bool good = false;
	enum bus_err rc;

	*outcome = "refused";
	rc = gw_try_run(e, &t, report, &good, err);
	if (rc == BUS_OK && !good)
		rc = first_error(bus_buf_str(report), name, err);
	if (rc == BUS_OK)
		rc = gw_view_parse(name, text.p, text.n, &d, err);
	if (rc == BUS_OK && strcmp(d->pub.name, name) != 0)
		rc = bus_fail(err, BUS_EPARSE, "%s: its own name is '%s'", name, d->pub.name);
	if (rc == BUS_OK)
		rc = gw_view_fits(views, name, d, err);
	if (rc == BUS_OK)
		*outcome = outcome_of(gw_views_find(views, name), text, d);
	gw_view_free(&d);
	return rc;
}
