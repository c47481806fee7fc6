/* titian-gateway: topics in, views out. What it can be told is in options.c, what it opens in rooms.c. */
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bus/clock.h"
#include "bus/log.h"
#include "bus/proc.h"
#include "gateway/commands.h"
#include "gateway/engine/engine.h"
#include "gateway/engine/try.h"
#include "gateway/options.h"
#include "gateway/rooms.h"

#define ANNOUNCE_MS ((int64_t)86400 * 1000)

static const char usage[] =
    "titian-gateway --config FILE          serve the city's views\n"
    "titian-gateway check --config FILE    try views and policy against the registered schemas; serves nothing\n"
    "titian-gateway key new --keys FILE --name NAME\n"
    "                                      make a reader's key; prints the secret, once\n"
    "titian-gateway view test [--schemas DIR] [--test FILE] VIEW.sql...\n"
    "                                      run views' tests here, without Kafka; see gateway/views/README.md\n";

/* `key new --keys FILE --name NAME`: an operator's command, not the daemon. */
static int key_command(int argc, char **argv)
{
	const char *keys = NULL, *name = NULL;
	struct bus_buf secret = { 0 };
	struct bus_error err;

	for (int i = 3; i + 1 < argc; i += 2) {
		if (strcmp(argv[i], "--keys") == 0)
			keys = argv[i + 1];
		else if (strcmp(argv[i], "--name") == 0)
			name = argv[i + 1];
	}
	if (argc != 7 || strcmp(argv[2], "new") != 0 || !keys || !name) {
		fputs(usage, stderr);
		return 2;
	}
	if (gw_access_key_new(keys, name, &secret, &err)) {
		fprintf(stderr, "titian-gateway: %s\n", err.text);
		return err.code == BUS_EINVAL ? 2 : 1;
	}
	puts(bus_buf_cstr(&secret));
	bus_buf_release(&secret);
	return 0;
}

/* Views and policy as the daemon would take them, on a store that is thrown away. */
static enum bus_err check(const struct gw_options *c, struct bus_error *err)
{
	static const char *const file[] = { "city.db", "city.db-wal", "city.db-shm" };
	char folder[] = "/tmp/titian-check-XXXXXX", path[64];
	struct gw_access *access = NULL;
	struct gw_engine *engine = NULL;
	enum bus_err rc;

	if (!mkdtemp(folder))
		return bus_fail(err, BUS_EIO, "cannot make a folder in /tmp: %m");
	snprintf(path, sizeof(path), "%s/%s", folder, file[0]);
	rc = gw_rooms_engine(c, path, NULL, &engine, err);
	if (!rc)
		rc = gw_access_open(engine, c->policy, c->keys, &access, err);
	if (!rc)
		printf("baik / good: %zu views\n", gw_view_count(engine));
	gw_access_close(&access);
	gw_engine_close(&engine);
	for (size_t i = 0; i < BUS_LEN(file); i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, file[i]);
		unlink(path);
	}
	rmdir(folder);
	return rc;
}

/* This gateway among all, as operators know it. */
static void name_instance(const struct bus_http *http, char *out, size_t size)
{
	char host[256];

	if (gethostname(host, sizeof(host)) != 0)
		host[0] = '\0';
	host[sizeof(host) - 1] = '\0';
	snprintf(out, size, "%s:%d", host[0] ? host : "localhost", bus_http_port(http));
}

static volatile sig_atomic_t reload;

static void on_hangup(int sig)
{
	(void)sig;
	reload = 1;
}

static void read_again(struct gw_access *access)
{
	struct bus_error err;

	if (gw_access_reload(access, &err))
		bus_log(BUS_LOG_ERROR, "gateway.reload_failed", LOG_ERR(&err));
	else
		bus_log(BUS_LOG_INFO, "gateway.reloaded");
}

/* Until the stop signal: heartbeats, and files read again on SIGHUP. */
static void serve(struct gw_rooms *r, const struct gw_options *c)
{
	struct gw_engine *engine = r->api.engine;
	struct pollfd stop = { .fd = bus_proc_stop_fd(), .events = POLLIN };
	int64_t announced = bus_clock_mono_ms();
	char instance[300];
	bool told = false;

	name_instance(r->http, instance, sizeof(instance));
	gw_engine_announce(engine, &r->kafka, c->schemas_topic, instance);
	while (!bus_proc_stopping()) {
		poll(&stop, 1, 1000);
		gw_rooms_tick(r);
		if (atomic_exchange(&r->views_changed, false) ||
		    bus_clock_mono_ms() > announced + ANNOUNCE_MS) {
			gw_engine_announce(engine, &r->kafka, c->schemas_topic, instance);
			announced = bus_clock_mono_ms();
		}
		if (reload) {
			reload = 0;
			read_again(r->api.access);
		}
		if (!told && gw_engine_fault(engine)) {
			bus_log(BUS_LOG_ERROR, "gateway.fault", LOG_STR("reason", gw_engine_fault(engine)));
			told = true;
		}
	}
}

static enum bus_err run(const struct gw_options *c, struct bus_error *err)
{
	struct gw_rooms rooms = { 0 };
	enum bus_err rc = gw_rooms_open(c, &rooms, err);

	if (!rc) {
		bus_proc_ready("titian-gateway");
		serve(&rooms, c);
	}
	gw_rooms_close(&rooms);
	return rc;
}

int main(int argc, char **argv)
{
	struct sigaction hangup = { .sa_handler = on_hangup };
	struct gw_options conf = { 0 };
	struct bus_error err = { 0 };
	bool only_check = argc > 1 && strcmp(argv[1], "check") == 0;
	enum bus_err rc;

	if (argc > 1 && strcmp(argv[1], "key") == 0)
		return key_command(argc, argv);
	if (argc == 2 && strcmp(argv[1], "try") == 0) /* started by another of us: engine/try.h */
		return gw_try_main();
	if (argc > 1 && strcmp(argv[1], "view") == 0)
		return gw_view_command(argc - 2, argv + 2);
	if (only_check) {
		argv[1] = argv[0];
		argv++;
		argc--;
	}
	bus_proc_check(gw_options_check);
	bus_proc_options(argc, argv, usage, gw_options_table, &conf);
	conf.origins = bus_xcalloc(conf.cors.n + 1, sizeof(*conf.origins));
	for (size_t i = 0; i < conf.cors.n; i++)
		conf.origins[i] = conf.cors.item[i];
	bus_proc_signals();
	sigaction(SIGHUP, &hangup, NULL);
	rc = gw_options_check(&conf, &err);
	if (!rc)
		rc = only_check ? check(&conf, &err) : run(&conf, &err);
	if (rc)
		fprintf(stderr, "titian-gateway: %s\n", err.text);
	free(conf.origins);
	bus_conf_release(gw_options_table, &conf);
	return rc == BUS_EPARSE || rc == BUS_EINVAL ? 2 : rc ? 1 : 0;
}
