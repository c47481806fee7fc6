#include "adapters/references.h"

#include <poll.h>

#include "bus/clock.h"
#include "bus/log.h"
#include "bus/proc.h"

#define FRESH_MS 3000
#define CATCH_UP_MS 10000
#define LOOK_MS 100

struct topics {
	char *name[ADAPTER_REFERENCES];
	size_t n, left_out;
};

static void add(void *ctx, const char *topic)
{
	struct topics *t = ctx;

	for (size_t i = 0; i < t->n; i++)
		if (strcmp(t->name[i], topic) == 0)
			return;
	if (t->n < BUS_LEN(t->name))
		t->name[t->n++] = bus_xstrdup(topic);
	else
		t->left_out++;
}

enum bus_err adapter_references_open(const struct adapter_run_conf *conf, struct adapter_reference **out,
				     struct bus_error *err)
{
	struct topics t = { .n = 0 };
	struct adapter_reference_conf keep = { .kafka = conf->kafka,
					       .schemas_topic = conf->schemas_topic,
					       .dir = conf->env.ref_copies };
	enum bus_err rc = BUS_OK;

	*out = NULL;
	for (size_t i = 0; i < conf->n_mappings && !rc; i++)
		rc = adapter_map_topics(conf->mapping[i], add, &t, err);
	if (!rc && t.left_out > 0)
		rc = bus_fail(err, BUS_EINVAL, "the mappings name more than %d reference topics",
			      ADAPTER_REFERENCES);
	keep.topic = (const char *const *)t.name;
	keep.n = t.n;
	if (!rc)
		rc = adapter_reference_start(&keep, out, err);
	for (size_t i = 0; i < t.n; i++)
		free(t.name[i]);
	return rc;
}

static void look_again(void)
{
	struct pollfd stop = { .fd = bus_proc_stop_fd(), .events = POLLIN };

	poll(&stop, 1, LOOK_MS);
}

enum bus_err adapter_references_wait(struct adapter_reference *r, const char *opd, struct bus_error *err)
{
	int64_t began = bus_clock_mono_ms();
	struct bus_error why = { 0 }, told = { 0 };

	while (!adapter_reference_ready(r, bus_clock_mono_ms() - began >= FRESH_MS, &why)) {
		if (bus_proc_stopping())
			return bus_fail(err, BUS_ESTOPPED, "stopped while it waited for a reference table");
		if (bus_clock_mono_ms() - began >= FRESH_MS && strcmp(why.text, told.text) != 0) {
			bus_log(BUS_LOG_WARN, "adapter.waiting", LOG_STR("opd", opd), LOG_ERR(&why));
			told = why;
		}
		look_again();
	}
	return BUS_OK;
}

void adapter_references_catch_up(struct adapter_reference *r)
{
	int64_t until = bus_clock_mono_ms() + CATCH_UP_MS;

	while (!adapter_reference_ready(r, false, NULL) && bus_clock_mono_ms() < until &&
	       !bus_proc_stopping())
		look_again();
}

void adapter_references_take_up(struct adapter_desk *d)
{
	uint64_t now = adapter_reference_changes(d->reference);

	if (now == d->references_seen)
		return;
	d->references_seen = now;
	for (size_t i = 0; i < d->n_feeds; i++) {
		const char *feed = adapter_map_feed(d->feed[i].map);
		struct bus_error why;
		size_t n = 0;

		if (adapter_map_refresh(d->feed[i].map, &n, &why))
			bus_log(BUS_LOG_ERROR, "adapter.reference_refused", LOG_STR("feed", feed),
				LOG_ERR(&why),
				LOG_STR("effect", "the table in use stays; whoever keeps it must mend it"));
		if (n > 0)
			bus_log(BUS_LOG_INFO, "adapter.reference_taken_up", LOG_STR("feed", feed),
				LOG_INT("tables", (int64_t)n));
	}
}
