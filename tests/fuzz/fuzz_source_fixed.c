#include "tests/support/fuzz_source.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char conf[] =
	    "{encoding: latin-1, header: {record: H}, data: {record: D, length: 163, fields: "
	    "{NOP: [2, 19], NAMA: [40, 69], TERUTANG: [131, 142]}}, trailer: {record: T, controls: "
	    "{baris: {at: [2, 11], count: true}, terutang: {at: [12, 29], sum: TERUTANG}}}}";
	static const char *const wanted[] = { "NOP", "NAMA", "TERUTANG" };

	fuzz_source(&adapter_source_fixed, conf, wanted, BUS_LEN(wanted), data, size);
	return 0;
}
