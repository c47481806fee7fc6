/* An instance as it is; a change written. */
#include "bus/clock.h"
#include "bus/log.h"
#include "gateway/restproxy/consume.h"

#define WORD_MS 1000 /* that an answer arrived is told within it, unless the gateway that gave it is dead */

void gw_rp_at_release(struct gw_rp_at *at)
{
	gw_rp_instance_unref(&at->i);
	gw_rp_instance_unref(&at->next);
}

/* The state is locked. Another reader's is like one that is not there. */
static bool find(struct gw_rp_job *job, const struct gw_rp_state *s, struct gw_rp_found *out)
{
	if (!gw_rp_state_find(s, job->group, job->name, out))
		return false;
	if (strcmp(out->i->reader, job->reader) == 0 &&
	    out->i->seen_ms + job->all->conf.live_ms > bus_clock_ms())
		return true;
	gw_rp_instance_unref(&out->i);
	return false;
}

bool gw_rp_current(struct gw_rp_job *job, struct gw_rp_at *out)
{
	struct gw_consumers *c = job->all;
	const struct gw_rp_state *s = gw_rp_log_lock(c->log);
	struct gw_rp_found f = { 0 };
	bool there, given;
	int64_t left;

	*out = (struct gw_rp_at){ 0 };
	while ((there = find(job, s, &f)) && f.i->answer && !f.confirmed && !c->stop &&
	       (left = f.read_ms + WORD_MS - bus_clock_mono_ms()) > 0) {
		gw_rp_instance_unref(&f.i);
		gw_rp_log_wait(c->log, (int)left);
	}
	out->changes = gw_rp_state_changes(s, job->group);
	gw_rp_log_unlock(c->log);
	if (!there) {
		gw_rp_say(job, GW_RP_CONSUMER_UNKNOWN, NULL);
		return false;
	}
	out->i = f.i;
	out->next = gw_rp_instance_next(f.i);
	out->next->node = gw_rp_log_node(c->log);
	given = !f.i->answer || (f.confirmed && f.given);
	if (!given)
		bus_metric_add(c->again, 1);
	for (size_t t = 0; t < out->next->n_held; t++)
		for (size_t p = 0; p < out->next->held[t].n; p++) {
			struct gw_rp_place *place = &out->next->held[t].at[p];

			if (given)
				place->back = place->next;
			else
				place->next = place->back;
		}
	return true;
}

enum bus_err gw_rp_put(struct gw_consumers *c, const struct gw_rp_instance *i, struct bus_error *err)
{
	size_t bytes = 0;
	enum bus_err rc = gw_rp_log_write(c->log, i, &bytes, err);

	gw_rp_wrote(c, i->reader, (int64_t)bytes + GW_RP_RECORD_BYTES);
	return rc;
}

bool gw_rp_write(struct gw_rp_job *job, struct gw_rp_at *at, int *tries, bool *again)
{
	struct bus_error err = { 0 };
	enum bus_err rc = gw_rp_put(job->all, at->next, &err);

	*again = false;
	if (rc == BUS_OK)
		return true;
	if (rc == BUS_ECONFLICT) {
		bus_metric_add(job->all->lost, 1);
		*again = ++*tries < GW_RP_TRIES;
		if (!*again)
			gw_rp_say(job, GW_RP_ILLEGAL_STATE,
				  "other requests of this consumer were faster; ask again");
		return false;
	}
	gw_rp_say_err(job, &err);
	return false;
}

int64_t gw_rp_stale_before(const struct gw_consumers *c)
{
	return bus_clock_ms() - c->conf.live_ms / 4;
}

bool gw_rp_stale(const struct gw_consumers *c, const struct gw_rp_instance *i)
{
	return i->seen_ms < gw_rp_stale_before(c);
}

void gw_rp_touch(struct gw_rp_job *job, const struct gw_rp_at *at)
{
	struct bus_error err;

	if (gw_rp_stale(job->all, at->i) && gw_rp_put(job->all, at->next, &err) != BUS_OK &&
	    err.code != BUS_ECONFLICT)
		bus_log(BUS_LOG_WARN, "restproxy.consumers", LOG_ERR(&err));
}
