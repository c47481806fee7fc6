#include "tests/support/fuzz_source.h"

/* The first byte chooses the options, so that one target covers them all. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const confs[] = {
		"{separator: '|', quote: none}",
		"{separator: ';', title_rows: 3, header_rows: 2, skip_rows: [{column: NO, empty: true}, "
		"{column: NIK, prefix: J}], end_row: {column: NIK, equals: JUMLAH SELURUHNYA}}",
		"{encoding: windows-1252}",
		"{header_rows: 0, columns: [NO, NIK], encoding: latin-1}",
	};
	static const char *const wanted[] = { "NIK", "NO" };

	if (size > 0)
		fuzz_source(&adapter_source_delimited, confs[data[0] % BUS_LEN(confs)], wanted,
			    data[0] % BUS_LEN(confs) == 0 ? 1 : 2, data + 1, size - 1);
	return 0;
}
