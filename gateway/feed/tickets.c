#include <pthread.h>

#include "bus/clock.h"
#include "bus/crypto.h"
#include "gateway/feed/feeds_impl.h"

#define TICKET_MS 60000

void gw_tickets_new(struct gw_feeds *f, const char *reader, const char *key_id, char out[33])
{
	struct gw_ticket *t;
	uint8_t secret[16];

	bus_random(secret, sizeof(secret));
	bus_hex(secret, sizeof(secret), out);
	pthread_mutex_lock(&f->lock);
	/* The oldest gives way: a flood of tickets costs only whoever asks for them. */
	t = &f->ticket[f->next_ticket++ % GW_TICKETS_MAX];
	memcpy(t->text, out, sizeof(t->text));
	memcpy(t->reader, reader, sizeof(t->reader));
	memcpy(t->key_id, key_id, sizeof(t->key_id));
	t->until = bus_clock_mono_ms() + TICKET_MS;
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
