#include "bus/clock.h"
#include "bus/metrics.h"
#include "schemas/registry/registry.h"

static struct schema_nodes_view view(struct schema_registry *r)
{
	struct schema_nodes_view v = { .role = SCHEMA_NODE_WRITER, .active = true, .live = 1 };

	if (r->nodes)
		schema_nodes_view(r->nodes, &v);
	return v;
}

/* This and the next are Karapace's: its tools wait for them. */
void schema_nodes_get_master(void *ctx, struct bus_http_request *req)
{
	struct bus_buf b = { 0 };
	bool there = view(ctx).active;

	bus_buf_printf(&b, "{\"master_available\":%s}", there ? "true" : "false");
	bus_http_set(req, "Cache-Control", "no-store, no-cache, must-revalidate");
	bus_http_reply(req, 200, "application/json", &b);
}

void schema_nodes_metrics(struct schema_registry *r)
{
	struct schema_nodes_view v = view(r);

	bus_metric_set(bus_metric("titian_registry_is_writer", "gauge", "1: this node writes.", ""),
		       v.role == SCHEMA_NODE_WRITER);
	bus_metric_set(bus_metric("titian_registry_nodes", "gauge", "Nodes whose beats are fresh.", ""),
		       v.live);
}

void schema_nodes_get_health(void *ctx, struct bus_http_request *req)
{
	struct schema_registry *r = ctx;
	struct schema_nodes_view v = view(r);
	bool healthy = schema_store_healthy(r->store);
	int64_t offset = schema_store_next_offset(r->store) - 1;
	struct bus_buf b = { 0 };
	struct bus_json_out j = { .buf = &b };

	bus_json_object(&j);
	bus_json_int_member(&j, "process_uptime_sec", (bus_clock_mono_ms() - r->started_ms) / 1000);
	bus_json_key(&j, "status");
	bus_json_object(&j);
	bus_json_bool_member(&j, "schema_registry_ready", true);
	bus_json_key(&j, "schema_registry_startup_time_sec");
	bus_json_put_double(&j, (double)r->ready_ms / 1000);
	bus_json_int_member(&j, "schema_registry_reader_current_offset", offset);
	bus_json_int_member(&j, "schema_registry_reader_highest_offset", offset);
	bus_json_bool_member(&j, "schema_registry_is_primary", v.role == SCHEMA_NODE_WRITER);
	bus_json_bool_member(&j, "schema_registry_is_primary_eligible", true);
	bus_json_key(&j, "schema_registry_primary_url");
	if (v.url[0])
		bus_json_put_text(&j, v.url);
	else
		bus_json_put_null(&j);
	bus_json_bool_member(&j, "schema_registry_coordinator_running", v.role != SCHEMA_NODE_ALONE);
	bus_json_int_member(&j, "schema_registry_coordinator_generation_id", v.term);
	bus_json_object_end(&j);
	bus_json_bool_member(&j, "healthy", healthy);
	bus_json_object_end(&j);
	bus_http_reply(req, healthy ? 200 : 503, "application/json", &b);
}
