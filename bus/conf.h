/* bus/conf.h - a daemon's options: one table gives the parser, the defaults, --help, --dump and the
 * manual's list.
 *
 * The file is YAML; `http:\n  port: 8080` is the option `http.port`. Precedence: `--set name=value`,
 * then the file, then the default. Unknown or ill-typed options are errors with file:line and the
 * nearest name. `kafka.<property>` passes through to librdkafka (BUS_CONF_MAP row "kafka").
 * A relative BUS_CONF_PATH in the file is relative to the file's folder; one on the command line, or a
 * default, to the working folder. On the command line and in a default a list is written with commas.
 * An exact row wins over a map: with rows "kafka" and "kafka.bootstrap" the latter is no pass-through.
 * Thread: at start only.
 */
#ifndef BUS_CONF_H
#define BUS_CONF_H

#include <stdint.h>
#include <stdio.h>

#include "bus/error.h"
#include "bus/mem.h"

enum bus_conf_type {
	BUS_CONF_STR,  /* char *       */
	BUS_CONF_PATH, /* char *       */
	BUS_CONF_INT,  /* int64_t      */
	BUS_CONF_PORT, /* int64_t 0..65535, 0 = any free port */
	BUS_CONF_MS,   /* int64_t; "200ms" "5s" "2m" "1h"     */
	BUS_CONF_SIZE, /* int64_t bytes; "64KiB" "8MiB" "1GiB" */
	BUS_CONF_BOOL, /* bool         */
	BUS_CONF_LIST, /* struct bus_conf_list: a YAML list of scalars */
	BUS_CONF_MAP,  /* struct bus_conf_map: any keys below this name */
};

struct bus_conf_list {
	char **item;
	size_t n;
};

struct bus_conf_map {
	char **key;
	char **value;
	size_t n;
};

struct bus_conf_option {
	const char *name; /* dotted; NULL ends the table */
	enum bus_conf_type type;
	size_t offset; /* of the field in the daemon's struct */
	const char *fallback; /* default as text; NULL: it must be given (but a map) */
	const char *help; /* one sentence, English */
};

/* Fills conf (zeroed by the caller). path may be NULL: defaults and sets only. sets: NULL-ended
 * "name=value" strings, or NULL. On failure nothing needs releasing. */
enum bus_err bus_conf_load(const char *path, const char *const *sets, const struct bus_conf_option *table,
			   void *conf, struct bus_error *err) BUS_MUSTCHECK;
/* What stands under `name` cannot be: text, with file:line where it stands in the file (path may be NULL). Returns BUS_EINVAL or
 * BUS_EPARSE. */
enum bus_err bus_conf_refuse(const char *path, const char *name, const char *text, struct bus_error *err);
/* A time as BUS_CONF_MS reads it. BUS_EINVAL: says what is wanted. Thread: any. */
enum bus_err bus_conf_ms(const char *text, int64_t *out, struct bus_error *err) BUS_MUSTCHECK;
void bus_conf_release(const struct bus_conf_option *table, void *conf);
void bus_conf_dump(const struct bus_conf_option *table, const void *conf, FILE *out); /* as YAML, dotted names */
void bus_conf_help(const struct bus_conf_option *table, FILE *out); /* name, default, help */

#endif
