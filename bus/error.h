/* bus/error.h - how every failing function of Titian reports.
 *
 * A function that can fail returns enum bus_err and takes a struct bus_error * as its last argument,
 * which may be NULL. The text is of fixed size, so that reporting never allocates. It is written for
 * the one who can mend the fault and never holds personal data (no NIK, no name, no row).
 *
 * Thread: any; a struct bus_error belongs to its caller.
 */
#ifndef BUS_ERROR_H
#define BUS_ERROR_H

#include <stdbool.h>

#define BUS_MUSTCHECK __attribute__((warn_unused_result))
#define BUS_PRINTF(f, a) __attribute__((format(printf, f, a)))

enum bus_err {
	BUS_OK = 0,
	BUS_EINVAL,    /* an argument, option or configuration is wrong */
	BUS_EPARSE,    /* text that is not what it should be; the message has its place */
	BUS_ESCHEMA,   /* not a schema, or a schema that does not fit */
	BUS_EDATA,     /* a record, row or message that cannot be accepted */
	BUS_ETOOBIG,   /* over a limit that the message names */
	BUS_ENOENT,    /* not there */
	BUS_EEXIST,    /* there already */
	BUS_EDENIED,   /* not allowed */
	BUS_ECONFLICT, /* true when asked, no longer true: read again and retry */
	BUS_EIO,       /* file or socket */
	BUS_EFULL,     /* a bounded queue or a disk is full: later, perhaps */
	BUS_ETIMEOUT,  /* not within the time given */
	BUS_EKAFKA,    /* Kafka says no; retriable */
	BUS_EFATAL,    /* the handle is dead: open a new one */
	BUS_EDB,       /* SQLite */
	BUS_ECRYPTO,   /* OpenSSL */
	BUS_ESTOPPED,  /* the program is stopping */
};

struct bus_error {
	enum bus_err code;
	char text[480];
};

/* Fills err (may be NULL) and returns code, so that `return bus_fail(err, ...)` is one line.
 * %m is strerror(errno). A text that does not fit is cut and ends in "...". */
enum bus_err bus_fail(struct bus_error *err, enum bus_err code, const char *fmt, ...) BUS_PRINTF(3, 4);

/* Puts "prefix: " before the text of err (may be NULL); returns err's code, or code when NULL. */
enum bus_err bus_fail_prefix(struct bus_error *err, enum bus_err code, const char *fmt, ...)
	BUS_PRINTF(3, 4);

/* Stable lower-case name for logs and metrics: "ok", "einval", ... */
const char *bus_err_name(enum bus_err code);

/* The two questions callers ask. */
bool bus_err_retriable(enum bus_err code); /* the same call may succeed later */
bool bus_err_fatal(enum bus_err code);     /* the handle must be replaced */

#endif
