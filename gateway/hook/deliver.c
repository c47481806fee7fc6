/* The delivering thread: what is due, what came back. */
#include <stdio.h>

#include "bus/clock.h"
#include "bus/log.h"
#include "bus/metrics.h"
#include "gateway/hook/hooks_impl.h"

#define DUE_MAX 64    /* looked at in one go */
#define REST_MS 1000  /* the longest sleep */
#define LATER_MS 1000 /* when the store cannot be read */

struct delivery { /* a request under way */
	struct gw_hooks *h;
	struct gw_hook *entry;	     /* busy; NULL for a test */
	struct gw_hook_change *test; /* NULL: it is none */
	struct gw_hook_sub *sub;
	struct gw_hook_plan plan;
	struct bus_client_header want[3];
};

enum { RETRY_AFTER, ALLOWED_ORIGIN, ALLOWED_RATE };

static void delivery_free(struct delivery *d)
{
	gw_hook_sub_unref(&d->sub);
	bus_many_call_release(&d->plan.call);
	free(d);
}

/* --- what came back ---------------------------------------------------------------------------------- */

static void remember(struct gw_hook *e, const struct delivery *d, const struct bus_many_answer *a)
{
	struct gw_hook_attempt *one;

	if (!e->attempt)
		e->attempt = bus_xcalloc(GW_HOOK_ATTEMPTS, sizeof(*e->attempt));
	one = &e->attempt[e->attempts++ % GW_HOOK_ATTEMPTS];
	*one = (struct gw_hook_attempt){ .at = bus_clock_ms() - a->ms,
					 .ms = a->ms,
					 .status = a->status,
					 .why = a->why,
					 .kind = d->plan.kind };
	memcpy(one->id, d->plan.id, sizeof(one->id));
}

static void count(const struct bus_many_answer *a, const struct gw_hook_plan *plan, bool good)
{
	char labels[64];

	if (a->status)
		snprintf(labels, sizeof(labels), "answer=\"%dxx\"", a->status / 100);
	else
		snprintf(labels, sizeof(labels), "answer=\"none\"");
	bus_metric_add(
	    bus_metric("titian_webhook_requests_total", "counter", "Requests to receivers.", labels), 1);
	if (good)
		bus_metric_add(
		    bus_metric("titian_webhook_changes_total", "counter", "Changes delivered.", ""),
		    (int64_t)plan->changes);
}

/* What an answer to OPTIONS means: a 2xx without the receiver's agreement is none. */
static void agree(const struct delivery *d, struct gw_hook_result *r)
{
	if (r->status < 200 || r->status > 299 ||
	    gw_hook_allowed(d->want[ALLOWED_ORIGIN].value, d->h->origin))
		return;
	r->status = 0;
	r->why = "WebHook-Allowed-Origin does not name us";
}

/* Under the lock. */
static void settle(struct delivery *d, const struct bus_many_answer *a)
{
	struct gw_hook *e = d->entry;
	struct gw_hook_pos *p = &e->pos;
	int64_t now = bus_clock_ms();
	struct gw_hook_result result = {
		.status = a->status,
		.why = a->why,
		.retry_after = gw_hook_retry_after(d->want[RETRY_AFTER].value, now),
	};
	uint32_t chance;
	bool good;

	remember(e, d, a);
	e->not_before = bus_clock_mono_ms() + gw_hook_spacing(d->sub->rate, p->allowed_rate);
	/* Begun anew while the request was under way: it is of the past. */
	if (p->epoch != d->plan.pos.epoch || (e->sub && e->sub->epoch != p->epoch))
		return;
	if (d->plan.pos.state == GW_HOOK_VALIDATING)
		agree(d, &result);
	bus_random(&chance, sizeof(chance));
	good = gw_hook_after(&d->h->schedule, p, &result, now, chance);
	if (good && d->plan.pos.state == GW_HOOK_VALIDATING) {
		p->state = GW_HOOK_ACTIVE;
		p->allowed_rate = gw_hook_allowed_rate(d->want[ALLOWED_RATE].value);
	} else if (good) {
		p->reset = false;
		memcpy(p->cursor, d->plan.after, sizeof(p->cursor));
		p->delivered += (int64_t)d->plan.changes;
	}
	e->dirty = true;
	count(a, &d->plan, good);
	if (p->state == GW_HOOK_SUSPENDED)
		gw_hook_suspended(e);
}

static void done(void *ctx, const struct bus_many_answer *a)
{
	struct delivery *d = ctx;
	struct gw_hooks *h = d->h;

	pthread_mutex_lock(&h->lock);
	d->entry->busy = false;
	if (a->rc != BUS_ESTOPPED)
		settle(d, a);
	if (d->entry->dead)
		gw_hook_drop(h, d->entry);
	pthread_mutex_unlock(&h->lock);
	delivery_free(d);
}

/* --- tests ------------------------------------------------------------------------------------------- */

static void test_done(void *ctx, const struct bus_many_answer *a)
{
	struct delivery *d = ctx;
	struct gw_hooks *h = d->h;
	struct bus_buf body = { 0 };
	struct bus_json_out j = { .buf = &body };
	struct gw_hook *e;

	pthread_mutex_lock(&h->lock);
	e = gw_hook_find(h, d->test->id);
	if (e)
		remember(e, d, a);
	pthread_mutex_unlock(&h->lock);
	bus_json_object(&j);
	bus_json_text_member(&j, "message", d->plan.id);
	bus_json_key(&j, "status");
	bus_json_put_int(&j, a->status);
	bus_json_text_member(&j, "why", a->status ? NULL : a->why);
	bus_json_key(&j, "ms");
	bus_json_put_int(&j, a->ms);
	bus_json_object_end(&j);
	bus_http_reply(bus_http_ticket_request(d->test->ticket), 200, "application/json", &body);
	bus_http_ticket_done(d->test->ticket);
	gw_hook_change_free(d->test);
	delivery_free(d);
}

static struct delivery *delivery_new(struct gw_hooks *h, struct gw_hook_sub *s)
{
	struct delivery *d = bus_xcalloc(1, sizeof(*d));

	d->h = h;
	d->sub = gw_hook_sub_ref(s);
	d->want[RETRY_AFTER].name = "Retry-After";
	d->want[ALLOWED_ORIGIN].name = "WebHook-Allowed-Origin";
	d->want[ALLOWED_RATE].name = "WebHook-Allowed-Rate";
	return d;
}

static bool dispatch(struct delivery *d, void (*fn)(void *ctx, const struct bus_many_answer *a))
{
	d->plan.call.want = d->want;
	d->plan.call.n_want = BUS_LEN(d->want);
	d->plan.call.done = fn;
	d->plan.call.ctx = d;
	return bus_many_send(d->h->many, &d->plan.call);
}

static void start_tests(struct gw_hooks *h)
{
	for (;;) {
		struct gw_hook_change *c;
		struct delivery *d;

		pthread_mutex_lock(&h->lock);
		c = gw_hook_take(&h->tests);
		pthread_mutex_unlock(&h->lock);
		if (!c)
			return;
		d = delivery_new(h, c->sub);
		d->test = c;
		if (!atomic_load(&h->stopping) && gw_hook_prepare_test(h, c->sub, &d->plan) &&
		    dispatch(d, test_done))
			continue;
		gw_hook_refuse(c, "unavailable");
		delivery_free(d);
	}
}

/* --- what is due ------------------------------------------------------------------------------------- */

/* Under the lock; *wait shrinks to when it will be due. */
static bool due(struct gw_hooks *h, struct gw_hook *e, const struct gw_views *views, int64_t *wait)
{
	int64_t now = bus_clock_ms(), mono = bus_clock_mono_ms();
	const struct gw_view *v;

	if (!e->sub || e->busy || e->dead)
		return false;
	if (e->pos.epoch != e->sub->epoch) {
		gw_hook_begin(e->sub, &e->pos);
		e->dirty = true;
		e->looked = -1;
		if (e->pos.state == GW_HOOK_SUSPENDED)
			gw_hook_suspended(e);
	}
	if (e->pos.state == GW_HOOK_SUSPENDED)
		return false;
	v = gw_views_find(views, e->sub->view);
	if (v && !gw_view_whole(v)) /* nothing would mean that all is gone */
		return false;
	if (e->looked >= 0 && v && gw_newest(h->conf.api->engine, v) <= e->looked)
		return false;
	if (e->pos.next > now || e->not_before > mono) {
		int64_t left =
		    e->pos.next - now > e->not_before - mono ? e->pos.next - now : e->not_before - mono;

		*wait = left < *wait ? left : *wait;
		return false;
	}
	return true;
}

/* Who had a turn goes behind those that had none. Under the lock. */
static void rotate(struct gw_hooks *h, struct gw_hook *last)
{
	struct gw_hook *tail = last;

	if (!last || !last->next)
		return;
	while (tail->next)
		tail = tail->next;
	tail->next = h->first;
	h->first = last->next;
	last->next = NULL;
}

static size_t collect(struct gw_hooks *h, struct delivery **out, int64_t *wait)
{
	struct gw_hook *last = NULL;
	struct gw_views *views = gw_views_hold(h->conf.api->engine);
	uint64_t store = gw_store_id(h->conf.api->engine);
	uint64_t generation = gw_access_generation(h->conf.api->access);
	bool anew = store != h->store || generation != h->generation;
	size_t n = 0;

	pthread_mutex_lock(&h->lock);
	/* Numbers of changes mean nothing in another store, and keys or grants may be gone: all look again. */
	for (struct gw_hook *e = anew ? h->first : NULL; e; e = e->next)
		e->looked = -1;
	h->store = store;
	h->generation = generation;
	if (h->holding && bus_clock_mono_ms() < h->lease_until && gw_caught_up(h->conf.api->engine))
		for (struct gw_hook *e = h->first; e && n < DUE_MAX; e = e->next)
			if (due(h, e, views, wait)) {
				out[n] = delivery_new(h, e->sub);
				out[n]->entry = e;
				out[n]->plan.pos = e->pos;
				e->busy = true;
				last = e;
				n++;
			}
	rotate(h, last);
	pthread_mutex_unlock(&h->lock);
	gw_views_release(&views);
	return n;
}

/* Nothing to send: what has been found out is kept. */
static void put_by(struct delivery *d, enum gw_hook_step step)
{
	struct gw_hook *e = d->entry;
	struct gw_hooks *h = d->h;

	pthread_mutex_lock(&h->lock);
	e->busy = false;
	if (e->dead) {
		gw_hook_drop(h, e);
	} else if (step == GW_HOOK_STOP) {
		gw_hook_suspend(e, d->plan.reason);
	} else if (step == GW_HOOK_LATER) {
		e->not_before = bus_clock_mono_ms() + LATER_MS;
	} else if (step == GW_HOOK_NOTHING && e->pos.epoch == d->plan.pos.epoch) {
		e->looked = d->plan.newest;
		if (strcmp(e->pos.cursor, d->plan.after) != 0) {
			memcpy(e->pos.cursor, d->plan.after, sizeof(e->pos.cursor));
			e->dirty = true;
		}
	}
	pthread_mutex_unlock(&h->lock);
	delivery_free(d);
}

/* What the store says about the position holds whatever the receiver answers. */
static void keep_reset(struct delivery *d)
{
	pthread_mutex_lock(&d->h->lock);
	if (d->plan.pos.reset && !d->entry->pos.reset && d->entry->pos.epoch == d->plan.pos.epoch) {
		d->entry->pos.reset = true;
		d->entry->dirty = true;
	}
	pthread_mutex_unlock(&d->h->lock);
}

static int64_t start_due(struct gw_hooks *h)
{
	struct delivery *list[DUE_MAX];
	int64_t wait = REST_MS;
	size_t n = collect(h, list, &wait);

	for (size_t i = 0; i < n; i++) {
		enum gw_hook_step step = gw_hook_prepare(h, list[i]->sub, &list[i]->plan);

		if (step == GW_HOOK_SEND)
			keep_reset(list[i]);
		if (step != GW_HOOK_SEND)
			put_by(list[i], step);
		else if (!dispatch(list[i], done))
			put_by(list[i], GW_HOOK_SEND); /* too many are under way: as before */
	}
	return n == DUE_MAX ? 0 : wait;
}

void *gw_hook_deliver_run(void *hooks)
{
	struct gw_hooks *h = hooks;
	int64_t until;

	while (!atomic_load(&h->stopping)) {
		int64_t wait;

		start_tests(h);
		wait = start_due(h);
		bus_many_run(h->many, (int)wait);
	}
	start_tests(h); /* refused */
	until = bus_clock_mono_ms() + h->conf.timeout_ms;
	while (bus_many_under_way(h->many) > 0 && bus_clock_mono_ms() < until)
		bus_many_run(h->many, 100);
	bus_many_cancel(h->many);
	return NULL;
}
