#include <inttypes.h>
#include <stdio.h>

#include "adapters/care/care.h"
#include "adapters/care/told.h"
#include "adapters/care/undo.h"
#include "bus/clock.h"

#define STORE_MS 10000

struct command {
	const struct adapter_run_conf *conf;
	const struct adapter_care_args *args;
	struct adapter_told told;
	char **topic; /* looked at already */
	size_t n_topics;
	uint64_t keys, files, unknown;
	bool found; /* the feed that was named */
	struct bus_buf text;
};

static bool looked_at(struct command *c, const char *topic)
{
	for (size_t i = 0; i < c->n_topics; i++)
		if (strcmp(c->topic[i], topic) == 0)
			return true;
	c->topic[c->n_topics++] = bus_xstrdup(topic);
	return false;
}

static enum bus_err look(struct command *c, const struct adapter_map *map, struct bus_error *err)
{
	const struct adapter_reversal_conf conf = { .kafka = &c->conf->kafka,
						    .topic = adapter_map_topic(map),
						    .state_dir = c->conf->state_dir,
						    .to_ms = c->args->to_ms };
	const struct adapter_reversal_counts *n;
	struct adapter_reversal *r = NULL;
	enum bus_err rc;

	if (c->args->feed && strcmp(c->args->feed, adapter_map_feed(map)) != 0)
		return BUS_OK;
	c->found = true;
	if (!adapter_map_register(map)) {
		bus_buf_printf(&c->text,
			       "\n%s\n  peristiwa tidak dapat dibatalkan: terbitkan peristiwa koreksi / "
			       "events cannot be "
			       "undone: publish a correcting one\n",
			       adapter_map_topic(map));
		return BUS_OK;
	}
	if (looked_at(c, adapter_map_topic(map)))
		return BUS_OK;
	rc = adapter_reversal_look(&conf, &r, err);
	if (rc)
		return rc;
	n = adapter_reversal_counts(r);
	adapter_undo_text(&c->told, adapter_map_topic(map), adapter_map_feed(map), c->args->to_ms, n,
			  &c->text);
	c->keys += n->restore + n->remove;
	c->files += n->n_files;
	c->unknown += n->unknown;
	adapter_reversal_free(&r);
	return BUS_OK;
}

static enum bus_err look_all(struct command *c, struct bus_error *err)
{
	struct schema_store *store = NULL;
	char time[32];
	enum bus_err rc = schema_store_open(&c->conf->kafka, c->conf->schemas_topic, STORE_MS, &store, err);

	if (!rc)
		rc = adapter_told_read(&c->conf->kafka, store, c->conf->opd, &c->told, err);
	if (store)
		schema_store_close(&store);
	for (size_t i = 0; i < c->conf->n_mappings && !rc; i++) {
		struct adapter_map *map = NULL;

		rc = adapter_map_load(c->conf->mapping[i], &c->conf->env, &map, err);
		if (!rc)
			rc = look(c, map, err);
		adapter_map_free(&map);
	}
	if (!rc && c->args->feed && !c->found)
		rc = bus_fail(err, BUS_EINVAL, "no mapping of this configuration has the feed '%.100s'",
			      c->args->feed);
	if (!rc)
		printf("Kembali ke / back to %s\n%s", bus_clock_iso_wib(c->args->to_ms, time, sizeof(time)),
		       bus_buf_cstr(&c->text));
	return rc;
}

static enum bus_err give(struct command *c, int *status, struct bus_error *err)
{
	struct adapter_order order = { .what = ADAPTER_UNDO,
				       .to_ms = c->args->to_ms,
				       .again = c->args->again,
				       .keys = (int64_t)c->keys };
	struct adapter_order_writer *w = NULL;
	char name[256];
	enum bus_err rc;

	snprintf(order.feed, sizeof(order.feed), "%s", c->args->feed ? c->args->feed : "");
	adapter_care_sign(c->args, &order);
	rc = adapter_order_begin(c->conf->drop.dir, c->conf->env.city_key, &order, &w, err);
	if (!rc)
		rc = adapter_order_send(&w, name, err);
	puts("");
	return rc ? rc : adapter_care_await(c->conf, name, c->args->wait_s, status, err);
}

static enum bus_err check_asked(const struct adapter_care_args *a, struct bus_error *err)
{
	if (a->to_ms == INT64_MIN)
		return bus_fail(err, BUS_EINVAL, "undo wants --to TIME: 2026-11-23T08:30 (WIB), or 2h (ago)");
	if (a->to_ms > bus_clock_ms())
		return bus_fail(err, BUS_EINVAL, "--to: that time has not come yet");
	if (a->n_operands > 0)
		return bus_fail(err, BUS_EINVAL, "undo takes no '%.40s'; choose by --feed", a->operand[0]);
	if (a->yes && a->dry_run)
		return bus_fail(err, BUS_EINVAL, "--yes or --dry-run?");
	if (a->yes && (!a->why || !a->why[0]))
		return bus_fail(err, BUS_EINVAL, "undo wants a reason: --why TEXT");
	return BUS_OK;
}

int adapter_care_undo(const struct adapter_run_conf *conf, const struct adapter_care_args *args)
{
	struct command c = { .conf = conf, .args = args };
	struct bus_error err = { 0 };
	int status = 0;
	enum bus_err rc = check_asked(args, &err);

	c.topic = bus_xcalloc(conf->n_mappings + 1, sizeof(*c.topic));
	if (!rc)
		rc = look_all(&c, &err);
	if (!rc && c.keys == 0 && !(args->again && c.files > 0))
		printf("\nTidak ada yang berubah / nothing changes.\n");
	else if (!rc && !args->yes)
		printf("\nBelum ada yang dilakukan. Dengan --yes --why ALASAN dibatalkan / nothing was done. "
		       "With --yes --why "
		       "REASON it is undone.\n");
	else if (!rc)
		rc = give(&c, &status, &err);
	for (size_t i = 0; i < c.n_topics; i++)
		free(c.topic[i]);
	free(c.topic);
	adapter_told_release(&c.told);
	bus_buf_release(&c.text);
	if (!rc)
		return status == 0 && c.unknown > 0 ? 1 : status;
	fprintf(stderr, "titian-adapter: %s\n", err.text);
	return rc == BUS_EINVAL || rc == BUS_ETOOBIG ? 2 : 1;
}
