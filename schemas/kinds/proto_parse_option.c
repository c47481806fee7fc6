#include "schemas/kinds/proto_parse.h"

#define ENTRIES_MAX 1000 /* of one { } or [ ] */
#define PARTS_MAX 16	 /* of an option's name */

/* At most ENTRIES_MAX: walked to the end. */
static void append(struct schema_proto_value **list, struct schema_proto_value *v)
{
	while (*list)
		list = &(*list)->next;
	*list = v;
}

static enum bus_err read_value(struct schema_proto_parser *s, bool aggregate, struct schema_proto_value *v);

static struct schema_proto_value *new_value(struct schema_proto_parser *s)
{
	struct schema_proto_value *v = schema_proto_new(s->p, sizeof(*v));

	if (v)
		v->at = s->at;
	return v;
}

/* One more value of a key that stands there already: together they are a list. */
static enum bus_err add_again(struct schema_proto_parser *s, struct schema_proto_value *there,
			      struct schema_proto_value *v)
{
	if (there->kind != SCHEMA_PROTO_LIST) {
		struct schema_proto_value *first = new_value(s);

		if (!first)
			return schema_proto_no_room(s->p);
		*first = *there;
		first->next = NULL;
		there->kind = SCHEMA_PROTO_LIST;
		there->first = first;
	}
	if (v->kind == SCHEMA_PROTO_LIST)
		v = v->first;
	append(&there->first, v);
	return BUS_OK;
}

static enum bus_err read_key(struct schema_proto_parser *s, struct schema_proto_value *v)
{
	enum bus_err rc;

	if (!schema_proto_take(s, "["))
		return schema_proto_name(s, &v->key);
	v->key_extension = true;
	rc = schema_proto_full_name(s, false, &v->key);
	if (rc == BUS_OK && schema_proto_is(s, "/"))
		return schema_proto_fail(s->p, s->at,
					 "an expanded google.protobuf.Any is not taken in an option");
	return rc ? rc : schema_proto_want_text(s, "]");
}

static enum bus_err read_map(struct schema_proto_parser *s, const char *end, struct schema_proto_value *map)
{
	size_t n = 0;

	map->kind = SCHEMA_PROTO_MAP;
	while (!schema_proto_take(s, end)) {
		struct schema_proto_value *v = new_value(s);
		struct schema_proto_value *there = map->first;
		enum bus_err rc = v ? read_key(s, v) : schema_proto_no_room(s->p);
		bool colon;

		if (rc)
			return rc;
		if (++n > ENTRIES_MAX)
			return schema_proto_fail(s->p, v->at, "more than %d entries in one value",
						 ENTRIES_MAX);
		colon = schema_proto_take(s, ":");
		if (!colon && !schema_proto_is(s, "{") && !schema_proto_is(s, "<") &&
		    !schema_proto_is(s, "["))
			return schema_proto_unexpected(s, "':'");
		rc = read_value(s, true, v);
		if (rc)
			return rc;
		while (there && !(bus_str_eq(there->key, v->key) && there->key_extension == v->key_extension))
			there = there->next;
		if (there)
			rc = add_again(s, there, v);
		else
			append(&map->first, v);
		if (rc)
			return rc;
		if (!schema_proto_take(s, ","))
			(void)schema_proto_take(s, ";");
	}
	return BUS_OK;
}

static enum bus_err read_list(struct schema_proto_parser *s, struct schema_proto_value *list)
{
	struct schema_proto_value **tail = &list->first;
	size_t n = 0;

	list->kind = SCHEMA_PROTO_LIST;
	if (schema_proto_take(s, "]"))
		return BUS_OK;
	do {
		struct schema_proto_value *v = new_value(s);
		enum bus_err rc;

		if (!v)
			return schema_proto_no_room(s->p);
		if (++n > ENTRIES_MAX)
			return schema_proto_fail(s->p, v->at, "more than %d entries in one value",
						 ENTRIES_MAX);
		if (schema_proto_is(s, "["))
			return schema_proto_fail(s->p, s->at, "a list in a list");
		rc = read_value(s, true, v);
		if (rc)
			return rc;
		*tail = v;
		tail = &v->next;
	} while (schema_proto_take(s, ","));
	return schema_proto_want_text(s, "]");
}

static enum bus_err read_plain(struct schema_proto_parser *s, struct schema_proto_value *v)
{
	bool minus = schema_proto_take(s, "-");
	bool plus = !minus && schema_proto_take(s, "+");

	v->text = s->text;
	switch (s->token) {
	case PROTO_INT:
	case PROTO_FLOAT:
		v->kind = SCHEMA_PROTO_NUMBER;
		break;
	case PROTO_NAME:
		if (minus || plus) {
			if (!schema_proto_is(s, "inf") && !schema_proto_is(s, "nan"))
				return schema_proto_unexpected(s, "a number");
			v->kind = SCHEMA_PROTO_NUMBER;
		} else {
			v->kind = schema_proto_is(s, "true") || schema_proto_is(s, "false")
				      ? SCHEMA_PROTO_BOOL
				      : SCHEMA_PROTO_WORD;
		}
		break;
	default:
		return schema_proto_unexpected(s, "a value");
	}
	if (minus) {
		struct bus_str text = { schema_proto_new(s->p, s->text.n + 1), s->text.n + 1 };

		if (!text.p)
			return schema_proto_no_room(s->p);
		memcpy(mempcpy((char *)(uintptr_t)text.p, "-", 1), s->text.p, s->text.n);
		v->text = text;
	}
	schema_proto_next(s);
	return BUS_OK;
}

/* aggregate: inside { }, where < > is allowed. */
static enum bus_err read_value(struct schema_proto_parser *s, bool aggregate, struct schema_proto_value *v)
{
	enum bus_err rc;

	if (s->depth >= SCHEMA_PROTO_DEPTH_MAX)
		return schema_proto_fail(s->p, s->at, "nested more than %d deep", SCHEMA_PROTO_DEPTH_MAX);
	s->depth++;
	if (s->token == PROTO_QUOTED) {
		v->kind = SCHEMA_PROTO_STRING;
		rc = schema_proto_string(s, &v->text);
	} else if (schema_proto_take(s, "{")) {
		rc = read_map(s, "}", v);
	} else if (aggregate && schema_proto_take(s, "<")) {
		rc = read_map(s, ">", v);
	} else if (schema_proto_take(s, "[")) { /* protoc has it inside { } only, Confluent everywhere */
		rc = read_list(s, v);
	} else {
		rc = read_plain(s, v);
	}
	s->depth--;
	return rc;
}

static enum bus_err read_option(struct schema_proto_parser *s, struct schema_proto_option **list)
{
	struct schema_proto_option *o = schema_proto_new(s->p, sizeof(*o));
	int n = 0;
	enum bus_err rc;

	if (!o)
		return schema_proto_no_room(s->p);
	o->at = s->at;
	do {
		struct schema_proto_part *part = schema_proto_new(s->p, sizeof(*part));

		if (!part)
			return schema_proto_no_room(s->p);
		part->parens = schema_proto_take(s, "(");
		rc = part->parens ? schema_proto_full_name(s, true, &part->text)
				  : schema_proto_name(s, &part->text);
		if (rc == BUS_OK && part->parens)
			rc = schema_proto_want_text(s, ")");
		if (rc)
			return rc;
		SCHEMA_PROTO_PUSH(o->name, part);
		if (++n > PARTS_MAX)
			return schema_proto_fail(s->p, o->at, "an option's name of more than %d parts",
						 PARTS_MAX);
	} while (schema_proto_take(s, "."));
	SCHEMA_PROTO_REVERSE(o->name);
	rc = schema_proto_want_text(s, "=");
	if (rc)
		return rc;
	o->value = new_value(s);
	rc = o->value ? read_value(s, false, o->value) : schema_proto_no_room(s->p);
	if (rc == BUS_OK)
		SCHEMA_PROTO_PUSH(*list, o);
	return rc;
}

enum bus_err schema_proto_parse_option(struct schema_proto_parser *s, struct schema_proto_option **list)
{
	enum bus_err rc = read_option(s, list);

	return rc ? rc : schema_proto_want_text(s, ";");
}

enum bus_err schema_proto_parse_options(struct schema_proto_parser *s, struct schema_proto_option **list)
{
	enum bus_err rc;

	if (!schema_proto_take(s, "["))
		return BUS_OK;
	do {
		rc = read_option(s, list);
		if (rc)
			return rc;
	} while (schema_proto_take(s, ","));
	SCHEMA_PROTO_REVERSE(*list);
	return schema_proto_want_text(s, "]");
}
