/* Any two schemas and any datum, three parts with U+0000 between them: judged both ways, planned, read. */
#include <stdint.h>

#include "schemas/avro/compat.h"
#include "schemas/avro/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct schema *next_schema(const uint8_t **p, size_t *n)
{
	const uint8_t *end = memchr(*p, 0, *n);
	struct bus_error err;
	struct schema *s = NULL;

	if (!end)
		return NULL;
	(void)!schema_parse((struct bus_str){ (const char *)*p, (size_t)(end - *p) }, SCHEMA_LENIENT, NULL, 0,
			    &s, &err);
	*n -= (size_t)(end - *p) + 1;
	*p = end + 1;
	return s;
}

static void read_datum(struct schema *w, struct schema *r, struct bus_str datum)
{
	const struct schema_limits limits = { .depth = 40, .items = 1000, .bytes = 1000 };
	struct schema_reader *machine = schema_reader_new(&limits);
	struct schema_plan *plan = NULL;
	struct bus_buf json = { 0 };
	struct bus_json_out out = { .buf = &json };
	struct schema_json_sink sink;
	struct bus_error err;

	schema_json_sink_init(&sink, &out, SCHEMA_JSON_AVRO);
	if (schema_plan(w, r, &plan, &err) == BUS_OK)
		(void)!schema_read(machine, plan, datum, &sink.sink, &err);
	schema_plan_free(&plan);
	schema_reader_free(&machine);
	bus_buf_release(&json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *p = data;
	size_t n = size;
	struct schema *w = next_schema(&p, &n);
	struct schema *r = w ? next_schema(&p, &n) : NULL;

	if (r) {
		(void)schema_can_read(r, w, NULL);
		(void)schema_can_read(w, r, NULL);
		read_datum(w, r, (struct bus_str){ (const char *)p, n });
	}
	schema_unref(&w);
	schema_unref(&r);
	return 0;
}
