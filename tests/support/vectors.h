/* tests/support/vectors.h - running the cases of a JSON Lines file (tests/vectors/avro), and counting. */
#ifndef TESTS_SUPPORT_VECTORS_H
#define TESTS_SUPPORT_VECTORS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
#include <zlib.h>

#include "bus/json.h"

#define VECTORS_LINE_MAX ((size_t)4 * 1024 * 1024)

struct vectors_skip { /* a case that we answer otherwise, and why that is right */
	const char *id;
	const char *why;
};

/* Runs one case: true when it is as expected. why: room for a message when not. */
typedef bool vectors_fn(const struct bus_json *line, char *why, size_t n);

static inline struct bus_str vectors_text(const struct bus_json *line, const char *name)
{
	const struct bus_json *v = bus_json_get(line, name);

	return v && v->type == BUS_JSON_STRING ? v->text : (struct bus_str){ "", 0 };
}

static inline bool vectors_is(const struct bus_json *line, const char *name, const char *value)
{
	const struct bus_json *v = bus_json_get(line, name);

	return v && v->type == BUS_JSON_STRING && bus_str_is(v->text, value);
}

static inline void vectors_hex(struct bus_str hex, struct bus_buf *out)
{
	bus_buf_reset(out);
	for (size_t i = 0; i + 1 < hex.n; i += 2) {
		char pair[3] = { hex.p[i], hex.p[i + 1], '\0' };

		bus_buf_putc(out, (char)strtol(pair, NULL, 16));
	}
}

static inline const char *vectors_skipped(const struct vectors_skip *skip, struct bus_str id)
{
	for (; skip && skip->id; skip++)
		if (bus_str_is(id, skip->id))
			return skip->why;
	return NULL;
}

static inline void vectors_run(const char *name, size_t expected, vectors_fn *run,
			       const struct vectors_skip *skip)
{
	const struct bus_json_limits limits = { .depth = 512, .text = VECTORS_LINE_MAX };
	char path[200];
	char *text = bus_xmalloc(VECTORS_LINE_MAX);
	struct bus_arena *arena = bus_arena_new(0);
	size_t passed = 0;
	size_t failed = 0;
	size_t skipped = 0;
	gzFile f;

	snprintf(path, sizeof(path), "tests/vectors/avro/%s", name);
	f = gzopen(path, "rb"); /* reads plain files too */
	if (!f)
		fail_msg("cannot open '%s': run from the top folder", path);
	while (gzgets(f, text, (int)VECTORS_LINE_MAX)) {
		const struct bus_str whole = bus_str(text);
		struct bus_error err = { 0 };
		struct bus_json *line;
		char why[600] = "";

		bus_arena_reset(arena);
		if (bus_json_parse(whole, &limits, arena, &line, &err) != BUS_OK)
			fail_msg("%s: a line that is no JSON: %s", path, err.text);
		if (vectors_skipped(skip, vectors_text(line, "id"))) {
			skipped++;
		} else if (run(line, why, sizeof(why))) {
			passed++;
		} else {
			failed++;
			print_message("%.*s: %s\n", (int)vectors_text(line, "id").n,
				      vectors_text(line, "id").p, why);
		}
	}
	gzclose(f);
	bus_arena_free(&arena);
	free(text);
	print_message("%s: %zu passed, %zu failed, %zu skipped\n", name, passed, failed, skipped);
	assert_int_equal(failed, 0);
	assert_int_equal(passed + skipped, expected);
}

#endif
