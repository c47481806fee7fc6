#include "adapters/pace.h"

/* The generic cell rate algorithm (ITU-T I.371): a moment instead of a bucket. */
static int64_t take(int64_t *paid_us, int64_t rate, int64_t now_us, int64_t n)
{
	if (rate <= 0)
		return 0;
	if (*paid_us < now_us - ADAPTER_PACE_BURST_US)
		*paid_us = now_us - ADAPTER_PACE_BURST_US;
	*paid_us += n * 1000000 / rate;
	return *paid_us > now_us ? *paid_us - now_us : 0;
}

int64_t adapter_pace_take(struct adapter_pace *p, int64_t now_us, int64_t rows, int64_t bytes)
{
	int64_t a = take(&p->rows_us, p->rows, now_us, rows), b = take(&p->bytes_us, p->bytes, now_us, bytes);

	return a > b ? a : b;
}
