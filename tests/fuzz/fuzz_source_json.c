#include "tests/support/fuzz_source.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const wanted[] = { "nib", "pelaku.nik", "proyek.0", "lokasi.@lon" };

	fuzz_source(&adapter_source_json, "{rows: data}", wanted, BUS_LEN(wanted), data, size);
	return 0;
}
