/* Partitions of one instance, read ahead by a worker's own Kafka consumer. What is assigned stays so between answers: a
 * reader that asks again and again finds the next records fetched. */
#include "bus/clock.h"
#include "gateway/restproxy/consume.h"

#define BATCH 2000
#define FETCH_WAIT_MS 20 /* the next question is never far */
#define QUEUE_MIN ((int64_t)1024 * 1024)

enum bus_err gw_rp_source_open(struct gw_rp_worker *w, struct bus_error *err)
{
	struct gw_rp_source *s = &w->source;
	const int64_t each = w->all->conf.memory / w->all->conf.threads;
	const struct bus_consumer_conf conf = { .kafka = w->all->conf.kafka,
						.queue_bytes = each > QUEUE_MIN ? each : QUEUE_MIN,
						.fetch_wait_ms = FETCH_WAIT_MS };

	if (s->consumer)
		return BUS_OK;
	if (!s->record)
		s->record = bus_xcalloc(BATCH, sizeof(*s->record));
	return bus_consumer_open(&conf, &s->consumer, err);
}

void gw_rp_source_forget(struct gw_rp_worker *w)
{
	struct gw_rp_source *s = &w->source;

	for (size_t i = 0; i < s->n_slots; i++) {
		if (s->slot[i].assigned)
			(void)!bus_consumer_unassign(s->consumer, s->slot[i].topic, s->slot[i].partition,
						     NULL);
		free(s->slot[i].topic);
	}
	s->n_slots = 0;
	s->at = s->n = 0;
}

void gw_rp_source_release(struct gw_rp_worker *w)
{
	struct gw_rp_source *s = &w->source;

	gw_rp_source_forget(w);
	bus_consumer_close(&s->consumer);
	free(s->slot);
	free(s->record);
	*s = (struct gw_rp_source){ 0 };
}

/* The slots are the instance's places, in their order, and where they shall be. */
static bool stands(const struct gw_rp_source *s, const struct gw_rp_instance *i)
{
	size_t k = 0;

	for (size_t t = 0; t < i->n_held; t++)
		for (size_t p = 0; p < i->held[t].n; p++, k++) {
			const struct gw_rp_place *at = &i->held[t].at[p];
			const struct gw_rp_slot *slot = k < s->n_slots ? &s->slot[k] : NULL;

			if (!slot || slot->partition != at->partition ||
			    strcmp(slot->topic, i->held[t].topic) != 0 ||
			    (at->next != slot->state && at->next != slot->next))
				return false;
		}
	return k == s->n_slots;
}

enum bus_err gw_rp_source_set(struct gw_rp_worker *w, const struct gw_rp_instance *i, struct bus_error *err)
{
	struct gw_rp_source *s = &w->source;
	enum bus_err rc = gw_rp_source_open(w, err);
	size_t k = 0;

	if (rc != BUS_OK || (s->n_slots > 0 && stands(s, i)))
		return rc;
	gw_rp_source_forget(w);
	s->slot = bus_xrealloc(s->slot, (gw_rp_count_held(i) + 1) * sizeof(*s->slot));
	for (size_t t = 0; t < i->n_held && rc == BUS_OK; t++)
		for (size_t p = 0; p < i->held[t].n && rc == BUS_OK; p++, k++) {
			const struct gw_rp_place *at = &i->held[t].at[p];

			s->slot[k] = (struct gw_rp_slot){ .topic = bus_xstrdup(i->held[t].topic),
							  .partition = at->partition,
							  .next = at->next,
							  .state = at->next };
			s->n_slots++;
			rc = bus_consumer_assign(s->consumer, i->held[t].topic, at->partition, at->next,
						 (int)k, err);
			s->slot[k].assigned = rc == BUS_OK;
		}
	if (rc != BUS_OK)
		gw_rp_source_release(w);
	return rc;
}

/* Over the ends of transactions, which are no records. */
static void pass_controls(struct gw_rp_source *s)
{
	int64_t next;

	for (size_t i = 0; i < s->n_slots; i++)
		if (bus_consumer_position(s->consumer, s->slot[i].topic, s->slot[i].partition, &next, NULL) ==
			BUS_OK &&
		    next > s->slot[i].next)
			s->slot[i].next = next;
}

enum bus_err gw_rp_source_next(struct gw_rp_worker *w, int timeout_ms, const struct bus_record **out,
			       struct bus_error *err)
{
	struct gw_rp_source *s = &w->source;
	enum bus_err rc;

	*out = NULL;
	if (s->at == s->n) {
		s->at = s->n = 0;
		rc = bus_consumer_poll(s->consumer, s->record, BATCH, &s->n, timeout_ms, err);
		if (rc != BUS_OK)
			return rc;
		if (s->n == 0) {
			pass_controls(s);
			return BUS_OK;
		}
	}
	*out = &s->record[s->at];
	return BUS_OK;
}

bool gw_rp_source_at_end(const struct gw_rp_worker *w)
{
	const struct gw_rp_source *s = &w->source;
	int64_t end;

	for (size_t i = 0; i < s->n_slots; i++)
		if (bus_consumer_end(s->consumer, s->slot[i].topic, s->slot[i].partition, &end) != BUS_OK ||
		    s->slot[i].next < end)
			return false;
	return true;
}

void gw_rp_source_take(struct gw_rp_worker *w)
{
	struct gw_rp_source *s = &w->source;
	const struct bus_record *r = &s->record[s->at++];

	s->slot[r->slot].next = r->offset + 1;
}

void gw_rp_source_settled(struct gw_rp_worker *w)
{
	for (size_t i = 0; i < w->source.n_slots; i++)
		w->source.slot[i].state = w->source.slot[i].next;
}
