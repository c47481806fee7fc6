/* Which partitions an instance has by its subscription: shared out among those of its group that ask for records, in an
 * order that all gateways find alike. One that moves is let go by whoever has it at its next request, when it has asked
 * for more and so is done with what it got; or when it is gone. */
#include "bus/clock.h"
#include "bus/log.h"
#include "gateway/restproxy/change.h"

#define MEMBERS_MAX 1000 /* of a group */

struct sharing {
	struct gw_consumers *c;
	const struct gw_rp_instance *me;
	struct gw_rp_instance *member[MEMBERS_MAX];
	struct gw_rp_pattern *pattern[MEMBERS_MAX], *my_pattern;
	size_t n;
	struct gw_rp_instance *want;
	struct gw_rp_list topics;
};

static void add_member(void *ctx, struct gw_rp_instance *i)
{
	struct sharing *s = ctx;
	const bool me = memcmp(i->id, s->me->id, GW_RP_ID_LEN) == 0;
	size_t at;

	if (s->n == MEMBERS_MAX || (!me && !i->joined) ||
	    (i->mode != GW_RP_TOPICS && i->mode != GW_RP_PATTERN))
		return;
	for (at = s->n; at > 0 && gw_rp_share_order(s->member[at - 1]->id, i->id) > 0; at--)
		s->member[at] = s->member[at - 1];
	s->member[at] = gw_rp_instance_ref(i);
	s->n++;
}

static void share_topic(struct sharing *s, const char *topic, int32_t partitions)
{
	const char *const *clear;
	size_t n = 0, mine = SIZE_MAX, k;
	bool all = false;

	if (!gw_rp_wants(s->me, s->my_pattern, topic) ||
	    !gw_access_topic(s->c->api->access, s->me->reader, topic, &clear, &k))
		return;
	for (size_t i = 0; i < k; i++)
		all |= strcmp(clear[i], "*") == 0;
	if (s->me->format == GW_RP_BINARY && !all)
		return;
	for (size_t m = 0; m < s->n; m++) {
		if (memcmp(s->member[m]->id, s->me->id, GW_RP_ID_LEN) == 0)
			mine = n;
		else if (!gw_rp_wants(s->member[m], s->pattern[m], topic) ||
			 (s->member[m]->format == GW_RP_BINARY && !all))
			continue;
		n++;
	}
	for (int32_t p = 0; p < partitions && mine != SIZE_MAX; p++)
		if (gw_rp_share(topic, p, n) == mine)
			(void)gw_rp_hold(s->want, topic, p);
}

/* Kept by the worker for as long as nothing of it has changed. */
static struct gw_rp_instance *shares(struct gw_rp_worker *w, const struct gw_rp_at *at)
{
	struct gw_consumers *c = w->all;
	struct gw_rp_own *o = &w->own;
	const uint64_t topics = gw_rp_topics_each(c, NULL, NULL),
		       access = gw_access_generation(c->api->access);
	struct sharing *s;

	if (o->want && memcmp(o->id, at->i->id, sizeof(o->id)) == 0 && o->changes == at->changes &&
	    o->topics == topics && o->access == access)
		return o->want;
	s = bus_xcalloc(1, sizeof(*s));
	s->c = c;
	s->me = at->i;
	s->want = gw_rp_instance_new();
	gw_rp_state_each_in(gw_rp_log_lock(c->log), at->i->group, add_member, s);
	gw_rp_log_unlock(c->log);
	s->my_pattern = gw_rp_instance_pattern(s->me);
	for (size_t m = 0; m < s->n; m++)
		s->pattern[m] = gw_rp_instance_pattern(s->member[m]);
	o->topics = gw_rp_topics_each(c, gw_rp_list_add, &s->topics); /* matched without their lock */
	for (size_t t = 0; t < s->topics.n; t++)
		share_topic(s, s->topics.name[t], s->topics.partitions[t]);
	gw_rp_list_release(&s->topics);
	gw_rp_pattern_free(&s->my_pattern);
	for (size_t m = 0; m < s->n; m++) {
		gw_rp_pattern_free(&s->pattern[m]);
		gw_rp_instance_unref(&s->member[m]);
	}
	gw_rp_instance_unref(&o->want);
	o->want = s->want;
	memcpy(o->id, at->i->id, sizeof(o->id));
	o->changes = at->changes;
	o->access = access;
	free(s);
	return o->want;
}

bool gw_rp_still_allowed(struct gw_rp_worker *w, struct gw_rp_job *job, const struct gw_rp_at *at)
{
	struct gw_rp_allowed now = { .changes = at->changes,
				     .access = gw_access_generation(w->all->api->access) };

	memcpy(now.id, at->i->id, sizeof(now.id));
	if (memcmp(now.id, w->allowed.id, sizeof(now.id)) == 0 && now.changes == w->allowed.changes &&
	    now.access == w->allowed.access)
		return true;
	for (size_t t = 0; t < at->i->n_held; t++)
		if (!gw_rp_may_read(job, at->i, at->i->held[t].topic))
			return false;
	w->allowed = now;
	return true;
}

enum bus_err gw_rp_begin_places(struct gw_rp_worker *w, struct gw_rp_instance *i, struct bus_error *err)
{
	const size_t most = gw_rp_count_held(i);
	struct bus_group_offset *o = bus_xcalloc(most + 1, sizeof(*o));
	enum bus_err rc = BUS_OK;
	int64_t begin, end;
	size_t n = 0;

	for (size_t t = 0; t < i->n_held; t++)
		for (size_t p = 0; p < i->held[t].n; p++)
			if (i->held[t].at[p].next < 0)
				o[n++] = (struct bus_group_offset){ i->held[t].topic,
								    i->held[t].at[p].partition, -1 };
	if (n > 0) {
		rc = bus_groups_committed(w->all->groups, i->group, o, n, GW_RP_ASK_MS, err);
		if (rc == BUS_OK)
			rc = gw_rp_source_open(w, err);
	}
	for (size_t k = 0; k < n && rc == BUS_OK; k++) {
		struct gw_rp_place *place = gw_rp_hold(i, o[k].topic, o[k].partition);

		rc = bus_consumer_bounds(w->source.consumer, o[k].topic, o[k].partition, &begin, &end,
					 GW_RP_ASK_MS, err);
		if (o[k].offset < begin || o[k].offset > end)
			o[k].offset = i->earliest ? begin : end;
		place->next = place->back = o[k].offset;
	}
	free(o);
	return rc;
}

static bool lets_go(struct gw_rp_instance *next, const struct gw_rp_instance *want)
{
	struct gw_rp_instance *kept = gw_rp_instance_new();
	struct gw_rp_held *held = next->held;
	const size_t n = next->n_held, before = gw_rp_count_held(next);
	bool less;

	for (size_t t = 0; t < next->n_held; t++)
		for (size_t p = 0; p < next->held[t].n; p++)
			if (gw_rp_held(want, next->held[t].topic, next->held[t].at[p].partition))
				*gw_rp_hold(kept, next->held[t].topic, next->held[t].at[p].partition) =
				    next->held[t].at[p];
	less = gw_rp_count_held(kept) < before;
	next->held = kept->held;
	next->n_held = kept->n_held;
	kept->held = held;
	kept->n_held = n;
	gw_rp_instance_unref(&kept);
	return less;
}

/* Those of `want` that nobody else holds. */
static bool takes(struct gw_consumers *c, struct gw_rp_instance *next, const struct gw_rp_instance *want)
{
	const struct gw_rp_state *s = gw_rp_log_lock(c->log);
	bool more = false;

	for (size_t t = 0; t < want->n_held; t++)
		for (size_t p = 0; p < want->held[t].n; p++) {
			const char *topic = want->held[t].topic;
			const int32_t partition = want->held[t].at[p].partition;
			struct gw_rp_place *place;

			if (gw_rp_held(next, topic, partition) ||
			    gw_rp_state_holder(s, next->group, topic, partition))
				continue;
			place = gw_rp_hold(next, topic, partition);
			if (place)
				place->next = -1;
			more |= place != NULL;
		}
	gw_rp_log_unlock(c->log);
	return more;
}

bool gw_rp_settle_own(struct gw_rp_worker *w, struct gw_rp_job *job, struct gw_rp_at *at, int *tries,
		      bool *again)
{
	struct gw_rp_instance *want = shares(w, at), *before = gw_rp_instance_next(at->next);
	struct bus_error err = { 0 };
	bool less = lets_go(at->next, want), more = takes(w->all, at->next, want);

	*again = false;
	if (!less && !more && at->i->joined) {
		gw_rp_instance_unref(&before);
		return true;
	}
	if (less) /* whoever gets them begins where this one stood */
		gw_rp_commit_places(w->all, before, true);
	gw_rp_instance_unref(&before);
	at->next->joined = true;
	if (more && gw_rp_begin_places(w, at->next, &err) != BUS_OK) {
		gw_rp_say_err(job, &err);
		return false;
	}
	if (gw_rp_write(job, at, tries, again))
		*again = true; /* and from what is true now */
	return false;
}
