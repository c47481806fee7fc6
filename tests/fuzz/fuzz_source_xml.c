#include "tests/support/fuzz_source.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const wanted[] = { "nik", "@id", "a/b/text()", "t[@j='x'][2]", ".", "*[2]" };

	fuzz_source(&adapter_source_xml, "{rows: //d/row}", wanted, BUS_LEN(wanted), data, size);
	return 0;
}
