#include "gateway/figures/suppress.h"

#include <stdlib.h>
#include <string.h>

#include "bus/buf.h"
#include "bus/crypto.h"

struct place {
	uint8_t digest[BUS_SHA256_LEN];
	size_t i;
};

static int by_digest(const void *a, const void *b)
{
	return memcmp(((const struct place *)a)->digest, ((const struct place *)b)->digest, BUS_SHA256_LEN);
}

static struct place *order_of(const char *salt, const char *const *area, size_t n)
{
	struct place *place = bus_xcalloc(n + 1, sizeof(*place));
	struct bus_buf text = { 0 };

	for (size_t i = 0; i < n; i++) {
		bus_buf_reset(&text);
		bus_buf_printf(&text, "%s/%s", salt, area[i]);
		bus_sha256(text.p, text.n, place[i].digest);
		place[i].i = i;
	}
	bus_buf_release(&text);
	qsort(place, n, sizeof(*place), by_digest);
	return place;
}

bool gw_figures_suppress(const char *salt, const char *const *area, const int64_t *count, size_t n, int64_t k,
			 bool *told)
{
	struct place *place;
	int64_t m = 0, sum = 0, added = 0;

	for (size_t i = 0; i < n; i++) {
		told[i] = count[i] >= k;
		if (!told[i]) {
			m++;
			sum += count[i];
		}
	}
	if (m == 0)
		return n > 0;
	place = order_of(salt, area, n);
	for (size_t p = 0; p < n && (added == 0 || sum < (m + 2) * k); p++) {
		size_t i = place[p].i;

		if (!told[i])
			continue;
		told[i] = false;
		sum += count[i];
		m++;
		added++;
	}
	free(place);
	if (added > 0 && sum >= (m + 2) * k)
		return true;
	for (size_t i = 0; i < n; i++)
		told[i] = false;
	return false;
}
