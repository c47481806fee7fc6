/* A test's row as a record: YAML -> plain JSON -> Avro. */
#include "bus/json_out.h"
#include "bus/wire.h"
#include "gateway/engine/rehearse_impl.h"
#include "schemas/avro/json.h"

#define KEY "_key"
#define REMOVED "_dihapus"

static const struct schema_node *not_null(const struct schema_node *n)
{
	if (n->type != SCHEMA_UNION)
		return n;
	for (size_t i = 0; i < n->n; i++) {
		if (n->branch[i]->type != SCHEMA_NULL)
			return n->branch[i];
	}
	return n;
}

static bool takes_null(const struct schema_node *n)
{
	for (size_t i = 0; n->type == SCHEMA_UNION && i < n->n; i++) {
		if (n->branch[i]->type == SCHEMA_NULL)
			return true;
	}
	return n->type == SCHEMA_NULL;
}

static void put_value(struct bus_json_out *j, const struct bus_yaml_node *v, const struct schema_node *type)
{
	const struct schema_node *t = not_null(type);
	bool number = (t->type == SCHEMA_INT || t->type == SCHEMA_LONG || t->type == SCHEMA_FLOAT ||
		       t->type == SCHEMA_DOUBLE) &&
		      t->logical == SCHEMA_LOGICAL_NONE;

	if (v->kind == BUS_YAML_LIST) {
		bus_json_array(j);
		for (const struct bus_yaml_node *c = v->first; c; c = c->next)
			put_value(j, c, t->type == SCHEMA_ARRAY ? t->item : t);
		bus_json_array_end(j);
	} else if (v->kind == BUS_YAML_MAP) {
		bus_json_object(j);
		for (const struct bus_yaml_node *c = v->first; c; c = c->next) {
			size_t at;
			const struct schema_field *f =
			    t->type == SCHEMA_RECORD ? schema_field_find(t, c->key, &at) : NULL;

			bus_json_key(j, c->key);
			put_value(j, c, f ? f->type : t->type == SCHEMA_MAP ? t->item : t);
		}
		bus_json_object_end(j);
	} else if (bus_yaml_is_null(v) && takes_null(type)) {
		bus_json_put_null(j);
	} else if (number && strspn(v->text, "0123456789+-.eE") == v->text_len && v->text_len > 0) {
		bus_json_put_raw(j, (struct bus_str){ v->text, v->text_len });
	} else if (t->type == SCHEMA_BOOLEAN &&
		   (strcmp(v->text, "true") == 0 || strcmp(v->text, "false") == 0)) {
		bus_json_put_bool(j, v->text[0] == 't');
	} else {
		bus_json_put_str(j, (struct bus_str){ v->text, v->text_len });
	}
}

/* A field that the test does not name and the schema has no default for. */
static bool put_neutral(struct bus_json_out *j, const struct schema_node *t)
{
	if (takes_null(t)) {
		bus_json_put_null(j);
		return true;
	}
	switch (not_null(t)->type) {
	case SCHEMA_STRING:
		bus_json_put_text(j, "");
		return not_null(t)->logical == SCHEMA_LOGICAL_NONE;
	case SCHEMA_INT:
	case SCHEMA_LONG:
	case SCHEMA_FLOAT:
	case SCHEMA_DOUBLE:
		if (not_null(t)->logical == SCHEMA_DATE)
			bus_json_put_text(j, "2025-01-01");
		else if (not_null(t)->logical == SCHEMA_TIMESTAMP_MILLIS ||
			 not_null(t)->logical == SCHEMA_TIMESTAMP_MICROS)
			bus_json_put_text(j, "2025-01-01T00:00:00+07:00");
		else
			bus_json_put_int(j, 0);
		return true;
	case SCHEMA_BOOLEAN:
		bus_json_put_bool(j, false);
		return true;
	case SCHEMA_ENUM:
		bus_json_put_text(j, not_null(t)->symbol[0]);
		return true;
	case SCHEMA_ARRAY:
		bus_json_array(j);
		bus_json_array_end(j);
		return true;
	default:
		return false;
	}
}

/* The field's value in this row, or in the last one before it of the same key. */
static struct bus_yaml_node *said(struct bus_yaml_node *n, const char *field, const struct gw_stage_row *out,
				  const struct gw_stage_row *before, size_t n_before)
{
	struct bus_yaml_node *v = bus_yaml_get(n, field);

	for (size_t i = n_before; i-- > 0 && !v;) {
		if (before[i].topic != out->topic || strcmp(before[i].key, out->key) != 0)
			continue;
		if (before[i].removed)
			break;
		v = bus_yaml_get(before[i].node, field);
	}
	return v;
}

static enum bus_err put_fields(struct bus_yaml *y, struct bus_yaml_node *n, const struct gw_stage_row *before,
			       size_t n_before, const struct gw_stage_row *out, struct bus_json_out *j,
			       struct bus_error *err)
{
	const struct gw_stage_topic *t = out->topic;
	const struct schema_node *root = schema_root(t->schema);
	struct bus_yaml_node *v;

	bus_json_object(j);
	for (size_t i = 0; i < root->n; i++) {
		const struct schema_field *f = &root->field[i];

		v = said(n, f->name, out, before, n_before);
		if (!v && t->key_field && strcmp(f->name, t->key_field) == 0) {
			bus_json_text_member(j, f->name, out->key);
			continue;
		}
		if (!v && f->fallback)
			continue;
		bus_json_key(j, f->name);
		if (v)
			put_value(j, v, f->type);
		else if (!put_neutral(j, f->type))
			return bus_yaml_fail(y, n, err, "'%s' wants a value for '%s'", t->table, f->name);
	}
	bus_json_object_end(j);
	return BUS_OK;
}

enum bus_err gw_stage_row(struct bus_yaml *y, struct bus_yaml_node *n, const struct gw_stage_topic *t,
			  const struct gw_stage_row *before, size_t n_before, struct gw_stage_row *out,
			  struct bus_error *err)
{
	struct bus_json_out j = { 0 };
	struct bus_buf json = { 0 };
	const char *key = NULL;
	struct bus_error why;
	enum bus_err rc;

	*out = (struct gw_stage_row){ .node = n, .topic = t };
	if (n->kind != BUS_YAML_MAP)
		return bus_yaml_fail(y, n, err, "a row is {column: value, ...}");
	rc = bus_yaml_str(y, n, KEY, false, &key, err);
	if (rc == BUS_OK && !key && t->key_field)
		rc = bus_yaml_str(y, n, t->key_field, false, &key, err);
	if (rc == BUS_OK)
		rc = bus_yaml_bool(y, n, REMOVED, false, &out->removed, err);
	if (rc != BUS_OK)
		return rc;
	if (!key)
		return bus_yaml_fail(y, n, err, "a row of '%s' wants its key: %s%s%s", t->table, KEY,
				     t->key_field ? " or " : "", t->key_field ? t->key_field : "");
	if (out->removed && !t->is_register)
		return bus_yaml_fail(y, n, err, "'%s' is of events: none of them can be removed", t->table);
	out->key = bus_xstrdup(key);
	j.buf = &json;
	rc = put_fields(y, n, before, n_before, out, &j, err);
	if (rc == BUS_OK)
		rc = bus_yaml_no_more(y, n, err);
	if (rc == BUS_OK && !out->removed) {
		bus_wire_put_prefix(&out->value, t->schema_id);
		rc = schema_encode_json(t->schema, bus_buf_str(&json), SCHEMA_JSON_PLAIN, &out->value, &why);
		if (rc != BUS_OK)
			rc = bus_yaml_fail(y, n, err, "no row of '%s': %s", t->table, why.text);
	}
	bus_buf_release(&json);
	return rc;
}
