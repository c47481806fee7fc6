/* Any bytes as a file of residents or of visits, through the shipped mappings: nothing may go wrong, what is
 * published must be a record of the schema, and no NIK may stand in a key or in a reason. The first byte
 * chooses. */
#include <assert.h>

#include "adapters/input.h"
#include "tests/support/map_support.h"

#include "schemas/avro/read.h"

struct feed {
	struct adapter_map *map;
	struct schema *schema;
	struct schema_plan *plan;
};

static void load(struct feed *f, const char *name)
{
	struct bus_error err;

	f->map = map_support_load(name, name);
	f->schema = map_support_schema(name);
	if (schema_plan(f->schema, NULL, &f->plan, &err) != BUS_OK)
		abort();
}

/* A NIK of the row must not be in the key: 16 digits of it in a row. */
static bool sixteen_digits(struct bus_str s)
{
	size_t run = 0;

	for (size_t i = 0; i < s.n; i++) {
		run = s.p[i] >= '0' && s.p[i] <= '9' ? run + 1 : 0;
		if (run == 16)
			return true;
	}
	return false;
}

static void one_row(struct feed *f, struct schema_reader *reader, const struct adapter_row *row)
{
	static const struct schema_sink nowhere;
	struct adapter_result r;
	struct bus_error err;

	if (adapter_map_row(f->map, row, &r, &err) != BUS_OK)
		abort();
	if (r.fate == ADAPTER_REFUSE) {
		assert(!sixteen_digits(bus_str(r.detail)));
		return;
	}
	assert(r.key.n > 0);
	if (schema_read(reader, f->plan, r.value, &nowhere, &err) != BUS_OK)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct feed feeds[8];
	static const char *const names[] = { "disdukcapil/penduduk",  "dinkes/kunjungan",
					     "disdukcapil/peristiwa", "dinsos/bansos",
					     "disdik/siswa",	      "bapenda/pbb",
					     "dpmptsp/nib",	      "bkpsdm/asn" };
	static struct schema_reader *reader;
	struct adapter_input *in;
	struct adapter_row row;
	struct bus_error err;
	struct feed *f;
	void *source = NULL;

	if (!reader) {
		for (size_t i = 0; i < BUS_LEN(names); i++)
			load(&feeds[i], names[i]);
		reader = schema_reader_new(NULL);
	}
	if (size == 0)
		return 0;
	f = &feeds[data[0] % BUS_LEN(feeds)];
	in = adapter_input_memory(data + 1, size - 1);
	if (adapter_map_begin(f->map, &err) != BUS_OK)
		abort();
	if (adapter_map_open_source(f->map, in, &source, &err) == BUS_OK) {
		while (adapter_map_source(f->map)->next(source, &row, &err) == BUS_OK)
			one_row(f, reader, &row);
		adapter_map_source(f->map)->close(source);
	}
	adapter_input_close(&in);
	return 0;
}
