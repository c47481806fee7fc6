/* Any bytes as a container file, read to its end or its first error; and what was read written again and read
 * back the same. */
#include <assert.h>
#include <stdint.h>

#include "schemas/avro/json.h"
#include "schemas/avro/ocf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct source {
	const uint8_t *p;
	size_t n;
};

static enum bus_err give(void *ctx, void *p, size_t n, size_t *got, struct bus_error *err)
{
	struct source *s = ctx;

	(void)err;
	*got = n < s->n ? n : s->n;
	if (*got > 0)
		memcpy(p, s->p, *got);
	s->p += *got;
	s->n -= *got;
	return BUS_OK;
}

static enum bus_err take(void *ctx, const void *p, size_t n, struct bus_error *err)
{
	(void)err;
	bus_buf_put(ctx, p, n);
	return BUS_OK;
}

/* The data of the file, put together; copy (may be NULL) gets them record by record. */
static enum bus_err read_all(struct source s, struct bus_buf *data, struct bus_buf *copy)
{
	const struct schema_ocf_limits limits = { .header = 65536,
						  .block = 1 << 20,
						  .datum = { .items = 10000 } };
	static const struct schema_sink nobody;
	struct schema_ocf_reader *r = NULL;
	struct schema_ocf_writer *w = NULL;
	struct schema_plan *plan = NULL;
	struct bus_error err;
	enum bus_err rc = schema_ocf_open(give, &s, &limits, &r, &err);
	bool more = true;

	if (rc == BUS_OK)
		rc = schema_plan(schema_ocf_schema(r), NULL, &plan, &err);
	if (rc == BUS_OK && copy)
		rc = schema_ocf_create(schema_ocf_schema(r), schema_ocf_codec(r), NULL, 0, NULL, take, copy,
				       &w, &err);
	while (rc == BUS_OK && more) {
		rc = schema_ocf_next(r, plan, &nobody, &more, &err);
		if (rc == BUS_OK && more) {
			struct bus_str datum = schema_ocf_datum(r);

			bus_buf_put(data, datum.p, datum.n);
			if (w)
				assert(schema_ocf_append(w, datum, &err) == BUS_OK);
		}
	}
	if (w)
		assert(schema_ocf_finish(&w, &err) == BUS_OK);
	schema_plan_free(&plan);
	schema_ocf_close(&r);
	return rc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bus_buf once = { 0 };
	struct bus_buf again = { 0 };
	struct bus_buf copy = { 0 };

	/* Names that only a lenient reader takes in its own text may not come back: the copy is then no file.
	 */
	if (read_all((struct source){ data, size }, &once, &copy) == BUS_OK && once.n < 60000 &&
	    read_all((struct source){ (const uint8_t *)copy.p, copy.n }, &again, NULL) == BUS_OK)
		assert(bus_str_eq(bus_buf_str(&once), bus_buf_str(&again)));
	bus_buf_release(&once);
	bus_buf_release(&again);
	bus_buf_release(&copy);
	return 0;
}
