/* Who follows; who is woken, and by whom. */
#include <stdio.h>
#include <stdlib.h>

#include "bus/clock.h"
#include "gateway/feed/feeds_impl.h"

#define HOLDS_MAX_FULL_MS 2000 /* when all that is held is too much */

static void *wake_followers(void *feeds);

struct gw_feeds *gw_feeds_new(int slow_s)
{
	struct gw_feeds *f = bus_xcalloc(1, sizeof(*f));

	f->slow_ms = slow_s * 1000;
	pthread_mutex_init(&f->lock, NULL);
	pthread_mutex_init(&f->wake_lock, NULL);
	pthread_cond_init(&f->wake_cond, NULL);
	f->shared_reads = bus_metric("titian_feed_log_reads_total", "counter",
				     "Readings of change logs for feeds.", "for=\"all\"");
	f->own_reads = bus_metric("titian_feed_log_reads_total", "counter",
				  "Readings of change logs for feeds.", "for=\"one\"");
	f->wakes = bus_metric("titian_feed_wakes_total", "counter",
			      "Times that followers of a view were woken.", "");
	f->cuts = bus_metric("titian_feed_cuts_total", "counter",
			     "Followers hung up because they were too slow.", "");
	f->held_bytes = bus_metric("titian_feed_held_bytes", "gauge", "Bytes that feeds share.", "");
	if (pthread_create(&f->waker, NULL, wake_followers, f) != 0)
		abort(); /* no thread at the start: nothing else would work */
	return f;
}

void gw_feeds_free(struct gw_feeds **fp)
{
	struct gw_feeds *f = *fp;

	*fp = NULL;
	if (!f)
		return;
	pthread_mutex_lock(&f->wake_lock);
	f->stop = true;
	pthread_cond_signal(&f->wake_cond);
	pthread_mutex_unlock(&f->wake_lock);
	pthread_join(f->waker, NULL);
	gw_keys_release(&f->changed);
	pthread_cond_destroy(&f->wake_cond);
	pthread_mutex_destroy(&f->wake_lock);
	pthread_mutex_destroy(&f->lock);
	free(f);
}

size_t gw_feeds_count(struct gw_feeds *f)
{
	size_t n;

	pthread_mutex_lock(&f->lock);
	n = f->n;
	pthread_mutex_unlock(&f->lock);
	return n;
}

static bool shows(const struct gw_channel *c, struct bus_str view)
{
	for (size_t i = 0; i < c->n_parts; i++)
		if (bus_str_is(view, c->part[i].view->name))
			return true;
	return false;
}

size_t gw_feeds_following(struct gw_feeds *f, const char *reader, const struct gw_view *v)
{
	size_t n = 0;

	pthread_mutex_lock(&f->lock);
	for (const struct gw_channel *c = f->channels; c; c = c->next)
		if (shows(c, bus_str(v->name)))
			for (const struct gw_subscriber *s = c->first; s; s = s->next)
				n += strcmp(s->who->name, reader) == 0;
	pthread_mutex_unlock(&f->lock);
	return n;
}

/* --- coming and going ---------------------------------------------------------------------------------- */

static struct gw_who *who_enter(struct gw_feeds *f, const char *reader, int most)
{
	struct gw_who *w;

	for (w = f->who; w && strcmp(w->name, reader) != 0; w = w->next)
		;
	if ((w ? w->streams : 0) >= most)
		return NULL;
	if (!w) {
		w = bus_xcalloc(1, sizeof(*w));
		snprintf(w->name, sizeof(w->name), "%s", reader);
		w->next = f->who;
		f->who = w;
	}
	w->streams++;
	return w;
}

static void who_leave(struct gw_feeds *f, struct gw_who *w)
{
	struct gw_who **at;

	if (--w->streams > 0)
		return;
	for (at = &f->who; *at != w; at = &(*at)->next)
		;
	*at = w->next;
	free(w);
}

struct gw_who *gw_feeds_who_enter(struct gw_feeds *f, const char *reader, int most)
{
	struct gw_who *w;

	pthread_mutex_lock(&f->lock);
	w = who_enter(f, reader, most);
	pthread_mutex_unlock(&f->lock);
	return w;
}

void gw_feeds_who_leave(struct gw_feeds *f, struct gw_who *w)
{
	pthread_mutex_lock(&f->lock);
	who_leave(f, w);
	pthread_mutex_unlock(&f->lock);
}

bool gw_feeds_enter(struct gw_feeds *f, struct gw_subscriber *s, struct gw_channel *c, const char *reader,
		    int most)
{
	pthread_mutex_lock(&f->lock);
	s->who = who_enter(f, reader, most);
	if (s->who) {
		s->channel = c;
		s->next = c->first;
		s->link = &c->first;
		if (s->next)
			s->next->link = &s->next;
		c->first = s;
		f->n++;
	}
	pthread_mutex_unlock(&f->lock);
	return s->who != NULL;
}

void gw_subscriber_free(void *state)
{
	struct gw_subscriber *s = state;
	struct gw_feeds *f = s->channel->api->feeds;

	pthread_mutex_lock(&f->lock);
	*s->link = s->next;
	if (s->next)
		s->next->link = s->link;
	f->n--;
	who_leave(f, s->who);
	pthread_mutex_unlock(&f->lock);
	gw_channel_leave(f, &s->channel);
	free(s);
}

/* --- waking -------------------------------------------------------------------------------------------- */

/* Waking ten thousand takes some tens of milliseconds: not on the writer's time. */
void gw_feeds_on_change(void *feeds, const struct gw_view *v, int64_t newest)
{
	struct gw_feeds *f = feeds;

	(void)newest;
	pthread_mutex_lock(&f->wake_lock);
	gw_keys_add(&f->changed, bus_str(v->name));
	pthread_cond_signal(&f->wake_cond);
	pthread_mutex_unlock(&f->wake_lock);
}

static void wake_view(struct gw_feeds *f, struct bus_str view)
{
	bool any = false;

	pthread_mutex_lock(&f->lock);
	for (struct gw_channel *c = f->channels; c; c = c->next) {
		if (!shows(c, view))
			continue;
		for (struct gw_subscriber *s = c->first; s; s = s->next) {
			if (s->stream)
				bus_http_wake(s->stream);
			any = true;
		}
	}
	pthread_mutex_unlock(&f->lock);
	if (any)
		bus_metric_add(f->wakes, 1);
}

static void *wake_followers(void *feeds)
{
	struct gw_feeds *f = feeds;
	struct gw_keys changed = { 0 }, none = { 0 };

	pthread_mutex_lock(&f->wake_lock);
	while (!f->stop) {
		if (f->changed.n == 0) {
			pthread_cond_wait(&f->wake_cond, &f->wake_lock);
			continue;
		}
		changed = f->changed;
		f->changed = none;
		pthread_mutex_unlock(&f->wake_lock);
		for (size_t i = 0; i < changed.n; i++)
			wake_view(f, gw_keys_at(&changed, i));
		gw_keys_clear(&changed);
		none = changed; /* its memory, for the next */
		pthread_mutex_lock(&f->wake_lock);
	}
	pthread_mutex_unlock(&f->wake_lock);
	gw_keys_release(&none);
	return NULL;
}

void gw_feeds_tick(struct gw_feeds *f)
{
	int64_t now = bus_clock_mono_ms(), held = atomic_load(&f->held), holds;
	int64_t most = held > GW_FEED_HELD_MAX ? HOLDS_MAX_FULL_MS : f->slow_ms;

	bus_metric_set(f->held_bytes, (double)held);
	pthread_mutex_lock(&f->lock);
	for (struct gw_channel *c = f->channels; c; c = c->next) {
		uint64_t generation = gw_access_generation(c->api->access);

		gw_channel_rest(c, now, held > GW_FEED_HELD_MAX);
		for (struct gw_subscriber *s = c->first; s; s = s->next) {
			holds = atomic_load(&s->holds);
			if (!s->stream)
				continue;
			if (holds && now - holds > most) {
				bus_http_cut(s->stream);
				bus_metric_add(f->cuts, 1);
			} else if (atomic_load(&s->ahead) || atomic_load(&s->spoke) + GW_HEARTBEAT_MS <= now ||
				   atomic_load(&s->generation) != generation ||
				   (c->way == GW_WAY_POLL && s->wait_until <= now)) {
				bus_http_wake(s->stream);
			}
		}
	}
	pthread_mutex_unlock(&f->lock);
}
