#include "bus/utf8.h"
#include "schemas/kinds/proto_parse.h"

static enum bus_err parse_body(struct schema_proto_parser *s, struct schema_proto_message *m);

static bool take_label(struct schema_proto_parser *s, enum schema_proto_label *label)
{
	static const char *const word[] = { NULL, "optional", "required", "repeated" };

	for (int i = SCHEMA_PROTO_OPTIONAL; i <= SCHEMA_PROTO_REPEATED; i++)
		if (schema_proto_take(s, word[i])) {
			*label = (enum schema_proto_label)i;
			return true;
		}
	return false;
}

static struct schema_proto_message *new_message(struct schema_proto_parser *s, struct schema_proto_at at,
						struct bus_str name, struct schema_proto_message *parent)
{
	struct schema_proto_message *m = schema_proto_new(s->p, sizeof(*m));

	if (!m)
		return NULL;
	m->at = at;
	m->name = name;
	m->file = s->file;
	m->parent = parent;
	m->full = schema_proto_join(s->p, parent ? parent->full : s->file->package, name);
	return m->full.p ? m : NULL;
}

/* default and json_name look like options and are members of the field. */
static enum bus_err take_special(struct schema_proto_parser *s, struct schema_proto_field *f)
{
	struct schema_proto_option **o = &f->options;

	while (*o) {
		struct schema_proto_part *name = (*o)->name;
		struct schema_proto_value *v = (*o)->value;

		if (name->parens || name->next ||
		    !(bus_str_is(name->text, "default") || bus_str_is(name->text, "json_name"))) {
			o = &(*o)->next;
			continue;
		}
		if (bus_str_is(name->text, "default") ? f->preset != NULL : f->json_name.p != NULL)
			return schema_proto_fail(s->p, (*o)->at, "'" SCHEMA_PROTO_F "' stands there twice",
						 SCHEMA_PROTO_A(name->text));
		if (v->kind == SCHEMA_PROTO_MAP)
			return schema_proto_fail(s->p, v->at, "'" SCHEMA_PROTO_F "' wants a plain value",
						 SCHEMA_PROTO_A(name->text));
		if (bus_str_is(name->text, "default")) {
			f->preset = v;
		} else if (v->kind == SCHEMA_PROTO_STRING && bus_utf8_ok(v->text.p, v->text.n) == v->text.n) {
			f->json_name = v->text;
		} else {
			return schema_proto_fail(s->p, v->at, "json_name wants a string of UTF-8 in quotes");
		}
		*o = (*o)->next;
	}
	return BUS_OK;
}

/* map_field -> MapFieldEntry, as protoc. */
static struct bus_str entry_name(struct schema_proto *p, struct bus_str field)
{
	char *name = schema_proto_new(p, field.n + 5);
	bool up = true;
	size_t n = 0;

	for (size_t i = 0; name && i < field.n; i++) {
		char c = field.p[i];

		if (c == '_') {
			up = true;
			continue;
		}
		name[n++] = up && c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
		up = false;
	}
	if (name)
		memcpy(name + n, "Entry", 5);
	return (struct bus_str){ name, n + 5 };
}

static struct schema_proto_field *entry_field(struct schema_proto_parser *s, const char *name, int32_t number,
					      struct bus_str type, struct schema_proto_at at)
{
	struct schema_proto_field *f = schema_proto_new(s->p, sizeof(*f));

	if (f)
		*f = (struct schema_proto_field){ .at = at,
						  .label = SCHEMA_PROTO_OPTIONAL,
						  .type = schema_proto_scalar(type),
						  .type_name = type,
						  .name = bus_str(name),
						  .number = number };
	return f;
}

static enum bus_err make_entry(struct schema_proto_parser *s, struct schema_proto_message *parent,
			       struct schema_proto_field *f, struct bus_str key, struct bus_str value)
{
	struct bus_str name = entry_name(s->p, f->name);
	struct schema_proto_message *m = name.p ? new_message(s, f->at, name, parent) : NULL;

	if (!m)
		return schema_proto_no_room(s->p);
	m->entry = true;
	m->fields = entry_field(s, "key", 1, key, f->at);
	if (m->fields)
		m->fields->next = entry_field(s, "value", 2, value, f->at);
	if (!m->fields || !m->fields->next)
		return schema_proto_no_room(s->p);
	f->message = m;
	f->map = true;
	f->type = SCHEMA_PROTO_MESSAGE;
	f->type_name = m->name;
	f->label = SCHEMA_PROTO_REPEATED;
	SCHEMA_PROTO_PUSH(parent->messages, m);
	return BUS_OK;
}

static enum bus_err parse_type(struct schema_proto_parser *s, struct bus_str *out)
{
	return schema_proto_full_name(s, true, out);
}

static enum bus_err parse_group(struct schema_proto_parser *s, struct schema_proto_message *parent,
				struct schema_proto_message **groups, struct schema_proto_field *f)
{
	struct schema_proto_at at = s->at;
	struct schema_proto_message *m;
	struct bus_str name;
	char *lower;
	enum bus_err rc;

	if (s->file->proto3)
		return schema_proto_fail(s->p, at,
					 "a group in proto3: write a message and a field of its type");
	rc = schema_proto_name(s, &name);
	if (rc)
		return rc;
	if (name.p[0] < 'A' || name.p[0] > 'Z')
		return schema_proto_fail(s->p, at, "a group's name begins with a capital letter");
	rc = schema_proto_want_text(s, "=");
	if (rc == BUS_OK)
		rc = schema_proto_int(s, 1, SCHEMA_PROTO_NUMBER_MAX, &f->number);
	if (rc == BUS_OK)
		rc = schema_proto_parse_options(s, &f->options);
	if (rc)
		return rc;
	m = new_message(s, at, name, parent);
	lower = bus_arena_dup(s->p->arena, name.p, name.n);
	if (!m || !lower)
		return schema_proto_no_room(s->p);
	for (size_t i = 0; i < name.n; i++)
		if (lower[i] >= 'A' && lower[i] <= 'Z')
			lower[i] = (char)(lower[i] - 'A' + 'a');
	m->group = true;
	f->name = (struct bus_str){ lower, name.n };
	f->type = SCHEMA_PROTO_GROUP;
	f->type_name = name;
	f->message = m;
	SCHEMA_PROTO_PUSH(*groups, m);
	return parse_body(s, m);
}

/* A field of a message, a oneof (oneof set) or an extend block (extend set). */
static enum bus_err parse_field(struct schema_proto_parser *s, struct schema_proto_message *parent,
				struct schema_proto_message **groups, struct schema_proto_oneof *oneof,
				bool extend, struct schema_proto_field **list)
{
	struct schema_proto_field *f = schema_proto_new(s->p, sizeof(*f));
	struct bus_str key = { 0 };
	bool labelled;
	enum bus_err rc;

	if (!f)
		return schema_proto_no_room(s->p);
	f->at = s->at;
	f->oneof = oneof;
	labelled = take_label(s, &f->label);
	if (oneof && labelled)
		return schema_proto_fail(s->p, f->at,
					 "a field of a oneof has no optional, required or repeated");
	if (f->label == SCHEMA_PROTO_REQUIRED && s->file->proto3)
		return schema_proto_fail(s->p, f->at, "a required field in proto3: leave the word out");
	if (schema_proto_is(s, "group")) {
		if (!labelled && !oneof)
			return schema_proto_unexpected(s, "'optional', 'required' or 'repeated'");
		schema_proto_next(s);
		rc = parse_group(s, parent, groups, f);
		if (rc == BUS_OK)
			SCHEMA_PROTO_PUSH(*list, f);
		return rc;
	}
	rc = parse_type(s, &f->type_name);
	if (rc)
		return rc;
	if (bus_str_is(f->type_name, "map") && schema_proto_take(s, "<")) {
		if (labelled || oneof || extend)
			return schema_proto_fail(
			    s->p, f->at,
			    "a map field cannot be optional, required or repeated, in a oneof or an "
			    "extension");
		rc = parse_type(s, &key);
		if (rc == BUS_OK)
			rc = schema_proto_want_text(s, ",");
		if (rc == BUS_OK)
			rc = parse_type(s, &f->type_name);
		if (rc == BUS_OK)
			rc = schema_proto_want_text(s, ">");
		if (rc)
			return rc;
	} else if (!labelled && !oneof && !s->file->proto3) {
		return schema_proto_fail(
		    s->p, f->at,
		    "a field in proto2 begins with optional, required or repeated (for proto3 the "
		    "file begins with syntax = \"proto3\";)");
	}
	f->at = s->at;
	rc = schema_proto_name(s, &f->name);
	if (rc == BUS_OK)
		rc = schema_proto_want_text(s, "=");
	if (rc == BUS_OK)
		rc = schema_proto_int(s, 1, SCHEMA_PROTO_NUMBER_MAX, &f->number);
	if (rc == BUS_OK)
		rc = schema_proto_parse_options(s, &f->options);
	if (rc == BUS_OK)
		rc = take_special(s, f);
	if (rc == BUS_OK)
		rc = schema_proto_want_text(s, ";");
	if (rc == BUS_OK && key.p)
		rc = make_entry(s, parent, f, key, f->type_name);
	else if (rc == BUS_OK)
		f->type = schema_proto_scalar(f->type_name);
	if (rc == BUS_OK)
		SCHEMA_PROTO_PUSH(*list, f);
	return rc;
}

static enum bus_err parse_oneof(struct schema_proto_parser *s, struct schema_proto_message *m)
{
	struct schema_proto_oneof *o = schema_proto_new(s->p, sizeof(*o));
	size_t n = 0;
	enum bus_err rc;

	if (!o)
		return schema_proto_no_room(s->p);
	o->at = s->at;
	rc = schema_proto_name(s, &o->name);
	if (rc == BUS_OK)
		rc = schema_proto_want_text(s, "{");
	while (rc == BUS_OK && !schema_proto_take(s, "}")) {
		if (schema_proto_take(s, ";"))
			continue;
		if (schema_proto_take(s, "option")) {
			rc = schema_proto_parse_option(s, &o->options);
			continue;
		}
		rc = parse_field(s, m, &m->messages, o, false, &m->fields);
		n++;
	}
	if (rc == BUS_OK && n == 0)
		rc = schema_proto_fail(s->p, o->at, "oneof '" SCHEMA_PROTO_F "' has no field",
				       SCHEMA_PROTO_A(o->name));
	SCHEMA_PROTO_REVERSE(o->options);
	SCHEMA_PROTO_PUSH(m->oneofs, o);
	return rc;
}

enum bus_err schema_proto_parse_extend(struct schema_proto_parser *s, struct schema_proto_message *parent,
				       struct schema_proto_message **groups,
				       struct schema_proto_extend **list)
{
	struct schema_proto_extend *e = schema_proto_new(s->p, sizeof(*e));
	enum bus_err rc;

	if (!e)
		return schema_proto_no_room(s->p);
	e->at = s->at;
	rc = parse_type(s, &e->name);
	if (rc == BUS_OK)
		rc = schema_proto_want_text(s, "{");
	while (rc == BUS_OK && !schema_proto_take(s, "}"))
		if (!schema_proto_take(s, ";"))
			rc = parse_field(s, parent, groups, NULL, true, &e->fields);
	SCHEMA_PROTO_REVERSE(e->fields);
	if (rc == BUS_OK && !e->fields)
		rc = schema_proto_fail(s->p, e->at, "an extend block without a field");
	SCHEMA_PROTO_PUSH(*list, e);
	return rc;
}

static enum bus_err parse_range(struct schema_proto_parser *s, bool enumeration, struct schema_proto_range *r)
{
	int64_t low = enumeration ? INT32_MIN : 1;
	int64_t high = enumeration ? INT32_MAX : SCHEMA_PROTO_NUMBER_MAX;
	enum bus_err rc = schema_proto_int(s, low, high, &r->from);

	r->to = r->from;
	if (rc || !schema_proto_take(s, "to"))
		return rc;
	r->span = true;
	if (schema_proto_take(s, "max"))
		r->to = (int32_t)high;
	else
		rc = schema_proto_int(s, low, high, &r->to);
	if (rc == BUS_OK && r->to < r->from)
		rc = schema_proto_fail(s->p, r->at, "a range that ends before it begins");
	return rc;
}

enum bus_err schema_proto_parse_ranges(struct schema_proto_parser *s, bool names, bool enumeration,
				       struct schema_proto_ranges **list)
{
	struct schema_proto_ranges *all = schema_proto_new(s->p, sizeof(*all));
	enum bus_err rc = BUS_OK;

	if (!all)
		return schema_proto_no_room(s->p);
	do {
		struct schema_proto_range *r = schema_proto_new(s->p, sizeof(*r));

		if (!r)
			return schema_proto_no_room(s->p);
		r->at = s->at;
		if (names && s->token == PROTO_QUOTED)
			rc = schema_proto_utf8(s, &r->name);
		else
			rc = parse_range(s, enumeration, r);
		SCHEMA_PROTO_PUSH(all->first, r);
	} while (rc == BUS_OK && schema_proto_take(s, ","));
	SCHEMA_PROTO_REVERSE(all->first);
	if (rc == BUS_OK && !names)
		rc = schema_proto_parse_options(s, &all->options);
	SCHEMA_PROTO_PUSH(*list, all);
	return rc ? rc : schema_proto_want_text(s, ";");
}

static enum bus_err parse_constant(struct schema_proto_parser *s, struct schema_proto_enum *e)
{
	struct schema_proto_constant *c = schema_proto_new(s->p, sizeof(*c));
	enum bus_err rc;

	if (!c)
		return schema_proto_no_room(s->p);
	c->at = s->at;
	rc = schema_proto_name(s, &c->name);
	if (rc == BUS_OK)
		rc = schema_proto_want_text(s, "=");
	if (rc == BUS_OK)
		rc = schema_proto_int(s, INT32_MIN, INT32_MAX, &c->number);
	if (rc == BUS_OK)
		rc = schema_proto_parse_options(s, &c->options);
	SCHEMA_PROTO_PUSH(e->constants, c);
	return rc ? rc : schema_proto_want_text(s, ";");
}

enum bus_err schema_proto_parse_enum(struct schema_proto_parser *s, struct bus_str scope,
				     struct schema_proto_enum **list)
{
	struct schema_proto_enum *e = schema_proto_new(s->p, sizeof(*e));
	enum bus_err rc;

	if (!e)
		return schema_proto_no_room(s->p);
	e->at = s->at;
	e->file = s->file;
	rc = schema_proto_name(s, &e->name);
	if (rc == BUS_OK) {
		e->full = schema_proto_join(s->p, scope, e->name);
		rc = e->full.p ? schema_proto_want_text(s, "{") : schema_proto_no_room(s->p);
	}
	while (rc == BUS_OK && !schema_proto_take(s, "}")) {
		if (schema_proto_take(s, ";"))
			continue;
		/* `option` and `reserved` may be names of values too: only "option = " is one. */
		if (schema_proto_is(s, "option") || schema_proto_is(s, "reserved")) {
			struct schema_proto_parser back = *s;
			bool option = schema_proto_is(s, "option");

			schema_proto_next(s);
			if (!schema_proto_is(s, "=")) {
				rc = option ? schema_proto_parse_option(s, &e->options)
					    : schema_proto_parse_ranges(s, true, true, &e->reserved);
				continue;
			}
			*s = back;
		}
		rc = parse_constant(s, e);
	}
	SCHEMA_PROTO_REVERSE(e->constants);
	SCHEMA_PROTO_REVERSE(e->options);
	SCHEMA_PROTO_REVERSE(e->reserved);
	SCHEMA_PROTO_PUSH(*list, e);
	return rc;
}

static enum bus_err parse_member(struct schema_proto_parser *s, struct schema_proto_message *m)
{
	struct schema_proto_parser back = *s;

	/* A field of proto3 may have a type that is called like a keyword: then a name follows, or a dot. */
	if (schema_proto_take(s, "message") && s->token == PROTO_NAME) {
		enum bus_err rc = schema_proto_parse_message(s, m, &m->messages);

		return rc;
	}
	*s = back;
	if (schema_proto_take(s, "enum") && s->token == PROTO_NAME)
		return schema_proto_parse_enum(s, m->full, &m->enums);
	*s = back;
	if (schema_proto_take(s, "oneof") && s->token == PROTO_NAME)
		return parse_oneof(s, m);
	*s = back;
	if (schema_proto_take(s, "option") && (s->token == PROTO_NAME || schema_proto_is(s, "(")))
		return schema_proto_parse_option(s, &m->options);
	*s = back;
	if (schema_proto_take(s, "extend") && (s->token == PROTO_NAME || schema_proto_is(s, ".")))
		return schema_proto_parse_extend(s, m, &m->messages, &m->extends);
	*s = back;
	if (schema_proto_take(s, "extensions") && s->token == PROTO_INT)
		return schema_proto_parse_ranges(s, false, false, &m->extensions);
	*s = back;
	if (schema_proto_take(s, "reserved") && (s->token == PROTO_INT || s->token == PROTO_QUOTED))
		return schema_proto_parse_ranges(s, true, false, &m->reserved);
	*s = back;
	return parse_field(s, m, &m->messages, NULL, false, &m->fields);
}

static enum bus_err parse_body(struct schema_proto_parser *s, struct schema_proto_message *m)
{
	enum bus_err rc;

	if (s->depth >= SCHEMA_PROTO_DEPTH_MAX)
		return schema_proto_fail(s->p, m->at, "messages nested more than %d deep",
					 SCHEMA_PROTO_DEPTH_MAX);
	s->depth++;
	rc = schema_proto_want_text(s, "{");
	while (rc == BUS_OK && !schema_proto_take(s, "}"))
		if (!schema_proto_take(s, ";"))
			rc = parse_member(s, m);
	s->depth--;
	SCHEMA_PROTO_REVERSE(m->fields);
	SCHEMA_PROTO_REVERSE(m->oneofs);
	SCHEMA_PROTO_REVERSE(m->messages);
	SCHEMA_PROTO_REVERSE(m->enums);
	SCHEMA_PROTO_REVERSE(m->extends);
	SCHEMA_PROTO_REVERSE(m->extensions);
	SCHEMA_PROTO_REVERSE(m->reserved);
	SCHEMA_PROTO_REVERSE(m->options);
	return rc;
}

enum bus_err schema_proto_parse_message(struct schema_proto_parser *s, struct schema_proto_message *parent,
					struct schema_proto_message **list)
{
	struct schema_proto_at at = s->at;
	struct schema_proto_message *m;
	struct bus_str name;
	enum bus_err rc = schema_proto_name(s, &name);

	if (rc)
		return rc;
	m = new_message(s, at, name, parent);
	if (!m)
		return schema_proto_no_room(s->p);
	SCHEMA_PROTO_PUSH(*list, m);
	return parse_body(s, m);
}
