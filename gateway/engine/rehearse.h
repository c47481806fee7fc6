/* gateway/engine/rehearse.h - a view's test: given rows, expected rows; then changes, and expected rows again.
 *
 * Without Kafka and registry: schemas from a folder of *.avsc, the definition and those it reads from its
 * folder, an engine of its own on a store that is thrown away. So a test goes the way records go: through
 * tables, routes, evaluation by touched keys. After every step each view is also computed from nothing and
 * compared. The file's format: gateway/views/README.md. Thread: the caller's.
 */
#ifndef GATEWAY_ENGINE_REHEARSE_H
#define GATEWAY_ENGINE_REHEARSE_H

#include "bus/buf.h"
#include "bus/error.h"

struct gw_rehearsal {
	const char *view;    /* file of the definition; views that it reads are beside it */
	const char *test;    /* file of the test; NULL: tests/<name>.yaml beside the definition */
	const char *schemas; /* folder of the catalogue, with folders of *.avsc */
	const char *store;   /* an empty database of PostgreSQL (gateway/store/db.h), empty again afterwards; NULL: a file */
};

/* Runs all tests of the file. report gets a line for each, and what differs; it holds the values that the
 * test's author wrote. BUS_EPARSE: file:line of the definition or the test;
 * BUS_ENOENT: test is NULL, and there is none. */
enum bus_err gw_rehearse(const struct gw_rehearsal *r, struct bus_buf *report, int *passed, int *failed,
			 struct bus_error *err) BUS_MUSTCHECK;

/* The definition checked (define/review.h) against the catalogue's schemas and the views beside it; report gets one JSON
 * object. *good: nothing speaks against it. BUS_EIO: a file or folder cannot be read. */
enum bus_err gw_rehearse_check(const struct gw_rehearsal *r, struct bus_buf *report, bool *good,
			       struct bus_error *err) BUS_MUSTCHECK;

#endif
