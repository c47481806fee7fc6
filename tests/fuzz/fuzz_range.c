/* A Range from outside: a part is always within the file. */
#include <assert.h>

#include "bus/mem.h"
#include "gateway/export/range.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const int64_t sizes[] = { 1, 10000, INT64_MAX };
	char *text = bus_xstrndup((const char *)data, size);

	for (size_t i = 0; i < BUS_LEN(sizes); i++) {
		int64_t from = -1, n = -1;

		if (gw_range_of(text, sizes[i], &from, &n) == GW_RANGE_PART)
			assert(from >= 0 && n > 0 && from <= sizes[i] - n);
		else
			assert(from == -1 && n == -1);
	}
	free(text);
	return 0;
}
