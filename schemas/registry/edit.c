/* What the changes share. */
#include "schemas/registry/registry.h"

void schema_edit_put(struct schema_registry *r, enum schema_record_kind kind, const char *subject,
		     int version, struct bus_buf *value)
{
	struct bus_buf key = { 0 };

	/* The key of global settings had "subject":null until Confluent 6.2, and has in Karapace. Compaction takes
	 * that for another key: an old setting would come back when this one is gone. */
	if (!subject && (kind == SCHEMA_RECORD_CONFIG || kind == SCHEMA_RECORD_MODE)) {
		bus_buf_printf(&key, "{\"keytype\":\"%s\",\"subject\":null,\"magic\":0}",
			       kind == SCHEMA_RECORD_CONFIG ? "CONFIG" : "MODE");
		schema_writer_put(r->writer, &key, NULL);
		bus_buf_reset(&key);
	}
	schema_record_key(kind, subject, version, &key);
	schema_writer_put(r->writer, &key, value);
	bus_buf_release(&key);
	if (value)
		bus_buf_release(value);
}

bool schema_edit_writable(struct schema_registry *r, struct bus_http_request *req, const char *subject)
{
	int mode = schema_table_mode_for(schema_store_read(r->store), subject);
	struct schema_qualified q = schema_subject_split(subject ? subject : "");

	schema_store_done(r->store);
	if (mode != SCHEMA_MODE_READONLY && mode != SCHEMA_MODE_READONLY_OVERRIDE)
		return true;
	schema_reply_error(req, 42205, "Subject %s in context %.*s is in read-only mode",
			   subject ? subject : "null",
			   schema_subject_is_default(q) ? 0 : (int)q.context.n + 2, subject ? subject : "");
	return false;
}

bool schema_edit_subject_valid(struct bus_http_request *req, const char *subject, bool settings)
{
	if (schema_subject_valid(subject, settings))
		return true;
	schema_reply_error(req, 42208, "The specified subject '%s' is not a valid.", subject);
	return false;
}

struct referred {
	bool deleted_too, yes;
	const char *not_by;
};

static void is_used(void *ctx, const struct schema_content *c)
{
	struct referred *x = ctx;

	for (size_t i = 0; i < c->n_uses && !x->yes; i++)
		x->yes =
		    (x->deleted_too || !schema_table_entry(c->use[i].subject, c->use[i].version)->deleted) &&
		    (!x->not_by || strcmp(c->use[i].subject->name, x->not_by) != 0);
}

bool schema_edit_referred(const struct schema_table *t, const char *subject, int version, bool deleted_too,
			  const char *not_by)
{
	struct referred x = { .deleted_too = deleted_too, .not_by = not_by };

	schema_table_referrers(t, subject, version, is_used, &x);
	return x.yes;
}
