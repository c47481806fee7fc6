#include "adapters/shape.h"

#include "schemas/avro/write.h"

static const struct schema_node *without_null(const struct schema_node *node, uint8_t *null_branch)
{
	if (node->type != SCHEMA_UNION || node->n != 2)
		return node;
	for (uint8_t i = 0; i < 2; i++) {
		if (node->branch[i]->type == SCHEMA_NULL) {
			*null_branch = i;
			return node->branch[1 - i];
		}
	}
	return node;
}

static enum bus_err fit_field(struct adapter_shape *s, const struct schema_field *f,
			      const struct adapter_shape_field *table, size_t n, struct bus_error *err)
{
	for (size_t k = 0; k < n; k++) {
		uint8_t null_branch = UINT8_MAX;

		if (strcmp(table[k].name, f->name) != 0)
			continue;
		s->node[k] = without_null(f->type, &null_branch);
		s->null_branch[k] = null_branch;
		if (s->node[k]->type != table[k].type || (null_branch != UINT8_MAX) != table[k].nullable)
			return bus_fail(err, BUS_ESCHEMA,
					"field '%s' has another type than this program writes", f->name);
		s->known[s->n++] = (uint8_t)k;
		return BUS_OK;
	}
	return bus_fail(err, BUS_ESCHEMA, "field '%s' is newer than this program", f->name);
}

enum bus_err adapter_shape_fit(struct adapter_shape *out, struct schema *schema, int32_t id,
			       const struct adapter_shape_field *table, size_t n, struct bus_error *err)
{
	const struct schema_node *root = schema_root(schema);
	struct adapter_shape s = { .schema_id = id };

	if (root->type != SCHEMA_RECORD || root->n > ADAPTER_SHAPE_FIELDS)
		return bus_fail(err, BUS_ESCHEMA, "not the record that this program writes");
	for (size_t i = 0; i < root->n; i++) {
		enum bus_err rc = fit_field(&s, &root->field[i], table, n, err);

		if (rc)
			return rc;
	}
	s.schema = schema_ref(schema);
	*out = s;
	return BUS_OK;
}

enum bus_err adapter_shape_bind(struct adapter_shape *out, struct schema_store *store, const char *subject,
				const struct adapter_shape_field *table, size_t n, struct bus_error *err)
{
	struct schema_version v = { 0 };
	enum bus_err rc = schema_store_version(store, subject, 0, &v, err);
	int version = v.version;

	if (rc)
		return rc == BUS_ENOENT ? bus_fail(err, rc, "subject '%s' is not registered", subject) : rc;
	for (;;) {
		if (!rc) {
			rc = v.schema ? adapter_shape_fit(out, v.schema, v.id, table, n, err)
				      : bus_fail(err, BUS_ESCHEMA, "version %d cannot be parsed", version);
			schema_version_release(&v);
		}
		if (!rc)
			return BUS_OK;
		if (--version < 1)
			return bus_fail_prefix(err, BUS_ESCHEMA, "no version of '%s' is known here", subject);
		v = (struct schema_version){ 0 };
		rc = schema_store_version(store, subject, version, &v, NULL);
	}
}

void adapter_shape_release(struct adapter_shape *s)
{
	if (s->schema)
		schema_unref(&s->schema);
	*s = (struct adapter_shape){ 0 };
}

void adapter_shape_null(const struct adapter_shape *s, size_t known, struct bus_buf *out)
{
	schema_put_long(out, s->null_branch[known]);
}

void adapter_shape_some(const struct adapter_shape *s, size_t known, struct bus_buf *out)
{
	schema_put_long(out, 1 - s->null_branch[known]);
}

void adapter_shape_symbol(const struct adapter_shape *s, size_t known, const char *symbol,
			  struct bus_buf *out)
{
	const struct schema_node *node = s->node[known];

	for (size_t i = 0; i < node->n; i++) {
		if (strcmp(node->symbol[i], symbol) == 0) {
			schema_put_long(out, (int64_t)i);
			return;
		}
	}
	schema_put_long(out, 0); /* an enum without the symbol: its first, as the record's default is */
}
