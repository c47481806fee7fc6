#include "gateway/export/range.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static bool digits(const char **p, int64_t *out)
{
	char *end;

	if (**p < '0' || **p > '9')
		return false;
	*out = strtoll(*p, &end, 10); /* too large for it: the largest there is, which is outside of any file */
	*p = end;
	return true;
}

enum gw_range gw_range_of(const char *text, int64_t size, int64_t *from, int64_t *n)
{
	int64_t first = 0, last = 0;
	bool has_first, has_last;

	if (!text || strncmp(text, "bytes=", 6) != 0)
		return GW_RANGE_WHOLE;
	text += 6;
	has_first = digits(&text, &first);
	if (*text++ != '-')
		return GW_RANGE_WHOLE;
	has_last = digits(&text, &last);
	if (*text || (!has_first && !has_last) || (has_first && has_last && last < first))
		return GW_RANGE_WHOLE;
	if (!has_first) {
		if (last == 0)
			return GW_RANGE_OUTSIDE;
		first = last < size ? size - last : 0;
		last = size - 1;
	} else if (!has_last || last >= size) {
		last = size - 1;
	}
	if (first >= size)
		return GW_RANGE_OUTSIDE;
	*from = first;
	*n = last - first + 1;
	return GW_RANGE_PART;
}
