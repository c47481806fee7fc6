/* A sample of data, of a format that the first byte chooses: whatever it is, the draft is a schema that
 * parses. */
#include <assert.h>
#include <stddef.h>

#include "schemas/catalogue/derive.h"
#include "schemas/catalogue/lint.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void count(void *ctx, const struct schema_guess *g)
{
	assert(g->path[0] && g->why.en && g->why.id && strchr("NPUSA", g->class));
	++*(size_t *)ctx;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct schema_draft draft = { "Contoh", "id.go.pekanbaru.opd.v1", "pku.opd.contoh.v1", NULL };
	struct bus_buf text = { 0 };
	struct schema_derive *d = NULL;
	struct schema *s = NULL;
	struct schema_lint lint;
	struct bus_error err;
	size_t n = 0;

	if (size == 0 || schema_derive_open((struct bus_str){ (const char *)data + 1, size - 1 },
					    (enum schema_sample)(data[0] & 3), &d, &err) != BUS_OK)
		return 0;
	schema_derive_put(d, &draft, &text);
	assert(schema_parse(bus_buf_str(&text), SCHEMA_STRICT, NULL, 0, &s, &err) == BUS_OK);
	schema_derive_guesses(d, count, &n);
	assert(n >= schema_root(s)->n);
	schema_lint(s, true, &lint);
	schema_lint_release(&lint);
	schema_unref(&s);
	schema_derive_free(&d);
	bus_buf_release(&text);
	return 0;
}
