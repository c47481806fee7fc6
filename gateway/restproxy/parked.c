#include "gateway/restproxy/parked.h"

#include "bus/mem.h"
#include "gateway/restproxy/consume.h"

#define BUCKETS 4096

struct place { /* a partition that somebody waits for */
	char *topic;
	int32_t partition;
	size_t waits; /* how many do */
	int64_t end;
	struct place *next;
};

struct wait {
	struct gw_rp_job *job;
	bool due;
	struct wait *next;
	size_t n;
	struct {
		struct place *place;
		int64_t next;
	} on[];
};

struct gw_rp_parked {
	struct wait *first;
	size_t n, n_places, most;
	uint64_t changes; /* of all groups, when they were looked at last */
	bool fresh;	  /* some have come since */
	struct place *bucket[BUCKETS];
};

static uint32_t hash(const char *topic)
{
	uint32_t h = 2166136261U; /* FNV-1a: topics are the policy's, and bounded */

	for (; *topic; topic++)
		h = (h ^ (uint8_t)*topic) * 16777619U;
	return h;
}

static struct place **bucket_of(struct gw_rp_parked *p, uint32_t topic, int32_t partition)
{
	return &p->bucket[(topic ^ (uint32_t)partition * 2654435761U) % BUCKETS];
}

/* NULL: too many are looked at. */
static struct place *place_of(struct gw_rp_parked *p, uint32_t h, const char *topic, int32_t partition)
{
	struct place **in = bucket_of(p, h, partition), *o = *in;

	while (o && (o->partition != partition || strcmp(o->topic, topic) != 0))
		o = o->next;
	if (!o && p->n_places < p->most) {
		o = bus_xcalloc(1, sizeof(*o));
		*o = (struct place){ .topic = bus_xstrdup(topic), .partition = partition, .next = *in };
		*in = o;
		p->n_places++;
	}
	return o;
}

static void leave(struct gw_rp_parked *p, struct place *o)
{
	struct place **in = bucket_of(p, hash(o->topic), o->partition);

	if (--o->waits > 0)
		return;
	while (*in != o)
		in = &(*in)->next;
	*in = o->next;
	p->n_places--;
	free(o->topic);
	free(o);
}

/* Its job, taken out. */
static struct gw_rp_job *take(struct gw_rp_parked *p, struct wait **at)
{
	struct wait *w = *at;
	struct gw_rp_job *job = w->job;

	*at = w->next;
	p->n--;
	for (size_t k = 0; k < w->n; k++)
		leave(p, w->on[k].place);
	free(w);
	return job;
}

struct gw_rp_parked *gw_rp_parked_new(size_t places)
{
	struct gw_rp_parked *p = bus_xcalloc(1, sizeof(*p));

	p->most = places;
	return p;
}

void gw_rp_parked_free(struct gw_rp_parked **p)
{
	free(*p);
	*p = NULL;
}

size_t gw_rp_parked_count(const struct gw_rp_parked *p)
{
	return p->n;
}

void gw_rp_parked_add(struct gw_rp_parked *p, struct gw_rp_job *job)
{
	const struct gw_rp_instance *at = job->at;
	struct wait *w = bus_xcalloc(1, sizeof(*w) + gw_rp_count_held(at) * sizeof(w->on[0]));

	w->job = job;
	for (size_t t = 0; t < at->n_held; t++) {
		const uint32_t h = hash(at->held[t].topic);

		for (size_t k = 0; k < at->held[t].n && !w->due; k++) {
			struct place *o = place_of(p, h, at->held[t].topic, at->held[t].at[k].partition);

			w->due = !o;
			if (!o)
				break;
			o->waits++;
			w->on[w->n].place = o;
			w->on[w->n++].next = at->held[t].at[k].next;
		}
	}
	w->next = p->first;
	p->first = w;
	p->n++;
	p->fresh = true;
}

void gw_rp_parked_ends(struct gw_rp_parked *p, gw_rp_end_fn fn, void *ctx)
{
	for (size_t b = 0; b < BUCKETS; b++)
		for (struct place *o = p->bucket[b]; o; o = o->next)
			if (!fn(ctx, o->topic, o->partition, &o->end))
				return;
}

void gw_rp_parked_changes(struct gw_rp_parked *p, const struct gw_rp_state *s)
{
	const uint64_t changes = gw_rp_state_changes(s, NULL);

	if (changes == p->changes && !p->fresh)
		return;
	for (struct wait *w = p->first; w; w = w->next)
		w->due |= gw_rp_state_changes(s, w->job->at->group) != w->job->changes;
	p->changes = changes;
	p->fresh = false;
}

static bool grown(const struct wait *w)
{
	for (size_t k = 0; k < w->n; k++)
		if (w->on[k].place->end > w->on[k].next)
			return true;
	return false;
}

struct gw_rp_job *gw_rp_parked_due(struct gw_rp_parked *p, int64_t now_ms, int64_t seen_ms)
{
	struct gw_rp_job *due = NULL, *job;
	struct wait **at = &p->first;

	while (*at)
		if ((*at)->due || (*at)->job->deadline <= now_ms || (*at)->job->at->seen_ms < seen_ms ||
		    grown(*at)) {
			job = take(p, at);
			job->next = due;
			due = job;
		} else {
			at = &(*at)->next;
		}
	return due;
}

struct gw_rp_job *gw_rp_parked_all(struct gw_rp_parked *p)
{
	for (struct wait *w = p->first; w; w = w->next)
		w->due = true;
	return gw_rp_parked_due(p, 0, 0);
}
