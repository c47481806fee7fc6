#include "adapters/run.h"

#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#include "adapters/care/beat.h"
#include "adapters/care/carry.h"
#include "adapters/care/figures.h"
#include "adapters/care/order.h"
#include "adapters/desk.h"
#include "adapters/live.h"
#include "adapters/pass.h"
#include "adapters/references.h"
#include "bus/clock.h"
#include "bus/log.h"
#include "bus/proc.h"
#include "schemas/store/side.h"

#define AGAIN_MS 1000
#define LATER_MS 5000
#define IDLE_MS 2000
#define WAY_MS 50
#define QUIET_MS 15000 /* between two looks whether quiet hours are over */

static void pause_ms(int ms)
{
	struct pollfd stop = { .fd = bus_proc_stop_fd(), .events = POLLIN };

	poll(&stop, 1, ms);
}

/* Whether it passes by itself, or when somebody does what the message says. */
static bool passes(enum bus_err rc)
{
	return bus_err_retriable(rc) || rc == BUS_ENOENT || rc == BUS_EDENIED;
}

/* So that the registry can tell who a change of a schema concerns. */
static void announce(const struct adapter_desk *d, const char *schemas_topic)
{
	struct schema_use *use = bus_xcalloc(d->n_feeds + 1, sizeof(*use));
	char **subject = bus_xcalloc(d->n_feeds + 1, sizeof(*subject));
	char *program = bus_xasprintf("titian-adapter/%s", d->opd);

	for (size_t i = 0; i < d->n_feeds; i++) {
		const char *topic = adapter_map_topic(d->feed[i].map);

		subject[i] = bus_xasprintf("%s-value", topic);
		use[i] = (struct schema_use){ .kind = "adapter", .name = topic, .subject = subject[i] };
	}
	schema_side_announce(&d->kafka, schemas_topic, program, d->opd, 0, use, d->n_feeds);
	for (size_t i = 0; i < d->n_feeds; i++)
		free(subject[i]);
	free(subject);
	free(program);
	free(use);
}

static enum bus_err connect_desk(struct adapter_desk *d, const struct adapter_run_conf *conf,
				 struct bus_error *err)
{
	struct bus_error why = { 0 }, told = { 0 };
	int64_t began = bus_clock_mono_ms();
	uint64_t records = 0;
	enum bus_err rc;

	while ((rc = adapter_desk_connect(d, conf, &records, &why))) {
		if (bus_proc_stopping())
			return bus_fail(err, BUS_ESTOPPED, "stopped before it was ready");
		if (!passes(rc)) {
			if (err)
				*err = why;
			return rc;
		}
		if (strcmp(why.text, told.text) != 0)
			bus_log(BUS_LOG_WARN, "adapter.waiting", LOG_STR("opd", d->opd), LOG_ERR(&why));
		told = why;
		if (bus_err_retriable(rc))
			adapter_figures_kafka(true);
		pause_ms(AGAIN_MS);
	}
	adapter_figures_kafka(false);
	bus_log(BUS_LOG_INFO, "adapter.position", LOG_STR("opd", d->opd), LOG_INT("records", records),
		LOG_INT("ms", bus_clock_mono_ms() - began));
	announce(d, conf->schemas_topic);
	return BUS_OK;
}

static struct adapter_feed *feed_for(struct adapter_desk *d, const char *name)
{
	for (size_t i = 0; i < d->n_feeds; i++)
		if (adapter_map_takes(d->feed[i].map, name))
			return &d->feed[i];
	return NULL;
}

static void tell_later(const struct adapter_desk *d, const struct adapter_drop_file *file, enum bus_err rc,
		       const struct bus_error *why)
{
	const char *remedy = "tried again every 5 s";
	char label[256], *name = label;

	if (rc == BUS_EDENIED)
		remedy = "give the adapter's user the right to read the file (chmod, chown); tried again "
			 "every 5 s";
	if (rc == BUS_ECONFLICT)
		remedy = "rename files into the folder when they are complete; read again";
	adapter_file_label(file->name, label, sizeof(label));
	bus_log(BUS_LOG_WARN, rc == BUS_EDENIED ? "adapter.no_rights" : "adapter.file_later",
		LOG_STR("opd", d->opd), LOG_STR("name", name), LOG_ERR(why), LOG_STR("remedy", remedy));
}

/* Of what fills one topic only one thing is read at a time (live.h). True: no other feed is read that is posted to.
 * part NULL: of any topic. f: the one that would begin; NULL: a file. */
static bool make_way(struct adapter_desk *d, const struct adapter_part *part, const struct adapter_feed *f)
{
	bool none = true;

	for (size_t i = 0; i < d->n_feeds; i++) {
		struct adapter_feed *other = &d->feed[i];

		if (!other->live || (part && other->part != part) || other == f ||
		    (f && !adapter_live_reading(other->live)))
			continue;
		adapter_live_yield(other->live);
		none &= !adapter_live_reading(other->live);
	}
	return none;
}

/* In the office's own hours only what is small or urgent is read. */
static bool has_to_wait(struct adapter_desk *d, const struct adapter_feed *f,
			const struct adapter_drop_file *file)
{
	bool quiet = adapter_quiet_now(&d->quiet, bus_clock_ms());

	if (!quiet)
		d->quiet_told = false;
	if (!quiet || adapter_map_urgent(f->map) || file->size <= d->quiet.small)
		return false;
	if (!d->quiet_told)
		bus_log(
		    BUS_LOG_INFO, "adapter.quiet_hours", LOG_STR("opd", d->opd),
		    LOG_STR("effect", "files that are neither small nor urgent wait until they are over"));
	d->quiet_told = true;
	adapter_drop_later(d->drop, file->name, QUIET_MS);
	return true;
}

/* One file. What concerns only this file and may pass puts it off; *told: name that was put off last. */
static enum bus_err take_file(struct adapter_desk *d, const struct adapter_drop_file *file, char *told,
			      struct bus_error *err)
{
	struct adapter_feed *f = feed_for(d, file->name);
	struct bus_error why = { 0 };
	enum bus_err rc;

	if (f && has_to_wait(d, f, file))
		return BUS_OK;
	if ((adapter_order_is(file->name) && !make_way(d, NULL, NULL)) ||
	    (f && !make_way(d, f->part, NULL))) {
		adapter_drop_later(d->drop, file->name, WAY_MS);
		return BUS_OK;
	}
	if (adapter_order_is(file->name)) {
		rc = adapter_order_carry(d, file, &why);
	} else if (!f) {
		rc = adapter_pass_unknown(d, file, &why);
	} else {
		rc = adapter_desk_bind(d, f, &why);
		if (!rc)
			rc = adapter_pass(d, f, file, &why);
	}
	if (!rc)
		return BUS_OK;
	if (!passes(rc)) {
		if (err)
			*err = why;
		return rc;
	}
	adapter_drop_later(d->drop, file->name, rc == BUS_ECONFLICT ? 0 : LATER_MS);
	if (rc != BUS_ENOENT && strcmp(told, file->name) != 0) {
		tell_later(d, file, rc, &why);
		snprintf(told, 256, "%s", file->name);
	}
	return BUS_OK;
}

/* *more: a followed table has more to do at once. */
static enum bus_err step_changes(struct adapter_desk *d, bool *more, struct bus_error *err)
{
	enum bus_err rc = BUS_OK;
	uint64_t calls;

	*more = false;
	(void)!read(d->wake_fd, &calls, sizeof(calls)); /* first: what comes from now on wakes again */
	for (size_t i = 0; i < d->n_feeds && !rc; i++) {
		bool some = false;

		if (d->feed[i].change)
			rc = adapter_change_step(d, &d->feed[i], &some, err);
		*more |= some;
	}
	return rc;
}

/* What was posted. *wait_ms: how long there is nothing to do. */
static enum bus_err take_posted(struct adapter_desk *d, int *wait_ms, struct bus_error *err)
{
	struct bus_error why = { 0 };
	enum bus_err rc = BUS_OK;

	*wait_ms = IDLE_MS;
	for (size_t i = 0; i < d->n_feeds && !rc; i++) {
		struct adapter_feed *f = &d->feed[i];

		if (f->live && (adapter_live_reading(f->live) || make_way(d, f->part, f)))
			rc = adapter_live_turn(f->live, wait_ms, &why);
		if (rc && passes(rc)) {
			adapter_live_later(f->live, &why);
			rc = BUS_OK;
		}
	}
	if (rc && err)
		*err = why;
	if (rc == BUS_ESTOPPED && bus_proc_stopping())
		(void)!adapter_publisher_flush(d->publisher, NULL); /* so that less is read again */
	return rc;
}

static enum bus_err work(struct adapter_desk *d, struct bus_error *err)
{
	struct adapter_drop_file file;
	char told[256] = "";
	int wait_ms;
	enum bus_err rc;
	bool more;

	for (;;) {
		if (bus_proc_stopping()) {
			(void)!adapter_publisher_flush(d->publisher,
						       NULL); /* of segments that are still read */
			return bus_fail(err, BUS_ESTOPPED, "stopped");
		}
		adapter_publisher_poll(d->publisher);
		rc = adapter_owner_check(d->owner, err);
		if (!rc)
			rc = step_changes(d, &more, err);
		if (rc)
			return rc;
		adapter_references_take_up(d);
		rc = take_posted(d, &wait_ms, err);
		if (rc)
			return rc;
		if (!adapter_drop_next(d->drop, &file)) {
			if (adapter_plug_pulled(d, ADAPTER_AT_IDLE))
				return bus_fail(err, BUS_ESTOPPED, "plug pulled");
			adapter_drop_wait(d->drop, bus_proc_stop_fd(), d->wake_fd, more ? 0 : wait_ms);
			continue;
		}
		rc = take_file(d, &file, told, err);
		if (rc)
			return rc;
	}
}

/* What is pushed is a row a line, and never a whole register. */
static bool can_be_posted(const struct adapter_feed *f)
{
	return adapter_map_source(f->map) == &adapter_source_jsonl && !adapter_map_complete(f->map) &&
	       !f->fetch && !f->change;
}

static enum bus_err start_intake(const struct adapter_desk *d, const struct adapter_run_conf *conf,
				 struct adapter_intake **intake, struct bus_error *err)
{
	const char **feed = bus_xcalloc(d->n_feeds + 1, sizeof(*feed));
	size_t n = 0;
	enum bus_err rc;

	for (size_t i = 0; i < d->n_feeds; i++)
		if (can_be_posted(&d->feed[i]))
			feed[n++] = adapter_map_feed(d->feed[i].map);
	rc = adapter_intake_start(conf->intake, feed, n, intake, err);
	free(feed);
	return rc;
}

static void be_ready(bool *ready)
{
	if (!*ready)
		bus_proc_ready("titian-adapter");
	*ready = true;
}

static void bring_alive(struct adapter_desk *d, const struct adapter_run_conf *conf,
			struct adapter_intake *intake)
{
	for (size_t i = 0; i < d->n_feeds; i++) {
		struct adapter_feed *f = &d->feed[i];
		struct adapter_spool *spool = adapter_intake_spool(intake, adapter_map_feed(f->map));

		if (spool)
			f->live = adapter_live_new(d, f, spool, adapter_intake_keys(intake),
						   conf->intake->drain_rate);
	}
	adapter_intake_wake(intake, d->wake_fd);
}

static struct adapter_beat *start_beat(const struct adapter_desk *d, const struct adapter_run_conf *conf,
				       int64_t began_ms)
{
	const struct adapter_beat_conf beat = { .kafka = conf->kafka,
						.store = d->store,
						.opd = conf->opd,
						.drop_dir = conf->drop.dir,
						.every_ms = conf->status_every_ms,
						.began_ms = began_ms,
						.spool_max = conf->intake ? conf->intake->max_bytes : 0 };

	return conf->status_every_ms > 0 ? adapter_beat_start(&beat) : NULL;
}

static enum bus_err run_once(const struct adapter_run_conf *conf, struct adapter_owner *owner,
			     struct adapter_reference *reference, struct adapter_intake **intake,
			     int64_t began_ms, bool *ready, struct bus_error *err)
{
	struct adapter_desk d = { .owner = owner, .reference = reference };
	struct adapter_figures *figures = NULL;
	struct adapter_office *office = NULL;
	struct adapter_beat *beat = NULL;
	enum bus_err rc = adapter_references_wait(reference, conf->opd, err);

	d.references_seen = adapter_reference_changes(reference);
	if (!rc)
		rc = adapter_desk_open(&d, conf, err);
	if (!rc && conf->intake && !*intake)
		rc = start_intake(&d, conf, intake, err);
	if (!rc && *intake)
		be_ready(ready); /* what is posted is taken whether Kafka is there or not */
	if (!rc)
		figures =
		    adapter_figures_start(conf->drop.dir, *intake ? adapter_intake_figures : NULL, *intake);
	if (!rc && conf->office)
		rc = adapter_office_start(conf, &d, &office, err);
	if (!rc)
		rc = connect_desk(&d, conf, err);
	if (!rc)
		adapter_references_catch_up(reference);
	if (!rc && *intake)
		bring_alive(&d, conf, *intake);
	for (size_t i = 0; !rc && i < d.n_feeds; i++)
		if (d.feed[i].fetch)
			rc = adapter_fetch_start(d.feed[i].fetch, err);
	for (size_t i = 0; !rc && i < d.n_feeds; i++)
		if (d.feed[i].change)
			rc = adapter_change_start(d.feed[i].change, d.wake_fd, err);
	if (!rc) {
		be_ready(ready);
		beat = start_beat(&d, conf, began_ms);
		rc = work(&d, err);
	}
	adapter_beat_stop(&beat, rc == BUS_ESTOPPED && bus_proc_stopping());
	if (*intake)
		adapter_intake_wake(*intake, -1);
	adapter_office_stop(&office);
	adapter_figures_stop(&figures);
	adapter_desk_close(&d);
	return rc;
}

enum bus_err adapter_run(const struct adapter_run_conf *conf, struct bus_error *err)
{
	struct adapter_owner *owner = adapter_owner_new(&conf->kafka, conf->opd);
	struct adapter_reference *reference = NULL;
	struct adapter_intake *intake = NULL;
	const int64_t began_ms = bus_clock_ms();
	struct bus_error why = { 0 };
	bool ready = false;
	enum bus_err rc = adapter_references_open(conf, &reference, &why);

	/* Kafka's refusal ends the desk, not the program: with a new one everything is asked anew. */
	while (!rc && (rc = run_once(conf, owner, reference, &intake, began_ms, &ready, &why)) == BUS_EFATAL &&
	       !bus_proc_stopping()) {
		bus_log(BUS_LOG_ERROR, "adapter.begins_anew", LOG_STR("opd", conf->opd), LOG_ERR(&why));
		pause_ms(LATER_MS);
		rc = BUS_OK;
	}
	adapter_intake_stop(&intake);
	adapter_reference_stop(&reference);
	adapter_owner_free(&owner);
	if (err)
		*err = why;
	return rc;
}

enum bus_err adapter_run_check(const struct adapter_run_conf *conf, struct bus_error *err)
{
	struct adapter_desk d = { 0 };
	enum bus_err rc = adapter_desk_load(&d, conf, err);

	if (!rc && conf->intake)
		rc = adapter_intake_check(conf->intake, err);
	if (!rc && conf->office)
		rc = adapter_office_check(conf->office, err);
	adapter_desk_close(&d);
	return rc;
}
