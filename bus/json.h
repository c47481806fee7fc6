/* bus/json.h - reading JSON (RFC 8259) from untrusted bytes, without recursion and with limits.
 *
 * Two ways. The puller hands out one token at a time and never holds more than the current token, so a
 * document may be larger than memory: feed it pieces. The tree is for small documents (requests,
 * schemas). Both: numbers stay text (a NIK sent as a number keeps its 16 digits), strings may hold
 * U+0000, invalid UTF-8, lone surrogates, duplicate names (tree), depth and size over the limit are
 * errors with the place. A leading UTF-8 BOM is skipped.
 * Thread: one at a time.
 */
#ifndef BUS_JSON_H
#define BUS_JSON_H

#include <stdint.h>

#include "bus/arena.h"
#include "bus/buf.h"
#include "bus/error.h"

enum bus_json_type {
	BUS_JSON_NULL,
	BUS_JSON_FALSE,
	BUS_JSON_TRUE,
	BUS_JSON_NUMBER, /* text as written */
	BUS_JSON_STRING, /* unescaped UTF-8 */
	BUS_JSON_OBJECT, /* puller: begin */
	BUS_JSON_ARRAY,	 /* puller: begin */
	BUS_JSON_OBJECT_END, /* puller only, as the next three */
	BUS_JSON_ARRAY_END,
	BUS_JSON_NAME, /* a member's name, unescaped */
	BUS_JSON_MORE, /* the bytes are used up: feed or finish */
	BUS_JSON_END, /* the one top-level value is complete and only white space followed */
};

#define BUS_JSON_DEPTH_MAX 512

struct bus_json_limits {
	int depth; /* 0 = 64; at most BUS_JSON_DEPTH_MAX */
	size_t text; /* longest string, name or number in bytes; 0 = 1 MiB */
	/* Tree only, what Jackson lets Avro Java's schema parser take: comments as in C before the value ends,
	 * and of a name that stands twice in an object the last value, in the place of the first. */
	bool lax;
};

struct bus_json_puller;

struct bus_json_puller *bus_json_puller_new(const struct bus_json_limits *limits); /* NULL: defaults */
void bus_json_puller_free(struct bus_json_puller **j);
void bus_json_puller_reset(struct bus_json_puller *j); /* for the next document */
/* p must stay until the puller returns BUS_JSON_MORE. last: nothing follows these bytes. */
void bus_json_feed(struct bus_json_puller *j, const char *p, size_t n, bool last);
/* text: of NAME, STRING, NUMBER; borrowed until the next call. BUS_EPARSE says line and column, BUS_ETOOBIG
 * also which limit. After an error the puller repeats it until it is reset. */
enum bus_err bus_json_next(struct bus_json_puller *j, enum bus_json_type *type, struct bus_str *text,
			   struct bus_error *err) BUS_MUSTCHECK;
uint64_t bus_json_line(const struct bus_json_puller *j); /* 1-based line of the last token's first byte */
int bus_json_depth(const struct bus_json_puller *j);
uint64_t bus_json_offset(const struct bus_json_puller *j); /* bytes of the document used up */

struct bus_json {
	enum bus_json_type type; /* NULL ... ARRAY */
	struct bus_str name; /* in an object */
	struct bus_str text; /* STRING, NUMBER */
	struct bus_json *first; /* OBJECT, ARRAY: children in order */
	struct bus_json *next;
	size_t n; /* children */
};

/* The whole text as a tree in the arena (its cap bounds the tree: BUS_ETOOBIG). Names, numbers and strings
 * without escapes point into the text: it must stay as long as the tree is used. */
enum bus_err bus_json_parse(struct bus_str text, const struct bus_json_limits *limits,
			    struct bus_arena *arena, struct bus_json **out, struct bus_error *err)
	BUS_MUSTCHECK;
const struct bus_json *bus_json_get(const struct bus_json *object, const char *name); /* NULL: none */
/* BUS_EDATA unless v is a number that is a whole number within int64_t (1e3 is, 1.5 is not). */
enum bus_err bus_json_int(const struct bus_json *v, int64_t *out) BUS_MUSTCHECK;

#endif
