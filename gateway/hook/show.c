/* Reading webhooks: the list, one, its last attempts. */
#include <stdio.h>

#include "bus/clock.h"
#include "gateway/hook/hooks_impl.h"
#include "gateway/hook/sign.h"

static void put_verifiers(const struct gw_hook *e, bool secrets, struct bus_json_out *j)
{
	const struct gw_hook_sub *s = e->sub;
	struct bus_buf text = { 0 };
	char when[40];

	bus_json_key(j, "keys");
	bus_json_array(j);
	for (size_t i = 0; i < s->n_secrets; i++) {
		const struct gw_hook_secret *secret = &s->secret[i];

		if (secret->until && secret->until <= bus_clock_ms())
			continue;
		bus_buf_reset(&text);
		gw_hook_verifier(s, i, &text);
		bus_json_object(j);
		if (s->signature == GW_HOOK_ED25519)
			bus_json_text_member(j, "public", bus_buf_cstr(&text));
		else if (secrets && i == 0)
			bus_json_text_member(j, "secret", bus_buf_cstr(&text));
		bus_json_text_member(
		    j, "until", secret->until ? bus_clock_iso_wib(secret->until, when, sizeof(when)) : NULL);
		bus_json_object_end(j);
	}
	bus_json_array_end(j);
	if (text.n > 0)
		explicit_bzero(text.p, text.n);
	bus_buf_release(&text);
}

/* How many numbers of changes the position is behind its view: no fewer than the changes that wait. */
static void put_behind(struct gw_hooks *h, const char *view, const char *cursor, struct bus_json_out *j)
{
	const struct gw_cursors cursors = gw_api_cursors(h->conf.api);
	struct gw_views *views = gw_views_hold(h->conf.api->engine);
	const struct gw_view *v = gw_views_find(views, view);
	int64_t seq = 0, newest = v ? gw_newest(h->conf.api->engine, v) : 0;
	bool known = v && gw_cursor_read_feed(&cursors, v, cursor, &seq) == BUS_OK;

	bus_json_key(j, "behind");
	if (known)
		bus_json_put_int(j, newest > seq ? newest - seq : 0);
	else
		bus_json_put_null(j);
	gw_views_release(&views);
}

void gw_hook_show(struct gw_hooks *h, const struct gw_hook *e, bool secrets, struct bus_json_out *j)
{
	struct gw_hook_pos fresh = e->pos;
	char when[40];

	/* Changed a moment ago: as it will be. */
	if (fresh.epoch != e->sub->epoch)
		gw_hook_begin(e->sub, &fresh);
	bus_json_object(j);
	gw_hook_sub_show(e->sub, j);
	bus_json_text_member(j, "created", bus_clock_iso_wib(e->sub->created, when, sizeof(when)));
	gw_hook_pos_show(&fresh, j);
	put_behind(h, e->sub->view, fresh.cursor, j);
	put_verifiers(e, secrets, j);
	bus_json_object_end(j);
}

/* --- handlers ---------------------------------------------------------------------------------------- */

/* The topic has been read: what we know is all there is. Answers 503 otherwise. */
static bool ready(struct gw_hooks *h, struct bus_http_request *req)
{
	bool known;

	pthread_mutex_lock(&h->lock);
	known = h->known;
	pthread_mutex_unlock(&h->lock);
	if (!known)
		gw_problem(req, "not-ready", h->conf.topic, NULL);
	return known;
}

/* The reader's own webhook of the path, locked; or answered, and NULL. Another's is not there. */
static struct gw_hook *mine_locked(struct gw_hooks *h, struct bus_http_request *req, const char *reader)
{
	struct gw_hook *e;

	pthread_mutex_lock(&h->lock);
	e = gw_hook_find(h, bus_http_part(req, "id"));
	if (e && e->sub && strcmp(e->sub->reader, reader) == 0)
		return e;
	pthread_mutex_unlock(&h->lock);
	gw_problem(req, "webhook-unknown", NULL, "/v1/webhooks");
	return NULL;
}

struct gw_hook *gw_hook_mine(struct gw_api *api, struct bus_http_request *req)
{
	char reader[GW_READER_NAME_MAX];

	if (!gw_api_reader(api, req, reader) || !ready(api->hooks, req))
		return NULL;
	return mine_locked(api->hooks, req, reader);
}

void gw_hooks_list(void *ctx, struct bus_http_request *req)
{
	struct gw_api *api = ctx;
	struct gw_hooks *h = api->hooks;
	struct bus_buf body = { 0 };
	struct bus_json_out j = { .buf = &body };
	char reader[GW_READER_NAME_MAX];

	if (!gw_api_reader(api, req, reader) || !ready(h, req))
		return;
	bus_json_array(&j);
	pthread_mutex_lock(&h->lock);
	for (const struct gw_hook *e = h->first; e; e = e->next)
		if (!e->dead && e->sub && strcmp(e->sub->reader, reader) == 0)
			gw_hook_show(h, e, false, &j);
	pthread_mutex_unlock(&h->lock);
	bus_json_array_end(&j);
	bus_http_reply(req, 200, "application/json", &body);
}

void gw_hooks_one(void *ctx, struct bus_http_request *req)
{
	struct gw_api *api = ctx;
	struct bus_buf body = { 0 };
	struct bus_json_out j = { .buf = &body };
	struct gw_hook *e = gw_hook_mine(api, req);

	if (!e)
		return;
	gw_hook_show(api->hooks, e, false, &j);
	pthread_mutex_unlock(&api->hooks->lock);
	bus_http_reply(req, 200, "application/json", &body);
}

static void put_attempt(const struct gw_hook_attempt *a, struct bus_json_out *j)
{
	char when[40];

	bus_json_object(j);
	bus_json_text_member(j, "at", bus_clock_iso_wib(a->at, when, sizeof(when)));
	bus_json_text_member(j, "kind", a->kind);
	bus_json_text_member(j, "message", a->id[0] ? a->id : NULL);
	bus_json_key(j, "status");
	bus_json_put_int(j, a->status);
	bus_json_text_member(j, "why", a->status ? NULL : a->why);
	bus_json_key(j, "ms");
	bus_json_put_int(j, a->ms);
	bus_json_object_end(j);
}

void gw_hooks_attempts(void *ctx, struct bus_http_request *req)
{
	struct gw_api *api = ctx;
	struct bus_buf body = { 0 };
	struct bus_json_out j = { .buf = &body };
	const struct gw_hook *e = gw_hook_mine(api, req);

	if (!e)
		return;
	bus_json_array(&j);
	for (size_t i = 0; i < GW_HOOK_ATTEMPTS && i < e->attempts; i++)
		put_attempt(&e->attempt[(e->attempts - 1 - i) % GW_HOOK_ATTEMPTS], &j);
	bus_json_array_end(&j);
	pthread_mutex_unlock(&api->hooks->lock);
	bus_http_reply(req, 200, "application/json", &body);
}
