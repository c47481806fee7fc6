#include "tests/support/fuzz_source.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const wanted[] = { "a", "nama" };

	fuzz_source(&adapter_source_sqldump, "table: t", wanted, BUS_LEN(wanted), data, size);
	return 0;
}
