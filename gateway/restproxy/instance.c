/* One consumer: counted, copied to be changed. */
#include "bus/crypto.h"
#include "bus/mem.h"
#include "gateway/restproxy/state.h"

struct gw_rp_instance *gw_rp_instance_new(void)
{
	struct gw_rp_instance *i = bus_xcalloc(1, sizeof(*i));

	atomic_init(&i->refs, 1);
	return i;
}

struct gw_rp_instance *gw_rp_instance_ref(struct gw_rp_instance *i)
{
	atomic_fetch_add(&i->refs, 1);
	return i;
}

void gw_rp_hold_nothing(struct gw_rp_instance *i)
{
	for (size_t t = 0; t < i->n_held; t++) {
		free(i->held[t].topic);
		free(i->held[t].at);
	}
	free(i->held);
	i->held = NULL;
	i->n_held = 0;
}

static void forget_names(struct gw_rp_instance *i)
{
	for (size_t k = 0; k < i->n_names; k++)
		free(i->names[k]);
	free(i->names);
	i->names = NULL;
	i->n_names = 0;
}

void gw_rp_instance_unref(struct gw_rp_instance **ip)
{
	struct gw_rp_instance *i = *ip;

	*ip = NULL;
	if (!i || atomic_fetch_sub(&i->refs, 1) > 1)
		return;
	gw_rp_hold_nothing(i);
	forget_names(i);
	free(i->reader);
	free(i->group);
	free(i->name);
	free(i);
}

void gw_rp_set_names(struct gw_rp_instance *i, enum gw_rp_mode mode, const char *const *name, size_t n)
{
	forget_names(i);
	i->mode = mode;
	i->names = bus_xcalloc(n + 1, sizeof(*i->names));
	for (; i->n_names < n; i->n_names++)
		i->names[i->n_names] = bus_xstrdup(name[i->n_names]);
}

struct gw_rp_instance *gw_rp_instance_next(const struct gw_rp_instance *from)
{
	struct gw_rp_instance *i = bus_xmalloc(sizeof(*i));

	*i = *from;
	atomic_init(&i->refs, 1);
	i->seq++;
	bus_random(&i->write, sizeof(i->write));
	i->answer = false;
	i->reader = bus_xstrdup(from->reader);
	i->group = bus_xstrdup(from->group);
	i->name = bus_xstrdup(from->name);
	i->names = NULL;
	i->n_names = 0;
	gw_rp_set_names(i, from->mode, (const char *const *)from->names, from->n_names);
	i->held = bus_xcalloc(from->n_held + 1, sizeof(*i->held));
	for (size_t t = 0; t < from->n_held; t++) {
		const struct gw_rp_held *h = &from->held[t];

		i->held[t].topic = bus_xstrdup(h->topic);
		i->held[t].n = h->n;
		i->held[t].at = bus_xcalloc(h->n + 1, sizeof(*h->at));
		memcpy(i->held[t].at, h->at, h->n * sizeof(*h->at));
	}
	return i;
}

size_t gw_rp_count_held(const struct gw_rp_instance *i)
{
	size_t n = 0;

	for (size_t t = 0; t < i->n_held; t++)
		n += i->held[t].n;
	return n;
}

const struct gw_rp_place *gw_rp_held(const struct gw_rp_instance *i, const char *topic, int32_t partition)
{
	for (size_t t = 0; t < i->n_held; t++) {
		if (strcmp(i->held[t].topic, topic) != 0)
			continue;
		for (size_t p = 0; p < i->held[t].n; p++)
			if (i->held[t].at[p].partition == partition)
				return &i->held[t].at[p];
	}
	return NULL;
}

struct gw_rp_place *gw_rp_hold(struct gw_rp_instance *i, const char *topic, int32_t partition)
{
	struct gw_rp_held *h;
	size_t t, p;

	for (t = 0; t < i->n_held && strcmp(i->held[t].topic, topic) < 0; t++)
		;
	if (t == i->n_held || strcmp(i->held[t].topic, topic) != 0) {
		if (gw_rp_count_held(i) >= GW_RP_HELD_MAX)
			return NULL;
		i->held = bus_xrealloc(i->held, (i->n_held + 1) * sizeof(*i->held));
		memmove(i->held + t + 1, i->held + t, (i->n_held - t) * sizeof(*i->held));
		i->held[t] = (struct gw_rp_held){ .topic = bus_xstrdup(topic) };
		i->n_held++;
	}
	h = &i->held[t];
	for (p = 0; p < h->n && h->at[p].partition < partition; p++)
		;
	if (p < h->n && h->at[p].partition == partition)
		return &h->at[p];
	if (gw_rp_count_held(i) >= GW_RP_HELD_MAX)
		return NULL;
	h->at = bus_xrealloc(h->at, (h->n + 1) * sizeof(*h->at));
	memmove(h->at + p + 1, h->at + p, (h->n - p) * sizeof(*h->at));
	h->at[p] = (struct gw_rp_place){ .partition = partition };
	h->n++;
	return &h->at[p];
}
