/* Who leads: the log's order decides, clocks only when it is tried. */
#include "gateway/engine/group.h"

#include <inttypes.h>
#include <stdio.h>

#include "bus/clock.h"
#include "bus/log.h"
#include "bus/wait.h"
#include "gateway/engine/group_impl.h"

#define LEASE_MS 4000	     /* without a word of the leader another may claim */
#define LEASE_SPREAD_MS 2000 /* so that they do not all claim at once */
#define HEARD_MS 3000	/* who has read nothing for so long, not even his own beats, is cut off himself */
#define CLAIM_MS 3000	/* between two claims of ours */
#define BEHIND_MS 10000 /* who has not seen the log's end for so long is not ready */
#define COMMIT_MS 50	/* most that batches of one transaction wait for each other */

struct gw_group *gw_group_new(struct gw_engine *e, const struct gw_group_conf *conf)
{
	struct gw_group *g = bus_xcalloc(1, sizeof(*g));

	g->e = e;
	g->conf = *conf;
	bus_hmac_sha256(conf->key, "group", 5, g->key);
	bus_random(&g->node, sizeof(g->node));
	g->node |= 1;
	pthread_mutex_init(&g->lock, NULL);
	bus_cond_init(&g->moved);
	g->role = bus_metric("titian_group_leads", "gauge", "1: this gateway leads its group", "");
	g->doubts =
	    bus_metric("titian_group_doubtful", "gauge",
		       "Rows of full views that are not what the leader has; 0 but while catching up on a "
		       "compacted topic",
		       "");
	g->silent = bus_metric("titian_group_silent_seconds", "gauge",
			       "Time since anything was read from the group's topic: cut off from Kafka", "");
	g->batches = bus_metric("titian_group_batches_total", "counter",
				"Batches of the group written or applied", "");
	g->wait_us = bus_metric("titian_group_wait_microseconds_total", "counter",
				"Time that commits waited for the group's log", "");
	return g;
}

void gw_group_free(struct gw_group **group)
{
	struct gw_group *g = *group;

	if (!g)
		return;
	gw_group_beat_stop(g);
	gw_group_close(g);
	free(g->told);
	bus_buf_release(&g->out);
	bus_buf_release(&g->waits);
	gw_keys_release(&g->doubtful);
	pthread_cond_destroy(&g->moved);
	pthread_mutex_destroy(&g->lock);
	explicit_bzero(g->key, sizeof(g->key));
	explicit_bzero(g->conf.key, sizeof(g->conf.key));
	free(g);
	*group = NULL;
}

/* --- where the store stands --------------------------------------------------------------------------- */

/* Which key the group had when the place was noted. */
static uint64_t key_mark(const struct gw_group *g)
{
	uint8_t digest[BUS_SHA256_LEN];
	uint64_t mark;

	bus_hmac_sha256(g->key, "mark", 4, digest);
	memcpy(&mark, digest, sizeof(mark));
	return mark;
}

enum bus_err gw_group_note(struct gw_group *g, struct bus_error *err)
{
	const struct gw_group_place *p = &g->stands;
	char text[160];

	snprintf(text, sizeof(text), "%" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRId64 " %" PRId64 " %" PRIu64,
		 p->epoch, p->leader, p->store, g->n, p->offset, key_mark(g));
	return gw_core_set_meta(g->e, "group", text, err);
}

static enum bus_err stored_place(struct gw_group *g, struct gw_group_place *p, struct bus_error *err)
{
	char text[160];
	uint64_t mark = key_mark(g); /* an older store has none */
	enum bus_err rc = gw_core_meta(g->e, "group", text, sizeof(text), err);

	*p = (struct gw_group_place){ .offset = BUS_OFFSET_BEGIN };
	if (rc == BUS_OK && text[0] &&
	    sscanf(text, "%" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNd64 " %" SCNd64 " %" SCNu64, &p->epoch,
		   &p->leader, &p->store, &p->n, &p->offset, &mark) < 5)
		rc = bus_fail(err, BUS_EDATA, "the store's place in its group cannot be read");
	p->known = p->epoch > 0 && mark == key_mark(g);
	return rc;
}

/* --- a session ---------------------------------------------------------------------------------------- */

enum bus_err gw_group_open(struct gw_group *g, const _Atomic bool *stop, struct bus_consumer *inputs,
			   struct bus_error *err)
{
	struct gw_group_place from;
	enum bus_err rc;

	gw_group_close(g);
	g->stop = stop;
	rc = stored_place(g, &from, err);
	if (rc == BUS_OK && g->wiped.epoch > 0)
		from = g->wiped;
	else if (rc == BUS_OK && g->resume.epoch > 0 && g->resume.n == from.n)
		from = g->resume;
	g->resume = (struct gw_group_place){ 0 };
	if (rc == BUS_OK)
		rc = gw_group_log_open(&g->conf.kafka, g->conf.topic, g->key, g->node, g->conf.name, &from,
				       &g->log, err);
	if (rc != BUS_OK)
		return rc;
	g->n = from.n;
	g->stands = from;
	g->ready = atomic_load(&g->e->caught_up);
	g->cut = gw_cut_new(g->e, inputs);
	g->leader_ms = bus_clock_mono_ms();
	gw_group_show(g, GW_GROUP_FOLLOWS);
	gw_group_beat_start(g);
	return BUS_OK;
}

void gw_group_close(struct gw_group *g)
{
	g->leads = g->joined = g->within = g->due = false;
	g->at = NULL;
	gw_group_told_none(g);
	gw_keys_clear(&g->doubtful);
	bus_metric_set(g->role, 0);
	gw_cut_free(&g->cut);
	gw_group_log_close(&g->log);
}

void gw_group_wipe(struct gw_group *g)
{
	g->wiped = *gw_group_log_place(g->log);
}

static struct gw_group_member member_of(const struct gw_group_record *r)
{
	struct gw_group_member m = { .role = r->role,
				     .n = r->n,
				     .seq = r->seq,
				     .behind = r->behind,
				     .ready = r->ready,
				     .fault = r->fault };

	memcpy(m.name, r->name, sizeof(m.name));
	memcpy(m.url, r->url, sizeof(m.url));
	return m;
}

/* A beat that is told once more (the topic is open to others than us), or was written long ago, is no sign of life. */
static bool is_news(struct gw_group *g, const struct gw_group_record *r)
{
	const uint64_t leader = gw_group_log_place(g->log)->leader;
	const int64_t now = bus_clock_ms();
	bool news = r->at_ms > now - GW_GROUP_CLOCKS_MS && r->at_ms < now + GW_GROUP_CLOCKS_MS;

	pthread_mutex_lock(&g->lock);
	for (size_t i = 0; i < g->n_seen; i++)
		news = news && (g->seen[i].node != r->node || g->seen[i].said_ms < r->at_ms);
	pthread_mutex_unlock(&g->lock);
	if (r->node != leader)
		return news;
	if (g->leader_said != leader) {
		g->leader_said = leader;
		g->leader_said_ms = 0;
	}
	news = news && r->at_ms > g->leader_said_ms;
	if (news)
		g->leader_said_ms = r->at_ms;
	return news;
}

void gw_group_heard(struct gw_group *g, const struct gw_group_record *r)
{
	int64_t now = bus_clock_mono_ms();
	struct gw_group_seen *s = NULL;

	atomic_store(&g->heard_ms, now);
	if (r->kind == GW_GROUP_BEAT && !is_news(g, r))
		return;
	if (r->node == gw_group_log_place(g->log)->leader) {
		if (r->kind != GW_GROUP_BEAT || r->role == GW_GROUP_LEADS)
			g->leader_ms = now;
		g->ready |= r->kind == GW_GROUP_BEAT && r->ready;
		if (r->kind == GW_GROUP_BEAT && (r->role == GW_GROUP_LEAVES || r->fault ||
						 (r->node != g->node && strcmp(r->name, g->conf.name) == 0)))
			g->leader_ms =
			    0; /* it says that it is no more, or was this gateway before it was started again */
	}
	if (r->kind != GW_GROUP_BEAT || r->node == g->node)
		return;
	pthread_mutex_lock(&g->lock);
	for (size_t i = 0; i < g->n_seen && !s; i++)
		if (g->seen[i].node == r->node)
			s = &g->seen[i];
	for (size_t i = 0; i < g->n_seen && !s; i++) /* of an earlier life */
		if (strcmp(g->seen[i].member.name, r->name) == 0)
			s = &g->seen[i];
	if (!s && g->n_seen < GW_GROUP_MEMBERS_MAX)
		s = &g->seen[g->n_seen++];
	if (s) {
		*s = (struct gw_group_seen){ .node = r->node, .at_ms = now, .said_ms = r->at_ms };
		s->member = member_of(r);
	}
	pthread_mutex_unlock(&g->lock);
}

void gw_group_show(struct gw_group *g, enum gw_group_role role)
{
	struct gw_engine *e = g->e;
	int64_t behind = 0;

	for (size_t i = 0; i < e->n_topics; i++)
		behind += e->topic[i].count.behind;
	pthread_mutex_lock(&g->lock);
	g->beat = (struct gw_group_record){ .kind = GW_GROUP_BEAT,
					    .node = g->node,
					    .store = gw_store_id(e),
					    .n = g->n,
					    .role = role,
					    .seq = e->seq_saved,
					    .behind = behind,
					    .ready = atomic_load(&e->caught_up) };
	snprintf(g->beat.name, sizeof(g->beat.name), "%s", g->conf.name);
	snprintf(g->beat.url, sizeof(g->beat.url), "%s", g->conf.url);
	g->may_beat = g->log && gw_group_log_known(g->log);
	if (g->log) {
		g->beat.epoch = gw_group_log_place(g->log)->epoch;
		g->newest = gw_group_log_place(g->log)->n;
	}
	pthread_mutex_unlock(&g->lock);
}

/* --- claims ------------------------------------------------------------------------------------------- */

static enum bus_err claim(struct gw_group *g, struct bus_error *err)
{
	const struct gw_group_place *p = gw_group_log_place(g->log);
	const struct gw_group_record r = { .kind = GW_GROUP_CLAIM,
					   .node = g->node,
					   .epoch = p->epoch + 1,
					   .store = gw_store_id(g->e),
					   .n = g->n };
	struct bus_buf bytes = { 0 };
	enum bus_err rc;

	bus_log(BUS_LOG_INFO, "group.claim", LOG_INT("epoch", r.epoch), LOG_INT("batch", g->n));
	gw_group_put_record(&bytes, &r);
	rc = gw_group_log_put(g->log, bus_buf_str(&bytes), err);
	bus_buf_release(&bytes);
	if (rc == BUS_OK)
		rc = gw_group_log_flush(g->log, CLAIM_MS, err);
	g->claim_ms = bus_clock_mono_ms() + CLAIM_MS;
	return rc == BUS_ETIMEOUT ? BUS_OK : rc;
}

/* Only who has everything that was told may go on with it. */
static bool may_claim(struct gw_group *g)
{
	const struct gw_group_place *p = gw_group_log_place(g->log);
	int64_t now = bus_clock_mono_ms(), spread = (int64_t)(g->node % LEASE_SPREAD_MS);

	if (!gw_group_log_known(g->log) || now - atomic_load(&g->heard_ms) > HEARD_MS || g->n != p->n ||
	    now < g->claim_ms || !gw_group_log_at_end(g->log))
		return false;
	if (p->epoch == 0 || p->leader == 0 || p->leader == g->node || g->wiped.epoch > 0)
		return true; /* nobody leads, or we did, before this session */
	return now - g->leader_ms >= LEASE_MS + spread;
}

enum bus_err gw_group_try(struct gw_group *g, struct bus_error *err)
{
	return may_claim(g) ? claim(g, err) : BUS_OK;
}

static enum bus_err take_over(struct gw_group *g, struct bus_error *err)
{
	enum bus_err rc = gw_commit(g->e, err); /* what was followed so far */

	if (rc == BUS_OK)
		rc = gw_cut_let_go(g->cut, err);
	if (rc != BUS_OK)
		return rc;
	g->leads = true;
	g->wiped = (struct gw_group_place){ 0 };
	gw_group_told_none(g);
	gw_lives_files(g->e);
	bus_metric_set(g->role, 1);
	bus_log(BUS_LOG_INFO, "group.leads", LOG_INT("epoch", gw_group_log_place(g->log)->epoch),
		LOG_INT("batch", g->n));
	gw_group_show(g, GW_GROUP_LEADS);
	return BUS_OK;
}

/* --- steps -------------------------------------------------------------------------------------------- */

enum bus_err gw_group_never_ended(struct gw_group *g, struct bus_error *err)
{
	g->resume = *gw_group_log_place(g->log);
	return bus_fail(err, BUS_EFATAL, "a batch was not ended by who began it");
}

static enum bus_err take(struct gw_group *g, struct bus_error *err)
{
	const struct gw_group_record *r = &g->record;

	gw_group_heard(g, r);
	if (g->wiped.epoch > 0 && r->kind != GW_GROUP_BEAT && r->node != g->node) {
		g->wiped = (struct gw_group_place){ 0 }; /* another has the numbers, and leads */
		return bus_fail(err, BUS_ENOENT, "this store was made anew while another gateway went on");
	}
	switch (r->kind) {
	case GW_GROUP_BATCH:
		return gw_group_apply(g, err);
	case GW_GROUP_VOID:
		return g->within ? gw_group_never_ended(g, err) : BUS_OK;
	case GW_GROUP_CLAIM:
		if (g->within)
			return gw_group_never_ended(g, err);
		g->stands = *gw_group_log_place(g->log);
		if (r->node == g->node)
			return take_over(g, err);
		if (r->store != gw_store_id(g->e))
			return bus_fail(err, BUS_ENOENT, "the group's numbers are of another store");
		bus_log(BUS_LOG_INFO, "group.follows", LOG_INT("epoch", r->epoch));
		return BUS_OK;
	default:
		return BUS_OK;
	}
}

enum bus_err gw_group_step(struct gw_group *g, int wait_ms, bool *idle, struct bus_error *err)
{
	int64_t begin = bus_clock_mono_ms();
	enum bus_err rc;

	*idle = false;
	do {
		rc = gw_group_log_next(g->log, g->due ? 0 : wait_ms, &g->record, err);
		if (rc == BUS_OK)
			rc = take(g, err);
	} while (rc == BUS_OK && !g->leads && !*g->stop && (gw_group_log_waiting(g->log) || g->within) &&
		 bus_clock_mono_ms() - begin < COMMIT_MS);
	if (rc == BUS_ETIMEOUT) {
		*idle = !g->within && !g->due;
		rc = BUS_OK;
	}
	if (rc == BUS_OK && g->due && !g->within)
		rc = gw_commit(g->e, err);
	if (gw_group_log_at_end(g->log))
		g->end_ms = bus_clock_mono_ms();
	if (rc == BUS_OK && !g->joined && gw_group_log_at_end(g->log)) {
		const struct gw_group_place *p = gw_group_log_place(g->log);

		g->joined = true;
		if (p->epoch > 0 && p->store != gw_store_id(g->e) && g->wiped.epoch == 0)
			rc = bus_fail(err, BUS_ENOENT, "the group's numbers are of another store");
	}
	if (rc == BUS_OK && g->joined && !g->leads)
		rc = gw_group_try(g, err);
	if (!g->leads)
		gw_group_show(g, GW_GROUP_FOLLOWS);
	return rc;
}

bool gw_group_ready(struct gw_group *g)
{
	return g->joined && g->ready && g->doubtful.n == 0 && bus_clock_mono_ms() - g->end_ms < BEHIND_MS;
}

const char *gw_group_waits_for(const struct gw_group *g)
{
	if (!g->joined || bus_clock_mono_ms() - g->end_ms >= BEHIND_MS)
		return "log kelompok / the group's log";
	return g->ready ? "baris yang ragu / rows in doubt" : "pemimpin kelompok / the group's leader";
}

enum bus_err gw_group_look(struct gw_group *g, struct bus_error *err)
{
	struct gw_group_record r;
	enum bus_err rc;

	while ((rc = gw_group_log_next(g->log, 0, &r, err)) == BUS_OK) {
		gw_group_heard(g, &r);
		if (r.kind == GW_GROUP_CLAIM)
			return bus_fail(err, BUS_EFATAL, "another gateway leads now");
	}
	gw_group_show(g, GW_GROUP_LEADS);
	return rc == BUS_ETIMEOUT ? BUS_OK : rc;
}

/* --- for readers -------------------------------------------------------------------------------------- */

const char *gw_group_role_name(enum gw_group_role role)
{
	static const char *const name[] = { "follows", "leads", "copies", "leaves" };

	return name[role];
}

size_t gw_group_members(struct gw_engine *e, struct gw_group_member out[GW_GROUP_MEMBERS_MAX],
			int64_t *newest)
{
	struct gw_group *g = e->group;
	int64_t now = bus_clock_mono_ms();
	size_t n = 0;

	*newest = 0;
	if (!g)
		return 0;
	pthread_mutex_lock(&g->lock);
	*newest = g->newest;
	out[n] = member_of(&g->beat);
	out[n++].here = true;
	for (size_t i = 0; i < g->n_seen && n < GW_GROUP_MEMBERS_MAX; i++) {
		if (now - g->seen[i].at_ms > GW_GROUP_FORGET_MS)
			continue;
		out[n] = g->seen[i].member;
		out[n++].age_ms = now - g->seen[i].at_ms;
	}
	pthread_mutex_unlock(&g->lock);
	return n;
}

bool gw_grouped(struct gw_engine *e)
{
	return e->group != NULL;
}

int64_t gw_seq(struct gw_engine *e)
{
	return atomic_load(&e->seq_shown);
}
