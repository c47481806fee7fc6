#include "tests/support/fuzz_source.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const wanted[] = { "id", "nik", "faskes.kode", "diagnosa", "faskes" };

	fuzz_source(&adapter_source_jsonl, "{}", wanted, BUS_LEN(wanted), data, size);
	return 0;
}
