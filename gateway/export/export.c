/* Exports one by one: who waits for them, who follows them, which are kept. */
#include <stdio.h>
#include <unistd.h>

#include "bus/clock.h"
#include "gateway/export/work.h"

#define QUESTION_MAX ((size_t)256 * 1024)

/* --- one export --------------------------------------------------------------------------------------- */

struct gw_export *gw_export_new(struct gw_exports *all, const char *reader, const struct gw_view *v,
				struct gw_grant grant)
{
	struct gw_export *x = bus_xcalloc(1, sizeof(*x));
	uint8_t chance[GW_EXPORT_ID_LEN / 2];

	bus_random(chance, sizeof(chance));
	bus_hex(chance, sizeof(chance), x->id);
	x->all = all;
	snprintf(x->reader, sizeof(x->reader), "%s", reader);
	x->split = -1;
	x->view = gw_view_ref(v);
	x->arena = bus_arena_new(QUESTION_MAX);
	gw_params_begin(&x->params, v, grant, x->arena);
	x->created_ms = bus_clock_ms();
	x->fd = -1;
	x->expected = -1;
	x->refs = 1;
	return x;
}

static void export_free(struct gw_export *x)
{
	if (x->fd >= 0)
		close(x->fd);
	if (x->path)
		unlink(x->path);
	free(x->path);
	bus_arena_free(&x->arena);
	bus_buf_release(&x->question);
	free(x->cursor);
	gw_view_unref(&x->view);
	free(x);
}

/* Under the lock. */
static void drop(struct gw_export *x)
{
	if (--x->refs > 0)
		return;
	x->all->used -= x->held;
	export_free(x);
}

void gw_export_unref(struct gw_export **xp)
{
	struct gw_export *x = *xp;
	struct gw_exports *all;

	*xp = NULL;
	if (!x)
		return;
	all = x->all;
	pthread_mutex_lock(&all->lock);
	drop(x);
	pthread_mutex_unlock(&all->lock);
}

/* Under the lock: nobody finds it any more; its file goes now, its bytes once nobody reads it. */
void gw_export_forget(struct gw_export *x)
{
	struct gw_exports *all = x->all;
	struct gw_export **at = &all->first;

	if (!x->listed)
		return;
	while (*at != x)
		at = &(*at)->next;
	*at = x->next;
	if (all->last == &x->next)
		all->last = at;
	x->listed = false;
	if (x->path)
		unlink(x->path);
	drop(x);
}

static bool is_over(const struct gw_export *x)
{
	return x->state >= GW_EXPORT_DONE;
}

/* Under the lock: the files that are needed least, as long as there is too much. Those of jobs are promised for a
 * time: they go last. */
static bool make_room(struct gw_exports *all, const struct gw_export *keep)
{
	for (int jobs = 0; jobs < 2; jobs++) {
		struct gw_export *next;

		for (struct gw_export *x = all->first; x && all->used > all->space; x = next) {
			next = x->next;
			if (x != keep && is_over(x) && x->job == (jobs == 1) && x->refs == 1)
				gw_export_forget(x);
		}
	}
	return all->used <= all->space;
}

/* --- who waits, who follows --------------------------------------------------------------------------- */

bool gw_export_waits(const struct gw_export *x, bool end)
{
	return !is_over(x) && (end || !x->cut || x->kind->rows_max || x->bundle);
}

/* Under the lock: followers are woken; who has waited long enough is handed out. */
struct gw_waiter *gw_export_tell(struct gw_export *x)
{
	struct gw_waiter **at = &x->waiters, *ready = NULL, *w;

	while ((w = *at)) {
		if (gw_export_waits(x, w->end) && !x->all->stopping) {
			at = &w->next;
			continue;
		}
		*at = w->next;
		w->next = ready;
		ready = w;
	}
	for (struct gw_follower *f = x->followers; f; f = f->next)
		bus_http_wake(f->stream);
	return ready;
}

/* Not under the lock: a request whose peer has gone ends here, and lets go of its export. */
void gw_export_give_back(struct gw_waiter *ready)
{
	struct gw_waiter *w;

	while ((w = ready)) {
		ready = w->next;
		bus_http_ticket_again(w->ticket);
		free(w);
	}
}

static enum bus_err hold(struct gw_export *x, int64_t held, int64_t readable, struct bus_error *err)
{
	struct gw_exports *all = x->all;
	struct gw_waiter *ready;
	bool room;

	pthread_mutex_lock(&all->lock);
	x->bytes += readable;
	x->held += held;
	all->used += held;
	room = make_room(all, x);
	ready = gw_export_tell(x);
	pthread_mutex_unlock(&all->lock);
	gw_export_give_back(ready);
	return room ? BUS_OK : bus_fail(err, BUS_EFULL, "no room for this export");
}

enum bus_err gw_export_held(struct gw_export *x, int64_t n, struct bus_error *err)
{
	return hold(x, n, 0, err);
}

enum bus_err gw_export_grown(struct gw_export *x, size_t n, struct bus_error *err)
{
	return hold(x, (int64_t)n, (int64_t)n, err);
}

void gw_export_cut(struct gw_export *x, int64_t seq)
{
	const struct gw_cursors cursors = gw_api_cursors(x->all->api);
	struct bus_buf cursor = { 0 };
	struct gw_waiter *ready;

	gw_cursor_put_feed(&cursors, x->view, seq, &cursor);
	pthread_mutex_lock(&x->all->lock);
	x->seq = seq;
	bus_clock_iso_wib(bus_clock_ms() / 1000 * 1000, x->as_of, sizeof(x->as_of));
	x->cursor = bus_buf_take(&cursor, NULL);
	x->cut = true;
	ready = gw_export_tell(x);
	pthread_mutex_unlock(&x->all->lock);
	gw_export_give_back(ready);
}

/* --- the queue ---------------------------------------------------------------------------------------- */

const char *gw_export_queue(struct gw_export *x)
{
	struct gw_exports *all = x->all;
	struct gw_export *oldest = NULL;
	int busy = 0, kept = 0, waiting = 0;

	pthread_mutex_lock(&all->lock);
	for (struct gw_export *o = all->first; o; o = o->next) {
		waiting += o->state == GW_EXPORT_QUEUED;
		if (strcmp(o->reader, x->reader) != 0)
			continue;
		busy += !is_over(o);
		if (!is_over(o) || o->job != x->job)
			continue;
		kept++;
		if (!oldest)
			oldest = o;
	}
	if (all->stopping || waiting >= GW_EXPORTS_WAITING || busy >= all->per_reader) {
		bool mine = busy >= all->per_reader;

		pthread_mutex_unlock(&all->lock);
		return mine ? "too-many-exports" : "unavailable";
	}
	if (kept >= 4 * all->per_reader)
		gw_export_forget(oldest);
	x->refs++;
	x->listed = true;
	x->asked_ms = bus_clock_mono_ms();
	*all->last = x;
	all->last = &x->next;
	pthread_cond_signal(&all->more);
	pthread_mutex_unlock(&all->lock);
	return NULL;
}

struct gw_export *gw_export_find(struct gw_exports *all, const char *id, const char *reader)
{
	struct gw_export *x;

	pthread_mutex_lock(&all->lock);
	for (x = all->first; x; x = x->next)
		if (strcmp(x->id, id) == 0 && strcmp(x->reader, reader) == 0)
			break;
	if (x)
		x->refs++;
	pthread_mutex_unlock(&all->lock);
	return x;
}

void gw_export_cancel(struct gw_export *x)
{
	struct gw_waiter *ready = NULL;

	pthread_mutex_lock(&x->all->lock);
	x->stop = true;
	if (x->state == GW_EXPORT_QUEUED) {
		x->state = GW_EXPORT_CANCELLED;
		ready = gw_export_tell(x);
	}
	gw_export_forget(x);
	pthread_mutex_unlock(&x->all->lock);
	gw_export_give_back(ready);
}

/* Under the lock: one whose turn has not come, and whose reader sees nothing of it, is given up; who waits for it is
 * handed out. */
static struct gw_waiter *give_up(struct gw_export *x)
{
	x->stop = true;
	x->state = GW_EXPORT_FAILED;
	x->ended_ms = bus_clock_mono_ms();
	x->problem = "too-many-exports";
	x->hint = GW_EXPORT_AS_JOB;
	return gw_export_tell(x);
}

void gw_exports_tick(struct gw_exports *all)
{
	const int64_t now = bus_clock_mono_ms();
	struct gw_waiter *ready = NULL, **end = &ready;
	struct gw_export *next;

	pthread_mutex_lock(&all->lock);
	for (struct gw_export *x = all->first; x; x = next) {
		next = x->next;
		if (x->state == GW_EXPORT_QUEUED && !x->job && now - x->asked_ms > all->patience_ms) {
			*end = give_up(x);
			while (*end)
				end = &(*end)->next;
		}
		if (is_over(x) && now - x->ended_ms > all->keep_ms)
			gw_export_forget(x);
	}
	pthread_mutex_unlock(&all->lock);
	gw_export_give_back(ready);
}
