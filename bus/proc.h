/* bus/proc.h - what every program does the same way: options, signals, ready, stop.
 *
 * SIGTERM and SIGINT set the stop flag and wake bus_proc_wait(); SIGPIPE and SIGXFSZ are ignored (a full
 * disk is an error code, not a death). bus_proc_ready() tells systemd (sd_notify, without libsystemd)
 * and logs `<program>.ready`. Thread: main, but for bus_proc_stopping() and bus_proc_stop().
 */
#ifndef BUS_PROC_H
#define BUS_PROC_H

#include <stdbool.h>

#include "bus/conf.h"

#ifndef TITIAN_VERSION
#define TITIAN_VERSION "0.1.0"
#endif

/* Parses `--config FILE`, `--set name=value`..., `--check`, `--dump`, `--help`, `--version`,
 * `--log-level L`, `--log-json`, into conf. Prints what was asked for and exits 0, or a message with
 * file:line and exits 2; returns when the daemon should run. usage: the lines above the option list. */
void bus_proc_options(int argc, char **argv, const char *usage, const struct bus_conf_option *table,
		      void *conf);

const char *bus_proc_config(void); /* the FILE; NULL: none was given */

/* What --check looks at beside the options themselves (files they name, what does not go together); before
 * bus_proc_options. conf is that one's. */
typedef enum bus_err (*bus_proc_check_fn)(void *conf, struct bus_error *err);
void bus_proc_check(bus_proc_check_fn fn);

void bus_proc_signals(void);
bool bus_proc_stopping(void);
void bus_proc_stop(void);
int bus_proc_stop_fd(void); /* becomes readable when stopping: for poll() */
void bus_proc_wait(void);   /* until stopping */
void bus_proc_ready(const char *program);

#endif
