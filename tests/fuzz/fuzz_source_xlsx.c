/* An odd first byte: what follows is a whole file. Else it is the XML of three parts, parted by NUL (sheet, strings,
 * styles), so that the fuzzer need not learn to deflate. */
#include "tests/support/fuzz_source.h"
#include "tests/support/xlsx_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const confs[] = {
		"{skip_rows: [{column: NO, prefix: JUMLAH}]}",
		"{range: \"B2:F\", header_rows: 2, fill_merged: true, until_empty: true}",
		"{header: 1, end_row: {column: NO, empty: true}}",
		"{header_rows: 0, columns: [NO, NAMA], fill_merged: true, sheet: 1}",
	};
	static const char *const wanted[] = { "NO", "NAMA" };
	const char *conf;
	char *text, *part[3], *file;
	size_t n;

	if (size < 1)
		return 0;
	conf = confs[data[0] >> 1 & 3];
	if (data[0] & 1) {
		fuzz_source(&adapter_source_xlsx, conf, wanted, BUS_LEN(wanted), data + 1, size - 1);
		return 0;
	}
	text = bus_xstrndup((const char *)data + 1, size - 1); /* copies to the end, NULs and all */
	memcpy(text, data + 1, size - 1);
	for (size_t i = 0, at = 0; i < BUS_LEN(part); i++) {
		part[i] = text + at;
		at += strlen(text + at);
		at += at < size - 1;
	}
	file = xlsx_file(&(struct xlsx_book){ part[0], NULL, part[1], part[2], NULL, NULL }, &n);
	fuzz_source(&adapter_source_xlsx, conf, wanted, BUS_LEN(wanted), (const uint8_t *)file, n);
	free(file);
	free(text);
	return 0;
}
