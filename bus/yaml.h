/* bus/yaml.h - strict YAML as a tree that knows its lines. The only includer of <yaml.h>.
 *
 * Anchors, aliases, tags, duplicate keys, more than one document, a depth over 32 and a file over 1 MiB
 * are errors. Every message reads `file:line: what; hint`. Scalars stay text; the caller says what it
 * wants through the getters. The tree is read-only, and freed whole. Thread: one at a time.
 *
 * Unknown keys are errors too: a reader takes what it knows with bus_yaml_get(), then calls
 * bus_yaml_no_more(), which names the first key nobody asked for and the nearest known one.
 */
#ifndef BUS_YAML_H
#define BUS_YAML_H

#include <stdint.h>

#include "bus/error.h"
#include "bus/mem.h"

enum bus_yaml_kind { BUS_YAML_SCALAR, BUS_YAML_MAP, BUS_YAML_LIST };

struct bus_yaml_node {
	enum bus_yaml_kind kind;
	int line; /* 1-based; in a map: of the key */
	bool quoted; /* a scalar in quotes, or a block: never null, never a number by itself */
	const char *key; /* in a map: its key, NUL-ended; else NULL */
	const char *text; /* scalar: NUL-ended */
	size_t text_len;
	struct bus_yaml_node *first; /* map and list: children in order */
	struct bus_yaml_node *next;
	bool asked; /* bus_yaml_get found it */
};
struct bus_yaml;

enum bus_err bus_yaml_load(const char *path, struct bus_yaml **out, struct bus_error *err) BUS_MUSTCHECK;
/* As if read from a file called name; first_line is the line of the first byte (front matter). */
enum bus_err bus_yaml_parse(const char *name, int first_line, const char *text, size_t n,
			    struct bus_yaml **out, struct bus_error *err) BUS_MUSTCHECK;
void bus_yaml_free(struct bus_yaml **y);
struct bus_yaml_node *bus_yaml_root(struct bus_yaml *y); /* an empty text: an empty map */
const char *bus_yaml_file(const struct bus_yaml *y);

/* NULL: no such key, or map is NULL or no map. Marks the key as asked for. */
struct bus_yaml_node *bus_yaml_get(struct bus_yaml_node *map, const char *key);
/* A scalar that says "nothing": empty, ~ or null, not in quotes. The typed getters refuse it. */
bool bus_yaml_is_null(const struct bus_yaml_node *n);
size_t bus_yaml_count(const struct bus_yaml_node *n); /* children */
/* Every key of the map that was asked for, there or not (of those that are not, the first 64), i from 0; NULL: no more. */
const char *bus_yaml_asked(const struct bus_yaml_node *map, size_t i);
enum bus_err bus_yaml_no_more(struct bus_yaml *y, struct bus_yaml_node *map, struct bus_error *err)
	BUS_MUSTCHECK;

/* `file:line: ` and the text; at NULL: line 1. Returns BUS_EPARSE. */
enum bus_err bus_yaml_fail(struct bus_yaml *y, const struct bus_yaml_node *at, struct bus_error *err,
			   const char *fmt, ...) BUS_PRINTF(4, 5);

/* Typed getters of a key of map. Missing key: *out untouched (put the default there first) and BUS_OK,
 * unless `must`, then BUS_EPARSE at the map's line. */
enum bus_err bus_yaml_str(struct bus_yaml *y, struct bus_yaml_node *map, const char *key, bool must,
			  const char **out, struct bus_error *err) BUS_MUSTCHECK;
enum bus_err bus_yaml_int(struct bus_yaml *y, struct bus_yaml_node *map, const char *key, bool must,
			  int64_t min, int64_t max, int64_t *out, struct bus_error *err) BUS_MUSTCHECK;
enum bus_err bus_yaml_bool(struct bus_yaml *y, struct bus_yaml_node *map, const char *key, bool must,
			   bool *out, struct bus_error *err) BUS_MUSTCHECK; /* true/false only */

/* The nearest of n names by edit distance, or NULL when none is near (for hints). */
const char *bus_nearest(const char *word, const char *const *names, size_t n);

#endif
