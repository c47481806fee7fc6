/* deploy/ctl/ctl.h - the `titian` command: a table of commands, each `noun verb`, and what they share.
 *
 * Data goes to stdout, talk to stderr. English, or Indonesian where LC_ALL, LC_MESSAGES or LANG begins with
 * "id"; names of commands and options stay English. One thread, one command, then exit.
 */
#ifndef DEPLOY_CTL_CTL_H
#define DEPLOY_CTL_CTL_H

#include <stdio.h>

#include "bus/buf.h"
#include "bus/error.h"
#include "bus/kafka.h"

enum ctl_exit {
	CTL_OK = 0,
	CTL_FAILED = 1,
	CTL_USAGE = 2,
	CTL_INCOMPATIBLE = 3,
	CTL_DENIED = 4,
	CTL_NOT_FOUND = 5,
	CTL_UNREACHABLE = 6,
};

#define CTL_OPTIONS_MAX 12
#define CTL_KAFKA_MAX 32
#define CTL_TIMEOUT_MS 15000

struct bus_json;

struct ctl_option {
	const char *name;    /* "--bootstrap"; NULL ends the list */
	const char *value;   /* "HOST:PORT" for help; NULL: a flag */
	const char *env;     /* taken when the option is not given; NULL: none */
	const char *en, *id; /* one line of help */
};

struct ctl_args { /* borrowed from argv and the environment */
	const char
	    *option[CTL_OPTIONS_MAX]; /* by place in the command's list; flags: "" when given; NULL: not */
	char **rest;
	size_t n_rest;
	char *kafka_key[CTL_KAFKA_MAX], *kafka_value[CTL_KAFKA_MAX]; /* --kafka NAME=VALUE, split in place */
	struct bus_conf_map kafka;
};

struct ctl_command {
	const char *noun, *verb; /* verb "": the noun says it all */
	const char *operands; /* "FILE..." or "" */
	size_t least, most;   /* operands */
	const struct ctl_option *option;
	const char *en, *id; /* one line */
	const char *example;
	enum ctl_exit (*run)(const struct ctl_args *args);
};

extern const struct ctl_command *const ctl_commands[]; /* NULL-ended */

int ctl_main(int argc, char **argv);

/* The text in the user's language. */
const char *ctl_say(const char *en, const char *id) __attribute__((format_arg(1), format_arg(2)));
bool ctl_indonesian(void); /* whether that is Indonesian */
/* "titian: <text>" on stderr. */
void ctl_complain(const char *fmt, ...) BUS_PRINTF(1, 2);
/* The same for an error; gives the exit code. `outside`: EIO is of the network, not of a file. */
enum ctl_exit ctl_fail(const struct bus_error *err, bool outside);
/* Appends text that others wrote so that it stays in its line and column and moves no terminal: tab and line ends
 * as blanks, other control characters as \xNN. */
void ctl_put_line(struct bus_buf *b, const char *text);
/* A member of an answer. object: NULL, or no object, has none. */
struct bus_str ctl_json_text(const struct bus_json *object, const char *name); /* borrowed; empty: none */
char *ctl_json_copy(const struct bus_json *object, const char *name);	       /* NULL: none */
int64_t ctl_json_int(const struct bus_json *object, const char *name, int64_t otherwise);
bool ctl_json_is(const struct bus_json *object, const char *name, const char *text);
/* The connection of a command whose option `bootstrap` is at place i; false (told) when it is missing. */
bool ctl_kafka(const struct ctl_args *args, size_t i, struct bus_kafka_conf *out);
/* A whole number from min to max, or `fallback` when text is NULL; false (told): it is none. */
bool ctl_number(const char *name, const char *text, long min, long max, long fallback, long *out);

#define CTL_OPTION_BOOTSTRAP                                                                                 \
	{                                                                                                    \
		"--bootstrap", "HOST:PORT", "TITIAN_BOOTSTRAP", "a Kafka broker", "broker Kafka"             \
	}

#endif
