/* gateway/hook/retry.h - what an answer means for a subscription: on, again later, or stop. Pure: the time, the
 * schedule and chance are arguments. Thread: any. */
#ifndef GATEWAY_HOOK_RETRY_H
#define GATEWAY_HOOK_RETRY_H

#include "gateway/hook/sub.h"

#define GW_HOOK_RETRIES_MAX 32

struct gw_hook_schedule {
	int64_t after
	    [GW_HOOK_RETRIES_MAX]; /* ms: from the first failure to the second try, and so on; the last repeats */
	size_t n;
	int64_t give_up; /* ms of failing, after which it is suspended */
};

struct gw_hook_result {
	int status;	     /* 0: no answer */
	const char *why;     /* then why; static */
	int64_t retry_after; /* ms, as the answer says; -1: it does not */
};

/* "5s", "5m" ...: BUS_EINVAL names the bad one. */
enum bus_err gw_hook_schedule_read(char *const *text, size_t n, int64_t give_up, struct gw_hook_schedule *out,
				   struct bus_error *err) BUS_MUSTCHECK;

/* A subscription begins, or begins anew, at the position p as it is: `active`, or `validating` when the receiver
 * must first agree. */
void gw_hook_begin(const struct gw_hook_sub *s, struct gw_hook_pos *p);

/* After a request. 2xx: failures are forgotten. 410: suspended for good, until its reader resumes it. Anything
 * else, a redirect too: again after the schedule's next step with up to a tenth more by chance, or when Retry-After
 * of a 429 or 503 says (at most a day); suspended when it has failed for give_up. now: wall ms. True: a 2xx. */
bool gw_hook_after(const struct gw_hook_schedule *s, struct gw_hook_pos *p, const struct gw_hook_result *r,
		   int64_t now, uint32_t chance);

/* Retry-After: seconds, or a date of HTTP; ms from now, -1: neither. */
int64_t gw_hook_retry_after(const char *text, int64_t now);

/* WebHook-Allowed-Origin and -Rate of an answer to OPTIONS (CloudEvents, HTTP webhook 4.2): does it agree? */
bool gw_hook_allowed(const char *origins, const char *origin);
int64_t gw_hook_allowed_rate(const char *text); /* requests a minute; 0: no limit, or none said */
/* ms between two requests for both limits; 0: none. */
int64_t gw_hook_spacing(int64_t rate, int64_t allowed);

#endif
