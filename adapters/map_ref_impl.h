/* adapters/map_ref_impl.h - inside of the reference tables: the table as read, and its indices.
 *
 * What was read lives in the table's own arena, so that a table that has changed is read anew and the old one let go
 * whole. The indices themselves stay: operations point at them.
 */
#ifndef ADAPTERS_MAP_REF_IMPL_H
#define ADAPTERS_MAP_REF_IMPL_H

#include "adapters/map_impl.h"

#define REF_COLUMNS 64
#define REF_KEY 128	/* bytes of a key, joined columns together */
#define REF_PERIODS 256 /* of one key */

struct map_table {
	struct bus_arena *arena;
	size_t n_columns;
	const char *column[REF_COLUMNS];
	struct bus_str *cell; /* n_rows * n_columns */
	size_t n_rows, cap;
	char *text;
};

struct map_period { /* what a key stands for, and when; both days are in it */
	struct bus_str gives;
	int32_t from, until;
	const struct map_period *next;
};
struct map_entry {
	struct bus_str key; /* p NULL: free */
	const struct map_period *period;
};
struct map_slots {
	size_t mask;
	struct map_entry *entry;
};

struct map_index {
	struct map_index *next;
	const char *key, *give, *ignore;
	const char *from, *until; /* columns of the period; NULL: the key stands for one thing for ever */
	struct map_slots now, coming;
};

struct map_ref {
	struct map_ref *next;
	const char *name; /* file name or topic */
	bool topic;
	char *path;
	uint8_t digest[BUS_SHA256_LEN]; /* topic: of the copy that is in use */
	struct map_table table;
	struct map_index *index;
};

/* map_table.c: CSV (comma, quotes, UTF-8, a header). path is for messages. Takes text. */
enum bus_err adapter_map_table_read(struct map_table *t, const char *path, char *text, size_t n, size_t begin,
				    struct bus_error *err) BUS_MUSTCHECK;
void adapter_map_table_release(struct map_table *t);

/* map_index.c: the index over t, in t's arena. BUS_EPARSE: a column is not there, a key stands for two things. */
enum bus_err adapter_map_index_make(struct map_table *t, const char *path, const struct map_index *x,
				    struct map_slots *out, struct bus_error *err) BUS_MUSTCHECK;

#endif
