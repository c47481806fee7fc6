/* What follows the first byte is a file: a flat document, so that the fuzzer need not learn ZIP; or a whole .ods. */
#include "tests/support/fuzz_source.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const confs[] = {
		"{skip_rows: [{column: NO, prefix: JUMLAH}]}",
		"{range: \"B2:F\", header_rows: 2, fill_merged: true, until_empty: true}",
		"{header: 1, end_row: {column: NO, empty: true}, sheet: 2}",
		"{header_rows: 0, columns: [NO, NAMA], fill_merged: true, sheet: 1}",
	};
	static const char *const wanted[] = { "NO", "NAMA" };

	if (size < 1)
		return 0;
	fuzz_source(&adapter_source_ods, confs[data[0] & 3], wanted, BUS_LEN(wanted), data + 1, size - 1);
	return 0;
}
