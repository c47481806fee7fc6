#include "adapters/quiet.h"

#include <stdio.h>

#define DAY_MIN (24 * 60)
#define WIB_MIN (7 * 60)

enum bus_err adapter_quiet_parse(const char *text, struct adapter_quiet *out, struct bus_error *err)
{
	int h1, m1, h2, m2, end = 0;

	out->from = out->until = 0;
	if (!text[0])
		return BUS_OK;
	if (sscanf(text, "%2d:%2d-%2d:%2d%n", &h1, &m1, &h2, &m2, &end) != 4 || text[end] || h1 < 0 ||
	    h1 > 23 || m1 < 0 || m1 > 59 || h2 < 0 || h2 > 24 || m2 < 0 || m2 > 59 || h2 * 60 + m2 > DAY_MIN)
		return bus_fail(err, BUS_EINVAL,
				"quiet_hours.at: write the hours in WIB as 07:30-16:00, not '%s'", text);
	out->from = h1 * 60 + m1;
	out->until = h2 * 60 + m2;
	if (out->from == out->until)
		return bus_fail(err, BUS_EINVAL, "quiet_hours.at: '%s' is no time at all", text);
	return BUS_OK;
}

bool adapter_quiet_now(const struct adapter_quiet *q, int64_t wall_ms)
{
	int now = (int)((wall_ms / 60000 + WIB_MIN) % DAY_MIN);

	if (q->from <= q->until)
		return now >= q->from && now < q->until;
	return now >= q->from || now < q->until;
}
