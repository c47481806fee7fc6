#include "adapters/care/care.h"

#include <stdio.h>

#include "adapters/care/status.h"
#include "adapters/care/undo.h"
#include "bus/proc.h"

#define STORE_MS 10000

bool adapter_care_chosen(const struct adapter_care *care, const struct adapter_kept *k)
{
	const struct adapter_care_args *a = care->args;
	const char *state = a->state ? a->state : "TERBUKA";
	bool file = !a->file || bus_str_is(k->file, a->file) ||
		    (k->sha256.n >= strlen(a->file) && strlen(a->file) >= 4 &&
		     memcmp(k->sha256.p, a->file, strlen(a->file)) == 0);
	bool named = a->n_operands == 0;

	if (care->may && !care->may(care->may_ctx, k->feed))
		return false;
	for (size_t i = 0; i < a->n_operands && !named; i++)
		named = bus_str_is(k->id, a->operand[i]);
	return named && file && (!a->feed || bus_str_is(k->feed, a->feed)) &&
	       (!a->class || bus_str_is(k->class, a->class)) && k->time_ms >= a->since_ms &&
	       k->time_ms < a->until_ms &&
	       (strcmp(state, "all") == 0 || strcmp(state, adapter_row_state_name(k->state)) == 0);
}

enum bus_err adapter_care_scan(const struct adapter_care *care, bool history,
			       enum bus_err (*row)(void *ctx, const struct adapter_kept *kept,
						   struct bus_error *err),
			       void *ctx, struct bus_error *err)
{
	const struct adapter_kept_scan scan = { .kafka = &care->conf->kafka,
						.store = care->store,
						.topic = care->topic,
						.state_dir = care->conf->state_dir,
						.history = history,
						.row = row,
						.ctx = ctx };
	uint64_t unreadable;
	enum bus_err rc = adapter_kept_scan(&scan, &unreadable, err);

	if (!rc && unreadable > 0)
		fprintf(stderr, "titian-adapter: %llu rekaman tak terbaca / records cannot be read\n",
			(unsigned long long)unreadable);
	return rc;
}

enum bus_err adapter_care_map(const struct adapter_care *care, struct bus_str feed,
			      struct adapter_map **loaded, const struct adapter_map **out,
			      struct bus_error *err)
{
	const struct adapter_run_conf *conf = care->conf;

	*loaded = NULL;
	for (size_t i = 0; i < care->n_maps; i++) {
		*out = care->map[i];
		if (bus_str_is(feed, adapter_map_feed(*out)))
			return BUS_OK;
	}
	for (size_t i = 0; i < conf->n_mappings && !care->map; i++) {
		enum bus_err rc = adapter_map_load(conf->mapping[i], &conf->env, loaded, err);

		*out = *loaded;
		if (rc || bus_str_is(feed, adapter_map_feed(*loaded)))
			return rc;
		adapter_map_free(loaded);
	}
	*out = NULL;
	return bus_fail(err, BUS_EINVAL, "no mapping of this configuration has the feed '%.*s'",
			feed.n < 100 ? (int)feed.n : 100, feed.p ? feed.p : "");
}

static int quarantine(const struct adapter_run_conf *conf, const struct adapter_care_args *args)
{
	struct adapter_care care = { .conf = conf, .args = args };
	const char *verb = args->verb;
	struct bus_error err = { 0 };
	int status = 0;
	enum bus_err rc = schema_store_open(&conf->kafka, conf->schemas_topic, STORE_MS, &care.store, &err);

	care.topic = bus_xasprintf("pku.%s.karantina.v1", conf->opd);
	if (!rc && (strcmp(verb, "list") == 0 || strcmp(verb, "show") == 0 || strcmp(verb, "history") == 0))
		rc = adapter_care_look(&care, &err);
	else if (!rc)
		rc = adapter_care_give(&care, &status, &err);
	if (care.store)
		schema_store_close(&care.store);
	free(care.topic);
	if (!rc)
		return status;
	fprintf(stderr, "titian-adapter: %s\n", err.text);
	if (rc == BUS_ETIMEOUT)
		fprintf(stderr, "-> titian adapter test-connection --config %s\n",
			bus_proc_config() ? bus_proc_config() : "adapter.yaml");
	return rc == BUS_EINVAL || rc == BUS_ETOOBIG ? 2 : 1;
}

bool adapter_care_is(const char *command)
{
	return strcmp(command, "quarantine") == 0 || strcmp(command, "undo") == 0 ||
	       strcmp(command, "status") == 0;
}

int adapter_care_main(const char *command, const struct adapter_run_conf *conf,
		      const struct adapter_care_args *args)
{
	if (strcmp(command, "status") == 0)
		return adapter_care_status(conf, args);
	return strcmp(command, "undo") == 0 ? adapter_care_undo(conf, args) : quarantine(conf, args);
}
