/* Joins a mapping with the schema it writes: one writer a field, every misfit found before the first row. */
#include "adapters/map_impl.h"

#include <stdio.h>

#include "schemas/avro/write.h"

struct bind {
	struct adapter_map *m;
	struct map_scope *scope;
	struct bus_error *err;
};

static enum bus_err fail_line(const struct bind *b, int line, const char *field, const char *what)
{
	return bus_fail(b->err, BUS_ESCHEMA, "%s:%d: field '%s': %s", bus_yaml_file(b->m->yaml), line, field,
			what);
}

static const char *type_name(const struct schema_node *t)
{
	static const char *const names[] = {
		"null",	  "boolean", "int",  "long",  "float", "double", "bytes",
		"string", "record",  "enum", "array", "map",   "union",	 "fixed"
	};

	if (t->logical == SCHEMA_DATE)
		return "date";
	if (t->logical == SCHEMA_TIMESTAMP_MILLIS)
		return "timestamp-millis";
	if (t->logical == SCHEMA_DECIMAL)
		return "decimal";
	return t->logical == SCHEMA_LOGICAL_NONE ? names[t->type]
						 : "a logical type that mappings do not write";
}

static const char *value_name(enum map_type t)
{
	static const char *const names[] = { "a text",		 "a whole number", "a date", "a time",
					     "a decimal number", "a list",	   "flags" };

	return names[t];
}

/* ---- defaults ---- */

static bool put_symbol(struct bus_buf *out, const struct schema_node *t, struct bus_str text)
{
	for (size_t i = 0; i < t->n; i++) {
		if (bus_str_is(text, t->symbol[i])) {
			schema_put_long(out, (int64_t)i);
			return true;
		}
	}
	return false;
}

/* The simple defaults that catalogues have; a richer one must be mapped. A union's is of its first branch. */
static bool put_default(struct bus_buf *out, const struct schema_node *t, const struct bus_json *v)
{
	int64_t whole;

	switch (t->type) {
	case SCHEMA_UNION:
		schema_put_long(out, 0);
		return t->branch[0]->type != SCHEMA_UNION && put_default(out, t->branch[0], v);
	case SCHEMA_NULL:
		return v->type == BUS_JSON_NULL;
	case SCHEMA_BOOLEAN:
		schema_put_boolean(out, v->type == BUS_JSON_TRUE);
		return v->type == BUS_JSON_TRUE || v->type == BUS_JSON_FALSE;
	case SCHEMA_INT:
	case SCHEMA_LONG:
		if (bus_json_int(v, &whole) != BUS_OK)
			return false;
		schema_put_long(out, whole);
		return true;
	case SCHEMA_STRING:
		schema_put_text(out, v->text);
		return v->type == BUS_JSON_STRING;
	case SCHEMA_ENUM:
		return v->type == BUS_JSON_STRING && put_symbol(out, t, v->text);
	case SCHEMA_ARRAY:
	case SCHEMA_MAP:
		schema_put_long(out, 0);
		return v->n == 0;
	default:
		return false;
	}
}

static void keep_fallback(struct bind *b, struct map_writer *w, const struct bus_buf *bytes)
{
	char *p = adapter_map_keep(b->m, bytes->n + 1);

	memcpy(p, bytes->p, bytes->n);
	w->fallback = (struct bus_str){ p, bytes->n };
	w->has_fallback = true;
}

static bool put_else(struct bus_buf *out, const struct map_writer *w, const char *text)
{
	int64_t whole;

	if (w->value_at >= 0)
		schema_put_long(out, w->value_at);
	switch (w->kind) {
	case MAP_WRITE_TEXT:
		schema_put_text(out, bus_str(text));
		return true;
	case MAP_WRITE_ENUM:
		return put_symbol(out, w->type, bus_str(text));
	case MAP_WRITE_WHOLE:
		if (w->type->logical != SCHEMA_LOGICAL_NONE ||
		    adapter_map_whole(bus_str(text), &whole) != MAP_WHY_NONE)
			return false;
		schema_put_long(out, whole);
		return true;
	default:
		return false;
	}
}

/* What stands in the record when the value is not there. */
static enum bus_err fallback(struct bind *b, struct map_writer *w, const struct schema_field *f,
			     const struct map_member *member)
{
	struct bus_buf bytes = { 0 };
	bool ok = true;
	enum bus_err rc = BUS_OK;

	if (member && member->other) {
		ok = put_else(&bytes, w, member->other);
		w->has_else = true;
		if (!ok)
			rc = fail_line(b, member->line, f->name, "`else` is none of its values");
	} else if (member && w->null_at >= 0) {
		schema_put_long(&bytes, w->null_at);
	} else if (f && f->fallback) {
		ok = put_default(&bytes, f->type, f->fallback);
		if (!ok && !member)
			rc = fail_line(b, 1, f->name, "its default is of a kind that must be mapped");
	} else {
		ok = false;
		if (!member)
			rc = fail_line(b, 1, f->name, "is not mapped, and the schema has no default for it");
	}
	if (ok)
		keep_fallback(b, w, &bytes);
	bus_buf_release(&bytes);
	return rc;
}

/* ---- writers ---- */

static enum bus_err record_writers(struct bind *b, const struct schema_node *record,
				   const struct map_member *member, size_t n, struct map_writer **out);

static enum bus_err list_writer(struct bind *b, struct map_writer *w, const char *name, int line,
				const struct map_info *info);

static enum bus_err value_writer(struct bind *b, struct map_writer *w, const struct schema_node *type,
				 const char *name, int line)
{
	const struct map_info *info = &b->scope->info[w->slot];
	bool fits = false;
	char what[160];

	w->null_at = w->value_at = -1;
	if (type->type == SCHEMA_UNION) {
		const struct schema_node *value = NULL;

		for (size_t i = 0; i < type->n; i++) {
			if (type->branch[i]->type == SCHEMA_NULL) {
				w->null_at = (int8_t)i;
			} else if (value || i > 100) {
				return fail_line(b, line, name, "a union of several types cannot be mapped");
			} else {
				w->value_at = (int8_t)i;
				value = type->branch[i];
			}
		}
		if (!value)
			return fail_line(b, line, name, "a union without a type cannot be mapped");
		type = value;
	}
	w->type = type;
	switch (info->type) {
	case MAP_TEXT:
		fits = type->logical == SCHEMA_LOGICAL_NONE &&
		       (type->type == SCHEMA_STRING || type->type == SCHEMA_ENUM ||
			type->type == SCHEMA_BOOLEAN);
		w->kind = type->type == SCHEMA_STRING ? MAP_WRITE_TEXT
			  : type->type == SCHEMA_ENUM ? MAP_WRITE_ENUM
						      : MAP_WRITE_BOOLEAN;
		break;
	case MAP_WHOLE:
		fits = type->logical == SCHEMA_LOGICAL_NONE &&
		       (type->type == SCHEMA_INT || type->type == SCHEMA_LONG);
		w->kind = MAP_WRITE_WHOLE;
		break;
	case MAP_DATE:
		fits = type->logical == SCHEMA_DATE;
		w->kind = MAP_WRITE_WHOLE;
		break;
	case MAP_TIME:
		fits = type->logical == SCHEMA_TIMESTAMP_MILLIS;
		w->kind = MAP_WRITE_WHOLE;
		break;
	case MAP_DECIMAL:
		fits = type->logical == SCHEMA_DECIMAL ||
		       (type->logical == SCHEMA_LOGICAL_NONE &&
			(type->type == SCHEMA_DOUBLE || type->type == SCHEMA_STRING));
		w->kind = type->logical == SCHEMA_DECIMAL ? MAP_WRITE_DECIMAL
			  : type->type == SCHEMA_DOUBLE	  ? MAP_WRITE_DOUBLE
							  : MAP_WRITE_TEXT;
		break;
	case MAP_LIST:
		fits = type->type == SCHEMA_ARRAY;
		w->kind = MAP_WRITE_LIST;
		break;
	case MAP_FLAGS:
		fits = type->type == SCHEMA_ARRAY && type->item->type == SCHEMA_STRING;
		w->kind = MAP_WRITE_FLAGS;
		break;
	}
	w->narrow = type->type == SCHEMA_INT;
	if (!fits) {
		snprintf(what, sizeof(what), "the schema wants %s, the mapping gives %s", type_name(type),
			 value_name(info->type));
		return fail_line(b, line, name, what);
	}
	return w->kind == MAP_WRITE_LIST ? list_writer(b, w, name, line, info) : BUS_OK;
}

static enum bus_err list_writer(struct bind *b, struct map_writer *w, const char *name, int line,
				const struct map_info *info)
{
	struct bind item = { b->m, info->item, b->err };
	struct map_writer *one = adapter_map_keep(b->m, sizeof(*one)), *fields;
	enum bus_err rc;

	w->item = one;
	w->n_slots = info->item->program.n_slots;
	if (!info->each->record) {
		one->slot = info->each->scalar;
		rc = value_writer(&item, one, w->type->item, name, line);
		if (rc == BUS_OK && one->null_at >= 0 && one->value_at < 0)
			rc = fail_line(b, line, name, "items that are always null");
		return rc;
	}
	if (w->type->item->type != SCHEMA_RECORD)
		return fail_line(b, line, name, "the mapping gives records; the schema's items are none");
	one->kind = MAP_WRITE_RECORD;
	one->value_at = one->null_at = -1;
	one->type = w->type->item;
	one->n = w->type->item->n;
	rc = record_writers(&item, w->type->item, info->item->member, info->item->n_members, &fields);
	one->item = fields;
	return rc;
}

static enum bus_err record_writers(struct bind *b, const struct schema_node *record,
				   const struct map_member *member, size_t n, struct map_writer **out)
{
	struct map_writer *w = adapter_map_keep(b->m, (record->n + 1) * sizeof(*w));
	const char **names = adapter_map_keep(b->m, (record->n + 1) * sizeof(*names));
	enum bus_err rc;

	for (size_t i = 0; i < record->n; i++)
		names[i] = record->field[i].name;
	for (size_t i = 0; i < n; i++) {
		const char *near;

		if (schema_field_find(record, member[i].name, NULL))
			continue;
		near = bus_nearest(member[i].name, names, record->n);
		return bus_fail(b->err, BUS_ESCHEMA, "%s:%d: the schema has no field '%s'%s%s%s",
				bus_yaml_file(b->m->yaml), member[i].line, member[i].name,
				near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
	}
	for (size_t i = 0; i < record->n; i++) {
		const struct schema_field *f = &record->field[i];
		const struct map_member *from = NULL;

		for (size_t k = 0; k < n; k++)
			if (strcmp(member[k].name, f->name) == 0)
				from = &member[k];
		w[i].kind = MAP_WRITE_FALLBACK;
		w[i].value_at = w[i].null_at = -1;
		w[i].type = f->type;
		if (from) {
			w[i].slot = from->slot;
			rc = value_writer(b, &w[i], f->type, f->name, from->line);
			if (rc != BUS_OK)
				return rc;
		}
		if (w[i].kind == MAP_WRITE_FLAGS)
			continue;
		rc = fallback(b, &w[i], f, from);
		if (rc != BUS_OK)
			return rc;
	}
	*out = w;
	return BUS_OK;
}

/* ---- the mapping's own words against the schema's ---- */

static bool personal(const struct schema_field *f)
{
	const char *kind = schema_property(f->properties, "x_pdp");

	return kind && strchr("USA", kind[0]) && kind[0];
}

static enum bus_err check_key(const struct bind *b, const struct schema_node *root)
{
	const char *key = schema_property(root->properties, "x_kunci");
	bool found = !key || !b->m->is_register;

	for (size_t i = 0; i < b->m->n_fields; i++) {
		const struct map_member *f = &b->m->field[i];
		const struct schema_field *field = schema_field_find(root, f->name, NULL);

		for (size_t k = 0; k < b->m->n_keys; k++) {
			if (b->m->key[k] != f->slot)
				continue;
			if (personal(field))
				return fail_line(
				    b, f->line, f->name,
				    "is personal data and must not be a key; use a pseudonym of it");
			found |= key && strcmp(f->name, key) == 0;
		}
	}
	if (!found)
		return fail_line(b, 1, key,
				 "is the register's key by its schema (x_kunci); make its value the key");
	return BUS_OK;
}

static enum bus_err check_words(const struct bind *b, const struct schema_node *root)
{
	const char *topic = schema_property(root->properties, "x_topik");
	const char *kind = schema_property(root->properties, "x_jenis");

	if (topic && strcmp(topic, b->m->topic) != 0)
		return bus_fail(b->err, BUS_ESCHEMA, "%s: topic is '%s', the schema's (x_topik) is '%s'",
				bus_yaml_file(b->m->yaml), b->m->topic, topic);
	if (kind && strcmp(kind, b->m->is_register ? "register" : "peristiwa") != 0)
		return bus_fail(b->err, BUS_ESCHEMA, "%s: kind is %s, the schema's (x_jenis) is '%s'",
				bus_yaml_file(b->m->yaml), b->m->is_register ? "register" : "events", kind);
	return BUS_OK;
}

enum bus_err adapter_map_bind(struct adapter_map *m, struct schema *schema, struct bus_error *err)
{
	const struct schema_node *root = schema_root(schema);
	struct bind b = { m, m->scope, err };
	struct map_writer *writer = NULL;
	enum bus_err rc;

	if (root->type != SCHEMA_RECORD)
		return bus_fail(err, BUS_ESCHEMA, "%s: the schema is no record", bus_yaml_file(m->yaml));
	rc = check_words(&b, root);
	if (rc == BUS_OK)
		rc = record_writers(&b, root, m->field, m->n_fields, &writer);
	if (rc == BUS_OK)
		rc = check_key(&b, root);
	if (rc != BUS_OK)
		return rc;
	schema_ref(schema);
	schema_unref(&m->schema);
	m->schema = schema;
	m->writer = writer;
	m->n_writers = root->n;
	return BUS_OK;
}
