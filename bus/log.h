/* bus/log.h - one line an event on stderr: `time=... level=warn id=adapter.refused opd=dinkes line=812`.
 *
 * id is stable (`<program part>.<event>`), so that an alarm can be written against it. Values are
 * escaped (CR, LF, ESC, quotes). Personal data is never passed here; a
 * run of 16 digits or more is starred all the same, and a test greps for it.
 * Thread: any. Repeats of one id beyond 20 in 10 s are counted, and told with the next line of that id
 * (`suppressed=N`). A value is cut at 2,048 bytes.
 */
#ifndef BUS_LOG_H
#define BUS_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "bus/error.h"

enum bus_log_level {
	BUS_LOG_DEBUG,
	BUS_LOG_INFO,
	BUS_LOG_WARN,
	BUS_LOG_ERROR,
	BUS_LOG_AUDIT, /* who changed what: always written, and never left out as a repeat */
};

struct bus_log_field {
	const char *key; /* NULL ends the list */
	const char *text; /* or NULL: then number */
	int64_t number;
};

#define LOG_STR(k, v) { .key = (k), .text = (v) ? (v) : "" }
#define LOG_INT(k, v) { .key = (k), .number = (int64_t)(v) }
#define LOG_ERR(err) { .key = "error", .text = (err)->text }

/* bus_log(BUS_LOG_WARN, "adapter.refused", LOG_STR("opd", opd), LOG_INT("line", line)); */
#define bus_log(level, id, ...) \
	bus_log_write((level), (id), (const struct bus_log_field[]){ __VA_ARGS__ __VA_OPT__(, ) { 0 } })

void bus_log_write(enum bus_log_level level, const char *id, const struct bus_log_field *fields);

void bus_log_setup(enum bus_log_level least, bool json); /* before the first thread */
enum bus_err bus_log_level_parse(const char *text, enum bus_log_level *out) BUS_MUSTCHECK;

#endif
