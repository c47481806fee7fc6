/* tests/support/map_support.h - mappings in tests: the shipped ones, and ones written in the test. */
#ifndef TESTS_SUPPORT_MAP_SUPPORT_H
#define TESTS_SUPPORT_MAP_SUPPORT_H

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "adapters/map.h"
#include "bus/arena.h"

static const uint8_t map_support_key[BUS_KEY_LEN] = "a key for tests; no city has it.";
static const char *const map_support_extra[] = { "deploy/demo/feeds", NULL };

static inline struct adapter_map_env map_support_env(void)
{
	return (struct adapter_map_env){ .ref_dir = "adapters/referensi",
					 .ref_extra = map_support_extra,
					 .city_key = map_support_key,
					 .tmp_dir = "/tmp",
					 .reference_year = 2025 };
}

static inline char *map_support_file(const char *path, size_t *n)
{
	FILE *f = fopen(path, "r");
	struct bus_buf b = { 0 };
	char piece[65536];
	size_t got;

	if (!f) {
		fprintf(stderr, "%s: %m (tests run in the project's folder)\n", path);
		abort();
	}
	while ((got = fread(piece, 1, sizeof(piece), f)) > 0)
		bus_buf_put(&b, piece, got);
	fclose(f);
	return bus_buf_take(&b, n);
}

static inline struct schema *map_support_schema(const char *name)
{
	struct bus_error err = { 0 };
	struct schema *s = NULL;
	char path[256], *text;
	size_t n;

	snprintf(path, sizeof(path), "schemas/avsc/%s.avsc", name);
	text = map_support_file(path, &n);
	if (schema_parse((struct bus_str){ text, n }, SCHEMA_STRICT, NULL, 0, &s, &err) != BUS_OK) {
		fprintf(stderr, "%s: %s\n", path, err.text);
		abort();
	}
	free(text);
	return s;
}

/* A shipped mapping ("dinkes/kunjungan"), bound to its schema. */
static inline struct adapter_map *map_support_load(const char *mapping, const char *schema)
{
	struct adapter_map_env env = map_support_env();
	struct schema *s = map_support_schema(schema);
	struct adapter_map *m = NULL;
	struct bus_error err = { 0 };
	char path[256];

	snprintf(path, sizeof(path), "adapters/opd/%s.yaml", mapping);
	if (adapter_map_load(path, &env, &m, &err) != BUS_OK || adapter_map_bind(m, s, &err) != BUS_OK) {
		fprintf(stderr, "%s\n", err.text);
		abort();
	}
	schema_unref(&s);
	return m;
}

static struct bus_arena *map_support_arena;

static inline struct bus_json *map_support_json(const char *path)
{
	struct bus_error err = { 0 };
	struct bus_json *v = NULL;
	size_t n;
	char *text = map_support_file(path, &n), *kept;

	map_support_arena = bus_arena_new(0);
	kept = bus_arena_dup(map_support_arena, text, n);
	free(text);
	if (bus_json_parse((struct bus_str){ kept, n }, NULL, map_support_arena, &v, &err) != BUS_OK) {
		fprintf(stderr, "%s: %s\n", path, err.text);
		abort();
	}
	return v;
}

static inline void map_support_json_free(void)
{
	bus_arena_free(&map_support_arena);
}

#endif
