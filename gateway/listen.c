#include "gateway/listen.h"

#include "gateway/door.h"
#include "gateway/national/signer.h"
#include "gateway/publish/publish.h"
#include "gateway/restproxy/rp.h"

enum bus_err gw_listen(const struct gw_options *c, struct gw_api *api, struct bus_http **http,
		       struct bus_http **ops, struct bus_error *err)
{
	static const struct bus_http_large large[] = {
		{ "/v1/topics/{topic}/records", GW_PUBLISH_BODY_MAX, true },
		{ "/topics/{topic}", GW_PUBLISH_BODY_MAX, true },
		{ "/topics/{topic}/partitions/{partition}", GW_PUBLISH_BODY_MAX, true },
		{ 0 }
	};
	/* The form's is what curl -d says of any body, and the text's what browsers say. */
	static const char *const types[] = { "application/json",
					     "+json",
					     "application/sql",
					     "application/x-ndjson",
					     "application/ndjson",
					     "application/jsonl",
					     "application/vnd.apache.avro",
					     "application/vnd.apache.avro+binary",
					     "application/avro",
					     "avro/binary",
					     "avro/json",
					     "application/octet-stream",
					     "application/x-www-form-urlencoded",
					     "text/plain",
					     NULL };
	const struct bus_http_conf front = { .address = c->address,
					     .port = (int)c->port,
					     .threads = (int)c->threads,
					     .connections = (int)c->connections,
					     .exposed = true, /* a proxy that speaks TLS stands before it */
					     .refuse = gw_rp_refuse,
					     .problem_type = GW_RP_TYPE,
					     .write_error = gw_rp_write_error,
					     .own_shape = gw_rp_path,
					     .large = large,
					     .types = types,
					     .origins = c->origins,
					     .gzip = true,
					     .knows = gw_door_knows,
					     .admit = gw_signer_admit,
					     .finish = gw_signer_finish,
					     .program = "gateway" };
	const struct bus_http_conf side = { .address = c->ops_address,
					    .port = (int)c->ops_port,
					    .threads = 1,
					    .connections = 64,
					    .exposed = true,
					    .program = "gateway-ops" };
	enum bus_err rc = bus_http_start(&side, gw_ops_routes, api, ops, err);

	return rc ? rc : bus_http_start(&front, gw_api_routes, api, http, err);
}
