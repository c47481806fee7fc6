/* tests/support/fuzz_source.h - a source kind under the fuzzer: reads all rows and touches every byte it
 * gives. */
#ifndef TESTS_SUPPORT_FUZZ_SOURCE_H
#define TESTS_SUPPORT_FUZZ_SOURCE_H

#include <assert.h>

#include "adapters/adapter.h"
#include "adapters/input.h"
#include "bus/utf8.h"

static inline void fuzz_cell(const struct adapter_cell *c)
{
	if (c->kind == ADAPTER_TEXT || c->kind == ADAPTER_NUMBER)
		assert(c->text.n == 0 || bus_utf8_ok(c->text.p, c->text.n) == c->text.n);
	if (c->kind == ADAPTER_TREE)
		assert(c->tree);
}

static inline void fuzz_rows(const struct adapter_source_kind *kind, void *source, struct adapter_input *in)
{
	uint64_t line = 0, rows = 0;
	struct adapter_row row;
	struct adapter_end end;
	volatile char last;
	enum bus_err rc;

	while ((rc = kind->next(source, &row, NULL)) == BUS_OK) {
		assert(row.line >= line && row.line <= adapter_input_lines(in) && row.line >= 1);
		assert(row.raw.n <= ADAPTER_ROW_MAX && !row.defect == !row.detail);
		line = row.line;
		if (row.raw.n > 0)
			last = row.raw.p[row.raw.n - 1];
		for (size_t i = 0; !row.defect && i < row.n_cells; i++)
			fuzz_cell(&row.cell[i]);
		assert(++rows < 10000000);
	}
	(void)last;
	if (rc == BUS_ENOENT)
		kind->end(source, &end);
}

static inline void fuzz_source(const struct adapter_source_kind *kind, const char *conf,
			       const char *const *wanted, size_t n_wanted, const uint8_t *data, size_t size)
{
	struct adapter_input *in = adapter_input_memory(data, size);
	struct bus_yaml *y = NULL;
	void *source = NULL;
	char hex[65];

	if (bus_yaml_parse("fuzz", 1, conf, strlen(conf), &y, NULL) != BUS_OK)
		abort();
	if (kind->open(y, bus_yaml_root(y), in, wanted, n_wanted, &source, NULL) == BUS_OK) {
		fuzz_rows(kind, source, in);
		kind->close(source);
	}
	if (adapter_input_sha256(in, hex, NULL) != BUS_OK || adapter_input_bytes(in) != size)
		abort();
	bus_yaml_free(&y);
	adapter_input_close(&in);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
