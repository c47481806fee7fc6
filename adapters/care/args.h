/* adapters/care/args.h - the command line of `quarantine`, `undo` and `status`. At start only. */
#ifndef ADAPTERS_CARE_ARGS_H
#define ADAPTERS_CARE_ARGS_H

#include "adapters/care/cells.h"

#define ADAPTER_ARGS_MAX 64

struct adapter_care_args {
	const char *verb; /* of quarantine; "" else */
	const char *operand[ADAPTER_ARGS_MAX];
	size_t n_operands;
	struct adapter_cell_change set[ADAPTER_ARGS_MAX];
	size_t n_set;
	const char *feed, *file, *class, *state, *who, *why, *from; /* NULL: not given */
	int64_t since_ms, until_ms;				    /* INT64_MIN, INT64_MAX: not given */
	int64_t to_ms;						    /* undo; INT64_MIN: not given */
	long limit;						    /* -1: not given */
	long wait_s;
	bool all, count, json, csv, personal, redrive, yes, dry_run, again, watch;
};

/* Takes these commands' own words out of argv (argv[0] is the program), and leaves those that all commands share (--config,
 * --log-level ...). quarantine: the first word is the verb. BUS_EINVAL: err says what was meant. */
enum bus_err adapter_care_args(const char *command, int *argc, char **argv, struct adapter_care_args *out,
			       struct bus_error *err) BUS_MUSTCHECK;

/* "2026-11-23", "2026-11-23T08:30", "2026-11-23T08:30:00+07:00" (WIB when it names no zone), or so long ago: "90s", "45m",
 * "2h", "3d". */
bool adapter_care_time(const char *text, int64_t now_ms, int64_t *out);

#endif
