/* Options of a descriptor: fields of google.protobuf.XxxOptions in the order of descriptor.proto, then
 * Confluent's metadata. Other extensions are left out, as by Confluent's registry: it does not know them
 * either, and its text has to be ours. */
#include <stdio.h>

#include "schemas/kinds/proto_parse.h"
#include "schemas/kinds/proto_wire.h"

static enum bus_err read_message(struct schema_proto *p, const struct schema_proto_message *m,
				 struct bus_str bytes, int depth, struct schema_proto_value **list);

static struct bus_str number_text(struct schema_proto *p, enum schema_proto_type type, uint64_t v)
{
	char text[24];
	bool sign = type == SCHEMA_PROTO_INT32 || type == SCHEMA_PROTO_INT64;
	int n = snprintf(text, sizeof(text), sign ? "%lld" : "%llu", (unsigned long long)v);

	return (struct bus_str){ bus_arena_dup(p->arena, text, (size_t)n), (size_t)n };
}

/* One value of the field; *out stays NULL when there is nothing to write of it. */
static enum bus_err read_one(struct schema_proto *p, const struct schema_proto_field *f,
			     const struct proto_wire *w, int depth, struct schema_proto_value **out)
{
	struct bus_str text = { 0 };
	enum schema_proto_kind kind = SCHEMA_PROTO_NUMBER;

	switch (f->type) {
	case SCHEMA_PROTO_TEXT:
		if (w->type != PROTO_WIRE_BYTES || (w->bytes.n == 0 && f->label == SCHEMA_PROTO_NONE))
			return BUS_OK;
		kind = SCHEMA_PROTO_STRING;
		text = w->bytes;
		break;
	case SCHEMA_PROTO_BOOLEAN:
		kind = SCHEMA_PROTO_BOOL;
		text = w->value ? BUS_STR("true") : BUS_STR("false");
		break;
	case SCHEMA_PROTO_ENUM:
		kind = SCHEMA_PROTO_WORD;
		for (const struct schema_proto_constant *c = f->enumeration ? f->enumeration->constants
									    : NULL;
		     c; c = c->next)
			if (c->number == (int32_t)w->value)
				text = c->name;
		if (!text.p)
			return BUS_OK;
		break;
	case SCHEMA_PROTO_INT32:
	case SCHEMA_PROTO_INT64:
	case SCHEMA_PROTO_UINT32:
	case SCHEMA_PROTO_UINT64:
		text = number_text(p, f->type, w->value);
		if (!text.p)
			return schema_proto_no_room(p);
		break;
	case SCHEMA_PROTO_MESSAGE:
		if (w->type != PROTO_WIRE_BYTES || !f->message)
			return BUS_OK;
		*out = schema_proto_value_new(p, SCHEMA_PROTO_MAP, text);
		return *out ? read_message(p, f->message, w->bytes, depth + 1, &(*out)->first)
			    : schema_proto_no_room(p);
	default:
		return BUS_OK;
	}
	*out = schema_proto_value_new(p, kind, text);
	return *out ? BUS_OK : schema_proto_no_room(p);
}

/* All values of the field in the bytes. */
static enum bus_err read_field(struct schema_proto *p, const struct schema_proto_field *f,
			       struct bus_str bytes, int depth, struct schema_proto_value **list)
{
	struct proto_wire w = proto_wire(bytes);
	struct schema_proto_value **tail = list;

	while (proto_wire_next(&w)) {
		struct schema_proto_value *v = NULL;
		enum bus_err rc = schema_proto_work(p, 1);

		if (rc)
			return rc;
		if (w.number != (uint32_t)f->number)
			continue;
		rc = read_one(p, f, &w, depth, &v);
		if (rc)
			return rc;
		if (!v)
			continue;
		if (f->label != SCHEMA_PROTO_REPEATED)
			tail = list; /* the last one counts */
		*tail = v;
		tail = &v->next;
	}
	return w.bad ? bus_fail(p->err, BUS_ESCHEMA, "an option of the descriptor cannot be read") : BUS_OK;
}

/* An entry has key and value, "" or not; of precision and scale Confluent writes the value first. */
static enum bus_err order_entry(struct schema_proto *p, struct schema_proto_value **list)
{
	struct schema_proto_value *key = schema_proto_value_new(p, SCHEMA_PROTO_STRING, BUS_STR(""));
	struct schema_proto_value *value = schema_proto_value_new(p, SCHEMA_PROTO_STRING, BUS_STR(""));

	if (!key || !value)
		return schema_proto_no_room(p);
	for (struct schema_proto_value *v = *list; v; v = v->next)
		*(bus_str_is(v->key, "key") ? key : value) = *v;
	key->key = BUS_STR("key");
	value->key = BUS_STR("value");
	if (bus_str_is(key->text, "precision") || bus_str_is(key->text, "scale")) {
		*list = value;
		value->next = key;
		key->next = NULL;
	} else {
		*list = key;
		key->next = value;
		value->next = NULL;
	}
	return BUS_OK;
}

static enum bus_err read_message(struct schema_proto *p, const struct schema_proto_message *m,
				 struct bus_str bytes, int depth, struct schema_proto_value **list)
{
	struct schema_proto_value **tail = list;

	if (depth > SCHEMA_PROTO_DEPTH_MAX)
		return bus_fail(p->err, BUS_ESCHEMA,
				"an option of the descriptor is nested more than %d deep",
				SCHEMA_PROTO_DEPTH_MAX);
	for (const struct schema_proto_field *f = m->fields; f; f = f->next) {
		struct schema_proto_value *v = NULL;
		enum bus_err rc =
		    bus_str_is(f->name, "uninterpreted_option") ? BUS_OK : read_field(p, f, bytes, depth, &v);

		if (rc)
			return rc;
		if (!v)
			continue;
		if (f->label == SCHEMA_PROTO_REPEATED) {
			struct schema_proto_value *all =
			    schema_proto_value_new(p, SCHEMA_PROTO_LIST, (struct bus_str){ 0 });

			if (!all)
				return schema_proto_no_room(p);
			all->first = v;
			v = all;
		}
		v->key = f->name;
		*tail = v;
		tail = &v->next;
	}
	return schema_proto_is_entry(m) ? order_entry(p, list) : BUS_OK;
}

static enum bus_err add(struct schema_proto *p, struct bus_str name, bool parens,
			struct schema_proto_value *v, struct schema_proto_option **out)
{
	struct schema_proto_option *o = schema_proto_new(p, sizeof(*o));
	struct schema_proto_part *part = schema_proto_new(p, sizeof(*part));

	if (!o || !part)
		return schema_proto_no_room(p);
	*part = (struct schema_proto_part){ .text = name, .parens = parens };
	*o = (struct schema_proto_option){ .name = part, .value = v };
	SCHEMA_PROTO_PUSH(*out, o);
	return BUS_OK;
}

static const struct schema_proto_symbol *meta_of(const struct schema_proto *p, const char *type)
{
	static const char *const meta[][2] = {
		{ "FileOptions", "confluent.file_meta" },
		{ "MessageOptions", "confluent.message_meta" },
		{ "FieldOptions", "confluent.field_meta" },
		{ "EnumOptions", "confluent.enum_meta" },
		{ "EnumValueOptions", "confluent.enum_value_meta" },
	};

	for (size_t i = 0; i < BUS_LEN(meta); i++)
		if (strcmp(type, meta[i][0]) == 0)
			return schema_proto_find(p, bus_str(meta[i][1]));
	return NULL;
}

enum bus_err schema_proto_options_read(struct schema_proto *p, const char *type, struct bus_str bytes,
				       struct schema_proto_option **out)
{
	const struct schema_proto_symbol *s;
	struct schema_proto_value *list = NULL;
	struct schema_proto_file *file;
	char full[64];
	enum bus_err rc = schema_proto_file_named(p, BUS_STR("confluent/meta.proto"), &file);

	if (rc)
		return rc;
	snprintf(full, sizeof(full), "google.protobuf.%s", type);
	s = schema_proto_find(p, bus_str(full));
	if (!s || s->kind != SCHEMA_PROTO_IS_MESSAGE)
		return bus_fail(p->err, BUS_ESCHEMA, "'google/protobuf/descriptor.proto' has no %s", type);
	rc = read_message(p, s->what, bytes, 0, &list);
	for (struct schema_proto_value *v = list; v && rc == BUS_OK;) {
		struct schema_proto_value *next = v->next;

		if (v->kind == SCHEMA_PROTO_LIST)
			for (struct schema_proto_value *one = v->first; one && rc == BUS_OK;) {
				struct schema_proto_value *after = one->next;

				one->next = NULL;
				rc = add(p, v->key, false, one, out);
				one = after;
			}
		else
			rc = add(p, v->key, false, v, out);
		v->next = NULL;
		v = next;
	}
	s = meta_of(p, type);
	if (rc == BUS_OK && s && s->kind == SCHEMA_PROTO_IS_EXTENSION) {
		struct schema_proto_value *v = NULL;

		rc = read_field(p, s->what, bytes, 0, &v);
		if (rc == BUS_OK && v && v->first)
			rc = add(p, s->name, true, v, out);
	}
	SCHEMA_PROTO_REVERSE(*out);
	return rc;
}
