#include "tests/support/fuzz_source.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const wanted[] = { "nip", "gelar_belakang" };

	fuzz_source(&adapter_source_pgdump, "table: simpeg.pegawai", wanted, BUS_LEN(wanted), data, size);
	return 0;
}
