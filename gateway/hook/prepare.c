/* What a subscription's next request is: agreement asked for, a reset, its next changes, a test. */
#include <stdio.h>

#include "bus/clock.h"
#include "gateway/hook/hooks_impl.h"

#define LOOKS_MAX 200 /* entries passed over before somebody else has a turn */

static void address(const struct gw_hook_sub *s, const struct bus_url *to, const char *method,
		    struct gw_hook_plan *plan)
{
	plan->call.method = method;
	plan->call.url = bus_xstrdup(s->url);
	plan->call.to = *to;
}

/* CloudEvents, HTTP webhook 4.1. */
static void ask_agreement(struct gw_hooks *h, const struct gw_hook_sub *s, const struct bus_url *to,
			  struct gw_hook_plan *plan)
{
	char **header = bus_xcalloc(3, sizeof(*header));

	header[0] = bus_xasprintf("WebHook-Request-Origin: %s", h->origin);
	if (s->rate)
		header[1] = bus_xasprintf("WebHook-Request-Rate: %lld", (long long)s->rate);
	address(s, to, "OPTIONS", plan);
	plan->call.header = header;
	plan->kind = "validation";
}

static void message_begin(struct gw_hooks *h, const struct gw_hook_sub *s, const struct gw_params *p,
			  struct gw_hook_message *m)
{
	*m = (struct gw_hook_message){ .names = &h->names,
				       .sub = s,
				       .params = p,
				       .cursors = gw_api_cursors(h->conf.api),
				       .full = p->grant.full,
				       .now = bus_clock_ms() };
}

/* The message's bytes go over to the call. */
static void message_send(struct gw_hook_message *m, const struct bus_url *to, struct gw_hook_plan *plan)
{
	gw_hook_message_end(m);
	address(m->sub, to, "POST", plan);
	memcpy(plan->id, m->id, sizeof(plan->id));
	plan->changes = m->changes;
	plan->call.header = m->header;
	plan->call.body = m->body;
	m->header = NULL;
	m->n_headers = 0;
	m->body = (struct bus_buf){ 0 };
}

static void put_cursor(struct gw_hooks *h, const struct gw_view *v, struct gw_place at,
		       char out[GW_HOOK_CURSOR_MAX])
{
	const struct gw_cursors cursors = gw_api_cursors(h->conf.api);
	struct bus_buf text = { 0 };

	gw_cursor_put_place(&cursors, v->name, at, &text);
	snprintf(out, GW_HOOK_CURSOR_MAX, "%s", bus_buf_cstr(&text));
	bus_buf_release(&text);
}

static bool stop_here(void *ctx, const struct gw_change *change)
{
	(void)ctx;
	(void)change;
	return false;
}

/* Where the position is in this store. A cursor of another store, or one that this store has not reached because it
 * was put back from an older copy, means nothing here: everything comes anew. */
static enum gw_hook_step place_of(struct gw_hooks *h, const struct gw_params *p, struct gw_hook_plan *plan,
				  struct gw_place *at)
{
	struct gw_following f = { .view = p->view, .date = p->query.date, .limit = 1 };
	const struct gw_cursors cursors = gw_api_cursors(h->conf.api);
	struct gw_engine *engine = h->conf.api->engine;
	struct bus_error err;
	int64_t last = 0;

	*at = (struct gw_place){ 0 };
	if (!plan->pos.cursor[0] || gw_cursor_read_place(&cursors, p->view->name, plan->pos.cursor, at)) {
		plan->pos.reset = true;
	} else if (at->seq > plan->newest) {
		f.after = at->seq - 1;
		if (gw_follow(gw_reader_of(engine), &f, stop_here, NULL, &last, &err))
			return GW_HOOK_LATER;
		if (last < at->seq && gw_grouped(engine)) /* another gateway delivered, and was further than this one is */
			return GW_HOOK_LATER;
		plan->pos.reset |= last < at->seq;
	}
	if (plan->pos.reset)
		*at = (struct gw_place){ .fresh = plan->newest };
	return GW_HOOK_SEND;
}

/* The next changes after at->seq, as far as they go into a message; at->seq moves on. */
static enum gw_hook_step read_changes(struct gw_hooks *h, const struct gw_hook_part *part, int64_t newest,
				      struct gw_hook_message *m, struct gw_place *at)
{
	struct gw_following f = { .view = part->params.view,
				  .date = part->params.query.date,
				  .rows = part->scope.n > 0 ? &part->scope : NULL,
				  .fresh = at->fresh,
				  .limit = (int)m->sub->max_batch };
	struct bus_error err;

	m->fresh = at->fresh;
	for (int i = 0; i < LOOKS_MAX && m->changes == 0 && at->seq < newest; i++) {
		f.after = at->seq;
		if (gw_follow(gw_reader_of(h->conf.api->engine), &f, gw_hook_message_change, m, &at->seq,
			      &err))
			return GW_HOOK_LATER;
	}
	if (m->more)
		at->seq = m->last;
	return m->changes > 0 ? GW_HOOK_SEND : GW_HOOK_NOTHING;
}

static enum gw_hook_step changes(struct gw_hooks *h, const struct gw_hook_sub *s,
				 const struct gw_hook_part *part, const struct bus_url *to,
				 struct gw_hook_plan *plan)
{
	const struct gw_params *p = &part->params;
	struct gw_hook_message m;
	struct gw_place at;
	enum gw_hook_step step;

	plan->newest = gw_newest(h->conf.api->engine, p->view);
	step = place_of(h, p, plan, &at);
	if (step != GW_HOOK_SEND)
		return step;
	message_begin(h, s, p, &m);
	if (plan->pos.reset) {
		plan->kind = "reset";
		gw_hook_message_event(&m, "reset");
	} else {
		plan->kind = "changes";
		step = read_changes(h, part, plan->newest, &m, &at);
	}
	put_cursor(h, p->view, at, plan->after);
	if (at.seq < plan->newest) /* there may be more */
		plan->newest = -1;
	if (step == GW_HOOK_SEND)
		message_send(&m, to, plan);
	gw_hook_message_release(&m);
	return step;
}

/* The view, if it is there and the reader may read it still. */
static const struct gw_view *granted(struct gw_hooks *h, const struct gw_hook_sub *s,
				     const struct gw_views *views, struct gw_grant *grant)
{
	const struct gw_view *v = gw_views_find(views, s->view);

	if (!v || v->internal)
		return NULL;
	*grant = gw_access_grant(h->conf.api->access, s->reader, v);
	return grant->allowed ? v : NULL;
}

static bool key_revoked(struct gw_hooks *h, const struct gw_hook_sub *s)
{
	return s->key_id[0] && !gw_access_key_known(h->conf.api->access, s->reader, s->key_id);
}

/* The parts of the URL; an address that the operator has closed meanwhile is refused when it is connected to. */
static void place(const struct gw_hook_sub *s, struct bus_url *to)
{
	if (bus_url_read(s->url, to, NULL))
		*to = (struct bus_url){ .host = "0.0.0.0" };
}

enum gw_hook_step gw_hook_prepare(struct gw_hooks *h, const struct gw_hook_sub *s, struct gw_hook_plan *plan)
{
	struct gw_views *views = gw_views_hold(h->conf.api->engine);
	struct bus_arena *arena = bus_arena_new(64 * 1024);
	enum gw_hook_step step = GW_HOOK_STOP;
	struct gw_hook_part *p = bus_xmalloc(sizeof(*p));
	const struct gw_view *v;
	struct gw_grant grant;
	struct bus_url to;

	place(s, &to);
	v = granted(h, s, views, &grant);
	if (key_revoked(h, s)) {
		plan->reason = GW_HOOK_UNKEYED;
	} else if (!v) {
		plan->reason = GW_HOOK_REVOKED;
	} else if (plan->pos.state == GW_HOOK_VALIDATING) {
		ask_agreement(h, s, &to, plan);
		step = GW_HOOK_SEND;
	} else if (!gw_hook_part_make(s, v, grant, arena, p)) {
		plan->reason = GW_HOOK_UNFIT;
	} else {
		step = changes(h, s, p, &to, plan);
	}
	free(p);
	bus_arena_free(&arena);
	gw_views_release(&views);
	return step;
}

bool gw_hook_prepare_test(struct gw_hooks *h, const struct gw_hook_sub *s, struct gw_hook_plan *plan)
{
	struct gw_views *views = gw_views_hold(h->conf.api->engine);
	struct bus_arena *arena = bus_arena_new(64 * 1024);
	struct gw_params *p = bus_xmalloc(sizeof(*p));
	struct gw_hook_message m;
	const struct gw_view *v;
	struct gw_grant grant;
	struct bus_url to;

	place(s, &to);
	v = granted(h, s, views, &grant);
	if (v) {
		gw_params_begin(p, v, grant, arena);
		message_begin(h, s, p, &m);
		plan->kind = "test";
		gw_hook_message_event(&m, "test");
		message_send(&m, &to, plan);
	}
	free(p);
	bus_arena_free(&arena);
	gw_views_release(&views);
	return v != NULL;
}
