/* Any text as a schema: parsed, its forms written, compared with itself, planned. A schema without namespaces
 * must read back from its own text as the same (with them, Java's text itself can say another thing). */
#include <assert.h>
#include <stdint.h>

#include "schemas/avro/canon.h"
#include "schemas/avro/compat.h"
#include "schemas/avro/read.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(const struct schema *s, struct bus_str original)
{
	struct bus_buf text = { 0 };
	struct bus_buf again = { 0 };
	struct schema *copy = NULL;
	enum bus_err rc;

	schema_to_string(s, &text);
	rc = schema_parse(bus_buf_str(&text), SCHEMA_LENIENT, NULL, 0, &copy, NULL);
	if (!memchr(original.p, '.', original.n) && !memmem(original.p, original.n, "namespace", 9) &&
	    !memchr(original.p, '\\', original.n)) {
		assert(rc == BUS_OK);
		schema_to_string(copy, &again);
		assert(bus_str_eq(bus_buf_str(&text), bus_buf_str(&again)));
		bus_buf_reset(&text);
		bus_buf_reset(&again);
		schema_canonical(s, &text);
		schema_canonical(copy, &again);
		assert(bus_str_eq(bus_buf_str(&text), bus_buf_str(&again)));
	}
	schema_unref(&copy);
	bus_buf_release(&text);
	bus_buf_release(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct bus_str text = { (const char *)data, size };
	struct schema_verdict why;
	struct schema_plan *plan = NULL;
	struct schema *strict = NULL;
	struct schema *s = NULL;
	struct bus_error err;

	if (size == 0 || schema_parse(text, SCHEMA_LENIENT, NULL, 0, &s, &err) != BUS_OK)
		return 0;
	check_text(s, text);
	if (schema_plan(s, NULL, &plan, NULL) == BUS_OK)
		schema_plan_free(&plan);
	if (schema_parse(text, SCHEMA_STRICT, NULL, 0, &strict, &err) == BUS_OK) {
		schema_can_read(strict, s, &why);
		schema_verdict_release(&why);
		if (schema_plan(strict, s, &plan, NULL) == BUS_OK)
			schema_plan_free(&plan);
	}
	schema_unref(&strict);
	schema_unref(&s);
	return 0;
}
