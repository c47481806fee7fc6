#include <pthread.h>
#include <stdio.h>

#include "bus/clock.h"
#include "bus/crypto.h"
#include "gateway/feed/feeds_impl.h"

#define TICKET_MS 60000

/* Under the lock. A reader's own oldest if it has all it may have; else one that is free; else the oldest of all. */
static struct gw_ticket *slot_for(struct gw_feeds *f, const char *reader, int64_t now)
{
	struct gw_ticket *own = NULL, *free = NULL, *oldest = &f->ticket[0];
	size_t n = 0;

	for (struct gw_ticket *t = f->ticket; t < f->ticket + GW_TICKETS_MAX; t++) {
		if (t->until <= now) {
			free = t;
			continue;
		}
		if (t->number < oldest->number)
			oldest = t;
		if (strcmp(t->reader, reader) != 0)
			continue;
		n++;
		if (!own || t->number < own->number)
			own = t;
	}
	if (n >= GW_TICKETS_PER_READER)
		return own;
	return free ? free : oldest;
}

void gw_tickets_new(struct gw_feeds *f, const char *reader, const char *key_id, char out[33])
{
	int64_t now = bus_clock_mono_ms();
	struct gw_ticket *t;
	uint8_t secret[16];

	bus_random(secret, sizeof(secret));
	bus_hex(secret, sizeof(secret), out);
	pthread_mutex_lock(&f->lock);
	t = slot_for(f, reader, now);
	t->number = ++f->tickets;
	memcpy(t->text, out, sizeof(t->text));
	snprintf(t->reader, sizeof(t->reader), "%s", reader);
	snprintf(t->key_id, sizeof(t->key_id), "%s", key_id);
	t->until = now + TICKET_MS;
	pthread_mutex_unlock(&f->lock);
}

bool gw_tickets_take(struct gw_feeds *f, const char *ticket, char *reader, char *key_id)
{
	bool found = false;

	if (strlen(ticket) != 32)
		return false;
	pthread_mutex_lock(&f->lock);
	for (size_t i = 0; i < GW_TICKETS_MAX && !found; i++) {
		struct gw_ticket *t = &f->ticket[i];

		if (!t->until || !bus_equal_secret(t->text, ticket, 32))
			continue;
		found = t->until > bus_clock_mono_ms();
		memcpy(reader, t->reader, sizeof(t->reader));
		memcpy(key_id, t->key_id, sizeof(t->key_id));
		t->until = 0;
	}
	pthread_mutex_unlock(&f->lock);
	return found;
}
