/* Settings: Confluent's ConfigResource. Answers name the level "compatibilityLevel", requests and the echo of
 * PUT "compatibility". */
#include "schemas/registry/registry.h"

static struct bus_buf shown(const struct schema_config *c, const char *level)
{
	struct bus_buf b = { 0 };
	struct bus_json_out j = { .buf = &b };

	bus_json_object(&j);
	schema_config_write(c, level, &j);
	bus_json_object_end(&j);
	return b;
}

void schema_read_config(void *ctx, struct bus_http_request *req)
{
	struct schema_registry *r = ctx;
	const char *scope = schema_body_scope(req);
	const struct schema_table *t = schema_store_read(r->store);
	struct schema_config c;
	struct bus_buf b;
	bool set = true;

	if (schema_body_true(req, "defaultToGlobal"))
		schema_table_config_for(t, scope, &c);
	else
		set = schema_table_config(t, scope, &c);
	schema_store_done(r->store);
	if (set) {
		b = shown(&c, "compatibilityLevel");
		schema_reply(req, &b);
	} else {
		schema_reply_error(
		    req, 40408, "Subject '%s' does not have subject-level compatibility configured", scope);
	}
	schema_config_release(&c);
}

static void refuse(struct bus_http_request *req, const struct bus_error *err)
{
	if (err->code == BUS_EINVAL)
		schema_reply_error(
		    req, 42203,
		    "Invalid compatibility level. Valid values are none, backward, forward, full, "
		    "backward_transitive, forward_transitive, and full_transitive");
	else
		schema_reply_error(req, 400, "%s", err->text);
}

void schema_edit_put_config(struct schema_registry *r, struct bus_http_request *req)
{
	const char *scope = schema_body_scope(req);
	const struct schema_config *set;
	const struct bus_json *body;
	struct bus_buf value = { 0 }, answer;
	struct schema_config c;
	struct bus_error err;
	enum bus_err rc;

	if (!schema_body_json(req, &body))
		return;
	set = schema_table_config_set(schema_store_read(r->store), scope);
	if (set)
		schema_config_copy(set, &c);
	else
		schema_config_init(&c);
	schema_store_done(r->store);
	rc = schema_config_update(&c, body, "compatibility", bus_http_arena(req), &err);
	if (rc == BUS_ESCHEMA) {
		schema_reply_error(req, 42210, "%s", err.text);
	} else if (rc != BUS_OK) {
		refuse(req, &err);
	} else if ((!scope || schema_edit_subject_valid(req, scope, true)) &&
		   schema_edit_writable(r, req, scope)) {
		schema_record_config(scope, &c, &value);
		schema_edit_put(r, SCHEMA_RECORD_CONFIG, scope, 0, &value);
		answer = shown(&c, "compatibility");
		schema_writer_commit(r->writer, req, &answer);
	}
	schema_config_release(&c);
}

void schema_edit_delete_config(struct schema_registry *r, struct bus_http_request *req)
{
	const char *scope = schema_body_scope(req);
	struct schema_config old;
	bool set = schema_table_config(schema_store_read(r->store), scope, &old);
	struct bus_buf answer;

	schema_store_done(r->store);
	if (!set) {
		schema_reply_subject_unknown(req, scope);
	} else if (schema_edit_writable(r, req, scope)) {
		schema_edit_put(r, SCHEMA_RECORD_CONFIG, scope, 0, NULL);
		answer = shown(&old, "compatibilityLevel");
		schema_writer_commit(r->writer, req, &answer);
	}
	schema_config_release(&old);
}
