/* Who asks, and for what. */
#include <strings.h>

#include "gateway/restproxy/rp.h"

const char *gw_rp_key(const struct bus_http_request *req, char password[GW_KEY_LEN + 1])
{
	const char *key = gw_api_key(req), *header = bus_http_header(req, "Authorization");

	password[0] = '\0';
	return key ? key : header && gw_access_basic(header, password) ? password : NULL;
}

void gw_rp_unknown(struct bus_http_request *req, const char *problem)
{
	gw_rp_fail(req, GW_RP_KEY_UNKNOWN,
		   strcmp(problem, "key-missing") == 0 ? "a key as password (Basic), or as Bearer"
						       : gw_problem_title(problem, true));
}

bool gw_rp_reader(struct gw_api *api, struct bus_http_request *req, char *name)
{
	char password[GW_KEY_LEN + 1];
	const char *problem = gw_api_identify(api, req, gw_rp_key(req, password), name);
	struct gw_quota_left left;

	explicit_bzero(password, sizeof(password));
	if (problem) {
		gw_rp_unknown(req, problem);
		return false;
	}
	if (!gw_access_quota(api->access, name, &left))
		return true;
	gw_quota_headers(req, &left);
	if (left.over)
		gw_rp_fail(req, 429, "The quota of requests is used up: wait for Retry-After");
	return !left.over;
}

bool gw_rp_may_see(struct gw_api *api, const char *reader, const char *topic)
{
	const char *const *clear;
	size_t n;

	return gw_access_publish(api->access, reader, topic, NULL) ||
	       gw_access_topic(api->access, reader, topic, &clear, &n);
}

bool gw_rp_partition(struct bus_http_request *req, int32_t *out)
{
	const char *text = bus_http_part(req, "partition");
	int64_t n = 0;

	for (const char *p = text; *p && n <= INT32_MAX; p++)
		n = *p >= '0' && *p <= '9' ? 10 * n + *p - '0' : INT64_MAX / 20;
	if (*text && n <= INT32_MAX) {
		*out = (int32_t)n;
		return true;
	}
	gw_rp_fail(req, 404, "HTTP 404 Not Found");
	return false;
}
