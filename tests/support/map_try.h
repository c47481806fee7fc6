/* tests/support/map_try.h - a mapping, a schema and a file written in the test itself. */
#ifndef TESTS_SUPPORT_MAP_TRY_H
#define TESTS_SUPPORT_MAP_TRY_H

#include <stdarg.h>

#include "adapters/input.h"
#include "schemas/avro/json.h"
#include "tests/support/map_support.h"

struct map_try {
	struct adapter_map *map;
	struct schema *schema;
	struct schema_plan *plan;
	struct schema_reader *reader;
	struct adapter_input *in;
	void *source;
	struct adapter_row row;
	struct adapter_result result;
	struct bus_error err;
	struct bus_buf json;
	char path[64];
};

/* A mapping from its text, in a file called map.yaml; BUS_OK or the error in t->err (its folder left out). */
static inline enum bus_err map_try_load(struct map_try *t, const char *yaml)
{
	struct adapter_map_env env = map_support_env();
	char dir[] = "/tmp/titian-map-XXXXXX", *at;
	FILE *f;
	enum bus_err rc;

	*t = (struct map_try){ 0 };
	if (!mkdtemp(dir))
		abort();
	snprintf(t->path, sizeof(t->path), "%s/map.yaml", dir);
	f = fopen(t->path, "w");
	if (!f)
		abort();
	fputs(yaml, f);
	fclose(f);
	rc = adapter_map_load(t->path, &env, &t->map, &t->err);
	unlink(t->path);
	rmdir(dir);
	while ((at = strstr(t->err.text, dir)))
		memmove(at, at + strlen(dir) + 1, strlen(at + strlen(dir) + 1) + 1);
	return rc;
}

static inline enum bus_err map_try_bind(struct map_try *t, const char *schema)
{
	enum bus_err rc = schema_parse(bus_str(schema), SCHEMA_STRICT, NULL, 0, &t->schema, &t->err);
	char *slash;

	if (rc == BUS_OK)
		rc = adapter_map_bind(t->map, t->schema, &t->err);
	slash = strstr(t->err.text, "/map.yaml");
	if (slash)
		memmove(t->err.text, slash + 1, strlen(slash + 1) + 1);
	return rc;
}

/* The file's bytes, borrowed until map_try_close. */
static inline enum bus_err map_try_open(struct map_try *t, const char *data, size_t n)
{
	enum bus_err rc;

	if (!t->plan) {
		rc = schema_plan(t->schema, NULL, &t->plan, &t->err);
		if (rc != BUS_OK)
			return rc;
		t->reader = schema_reader_new(NULL);
	}
	if (t->source)
		adapter_map_source(t->map)->close(t->source);
	adapter_input_close(&t->in);
	t->in = adapter_input_memory(data, n);
	t->source = NULL;
	rc = adapter_map_begin(t->map, &t->err);
	return rc != BUS_OK ? rc : adapter_map_open_source(t->map, t->in, &t->source, &t->err);
}

/* The next row: the record as JSON ({"nama":"ADI"}), or "class field" of the refusal, or "" at the end. Flags
 * follow after " +". */
static inline const char *map_try_next(struct map_try *t)
{
	const struct adapter_class *class;
	struct schema_json_sink sink;
	struct bus_json_out out = { .buf = &t->json };
	enum bus_err rc = adapter_map_source(t->map)->next(t->source, &t->row, &t->err);
	size_t n;

	bus_buf_reset(&t->json);
	if (rc == BUS_ENOENT)
		return "";
	if (rc == BUS_OK)
		rc = adapter_map_row(t->map, &t->row, &t->result, &t->err);
	class = adapter_map_classes(t->map, &n);
	if (rc == BUS_OK && t->result.fate == ADAPTER_REFUSE) {
		bus_buf_printf(&t->json, "%s %s", class[t->result.reason].name,
			       t->result.field ? t->result.field : "-");
	} else if (rc == BUS_OK) {
		schema_json_sink_init(&sink, &out, SCHEMA_JSON_PLAIN);
		rc = schema_read(t->reader, t->plan, t->result.value, &sink.sink, &t->err);
	}
	if (rc != BUS_OK)
		return t->err.text;
	for (size_t i = 0; i < t->result.n_flags; i++)
		bus_buf_printf(&t->json, " +%s", class[t->result.flag[i]].name);
	return bus_buf_cstr(&t->json);
}

static inline void map_try_close(struct map_try *t)
{
	if (t->source)
		adapter_map_source(t->map)->close(t->source);
	adapter_input_close(&t->in);
	bus_buf_release(&t->json);
	schema_reader_free(&t->reader);
	schema_plan_free(&t->plan);
	schema_unref(&t->schema);
	adapter_map_free(&t->map);
}

#endif
