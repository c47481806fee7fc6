#include "bus/metrics.h"
#include "bus/proc.h"
#include "schemas/registry/feed.h"
#include "schemas/registry/side.h"

#define EDIT(name, alone)                                                                                    \
	static void edit_##name(void *ctx, struct bus_http_request *req)                                     \
	{                                                                                                    \
		schema_registry_change(ctx, req, schema_edit_##name, alone);                                 \
	}

EDIT(register, false)
EDIT(tags, false)
EDIT(delete_context, true)
EDIT(delete_subject, true)
EDIT(delete_version, true)
EDIT(put_config, true)
EDIT(delete_config, true)
EDIT(put_mode, true)
EDIT(delete_mode, true)

#define EDIT_KEYS(name)                                                                                      \
	static void edit_##name(void *ctx, struct bus_http_request *req)                                     \
	{                                                                                                    \
		schema_reply_choose(req);                                                                    \
		schema_registry_change_keys(ctx, req, schema_edit_##name);                                   \
	}

EDIT_KEYS(create_kek)
EDIT_KEYS(put_kek)
EDIT_KEYS(delete_kek)
EDIT_KEYS(undelete_kek)
EDIT_KEYS(create_dek)
EDIT_KEYS(delete_deks)
EDIT_KEYS(undelete_deks)

static void text(struct bus_http_request *req, int status, const char *type, const char *body)
{
	struct bus_buf b = { 0 };

	bus_buf_puts(&b, body);
	bus_http_reply(req, status, type, &b);
}

static void healthz(void *ctx, struct bus_http_request *req)
{
	(void)ctx;
	text(req, 200, "application/json", "{\"status\":\"ok\"}\n");
}

static void readyz(void *ctx, struct bus_http_request *req)
{
	struct schema_registry *r = ctx;

	if (atomic_load(&r->draining))
		text(req, 503, "application/json", "{\"status\":\"draining\"}\n");
	else if (!schema_store_healthy(r->store) || !schema_keys_healthy(r->keys))
		text(req, 503, "application/json", "{\"status\":\"cannot follow the topic\"}\n");
	else
		text(req, 200, "application/json", "{\"status\":\"ready\"}\n");
}

static void metrics(void *ctx, struct bus_http_request *req)
{
	struct schema_registry *r = ctx;
	struct bus_buf b = { 0 };

	bus_metric_set(bus_metric("titian_registry_schemas", "gauge", "Live versions.", ""),
		       (double)schema_store_count(r->store));
	bus_metric_set(bus_metric("titian_registry_highest_id", "gauge", "Highest schema id ever seen.", ""),
		       (double)schema_store_highest_id(r->store));
	schema_nodes_metrics(r);
	bus_metrics_text(&b);
	bus_http_reply(req, 200, "text/plain; version=0.0.4; charset=utf-8", &b);
}

/* --- what the server is (Confluent's ServerMetadataResource) ------------------------------------------- */

void schema_read_cluster(void *ctx, struct bus_http_request *req)
{
	struct schema_registry *r = ctx;
	struct bus_buf b = { 0 };
	struct bus_json_out j = { .buf = &b };

	bus_json_object(&j);
	bus_json_key(&j, "scope");
	bus_json_object(&j);
	bus_json_key(&j, "path");
	bus_json_array(&j);
	bus_json_array_end(&j);
	bus_json_key(&j, "clusters");
	bus_json_object(&j);
	bus_json_key(&j, "kafka-cluster");
	bus_json_put_text(&j, r->cluster_id);
	bus_json_key(&j, "schema-registry-cluster");
	bus_json_put_text(&j, "schema-registry");
	bus_json_object_end(&j);
	bus_json_object_end(&j);
	bus_json_object_end(&j);
	schema_reply(req, &b);
}

void schema_read_server_version(void *ctx, struct bus_http_request *req)
{
	struct bus_buf b = { 0 };

	(void)ctx;
	bus_buf_puts(&b, "{\"version\":\"" TITIAN_VERSION "\",\"commitId\":\"titian\"}");
	schema_reply(req, &b);
}

void schema_read_deployment(void *ctx, struct bus_http_request *req)
{
	struct bus_buf b = { 0 };

	(void)ctx;
	bus_buf_puts(&b, "{\"attributes\":[]}");
	schema_reply(req, &b);
}

/* Confluent's endpoints also stand below a context (its ContextFilter). */
#define BOTH(method, pattern, handler)                                                                       \
	{ method, pattern, handler },                                                                        \
	{                                                                                                    \
		method, "/contexts/{context}" pattern, handler                                               \
	}

const struct bus_http_route schema_registry_routes[] = {
	{ "GET", "/", schema_read_root },
	{ "POST", "/", schema_read_root },
	{ "GET", "/contexts", schema_read_contexts },
	{ "DELETE", "/contexts/{context}", edit_delete_context },
	BOTH("GET", "/schemas", schema_read_schemas),
	BOTH("GET", "/schemas/types", schema_read_types),
	BOTH("GET", "/schemas/ids/{id}", schema_read_id),
	BOTH("GET", "/schemas/ids/{id}/schema", schema_read_id_schema),
	BOTH("GET", "/schemas/ids/{id}/subjects", schema_read_id_subjects),
	BOTH("GET", "/schemas/ids/{id}/versions", schema_read_id_versions),
	BOTH("GET", "/schemas/guids/{guid}", schema_read_guid),
	BOTH("GET", "/schemas/guids/{guid}/ids", schema_read_guid_ids),
	BOTH("GET", "/subjects", schema_read_subjects),
	BOTH("POST", "/subjects/{subject}", schema_read_lookup),
	BOTH("DELETE", "/subjects/{subject}", edit_delete_subject),
	BOTH("GET", "/subjects/{subject}/metadata", schema_read_latest_with),
	BOTH("GET", "/subjects/{subject}/versions", schema_read_versions),
	BOTH("POST", "/subjects/{subject}/versions", edit_register),
	BOTH("GET", "/subjects/{subject}/versions/{version}", schema_read_version),
	BOTH("DELETE", "/subjects/{subject}/versions/{version}", edit_delete_version),
	BOTH("GET", "/subjects/{subject}/versions/{version}/schema", schema_read_version_schema),
	BOTH("GET", "/subjects/{subject}/versions/{version}/referencedby", schema_read_referrers),
	BOTH("POST", "/subjects/{subject}/versions/{version}/tags", edit_tags),
	BOTH("POST", "/compatibility/subjects/{subject}/versions", schema_read_compatibility),
	BOTH("POST", "/compatibility/subjects/{subject}/versions/{version}", schema_read_compatibility),
	BOTH("GET", "/config", schema_read_config),
	BOTH("PUT", "/config", edit_put_config),
	BOTH("DELETE", "/config", edit_delete_config),
	BOTH("GET", "/config/{subject}", schema_read_config),
	BOTH("PUT", "/config/{subject}", edit_put_config),
	BOTH("DELETE", "/config/{subject}", edit_delete_config),
	BOTH("GET", "/mode", schema_read_mode),
	BOTH("PUT", "/mode", edit_put_mode),
	BOTH("DELETE", "/mode", edit_delete_mode),
	BOTH("GET", "/mode/{subject}", schema_read_mode),
	BOTH("PUT", "/mode/{subject}", edit_put_mode),
	BOTH("DELETE", "/mode/{subject}", edit_delete_mode),
	BOTH("GET", "/dek-registry/v1/keks", schema_read_keks),
	BOTH("POST", "/dek-registry/v1/keks", edit_create_kek),
	BOTH("GET", "/dek-registry/v1/keks/{name}", schema_read_kek),
	BOTH("PUT", "/dek-registry/v1/keks/{name}", edit_put_kek),
	BOTH("DELETE", "/dek-registry/v1/keks/{name}", edit_delete_kek),
	BOTH("POST", "/dek-registry/v1/keks/{name}/undelete", edit_undelete_kek),
	BOTH("POST", "/dek-registry/v1/keks/{name}/test", schema_read_kek_test),
	BOTH("GET", "/dek-registry/v1/keks/{name}/deks", schema_read_dek_subjects),
	BOTH("POST", "/dek-registry/v1/keks/{name}/deks", edit_create_dek),
	BOTH("GET", "/dek-registry/v1/keks/{name}/deks/{subject}", schema_read_dek),
	BOTH("POST", "/dek-registry/v1/keks/{name}/deks/{subject}", edit_create_dek),
	BOTH("DELETE", "/dek-registry/v1/keks/{name}/deks/{subject}", edit_delete_deks),
	BOTH("POST", "/dek-registry/v1/keks/{name}/deks/{subject}/undelete", edit_undelete_deks),
	BOTH("GET", "/dek-registry/v1/keks/{name}/deks/{subject}/versions", schema_read_dek_versions),
	BOTH("GET", "/dek-registry/v1/keks/{name}/deks/{subject}/versions/{version}", schema_read_dek),
	BOTH("DELETE", "/dek-registry/v1/keks/{name}/deks/{subject}/versions/{version}", edit_delete_deks),
	BOTH("POST", "/dek-registry/v1/keks/{name}/deks/{subject}/versions/{version}/undelete",
	     edit_undelete_deks),
	{ "GET", "/v1/metadata/id", schema_read_cluster },
	{ "GET", "/v1/metadata/version", schema_read_server_version },
	{ "GET", "/v1/metadata/deployment", schema_read_deployment },
	{ "GET", "/v1/changes", schema_feed_get },
	{ "GET", "/v1/search", schema_search_fields },
	{ "GET", "/v1/subjects", schema_search_subjects },
	{ "GET", "/v1/uses", schema_side_get_uses },
	{ "PUT", "/v1/uses/{program}", schema_side_put_uses },
	{ "DELETE", "/v1/uses/{program}", schema_side_delete_uses },
	{ "POST", "/v1/subjects/{subject}/check", schema_check_candidate },
	{ "GET", "/v1/subjects/{subject}/diff", schema_check_diff },
	{ "GET", "/v1/subjects/{subject}/uses", schema_side_get_subject_uses },
	{ "GET", "/v1/subjects/{subject}/versions/{version}/state", schema_side_get_state },
	{ "PUT", "/v1/subjects/{subject}/versions/{version}/state", schema_side_put_state },
	{ "DELETE", "/v1/subjects/{subject}/versions/{version}/state", schema_side_delete_state },
	{ "GET", "/healthz", healthz },
	{ "GET", "/readyz", readyz },
	{ "GET", "/metrics", metrics },
	{ "GET", "/master_available", schema_nodes_get_master },
	{ "GET", "/_health", schema_nodes_get_health },
	{ NULL, NULL, NULL },
};
