/* titian-adapter: one department's files on their way to the bus. */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "adapters/care/care.h"
#include "adapters/config.h"
#include "adapters/connect.h"
#include "adapters/explain.h"
#include "adapters/init/init.h"
#include "adapters/intake/replay.h"
#include "adapters/preview.h"
#include "adapters/run.h"
#include "bus/clock.h"
#include "bus/log.h"
#include "bus/proc.h"

#define SUPERSEDED 3 /* exit status: not to be started again by itself */

static const char usage[] =
    "titian-adapter --config FILE                publish what is dropped into the folder, until stopped\n"
    "titian-adapter check --config FILE          check configuration, keys, mappings and reference tables\n"
    "titian-adapter preview --config FILE [--personal] [--limit N] [--count] DATA\n"
    "                                            show what DATA would become; publishes nothing\n"
    "titian-adapter explain --config FILE [--show-personal] [--record] DATA ROW\n"
    "                                            what happened to this row (its line; its number with "
    "--record)\n"
    "titian-adapter test-connection --config FILE\n"
    "                                            folders, sources, Kafka, topics, schemas: each ok, or what "
    "to do\n"
    "titian-adapter init [--yes] --out DIR DATA  draft an adapter for files like DATA; init --help says "
    "more\n"
    "titian-adapter quarantine list|show|history|mend|redrive|discard --config FILE [ID...] [OPTIONS]\n"
    "                                            refused rows: look, mend, publish after all, discard\n"
    "  --feed F --file NAME|SHA --class C --since T --until T --all   which rows\n"
    "  list: --state TERBUKA|TERBIT|DIBUANG|all --limit N --count --json --csv; show: --show-personal "
    "--json\n"
    "  mend: --set COLUMN=VALUE --from CSV --redrive; all orders: --who NAME --why TEXT --wait SECONDS "
    "--dry-run\n"
    "titian-adapter replay --config FILE --since TIME [--feed FEED]\n"
    "                                            publish again what was posted since TIME (72h, 2026-11-20) "
    "and delivered\n"
    "titian-adapter undo --config FILE --to TIME [--feed F] [--yes --why TEXT] [--who NAME] [--allow-again]\n"
    "                                            registers hold again what they held then; without --yes: "
    "shows\n"
    "titian-adapter status --config FILE [--watch] [--json]\n"
    "                                            what the running adapter does, feed by feed\n";

struct look { /* what preview alone takes */
	const char *data;
	bool personal;
	int limit;
	bool count;
	const char *row; /* explain's */
	bool record;
};

static int fail(const struct bus_error *err, int status)
{
	fprintf(stderr, "titian-adapter: %s\n", err->text);
	return status;
}

/* bus_proc_options reads the file itself; mappings are found relative to it. */
static const char *config_path(int argc, char **argv)
{
	const char *path = NULL;

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--config") == 0 && i + 1 < argc)
			path = argv[++i];
		else if (strncmp(argv[i], "--config=", 9) == 0)
			path = argv[i] + 9;
	}
	return path;
}

/* What a command has to say it says itself: the lines of the log are a daemon's, and librdkafka's among them. */
static void hush(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (strncmp(argv[i], "--log-level", 11) == 0)
			return; /* they were asked for */
	bus_log_setup(BUS_LOG_ERROR, false);
}

/* Takes the own options of preview and explain, the file and explain's row out of argv; false: none, or one too many. */
static bool take_look(int *argc, char **argv, bool explain, struct look *l)
{
	int kept = 1;

	for (int i = 1; i < *argc; i++) {
		if (strcmp(argv[i], "--personal") == 0 || strcmp(argv[i], "--show-personal") == 0) {
			l->personal = true;
		} else if (strcmp(argv[i], "--record") == 0) {
			l->record = true;
		} else if (strcmp(argv[i], "--count") == 0) {
			l->count = true;
		} else if (strcmp(argv[i], "--limit") == 0 && i + 1 < *argc) {
			l->limit = atoi(argv[++i]);
			if (l->limit < 1)
				return false;
		} else if (argv[i][0] == '-') {
			argv[kept++] = argv[i];
			if ((strcmp(argv[i], "--config") == 0 || strcmp(argv[i], "--set") == 0 ||
			     strcmp(argv[i], "--log-level") == 0) &&
			    i + 1 < *argc)
				argv[kept++] = argv[++i];
		} else if (l->data && explain && !l->row) {
			l->row = argv[i];
		} else if (l->data) {
			return false;
		} else {
			l->data = argv[i];
		}
	}
	argv[kept] = NULL;
	*argc = kept;
	return l->data != NULL && (l->row != NULL) == explain;
}

struct again { /* what replay alone takes */
	const char *since, *feed;
};

static void take_again(int *argc, char **argv, struct again *a)
{
	int kept = 1;

	for (int i = 1; i < *argc; i++) {
		if (strcmp(argv[i], "--since") == 0 && i + 1 < *argc)
			a->since = argv[++i];
		else if (strcmp(argv[i], "--feed") == 0 && i + 1 < *argc)
			a->feed = argv[++i];
		else
			argv[kept++] = argv[i];
	}
	argv[kept] = NULL;
	*argc = kept;
}

static int replay(const struct adapter_setup *setup, const struct again *a)
{
	struct bus_error err = { 0 };
	int64_t since;

	if (adapter_replay_time(a->since, bus_clock_ms(), &since, &err))
		return fail(&err, 2);
	if (adapter_replay(setup->run.intake, &setup->run.drop, a->feed, since, stdout, &err))
		return fail(&err, 1);
	return 0;
}

static int preview(const struct adapter_setup *setup, const struct look *look)
{
	const struct adapter_preview_conf conf = { .mapping = setup->run.mapping,
						   .n_mappings = setup->run.n_mappings,
						   .avsc_dir = setup->run.schemas_dir,
						   .env = &setup->run.env,
						   .file = look->data,
						   .personal = look->personal,
						   .limit = look->limit,
						   .count = look->count };
	struct bus_error err = { 0 };

	return adapter_preview(&conf, stdout, &err) ? fail(&err, 1) : 0;
}

static int explain_row(const struct adapter_setup *setup, const struct look *look)
{
	const struct adapter_preview_conf conf = { .mapping = setup->run.mapping,
						   .n_mappings = setup->run.n_mappings,
						   .avsc_dir = setup->run.schemas_dir,
						   .env = &setup->run.env,
						   .file = look->data,
						   .personal = look->personal };
	struct bus_error err = { 0 };
	char *end;
	unsigned long long row = strtoull(look->row, &end, 10);

	if (row == 0 || *end) {
		fprintf(stderr, "titian-adapter: explain: '%s' bukan nomor baris / is no line number\n",
			look->row);
		return 2;
	}
	return adapter_explain(&conf, row, look->record, stdout, &err) ? fail(&err, 1) : 0;
}

static int check(const struct adapter_setup *setup)
{
	const struct adapter_preview_conf conf = { .mapping = setup->run.mapping,
						   .n_mappings = setup->run.n_mappings,
						   .avsc_dir = setup->run.schemas_dir,
						   .env = &setup->run.env };
	struct bus_error err = { 0 };

	if (adapter_preview_check(&conf, stdout, &err) || adapter_run_check(&setup->run, &err))
		return fail(&err, 2);
	return 0;
}

/* 0 to 19 as nice(1); the disk by the class of the same meaning (ioprio_set(2)), which has no name in glibc. */
static void step_back(int nice)
{
	const int best_effort = 2, idle = 3, who_process = 1;
	int io = nice >= 10 ? idle << 13 : best_effort << 13 | 7;

	if (nice > 0 && (setpriority(PRIO_PROCESS, 0, nice) || syscall(SYS_ioprio_set, who_process, 0, io)))
		bus_log(BUS_LOG_WARN, "adapter.nice",
			LOG_STR("effect", "the system does not let it step back"));
}

static int run(const struct adapter_setup *setup)
{
	struct bus_error err = { 0 };
	enum bus_err rc;

	bus_proc_signals();
	step_back(setup->nice); /* before there are threads: each has its own */
	rc = adapter_run(&setup->run, &err);
	if (rc == BUS_ESTOPPED) {
		bus_log(BUS_LOG_INFO, "titian-adapter.stopped", LOG_STR("opd", setup->run.opd));
		return 0;
	}
	bus_log(BUS_LOG_ERROR, "titian-adapter.failed", LOG_STR("opd", setup->run.opd), LOG_ERR(&err));
	if (rc == BUS_EEXIST)
		return SUPERSEDED;
	return rc == BUS_EINVAL || rc == BUS_EPARSE ? 2 : 1;
}

int main(int argc, char **argv)
{
	const char *command = argc > 1 && argv[1][0] != '-' ? argv[1] : "run";
	struct look look = { 0 };
	struct adapter_care_args care = { 0 };
	bool cares = adapter_care_is(command), explain = strcmp(command, "explain") == 0;
	struct again again = { 0 };
	struct adapter_config config = { 0 };
	struct adapter_setup setup;
	struct bus_error err = { 0 };
	int status;

	/* librdkafka's threads allocate what ours frees: an arena for each would hold the same records again. */
	mallopt(M_ARENA_MAX, 2);
	if (strcmp(command, "init") == 0)
		return adapter_init_main(argc - 1, argv + 1);
	if (strcmp(command, "run") != 0 && strcmp(command, "check") != 0 && strcmp(command, "preview") != 0 &&
	    !cares && !explain && strcmp(command, "replay") != 0 && strcmp(command, "test-connection") != 0) {
		fprintf(stderr, "titian-adapter: no command '%s'\n%s", command, usage);
		return 2;
	}
	if (argc > 1 && command == argv[1]) {
		argv[1] = argv[0];
		argv++;
		argc--;
	}
	if ((explain || strcmp(command, "preview") == 0) && !take_look(&argc, argv, explain, &look) &&
	    !(argc > 1 && strcmp(argv[1], "--help") == 0)) {
		fprintf(stderr, "titian-adapter: %s: %s\n%s", command,
			explain ? "which file and row?" : "which file?", usage);
		return 2;
	}
	if (cares && adapter_care_args(command, &argc, argv, &care, &err))
		return fail(&err, 2);
	if (strcmp(command, "replay") == 0) {
		take_again(&argc, argv, &again);
		if (!again.since && !(argc > 1 && strcmp(argv[1], "--help") == 0)) {
			fprintf(stderr, "titian-adapter: replay: since when?\n%s", usage);
			return 2;
		}
	}
	bus_proc_options(argc, argv, usage, adapter_config_table, &config);
	if (cares || strcmp(command, "test-connection") == 0)
		hush(argc, argv);
	if (adapter_setup_make(&setup, &config, config_path(argc, argv), &err))
		status = fail(&err, 2);
	else if (cares)
		status = adapter_care_main(command, &setup.run, &care);
	else if (look.row)
		status = explain_row(&setup, &look);
	else if (look.data)
		status = preview(&setup, &look);
	else if (strcmp(command, "test-connection") == 0)
		status = adapter_connect_test(&setup.run, stdout) > 0;
	else if (again.since)
		status = replay(&setup, &again);
	else
		status = strcmp(command, "check") == 0 ? check(&setup) : run(&setup);
	adapter_setup_release(&setup);
	bus_conf_release(adapter_config_table, &config);
	return status;
}
