/* A definition checked on this machine, without a gateway. */
#include <stdio.h>

#include "gateway/define/review.h"
#include "gateway/engine/rehearse_impl.h"

#define TRIAL_MS 3000

static enum bus_err read_view(const char *path, struct bus_buf *out, struct bus_error *err)
{
	FILE *f = fopen(path, "re");

	if (!f)
		return bus_fail(err, BUS_EIO, "cannot open '%s': %m", path);
	bus_buf_reserve(out, GW_VIEW_TEXT_MAX + 1);
	out->n = fread(out->p, 1, GW_VIEW_TEXT_MAX + 1, f); /* one too long is refused as any other text */
	fclose(f);
	return BUS_OK;
}

enum bus_err gw_rehearse_check(const struct gw_rehearsal *r, struct bus_buf *report, bool *good,
			       struct bus_error *err)
{
	struct gw_stage *stage = bus_xcalloc(1, sizeof(*stage));
	struct gw_review *check = bus_xcalloc(1, sizeof(*check));
	struct bus_arena *arena = bus_arena_new(0);
	struct bus_json_out j = { .buf = report };
	const struct gw_world *world = NULL;
	struct bus_buf text = { 0 };
	enum bus_err rc;

	rc = gw_stage_world(stage, r, arena, &world, err);
	if (rc == BUS_OK)
		rc = read_view(r->view, &text, err);
	if (rc == BUS_OK) {
		gw_review_run(check, r->view, bus_buf_str(&text), world, true, TRIAL_MS);
		bus_json_object(&j);
		gw_review_put(check, &j);
		bus_json_object_end(&j);
		*good = !check->failed;
		gw_review_release(check);
	}
	bus_buf_release(&text);
	gw_stage_release(stage);
	bus_arena_free(&arena);
	free(check);
	free(stage);
	return rc;
}
