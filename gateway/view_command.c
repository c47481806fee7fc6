/* `titian-gateway view test`, `view check`: on this machine, without Kafka, registry or a running gateway. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bus/log.h"
#include "gateway/commands.h"
#include "gateway/engine/rehearse.h"

static const char usage[] =
    "titian-gateway view test [--schemas DIR] [--test FILE] [--store postgres:ROLE:CONNINFO] VIEW.sql...\n"
    "                                      run tests/<view>.yaml beside each definition "
    "(gateway/views/README.md);\n"
    "                                      --store: on PostgreSQL, in an empty database (docs/growing-postgres.md)\n"
    "titian-gateway view check [--schemas DIR] VIEW.sql...\n"
    "                                      what can be said of a definition without a city: one JSON object "
    "each,\n"
    "                                      which `titian view check --local` shows to people\n"
    "                                      --schemas: the catalogue's folder, schemas/avsc by default\n";

static int test_one(struct gw_rehearsal *r, int *passed, int *failed)
{
	struct bus_buf report = { 0 };
	struct bus_error err = { 0 };
	enum bus_err rc = gw_rehearse(r, &report, passed, failed, &err);

	fwrite(report.p, 1, report.n, stdout);
	bus_buf_release(&report);
	if (rc == BUS_ENOENT) { /* the test, which was not named */
		printf("-        %s: tanpa uji / %s\n", r->view, err.text);
		return 0;
	}
	if (rc != BUS_OK)
		fprintf(stderr, "titian-gateway: %s\n", err.text);
	return rc != BUS_OK ? 2 : 0;
}

static int check_one(struct gw_rehearsal *r, int *passed, int *failed)
{
	struct bus_buf report = { 0 };
	struct bus_error err = { 0 };
	bool good = false;
	enum bus_err rc = gw_rehearse_check(r, &report, &good, &err);

	if (rc == BUS_OK)
		puts(bus_buf_cstr(&report));
	else
		fprintf(stderr, "titian-gateway: %s\n", err.text);
	bus_buf_release(&report);
	*(good ? passed : failed) += 1;
	return rc != BUS_OK ? 2 : 0;
}

int gw_view_command(int argc, char **argv)
{
	struct gw_rehearsal r = { .schemas = "schemas/avsc" };
	int passed = 0, failed = 0, worst = 0, rc, i;
	bool check = argc > 0 && strcmp(argv[0], "check") == 0;

	if (argc < 1 || (!check && strcmp(argv[0], "test") != 0)) {
		fputs(usage, stderr);
		return 2;
	}
	for (i = 1; i + 1 < argc && strncmp(argv[i], "--", 2) == 0; i += 2) {
		if (strcmp(argv[i], "--schemas") == 0)
			r.schemas = argv[i + 1];
		else if (strcmp(argv[i], "--test") == 0)
			r.test = argv[i + 1];
		else if (strcmp(argv[i], "--store") == 0 && !check)
			r.store = argv[i + 1];
		else
			break;
	}
	if (i >= argc || argv[i][0] == '-' || (r.test && argc - i > 1)) {
		fputs(usage, stderr);
		return 2;
	}
	if (access(r.schemas, R_OK | X_OK) != 0) {
		fprintf(stderr,
			"titian-gateway: %s: %m; folder katalog disebut dengan / name the catalogue's folder "
			"with "
			"--schemas DIR\n",
			r.schemas);
		return 2;
	}
	bus_log_setup(BUS_LOG_WARN, false);
	for (; i < argc; i++) {
		r.view = argv[i];
		rc = check ? check_one(&r, &passed, &failed) : test_one(&r, &passed, &failed);
		worst = rc > worst ? rc : worst;
	}
	if (!check)
		printf("%d baik / passed, %d gagal / failed\n", passed, failed);
	return worst ? worst : failed > 0;
}
