#include "gateway/door.h"

#include <stdio.h>

#include "gateway/docs/openapi_doc.h"
#include "gateway/national/signer.h"
#include "gateway/restproxy/rp.h"
#include "gateway/serve/problem.h"

_Static_assert(GW_READER_NAME_MAX <= BUS_HTTP_WHO_MAX, "a payer is a reader");

static bool needs_key(const struct bus_http_request *req)
{
	const char *method = bus_http_method(req);

	return !gw_operation_of(strcmp(method, "HEAD") == 0 ? "GET" : method, bus_http_pattern(req))->open;
}

void gw_door_refuse(struct bus_http_request *req, const char *code, const char *detail)
{
	const int status = gw_problem_find(code)->status;
	char hint[64];

	if (gw_rp_path(req)) {
		gw_rp_fail(req, status == 401 ? GW_RP_KEY_UNKNOWN : GW_RP_KAFKA_RETRY,
			   detail ? detail : gw_problem_title(code, true));
		return;
	}
	snprintf(hint, sizeof(hint), "/problems/%s", code);
	gw_problem(req, code, detail, hint);
}

bool gw_door_knows(void *ctx, struct bus_http_request *req, char payer[BUS_HTTP_WHO_MAX])
{
	struct gw_api *api = ctx;
	const bool rp = gw_rp_path(req);
	char password[GW_KEY_LEN + 1];
	const char *key = rp ? gw_rp_key(req, password) : gw_api_key(req);
	enum bus_err rc = BUS_EDENIED;

	switch (gw_signer_look(api, req, payer)) {
	case GW_SIGNED_NOT:
		break;
	case GW_SIGNED:
		return true;
	case GW_SIGNED_REFUSED:
		return false;
	}
	payer[0] = '\0';
	if (key)
		rc = gw_access_reader(api->access, key, payer);
	explicit_bzero(password, sizeof(password));
	if (!rc || !needs_key(req))
		return true;
	if (rp)
		gw_rp_unknown(req, key ? "key-unknown" : "key-missing");
	else
		gw_api_unknown(req, key ? "key-unknown" : "key-missing");
	return false;
}
