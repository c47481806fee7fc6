#include "gateway/hook/retry.h"

#include <stdio.h>
#include <strings.h>
#include <time.h>

#define DAY_MS (INT64_C(24) * 3600 * 1000)
#define MINUTE_MS INT64_C(60000)

enum bus_err gw_hook_schedule_read(char *const *text, size_t n, int64_t give_up, struct gw_hook_schedule *out,
				   struct bus_error *err)
{
	static const struct {
		const char *name;
		int64_t ms;
	} unit[] = { { "ms", 1 }, { "s", 1000 }, { "m", 60 * 1000 }, { "h", 3600 * 1000 } };

	*out = (struct gw_hook_schedule){ .give_up = give_up };
	if (n == 0 || n > GW_HOOK_RETRIES_MAX)
		return bus_fail(err, BUS_EINVAL, "webhooks.retry: 1 to %d times", GW_HOOK_RETRIES_MAX);
	for (size_t i = 0; i < n; i++) {
		char *end;
		long long v = strtoll(text[i], &end, 10);
		int64_t ms = 0;

		for (size_t k = 0; k < BUS_LEN(unit) && end > text[i] && v > 0 && v < 1000000; k++)
			if (strcmp(end, unit[k].name) == 0)
				ms = v * unit[k].ms;
		if (ms == 0)
			return bus_fail(err, BUS_EINVAL, "webhooks.retry: '%s' is not a time like 5s, 5m, 2h",
					text[i]);
		out->after[out->n++] = ms;
	}
	return BUS_OK;
}

void gw_hook_begin(const struct gw_hook_sub *s, struct gw_hook_pos *p)
{
	if (p->round != s->round || p->epoch == 0) {
		p->reset = p->epoch != 0 && s->anew;
		memcpy(p->cursor, s->from, sizeof(p->cursor));
	}
	p->epoch = s->epoch;
	p->round = s->round;
	p->failures = 0;
	p->failing_since = 0;
	p->next = 0;
	p->allowed_rate = 0;
	p->reason = s->suspended ? GW_HOOK_ASKED : GW_HOOK_NONE;
	p->state = s->suspended			   ? GW_HOOK_SUSPENDED
		   : s->format == GW_HOOK_STANDARD ? GW_HOOK_ACTIVE
						   : GW_HOOK_VALIDATING;
}

static void fail(const struct gw_hook_schedule *s, struct gw_hook_pos *p, const struct gw_hook_result *r,
		 int64_t now, uint32_t chance)
{
	size_t step = p->failures < (int64_t)s->n ? (size_t)p->failures : s->n - 1;
	int64_t wait = s->after[step];

	p->failures++;
	if (!p->failing_since)
		p->failing_since = now;
	if (now - p->failing_since >= s->give_up) {
		p->state = GW_HOOK_SUSPENDED;
		p->reason = GW_HOOK_FAILING;
		return;
	}
	if (r->retry_after >= 0 && (r->status == 429 || r->status == 503))
		p->next = now + (r->retry_after < DAY_MS ? r->retry_after : DAY_MS);
	else
		p->next = now + wait + wait / 10 * (chance % 1001) / 1000;
}

bool gw_hook_after(const struct gw_hook_schedule *s, struct gw_hook_pos *p, const struct gw_hook_result *r,
		   int64_t now, uint32_t chance)
{
	p->last_at = now;
	p->last_status = r->status;
	snprintf(p->last_why, sizeof(p->last_why), "%s", r->status ? "" : r->why);
	if (r->status >= 200 && r->status < 300) {
		p->failures = 0;
		p->failing_since = 0;
		p->next = 0;
		return true;
	}
	if (r->status == 410) {
		p->state = GW_HOOK_SUSPENDED;
		p->reason = GW_HOOK_GONE;
		return false;
	}
	fail(s, p, r, now, chance);
	return false;
}

int64_t gw_hook_retry_after(const char *text, int64_t now)
{
	struct tm tm = { 0 };
	const char *end;
	char *rest;
	long long s;
	int64_t at;

	if (!*text)
		return -1;
	if (strspn(text, "0123456789") == strlen(text)) {
		s = strtoll(text, &rest, 10);
		return s > DAY_MS / 1000 ? DAY_MS : s * 1000;
	}
	end = strptime(text, "%a, %d %b %Y %H:%M:%S GMT", &tm);
	if (!end || *end)
		return -1;
	at = (int64_t)timegm(&tm) * 1000;
	return at > now ? at - now : 0;
}

bool gw_hook_allowed(const char *origins, const char *origin)
{
	size_t want = strlen(origin);

	if (strcmp(origins, "*") == 0)
		return true;
	while (*origins) {
		size_t n = strcspn(origins, ", ");

		if (n == want && strncasecmp(origins, origin, n) == 0)
			return true;
		origins += n;
		origins += strspn(origins, ", ");
	}
	return false;
}

int64_t gw_hook_allowed_rate(const char *text)
{
	char *end;
	long long n = strtoll(text, &end, 10);

	return *text && !*end && n > 0 && n <= GW_HOOK_RATE_MAX ? n : 0;
}

int64_t gw_hook_spacing(int64_t rate, int64_t allowed)
{
	int64_t least = rate && allowed ? (rate < allowed ? rate : allowed) : rate + allowed;

	return least ? (MINUTE_MS + least - 1) / least : 0;
}
