#include "adapters/care/args.h"

#include <ctype.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include "bus/clock.h"

#define HOUR_MS INT64_C(3600000)

enum kind { TEXT, TIME, NUMBER, SWITCH, SET };

struct option {
	const char *name, *commands; /* where it is known: verbs of quarantine, "undo", "status" */
	enum kind kind;
	size_t at; /* in the args */
};

#define ARG(member) offsetof(struct adapter_care_args, member)
#define CHOICE "list mend redrive discard"

static const struct option option[] = {
	{ "--feed", CHOICE " undo", TEXT, ARG(feed) },
	{ "--file", CHOICE, TEXT, ARG(file) },
	{ "--class", CHOICE, TEXT, ARG(class) },
	{ "--since", CHOICE, TIME, ARG(since_ms) },
	{ "--until", CHOICE, TIME, ARG(until_ms) },
	{ "--all", "redrive discard", SWITCH, ARG(all) },
	{ "--state", "list", TEXT, ARG(state) },
	{ "--limit", "list", NUMBER, ARG(limit) },
	{ "--count", "list", SWITCH, ARG(count) },
	{ "--json", "list show history status", SWITCH, ARG(json) },
	{ "--csv", "list", SWITCH, ARG(csv) },
	{ "--from", "mend", TEXT, ARG(from) },
	{ "--show-personal", "list show", SWITCH, ARG(personal) },
	{ "--set", "mend", SET, 0 },
	{ "--redrive", "mend", SWITCH, ARG(redrive) },
	{ "--who", "mend redrive discard undo", TEXT, ARG(who) },
	{ "--why", "mend redrive discard undo", TEXT, ARG(why) },
	{ "--wait", "mend redrive discard undo", NUMBER, ARG(wait_s) },
	{ "--to", "undo", TIME, ARG(to_ms) },
	{ "--yes", "undo", SWITCH, ARG(yes) },
	{ "--dry-run", "mend redrive discard undo", SWITCH, ARG(dry_run) },
	{ "--allow-again", "undo", SWITCH, ARG(again) },
	{ "--watch", "status", SWITCH, ARG(watch) },
};

static const char verbs[] = "list show history mend redrive discard";

static bool word_in(const char *word, const char *words)
{
	size_t n = strlen(word);

	for (const char *p = words; n > 0 && (p = strstr(p, word)); p += n)
		if ((p == words || p[-1] == ' ') && (p[n] == ' ' || p[n] == '\0'))
			return true;
	return false;
}

static bool digits(const char **p, int n, int *out)
{
	*out = 0;
	for (int i = 0; i < n; i++, (*p)++) {
		if (!isdigit((unsigned char)**p))
			return false;
		*out = 10 * *out + (**p - '0');
	}
	return true;
}

static bool mark(const char **p, char c)
{
	if (**p != c)
		return false;
	(*p)++;
	return true;
}

/* The time of day and the zone, behind a date; both may be left out. */
static bool time_of_day(const char *p, int64_t *ms)
{
	int h = 0, m = 0, s = 0, thousandths = 0, zh = 7, zm = 0, sign = 1;

	if (mark(&p, 'T') || mark(&p, ' ')) {
		if (!digits(&p, 2, &h) || !mark(&p, ':') || !digits(&p, 2, &m))
			return false;
		if (mark(&p, ':') && !digits(&p, 2, &s))
			return false;
		if (mark(&p, '.') && !digits(&p, 3, &thousandths))
			return false;
		if (mark(&p, 'Z')) {
			zh = 0;
		} else if (*p == '+' || *p == '-') {
			sign = *p++ == '-' ? -1 : 1;
			if (!digits(&p, 2, &zh) || (mark(&p, ':') && !digits(&p, 2, &zm)))
				return false;
		}
	}
	*ms = h * HOUR_MS + m * 60000 + s * 1000 + thousandths - sign * (zh * HOUR_MS + zm * 60000);
	return *p == '\0' && h < 24 && m < 60 && s < 60 && zh < 15 && zm < 60;
}

bool adapter_care_time(const char *text, int64_t now_ms, int64_t *out)
{
	static const struct {
		char unit;
		int64_t ms;
	} units[] = { { 's', 1000 }, { 'm', 60000 }, { 'h', HOUR_MS }, { 'd', 24 * HOUR_MS } };
	const char *p = text;
	int year, month, day;
	int64_t clock;
	int32_t days;
	char *end;
	long ago = strtol(text, &end, 10);

	/* strtol takes spaces and signs */
	for (size_t i = 0; i < BUS_LEN(units) && isdigit((unsigned char)text[0]); i++) {
		if (ago > 1000000 || end[0] != units[i].unit || end[1] != '\0')
			continue;
		*out = now_ms - ago * units[i].ms;
		return true;
	}
	if (!digits(&p, 4, &year) || !mark(&p, '-') || !digits(&p, 2, &month) || !mark(&p, '-') ||
	    !digits(&p, 2, &day) || !bus_clock_days(year, month, day, &days) || !time_of_day(p, &clock))
		return false;
	*out = days * 24 * HOUR_MS + clock;
	return true;
}

static enum bus_err take_set(struct adapter_care_args *a, const char *value, struct bus_error *err)
{
	const char *equals = strchr(value, '=');

	if (!equals || equals == value)
		return bus_fail(err, BUS_EINVAL, "--set wants COLUMN=VALUE");
	if (a->n_set == ADAPTER_ARGS_MAX)
		return bus_fail(err, BUS_ETOOBIG, "more than %d times --set", ADAPTER_ARGS_MAX);
	a->set[a->n_set++] =
	    (struct adapter_cell_change){ { value, (size_t)(equals - value) }, bus_str(equals + 1) };
	return BUS_OK;
}

static enum bus_err take(struct adapter_care_args *a, const struct option *o, const char *value,
			 struct bus_error *err)
{
	char *at = (char *)a + o->at, *end;
	long number;

	switch (o->kind) {
	case SWITCH:
		*(bool *)(void *)at = true;
		return BUS_OK;
	case TEXT:
		*(const char **)(void *)at = value;
		return BUS_OK;
	case SET:
		return take_set(a, value, err);
	case TIME:
		if (adapter_care_time(value, bus_clock_ms(), (int64_t *)(void *)at))
			return BUS_OK;
		return bus_fail(
		    err, BUS_EINVAL,
		    "%s: '%.40s' is no time; write 2026-11-23, 2026-11-23T08:30 (WIB) or 2h, 3d (ago)",
		    o->name, value);
	case NUMBER:
		break;
	}
	number = strtol(value, &end, 10);
	if (end == value || *end != '\0' || number < 0 || number > 1000000)
		return bus_fail(err, BUS_EINVAL, "%s wants a number from 0 to 1000000", o->name);
	*(long *)(void *)at = number;
	return BUS_OK;
}

static const struct option *find(const char *word)
{
	for (size_t i = 0; i < BUS_LEN(option); i++)
		if (strcmp(option[i].name, word) == 0)
			return &option[i];
	return NULL;
}

static enum bus_err take_word(struct adapter_care_args *a, const char *command, int argc, char **argv, int *i,
			      bool *ours, struct bus_error *err)
{
	const char *word = argv[*i];
	const struct option *o = find(word);

	*ours = true;
	if (o && word_in(a->verb[0] ? a->verb : command, o->commands)) {
		if (o->kind != SWITCH && ++*i >= argc)
			return bus_fail(err, BUS_EINVAL, "%s wants a value", word);
		return take(a, o, argv[*i], err);
	}
	if (o)
		return bus_fail(err, BUS_EINVAL, "%s is no option of %s%s%s", word, command,
				a->verb[0] ? " " : "", a->verb);
	if (word[0] == '-' && word[1]) {
		*ours = false;
		return BUS_OK;
	}
	if (strcmp(command, "quarantine") == 0 && !a->verb[0]) {
		if (!word_in(word, verbs))
			return bus_fail(err, BUS_EINVAL, "quarantine: '%.40s' is none of %s", word, verbs);
		a->verb = word;
		return BUS_OK;
	}
	if (a->n_operands == ADAPTER_ARGS_MAX)
		return bus_fail(err, BUS_ETOOBIG, "more than %d rows named; choose them by --class or --file",
				ADAPTER_ARGS_MAX);
	a->operand[a->n_operands++] = word;
	return BUS_OK;
}

enum bus_err adapter_care_args(const char *command, int *argc, char **argv, struct adapter_care_args *out,
			       struct bus_error *err)
{
	int kept = 1;

	*out = (struct adapter_care_args){ .verb = "",
					   .since_ms = INT64_MIN,
					   .until_ms = INT64_MAX,
					   .to_ms = INT64_MIN,
					   .limit = -1,
					   .wait_s = 30 };
	for (int i = 1; i < *argc; i++) {
		bool ours;
		enum bus_err rc = take_word(out, command, *argc, argv, &i, &ours, err);

		if (rc)
			return rc;
		if (ours)
			continue;
		argv[kept++] = argv[i];
		if (strcmp(argv[i], "--help") == 0)
			out->verb = "list"; /* bus_proc_options says it all */
		if ((strcmp(argv[i], "--config") == 0 || strcmp(argv[i], "--log-level") == 0) &&
		    i + 1 < *argc)
			argv[kept++] = argv[++i];
	}
	argv[kept] = NULL;
	*argc = kept;
	if (strcmp(command, "quarantine") == 0 && !out->verb[0])
		return bus_fail(err, BUS_EINVAL, "quarantine: which of %s?", verbs);
	return BUS_OK;
}
