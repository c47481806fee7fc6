#include "adapters/change/at.h"

#include <stdio.h>

#include "adapters/change/pgoutput.h"
#include "bus/hex.h"
#include "bus/wire.h"

char *adapter_at_put(const struct adapter_at *at, char *out)
{
	char lsn[ADAPTER_PG_LSN];

	snprintf(out, ADAPTER_AT_TEXT, "%s:%llu", adapter_pg_lsn(at->lsn, lsn), (unsigned long long)at->n);
	return out;
}

bool adapter_at_read(struct bus_str file, struct bus_str lsn, struct adapter_at *out)
{
	const char *colon = lsn.n ? memchr(lsn.p, ':', lsn.n) : NULL;
	struct adapter_at at = { 0 };

	if (!colon || file.n != BUS_WIRE_FILE_LEN ||
	    !adapter_pg_lsn_read((struct bus_str){ lsn.p, (size_t)(colon - lsn.p) }, &at.lsn))
		return false;
	for (size_t i = 0; i < file.n; i++) {
		int d = bus_hex_digit(file.p[i]);

		if (d < 0)
			return false;
		at.stream = at.stream << 4 | (uint64_t)d;
	}
	for (const char *p = colon + 1; p < lsn.p + lsn.n; p++) {
		if (*p < '0' || *p > '9' || __builtin_mul_overflow(at.n, 10, &at.n) ||
		    __builtin_add_overflow(at.n, (uint64_t)(*p - '0'), &at.n))
			return false;
	}
	if (colon + 1 == lsn.p + lsn.n)
		return false;
	*out = at;
	return true;
}
