/* What a consumer has committed: Kafka's own __consumer_offsets, under the group. */
#include "bus/clock.h"
#include "bus/json_out.h"
#include "bus/log.h"
#include "gateway/restproxy/change.h"

#define EVERY_MS 5000 /* Kafka's auto.commit.interval.ms */

static struct bus_group_offset *offsets_of(const struct gw_rp_instance *i, size_t *n, uint64_t *hash)
{
	struct bus_group_offset *o = bus_xcalloc(gw_rp_count_held(i) + 1, sizeof(*o));
	uint64_t h = 1469598103934665603U; /* FNV-1a: have they moved? */

	*n = 0;
	for (size_t t = 0; t < i->n_held; t++)
		for (size_t p = 0; p < i->held[t].n; p++) {
			const struct gw_rp_place *at = &i->held[t].at[p];

			if (at->next < 0)
				continue;
			o[(*n)++] = (struct bus_group_offset){ i->held[t].topic, at->partition, at->next };
			h = (h ^ (uint64_t)at->next) * 1099511628211U;
			h = (h ^ (uint64_t)at->partition) * 1099511628211U;
		}
	*hash = h;
	return o;
}

/* Whether it is time, and there is something new. */
static bool due(struct gw_consumers *c, const struct gw_rp_instance *i, uint64_t places, bool now)
{
	struct gw_rp_commits *done;
	uint32_t at;
	bool yes;

	memcpy(&at, i->id, sizeof(at));
	pthread_mutex_lock(&c->lock);
	done = &c->commits[at % GW_RP_COMMITS];
	if (memcmp(done->id, i->id, sizeof(done->id)) != 0) {
		*done = (struct gw_rp_commits){ .at_ms = bus_clock_mono_ms() };
		memcpy(done->id, i->id, sizeof(done->id));
	}
	yes = now || (bus_clock_mono_ms() - done->at_ms >= EVERY_MS && done->places != places);
	if (yes) {
		done->at_ms = bus_clock_mono_ms();
		done->places = places;
	}
	pthread_mutex_unlock(&c->lock);
	return yes;
}

static enum bus_err commit(struct gw_consumers *c, const struct gw_rp_instance *i,
			   const struct bus_group_offset *o, size_t n, struct bus_error *err)
{
	gw_rp_wrote(c, i->reader, (int64_t)n * GW_RP_RECORD_BYTES);
	return bus_groups_commit(c->groups, i->group, o, n, GW_RP_ASK_MS, err);
}

void gw_rp_commit_places(struct gw_consumers *c, const struct gw_rp_instance *i, bool now)
{
	struct bus_group_offset *o;
	struct bus_error err;
	uint64_t hash;
	size_t n;

	if (!i->auto_commit || i->n_held == 0)
		return;
	o = offsets_of(i, &n, &hash);
	if (n > 0 && due(c, i, hash, now) && commit(c, i, o, n, &err) != BUS_OK)
		bus_log(BUS_LOG_WARN, "restproxy.commit", LOG_ERR(&err));
	free(o);
}

/* A partition that another one of the group has now: its place is not this one's to say. */
static bool others(struct gw_consumers *c, const struct gw_rp_instance *i, const char *topic,
		   int32_t partition)
{
	const struct gw_rp_instance *holder =
	    gw_rp_state_holder(gw_rp_log_lock(c->log), i->group, topic, partition);
	const bool yes = holder && memcmp(holder->id, i->id, GW_RP_ID_LEN) != 0;

	gw_rp_log_unlock(c->log);
	return yes;
}

static bool check(struct gw_rp_job *job, const struct gw_rp_instance *i, const struct gw_rp_instance *asked)
{
	for (size_t t = 0; t < asked->n_held; t++) {
		const int32_t partitions =
		    gw_rp_topic_partitions(job->all, job->reader, asked->held[t].topic);

		if (partitions == 0) {
			gw_rp_say_topic(job, GW_RP_TOPIC_UNKNOWN, asked->held[t].topic);
			return false;
		}
		for (size_t p = 0; p < asked->held[t].n; p++)
			if (asked->held[t].at[p].partition >= partitions) {
				gw_rp_say_topic(job, GW_RP_PARTITION_UNKNOWN, asked->held[t].topic);
				return false;
			} else if (i && others(job->all, i, asked->held[t].topic,
					       asked->held[t].at[p].partition)) {
				gw_rp_say(job, GW_RP_ILLEGAL_STATE,
					  "the partition is another consumer's of the group");
				return false;
			}
	}
	return true;
}

void gw_rp_do_commit(struct gw_rp_worker *w, struct gw_rp_job *job)
{
	struct gw_rp_instance *asked = gw_rp_instance_new();
	struct bus_group_offset *o;
	struct bus_error err = { 0 };
	struct gw_rp_at at = { 0 };
	uint64_t hash;
	size_t n;

	if (gw_rp_read_places(job, "offsets", "offset", asked) && gw_rp_current(job, &at)) {
		/* What is told is the record that is done; the next one is what Kafka keeps. */
		for (size_t t = 0; t < asked->n_held; t++)
			for (size_t p = 0; p < asked->held[t].n; p++)
				asked->held[t].at[p].next++;
		if (asked->n_held == 0 || check(job, at.i, asked)) {
			o = offsets_of(asked->n_held ? asked : at.next, &n, &hash);
			if (n > 0 && commit(w->all, at.i, o, n, &err) != BUS_OK)
				gw_rp_say_err(job, &err);
			free(o);
			gw_rp_touch(job, &at);
			if (!job->answered)
				gw_rp_answer(job, 200, NULL);
		}
		gw_rp_at_release(&at);
	}
	gw_rp_instance_unref(&asked);
}

void gw_rp_do_committed(struct gw_rp_worker *w, struct gw_rp_job *job)
{
	struct gw_rp_instance *asked = gw_rp_instance_new();
	struct bus_buf body = { 0 };
	struct bus_json_out j = { .buf = &body };
	struct bus_group_offset *o = NULL;
	struct bus_error err = { 0 };
	struct gw_rp_at at = { 0 };
	uint64_t hash;
	size_t n = 0;

	if (gw_rp_read_places(job, "partitions", NULL, asked) && gw_rp_current(job, &at) &&
	    check(job, NULL, asked)) {
		o = offsets_of(asked, &n, &hash);
		if (n > 0 &&
		    bus_groups_committed(w->all->groups, at.i->group, o, n, GW_RP_ASK_MS, &err) != BUS_OK)
			gw_rp_say_err(job, &err);
		else
			gw_rp_touch(job, &at);
	}
	if (!job->answered) {
		bus_json_object(&j);
		bus_json_key(&j, "offsets");
		bus_json_array(&j);
		for (size_t k = 0; k < n; k++) {
			if (o[k].offset < 0)
				continue;
			bus_json_object(&j);
			bus_json_text_member(&j, "topic", o[k].topic);
			bus_json_int_member(&j, "partition", o[k].partition);
			bus_json_int_member(&j, "offset", o[k].offset);
			bus_json_text_member(&j, "metadata", "");
			bus_json_object_end(&j);
		}
		bus_json_array_end(&j);
		bus_json_object_end(&j);
		gw_rp_answer(job, 200, &body);
	}
	free(o);
	gw_rp_at_release(&at);
	gw_rp_instance_unref(&asked);
}
