#include "gateway/serve/desk.h"

#include <pthread.h>
#include <stdlib.h>

#include "bus/clock.h"
#include "bus/wait.h"
#include "gateway/serve/api.h"

struct slip {
	struct slip *next;
	struct bus_http_ticket *ticket;
	void *job;
};

struct gw_desk {
	struct gw_desk_conf conf;
	pthread_t thread;
	pthread_mutex_t lock; /* the rest */
	pthread_cond_t more;
	struct slip *first, **last;
	size_t n;
	bool stop;
};

static void wait_for_more(struct gw_desk *d)
{
	if (!d->conf.idle_s) {
		pthread_cond_wait(&d->more, &d->lock);
		return;
	}
	if (!bus_cond_wait(&d->more, &d->lock, bus_clock_mono_ms() + INT64_C(1000) * d->conf.idle_s) &&
	    !d->stop) {
		pthread_mutex_unlock(&d->lock);
		d->conf.idle(d->conf.ctx);
		pthread_mutex_lock(&d->lock);
	}
}

/* NULL: the end. */
static struct slip *next(struct gw_desk *d)
{
	struct slip *s;

	pthread_mutex_lock(&d->lock);
	while (!d->first && !d->stop)
		wait_for_more(d);
	s = d->first;
	if (s) {
		d->first = s->next;
		if (!d->first)
			d->last = &d->first;
		d->n--;
	}
	pthread_mutex_unlock(&d->lock);
	return s;
}

static void *run(void *ctx)
{
	struct gw_desk *d = ctx;
	struct slip *s;

	if (d->conf.idle_s)
		d->conf.idle(d->conf.ctx);
	while ((s = next(d))) {
		d->conf.answer(d->conf.ctx, bus_http_ticket_request(s->ticket), s->job);
		bus_http_ticket_done(s->ticket);
		free(s->job);
		free(s);
	}
	return NULL;
}

enum bus_err gw_desk_open(const struct gw_desk_conf *conf, struct gw_desk **out, struct bus_error *err)
{
	struct gw_desk *d = bus_xcalloc(1, sizeof(*d));

	*out = NULL;
	d->conf = *conf;
	d->last = &d->first;
	pthread_mutex_init(&d->lock, NULL);
	bus_cond_init(&d->more);
	if (pthread_create(&d->thread, NULL, run, d) != 0) {
		free(d);
		return bus_fail(err, BUS_EIO, "cannot start the thread of the %s", conf->name);
	}
	*out = d;
	return BUS_OK;
}

void gw_desk_close(struct gw_desk **desk)
{
	struct gw_desk *d = *desk;

	if (!d)
		return;
	pthread_mutex_lock(&d->lock);
	d->stop = true;
	pthread_cond_signal(&d->more);
	pthread_mutex_unlock(&d->lock);
	pthread_join(d->thread, NULL);
	pthread_cond_destroy(&d->more);
	pthread_mutex_destroy(&d->lock);
	free(d);
	*desk = NULL;
}

void gw_desk_take(struct gw_desk *d, struct bus_http_request *req, void *job)
{
	struct slip *s = bus_xcalloc(1, sizeof(*s));
	bool full;

	s->job = job;
	pthread_mutex_lock(&d->lock);
	full = d->stop || d->n == d->conf.waiting;
	if (!full) {
		s->ticket = bus_http_defer(req);
		*d->last = s;
		d->last = &s->next;
		d->n++;
		pthread_cond_signal(&d->more);
	}
	pthread_mutex_unlock(&d->lock);
	if (full) {
		gw_problem(req, "unavailable", NULL, NULL);
		free(s);
		free(job);
	}
}
