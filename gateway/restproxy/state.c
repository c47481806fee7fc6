/* What the topic of consumers says, in its order. */
#include "gateway/restproxy/state.h"

#include "bus/mem.h"
#include "gateway/restproxy/wire.h"

#define BUCKETS 4096

struct slot {
	uint8_t id[GW_RP_ID_LEN];
	struct gw_rp_instance *i;
	uint64_t told_seq; /* of the last confirm */
	bool given;
	int64_t read_ms;
	struct slot *next_id, *next_group;
};

struct gw_rp_state {
	struct slot *by_id[BUCKETS], *by_group[BUCKETS];
	size_t n;
	uint64_t changes;
	uint64_t changed
	    [BUCKETS]; /* changes when a group of that bucket changed last: two of them may share one */
};

static size_t bucket(const void *p, size_t n)
{
	const uint8_t *b = p;
	uint32_t h = 2166136261U; /* FNV-1a; ids are by chance, groups few */

	for (size_t i = 0; i < n; i++)
		h = (h ^ b[i]) * 16777619U;
	return h % BUCKETS;
}

static struct slot *group_of(const struct gw_rp_state *s, const char *group)
{
	return s->by_group[bucket(group, strlen(group))];
}

static void change(struct gw_rp_state *s, const char *group)
{
	s->changed[bucket(group, strlen(group))] = ++s->changes;
}

static struct slot **place_of(struct gw_rp_state *s, const uint8_t *id)
{
	struct slot **at = &s->by_id[bucket(id, GW_RP_ID_LEN)];

	while (*at && memcmp((*at)->id, id, GW_RP_ID_LEN) != 0)
		at = &(*at)->next_id;
	return at;
}

struct gw_rp_state *gw_rp_state_new(void)
{
	return bus_xcalloc(1, sizeof(struct gw_rp_state));
}

static void forget(struct gw_rp_state *s, struct slot **at)
{
	struct slot *o = *at, **in = &s->by_group[bucket(o->i->group, strlen(o->i->group))];

	*at = o->next_id;
	while (*in != o)
		in = &(*in)->next_group;
	*in = o->next_group;
	change(s, o->i->group);
	gw_rp_instance_unref(&o->i);
	free(o);
	s->n--;
}

void gw_rp_state_free(struct gw_rp_state **sp)
{
	struct gw_rp_state *s = *sp;

	*sp = NULL;
	if (!s)
		return;
	for (size_t b = 0; b < BUCKETS; b++)
		while (s->by_id[b])
			forget(s, &s->by_id[b]);
	free(s);
}

/* --- the rules ----------------------------------------------------------------------------------------------- */

static bool in_group(const struct slot *o, const char *group)
{
	return !o->i->gone && strcmp(o->i->group, group) == 0;
}

static bool subscribed(const struct gw_rp_instance *i)
{
	return i->mode == GW_RP_TOPICS || i->mode == GW_RP_PATTERN;
}

static const struct gw_rp_instance *holder(const struct gw_rp_state *s, const char *group, const char *topic,
					   int32_t partition, const uint8_t *but)
{
	for (const struct slot *o = group_of(s, group); o; o = o->next_group)
		if (in_group(o, group) && subscribed(o->i) &&
		    (!but || memcmp(o->id, but, GW_RP_ID_LEN) != 0) && gw_rp_held(o->i, topic, partition))
			return o->i;
	return NULL;
}

const struct gw_rp_instance *gw_rp_state_holder(const struct gw_rp_state *s, const char *group,
						const char *topic, int32_t partition)
{
	return holder(s, group, topic, partition, NULL);
}

/* It takes what another one holds. What it held itself before, nobody else does. */
static bool takes_others(const struct gw_rp_state *s, const struct gw_rp_instance *i,
			 const struct gw_rp_instance *before)
{
	const bool held = before && subscribed(before);

	if (!subscribed(i))
		return false;
	for (size_t t = 0; t < i->n_held; t++)
		for (size_t p = 0; p < i->held[t].n; p++) {
			const char *topic = i->held[t].topic;
			const int32_t partition = i->held[t].at[p].partition;

			if (!(held && gw_rp_held(before, topic, partition)) &&
			    holder(s, i->group, topic, partition, i->id))
				return true;
		}
	return false;
}

/* Its name is another one's of the group, or the group another reader's. */
static bool no_place(const struct gw_rp_state *s, const struct gw_rp_instance *i)
{
	for (const struct slot *o = group_of(s, i->group); o; o = o->next_group)
		if (in_group(o, i->group) &&
		    (strcmp(o->i->name, i->name) == 0 || strcmp(o->i->reader, i->reader) != 0))
			return true;
	return false;
}

/* What shares and their holders depend on. */
static bool same_share(const struct gw_rp_instance *a, const struct gw_rp_instance *b)
{
	bool same = a->gone == b->gone && a->joined == b->joined && a->mode == b->mode &&
		    a->n_names == b->n_names && a->n_held == b->n_held;

	for (size_t i = 0; same && i < a->n_names; i++)
		same = strcmp(a->names[i], b->names[i]) == 0;
	for (size_t t = 0; same && t < a->n_held; t++) {
		same = a->held[t].n == b->held[t].n && strcmp(a->held[t].topic, b->held[t].topic) == 0;
		for (size_t p = 0; same && p < a->held[t].n; p++)
			same = a->held[t].at[p].partition == b->held[t].at[p].partition;
	}
	return same;
}

/* True: i is in s now. */
static bool take(struct gw_rp_state *s, struct gw_rp_instance *i, int64_t mono_ms)
{
	struct slot **at = place_of(s, i->id), *o = *at, **in;

	if (o && (o->i->gone || i->seq <= o->i->seq || strcmp(o->i->group, i->group) != 0))
		return false;
	if (!o && i->seq == 1 && no_place(s, i))
		return false;
	if (!i->gone && takes_others(s, i, o ? o->i : NULL))
		return false;
	if (!o) {
		o = bus_xcalloc(1, sizeof(*o));
		memcpy(o->id, i->id, sizeof(o->id));
		*at = o;
		in = &s->by_group[bucket(i->group, strlen(i->group))];
		o->next_group = *in;
		*in = o;
		s->n++;
		change(s, i->group);
	} else {
		if (!same_share(o->i, i))
			change(s, i->group);
		gw_rp_instance_unref(&o->i);
	}
	o->i = gw_rp_instance_ref(i);
	o->read_ms = mono_ms;
	return true;
}

static void read_instance(struct gw_rp_state *s, const uint8_t *id, struct bus_str value,
			  int64_t timestamp_ms, int64_t mono_ms, struct gw_rp_event *out)
{
	struct gw_rp_instance *i = NULL;
	struct slot **at;

	if (!value.p) {
		at = place_of(s, id);
		if (*at)
			forget(s, at);
		return;
	}
	if (gw_rp_read_instance(value, &i, NULL) != BUS_OK) {
		out->said = GW_RP_SAID_BROKEN;
		return;
	}
	memcpy(i->id, id, sizeof(i->id));
	i->seen_ms = timestamp_ms;
	out->write = i->write;
	out->said = take(s, i, mono_ms) ? GW_RP_SAID_TAKEN : GW_RP_SAID_VOID;
	gw_rp_instance_unref(&i);
}

static void read_confirm(struct gw_rp_state *s, const uint8_t *id, struct bus_str value,
			 struct gw_rp_event *out)
{
	struct slot *o = *place_of(s, id);
	uint64_t seq;
	bool given;

	if (!value.p)
		return;
	if (!gw_rp_read_confirm(value, &seq, &given)) {
		out->said = GW_RP_SAID_BROKEN;
		return;
	}
	out->said = GW_RP_SAID_CONFIRM;
	/* The first word counts: whoever read it has gone on from there. */
	if (o && seq > o->told_seq && seq <= o->i->seq) {
		o->told_seq = seq;
		o->given = given;
	}
}

void gw_rp_state_read(struct gw_rp_state *s, struct bus_str key, struct bus_str value, int64_t timestamp_ms,
		      int64_t mono_ms, struct gw_rp_event *out)
{
	uint8_t id[GW_RP_ID_LEN];
	char kind = '\0';

	*out = (struct gw_rp_event){ .said = GW_RP_SAID_NOTHING };
	if (!gw_rp_read_key(key, &kind, id))
		out->said = GW_RP_SAID_BROKEN;
	else if (kind == 'i')
		read_instance(s, id, value, timestamp_ms, mono_ms, out);
	else if (kind == 'c')
		read_confirm(s, id, value, out);
	else if (kind == 'b' && value.p)
		out->said = gw_rp_read_barrier(value, &out->node, &out->number) ? GW_RP_SAID_BARRIER
										: GW_RP_SAID_BROKEN;
}

/* --- questions ----------------------------------------------------------------------------------------------- */

static bool found(const struct slot *o, struct gw_rp_found *out)
{
	*out = (struct gw_rp_found){ .i = gw_rp_instance_ref(o->i),
				     .confirmed = o->told_seq >= o->i->seq,
				     .given = o->given,
				     .read_ms = o->read_ms };
	return true;
}

bool gw_rp_state_find(const struct gw_rp_state *s, const char *group, const char *name,
		      struct gw_rp_found *out)
{
	for (const struct slot *o = group_of(s, group); o; o = o->next_group)
		if (in_group(o, group) && strcmp(o->i->name, name) == 0)
			return found(o, out);
	return false;
}

const char *gw_rp_state_owner(const struct gw_rp_state *s, const char *group)
{
	for (const struct slot *o = group_of(s, group); o; o = o->next_group)
		if (in_group(o, group))
			return o->i->reader;
	return NULL;
}

void gw_rp_state_each_in(const struct gw_rp_state *s, const char *group, gw_rp_instance_fn fn, void *ctx)
{
	for (const struct slot *o = group_of(s, group); o; o = o->next_group)
		if (in_group(o, group))
			fn(ctx, o->i);
}

void gw_rp_state_each(const struct gw_rp_state *s, gw_rp_instance_fn fn, void *ctx)
{
	for (size_t b = 0; b < BUCKETS; b++)
		for (const struct slot *o = s->by_id[b]; o; o = o->next_id)
			fn(ctx, o->i);
}

size_t gw_rp_state_count(const struct gw_rp_state *s, const char *reader)
{
	size_t n = 0;

	for (size_t b = 0; b < BUCKETS; b++)
		for (const struct slot *o = s->by_id[b]; o; o = o->next_id)
			n += reader ? strcmp(o->i->reader, reader) == 0 : !o->i->gone;
	return n;
}

uint64_t gw_rp_state_changes(const struct gw_rp_state *s, const char *group)
{
	return group ? s->changed[bucket(group, strlen(group))] : s->changes;
}
