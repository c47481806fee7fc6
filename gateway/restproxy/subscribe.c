/* Subscriptions: by names, or by a pattern. */
#include "bus/json_out.h"
#include "gateway/restproxy/change.h"

static bool read_topics(struct gw_rp_job *job, const struct bus_json *list, const char **name, size_t *n)
{
	*n = 0;
	if (list->type != BUS_JSON_ARRAY || list->n > GW_RP_TOPICS_MAX) {
		gw_rp_say(job, 422, "topics: an array of at most 256 names");
		return false;
	}
	for (const struct bus_json *v = list->first; v; v = v->next) {
		if (v->type != BUS_JSON_STRING || v->text.n == 0 || v->text.n > GW_RP_NAME_MAX) {
			gw_rp_say(job, 422, "topics: names of topics");
			return false;
		}
		name[*n] = gw_rp_copy(job, v->text);
		if (!name[(*n)++])
			return false;
	}
	return true;
}

/* Before it writes: what it holds no more is committed. */
static void keep_wanted(struct gw_consumers *c, struct gw_rp_instance *i)
{
	struct gw_rp_pattern *pattern = gw_rp_instance_pattern(i);
	struct gw_rp_instance *kept = gw_rp_instance_next(i);
	bool lets_go = false;

	gw_rp_hold_nothing(kept);
	for (size_t t = 0; t < i->n_held; t++)
		for (size_t p = 0; p < i->held[t].n; p++)
			if (gw_rp_wants(i, pattern, i->held[t].topic))
				*gw_rp_hold(kept, i->held[t].topic, i->held[t].at[p].partition) =
				    i->held[t].at[p];
			else
				lets_go = true;
	if (lets_go) {
		struct gw_rp_held *held = i->held;
		const size_t n = i->n_held;

		gw_rp_commit_places(c, i, true);
		i->held = kept->held;
		i->n_held = kept->n_held;
		kept->held = held;
		kept->n_held = n;
	}
	gw_rp_pattern_free(&pattern);
	gw_rp_instance_unref(&kept);
}

static void subscribe(struct gw_rp_job *job, enum gw_rp_mode mode, const char **name, size_t n)
{
	struct gw_rp_at at;
	bool again = true;
	int tries = 0;

	while (again && gw_rp_current(job, &at)) {
		again = false;
		for (size_t k = 0; mode == GW_RP_TOPICS && k < n && gw_rp_may_read(job, at.i, name[k]); k++)
			;
		if (!job->answered && at.i->mode != GW_RP_NOTHING && at.i->mode != mode)
			gw_rp_say(job, GW_RP_ILLEGAL_STATE, GW_RP_ONE_WAY);
		if (!job->answered) {
			gw_rp_set_names(at.next, mode, name, n);
			at.next->joined = false;
			keep_wanted(job->all, at.next);
			if (gw_rp_write(job, &at, &tries, &again))
				gw_rp_answer(job, 204, NULL);
		}
		gw_rp_at_release(&at);
	}
}

void gw_rp_do_subscribe(struct gw_rp_worker *w, struct gw_rp_job *job)
{
	const struct bus_json *topics = job->body ? bus_json_get(job->body, "topics") : NULL,
			      *pattern = job->body ? bus_json_get(job->body, "topic_pattern") : NULL;
	const char *name[GW_RP_TOPICS_MAX], *bad = NULL;
	struct gw_rp_pattern *good;
	size_t n = 0;

	(void)w;
	if (topics && topics->type == BUS_JSON_NULL)
		topics = NULL;
	if (pattern && pattern->type == BUS_JSON_NULL)
		pattern = NULL;
	if (pattern && pattern->type != BUS_JSON_STRING) {
		gw_rp_say(job, 422, "topic_pattern: a text");
	} else if (topics && !read_topics(job, topics, name, &n)) {
		;
	} else if (topics && pattern) {
		gw_rp_say(job, GW_RP_ILLEGAL_STATE, GW_RP_ONE_WAY);
	} else if (pattern) {
		name[0] = gw_rp_copy(job, pattern->text);
		good = name[0] ? gw_rp_pattern_new(name[0], &bad) : NULL;
		gw_rp_pattern_free(&good);
		if (bad)
			gw_rp_say(job, 422, bad);
		else if (name[0])
			subscribe(job, GW_RP_PATTERN, name, 1);
	} else if (n > 0) {
		subscribe(job, GW_RP_TOPICS, name, n);
	} else {
		gw_rp_say(job, 422, "topics or topic_pattern");
	}
}

void gw_rp_do_unsubscribe(struct gw_rp_worker *w, struct gw_rp_job *job)
{
	struct gw_rp_at at;
	bool again = true;
	int tries = 0;

	while (again && gw_rp_current(job, &at)) {
		gw_rp_commit_places(w->all, at.next, true);
		gw_rp_set_names(at.next, GW_RP_NOTHING, NULL, 0);
		gw_rp_hold_nothing(at.next);
		at.next->joined = false;
		if (gw_rp_write(job, &at, &tries, &again))
			gw_rp_answer(job, 204, NULL);
		gw_rp_at_release(&at);
	}
}

struct topic_list {
	struct gw_rp_job *job;
	const struct gw_rp_instance *i;
	struct gw_rp_pattern *pattern;
	struct bus_json_out *j;
};

/* Under the lock of topics: the policy alone is asked. */
static void put_wanted(void *ctx, const char *topic, int32_t partitions)
{
	struct topic_list *l = ctx;
	const char *const *clear;
	size_t n;

	(void)partitions;
	if (gw_rp_wants(l->i, l->pattern, topic) &&
	    gw_access_topic(l->job->all->api->access, l->job->reader, topic, &clear, &n))
		bus_json_put_text(l->j, topic);
}

void gw_rp_do_subscription(struct gw_rp_worker *w, struct gw_rp_job *job)
{
	struct bus_buf body = { 0 };
	struct bus_json_out j = { .buf = &body };
	struct topic_list l = { .job = job, .j = &j };
	struct gw_rp_at at;

	if (!gw_rp_current(job, &at))
		return;
	l.i = at.i;
	bus_json_object(&j);
	bus_json_key(&j, "topics");
	bus_json_array(&j);
	l.pattern = gw_rp_instance_pattern(at.i);
	if (l.pattern)
		gw_rp_topics_each(w->all, put_wanted, &l);
	gw_rp_pattern_free(&l.pattern);
	for (size_t k = 0; at.i->mode == GW_RP_TOPICS && k < at.i->n_names; k++)
		bus_json_put_text(&j, at.i->names[k]);
	bus_json_array_end(&j);
	bus_json_object_end(&j);
	gw_rp_touch(job, &at);
	gw_rp_at_release(&at);
	gw_rp_answer(job, 200, &body);
}
