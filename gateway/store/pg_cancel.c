/* Telling the server to end what runs: over a connection of its own, which may hang as the other does, so on a thread of
 * its own. */
#include <stdlib.h>

#include "bus/clock.h"
#include "gateway/store/pg_impl.h"

struct gw_pg_cancel *gw_pg_cancel_new(PGconn *conn)
{
	struct gw_pg_cancel *c = bus_xcalloc(1, sizeof(*c));

	c->cancel = PQgetCancel(conn);
	atomic_init(&c->users, 1);
	return c;
}

void gw_pg_cancel_unref(struct gw_pg_cancel **cp)
{
	struct gw_pg_cancel *c = *cp;

	*cp = NULL;
	if (!c || atomic_fetch_sub(&c->users, 1) > 1)
		return;
	PQfreeCancel(c->cancel);
	free(c);
}

static void *cancel(void *ctx)
{
	struct gw_pg_cancel *c = ctx;
	char text[256];

	PQcancel(c->cancel, text, sizeof(text));
	atomic_store(&c->under_way, false);
	gw_pg_cancel_unref(&c);
	return NULL;
}

bool gw_pg_cancelling(const struct gw_pg *pg)
{
	return pg->cancel && atomic_load(&pg->cancel->under_way);
}

void gw_pg_interrupt(struct gw_pg *pg)
{
	struct gw_pg_cancel *c;
	pthread_attr_t attr;
	pthread_t thread;

	pthread_mutex_lock(&pg->lock);
	c = pg->cancel;
	if (c && !atomic_exchange(&c->under_way, true))
		atomic_fetch_add(&c->users, 1);
	else
		c = NULL;
	pthread_mutex_unlock(&pg->lock);
	atomic_store(&pg->given_up_ms, bus_clock_mono_ms());
	if (!c)
		return;
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	if (pthread_create(&thread, &attr, cancel, c) != 0) {
		atomic_store(&c->under_way, false);
		gw_pg_cancel_unref(&c);
	}
	pthread_attr_destroy(&attr);
}
