#include "gateway/restproxy/budget.h"

#include "bus/shares.h"

#define STRETCH_MS 60000

struct gw_rp_budget {
	int64_t bytes;
	int64_t stretch; /* of which `written` is */
	struct bus_shares *written;
};

struct gw_rp_budget *gw_rp_budget_new(int64_t bytes)
{
	struct gw_rp_budget *b = bus_xcalloc(1, sizeof(*b));

	b->bytes = bytes;
	b->written = bus_shares_new();
	return b;
}

void gw_rp_budget_free(struct gw_rp_budget **b)
{
	if (*b)
		bus_shares_free(&(*b)->written);
	free(*b);
	*b = NULL;
}

static void turn(struct gw_rp_budget *b, int64_t now_ms)
{
	if (now_ms / STRETCH_MS == b->stretch)
		return;
	b->stretch = now_ms / STRETCH_MS;
	bus_shares_free(&b->written);
	b->written = bus_shares_new();
}

void gw_rp_budget_take(struct gw_rp_budget *b, const char *reader, int64_t bytes, int64_t now_ms)
{
	turn(b, now_ms);
	bus_shares_add(b->written, bus_str(reader), bytes);
}

int gw_rp_budget_wait(struct gw_rp_budget *b, const char *reader, int64_t now_ms)
{
	turn(b, now_ms);
	if (bus_shares_of(b->written, bus_str(reader)) < b->bytes)
		return 0;
	return (int)((STRETCH_MS - now_ms % STRETCH_MS + 999) / 1000);
}
