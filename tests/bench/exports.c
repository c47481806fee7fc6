/* The gateway's HTTP and exports over the synthetic city, without Kafka: what tests/bench/bench_exports.py asks.
 *
 *     exports DIR PEOPLE thin|full      prints "PORT KEY" once the city is loaded; ends when its input does
 */
#include <unistd.h>

#include "bus/log.h"
#include "gateway/export/exports.h"
#include "gateway/feed/feeds.h"
#include "tests/bench/views_load.h"

static void put_file(const char *dir, const char *name, const char *text)
{
	char path[300];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "w");
	if (!f || fputs(text, f) < 0 || fclose(f) != 0)
		exit(1);
}

int main(int argc, char **argv)
{
	struct bus_http_conf conf = { .address = "127.0.0.1", .program = "bench" };
	struct gw_exports_conf exports = { .space = (int64_t)8 << 30, .keep_ms = 60000, .threads = 2, .per_reader = 8 };
	char path[300], policy[300], keys[300], byte;
	struct bus_http *http = NULL;
	struct bus_buf key = { 0 };
	struct bus_error err = { 0 };
	struct gw_api api = { 0 };

	if (argc < 4) {
		fprintf(stderr, "exports DIR PEOPLE thin|full\n");
		return 2;
	}
	bus_log_setup(BUS_LOG_WARN, false);
	city = (struct city){ strtoull(argv[2], NULL, 10), 1 };
	snprintf(path, sizeof(path), "%s/views", argv[1]);
	mkdir(argv[1], 0700);
	mkdir(path, 0700);
	put_view(argv[1], "terpadu", view_head, strcmp(argv[3], "full") == 0 ? "store: full\n" : "", view_tail);
	open_city(argv[1]);
	load();
	must(gw_whole_mark(engine, &err), &err);
	put_file(argv[1], "policy.yaml", "readers:\n  bench:\n    views:\n      \"*\": {clear: [\"*\"]}\n");
	snprintf(policy, sizeof(policy), "%s/policy.yaml", argv[1]);
	snprintf(keys, sizeof(keys), "%s/keys", argv[1]);
	snprintf(path, sizeof(path), "%s/exports", argv[1]);
	exports.dir = path;
	api.engine = engine;
	api.feeds = gw_feeds_new(10);
	must(gw_access_key_new(keys, "bench", &key, &err), &err);
	must(gw_access_open(engine, policy, keys, &api.access, &err), &err);
	must(gw_exports_open(&api, &exports, &api.exports, &err), &err);
	must(bus_http_start(&conf, gw_api_routes, &api, &http, &err), &err);
	printf("%d %s\n", bus_http_port(http), bus_buf_cstr(&key));
	fflush(stdout);
	while (read(STDIN_FILENO, &byte, 1) > 0)
		;
	gw_exports_stop(api.exports);
	bus_http_stop(&http, 1000);
	gw_exports_free(&api.exports);
	gw_feeds_free(&api.feeds);
	gw_access_close(&api.access);
	gw_core_close(&engine);
	bus_buf_release(&key);
	return 0;
}
