#include "gateway/serve/quota.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

struct gw_meter {
	struct gw_meter *next;
	_Atomic uint64_t state; /* number of the stretch, 32 bits; requests in it, 32 bits */
	char reader[];
};

bool gw_quota_read(const char *text, struct gw_quota *out)
{
	unsigned long requests = 0, n = 1;
	char unit = 0, *end;

	if (*text < '1' || *text > '9')
		return false;
	requests = strtoul(text, &end, 10);
	if (*end++ != '/' || requests > 1000000000)
		return false;
	if (*end >= '1' && *end <= '9')
		n = strtoul(end, &end, 10);
	unit = *end;
	if (!unit || end[1] || n > 10000 || !strchr("smhd", unit))
		return false;
	n *= unit == 's' ? 1 : unit == 'm' ? 60 : unit == 'h' ? 3600 : 86400;
	*out = (struct gw_quota){ (uint32_t)requests, (uint32_t)n };
	return true;
}

struct gw_meter *gw_meter_of(struct gw_meter **list, const char *reader)
{
	struct gw_meter *m;
	size_t n = strlen(reader) + 1;

	for (m = *list; m; m = m->next)
		if (strcmp(m->reader, reader) == 0)
			return m;
	m = bus_xcalloc(1, sizeof(*m) + n);
	memcpy(m->reader, reader, n);
	m->next = *list;
	*list = m;
	return m;
}

void gw_meters_free(struct gw_meter **list)
{
	while (*list) {
		struct gw_meter *m = *list;

		*list = m->next;
		free(m);
	}
}

struct gw_quota_left gw_quota_count(_Atomic uint64_t *state, struct gw_quota q, int64_t now_ms)
{
	struct gw_quota_left l = { .quota = q };
	int64_t window_ms = (int64_t)q.seconds * 1000;
	uint64_t stretch = (uint64_t)(now_ms / window_ms) & UINT32_MAX, had, has;

	had = atomic_load(state);
	do {
		uint32_t used = had >> 32 == stretch ? (uint32_t)had : 0;

		l.over = used >= q.requests;
		l.left = l.over ? 0 : q.requests - used - 1;
		has = stretch << 32 | (l.over ? used : used + 1);
	} while (!atomic_compare_exchange_weak(state, &had, has));
	l.reset_s = (uint32_t)((window_ms - now_ms % window_ms + 999) / 1000);
	return l;
}

struct gw_quota_left gw_quota_take(struct gw_meter *m, struct gw_quota q, int64_t now_ms)
{
	return gw_quota_count(&m->state, q, now_ms);
}

void gw_quota_headers(struct bus_http_request *req, const struct gw_quota_left *l)
{
	char text[80];

	snprintf(text, sizeof(text), "\"opd\";q=%" PRIu32 ";w=%" PRIu32, l->quota.requests, l->quota.seconds);
	bus_http_set(req, "RateLimit-Policy", text);
	snprintf(text, sizeof(text), "\"opd\";r=%" PRIu32 ";t=%" PRIu32, l->left, l->reset_s);
	bus_http_set(req, "RateLimit", text);
	if (l->over) {
		snprintf(text, sizeof(text), "%" PRIu32, l->reset_s);
		bus_http_set(req, "Retry-After", text);
	}
}
