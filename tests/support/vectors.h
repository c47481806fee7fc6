/* tests/support/vectors.h - the conformance vectors: one function a set, and what runs a folder of them.
 *
 * The layout and what counts as equal are in tests/vectors/avro/README.md. Used by `make vectors` and by the
 * unit test. Nothing here knows a case by its id.
 */
#ifndef TESTS_SUPPORT_VECTORS_H
#define TESTS_SUPPORT_VECTORS_H

#include <stdio.h>

#include "bus/json.h"
#include "schemas/avro/schema.h"

struct vectors_case {
	const char *folder;
	const struct bus_json *line;
	char why[1200]; /* what is different; empty while nothing is */
	char ours[200]; /* what we did where the oracles disagree; empty: as Avro Java */
};

/* True when our answer is one that counts as equal; else c->why says what is different. */
typedef bool vectors_fn(struct vectors_case *c);

struct vectors_set {
	const char *name;
	vectors_fn *run;
};

struct vectors_count {
	size_t cases;
	size_t equal;
	size_t different;
	size_t contested; /* of the cases, those on which the oracles disagree */
};

#define VECTORS_SETS 10
extern const struct vectors_set vectors_set[VECTORS_SETS];

/* A kind of disagreement between the oracles, and how often it came. */
struct vectors_kind {
	const char *set;
	char *text; /* our side and the reason */
	size_t cases;
};

/* Every disagreement of a run. Zeroed is empty. */
struct vectors_oracles {
	FILE *each; /* a line a case: set, id, our side, the reason; NULL: not wanted */
	struct vectors_kind *kind;
	size_t n_kinds;
};
void vectors_oracles_release(struct vectors_oracles *o); /* closes nothing */

/* Runs <folder>/<set>.jsonl or .jsonl.gz. Differences go to out, disagreements to oracles (may be NULL).
 * False: there is no such file. */
bool vectors_run(const char *folder, const struct vectors_set *set, FILE *out,
		 struct vectors_oracles *oracles, struct vectors_count *count);

/* For the sets. */
bool vectors_differ(struct vectors_case *c, const char *fmt, ...) BUS_PRINTF(2, 3); /* returns false */
struct bus_str vectors_text(const struct vectors_case *c, const char *name); /* "" when it is not there */
bool vectors_is(const struct vectors_case *c, const char *name, const char *value);
void vectors_hex(struct bus_str hex, struct bus_buf *out);
/* As registered schemas are read: some have names beyond ASCII. NULL: refused, and c->why says so. */
struct schema *vectors_schema(struct vectors_case *c, struct bus_str text);
/* The texts of two data of one schema are equal by value. Both buffers get a NUL at their end. */
bool vectors_same_json(struct vectors_case *c, const struct schema *s, struct bus_buf *got,
		       struct bus_str want);

vectors_fn vectors_canonical;
vectors_fn vectors_invalid;
vectors_fn vectors_encode;
vectors_fn vectors_encode_error;
vectors_fn vectors_resolve;
vectors_fn vectors_compat;
vectors_fn vectors_chain;
vectors_fn vectors_malformed;
vectors_fn vectors_ocf;
vectors_fn vectors_single_object;

#endif
