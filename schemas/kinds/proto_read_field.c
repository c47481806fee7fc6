#include "schemas/kinds/proto_read.h"

#define GROUPS_MAX 1000

/* As the text can say it: a whole number or one with a point, inf or nan, after a '-' or not. */
static bool is_number(struct bus_str text)
{
	size_t minus = text.n > 0 && text.p[0] == '-';
	struct schema_proto_parser s = { .c = text.p + minus, .end = text.p + text.n };

	schema_proto_next(&s);
	return s.text.n == text.n - minus && (s.token == PROTO_INT || s.token == PROTO_FLOAT ||
					      schema_proto_is(&s, "inf") || schema_proto_is(&s, "nan"));
}

/* default_value: bytes are written with C's escapes. */
static enum bus_err read_default(struct schema_proto_reader *r, struct schema_proto_field *f,
				 struct bus_str text)
{
	enum schema_proto_kind kind = SCHEMA_PROTO_NUMBER;
	enum bus_err rc = BUS_OK;

	if (f->type == SCHEMA_PROTO_BYTES) {
		char *quoted = schema_proto_new(r->p, text.n + 3);
		struct schema_proto_parser s = { .p = r->p, .file = r->file, .line_start = quoted };

		if (!quoted)
			return schema_proto_no_room(r->p);
		quoted[0] = '"';
		memcpy(mempcpy(quoted + 1, text.p, text.n), "\"", 2);
		s.c = quoted;
		s.end = quoted + text.n + 2;
		schema_proto_next(&s);
		rc = schema_proto_string(&s, &text);
		if (rc == BUS_OK && s.token != PROTO_END)
			rc = schema_proto_broken(r, "default_value");
	}
	if (f->type == SCHEMA_PROTO_TEXT || f->type == SCHEMA_PROTO_BYTES) {
		kind = SCHEMA_PROTO_STRING;
	} else if (f->type == SCHEMA_PROTO_BOOLEAN) {
		kind = SCHEMA_PROTO_BOOL;
		if (!bus_str_is(text, "true") && !bus_str_is(text, "false"))
			return schema_proto_broken(r, "default_value");
	} else if (f->type == SCHEMA_PROTO_ENUM || f->type == 0) {
		kind = SCHEMA_PROTO_WORD;
		rc = schema_proto_want_name(r, text, "default value");
	} else {
		if (!is_number(text))
			return schema_proto_broken(r, "default_value");
		if (bus_str_is(text, "inf") || bus_str_is(text, "nan"))
			kind = SCHEMA_PROTO_WORD;
	}
	f->preset = schema_proto_value_new(r->p, kind, text);
	return rc ? rc : f->preset ? BUS_OK : schema_proto_no_room(r->p);
}

/* A group's text has one name for both: the message's, with a capital letter, and in small ones the field's. */
static bool is_lower_of(struct bus_str field, struct bus_str message)
{
	bool same = field.n == message.n && message.n > 0 && message.p[0] >= 'A' && message.p[0] <= 'Z';

	for (size_t i = 0; same && i < field.n; i++)
		same = field.p[i] ==
		       (message.p[i] >= 'A' && message.p[i] <= 'Z' ? message.p[i] - 'A' + 'a' : message.p[i]);
	return same;
}

static enum bus_err find_group(struct schema_proto_reader *r, struct schema_proto_field *f,
			       struct schema_proto_message *messages)
{
	const char *dot = memrchr(f->type_name.p, '.', f->type_name.n);
	struct bus_str last =
	    dot ? (struct bus_str){ dot + 1, (size_t)(f->type_name.p + f->type_name.n - dot - 1) }
		: f->type_name;

	if (++r->groups > GROUPS_MAX)
		return bus_fail(r->p->err, BUS_ETOOBIG, "more than %d groups", GROUPS_MAX);
	for (; messages; messages = messages->next)
		if (bus_str_eq(messages->name, last) && !messages->group && is_lower_of(f->name, last)) {
			messages->group = true;
			f->message = messages;
			f->type_name = last;
			return BUS_OK;
		}
	return bus_fail(r->p->err, BUS_ESCHEMA,
			"group '" SCHEMA_PROTO_F "' has no message beside it, or a field of another name",
			SCHEMA_PROTO_A(last));
}

/* messages: where a group's message stands. extendee: of an extension, else NULL. */
enum bus_err schema_proto_read_field(struct schema_proto_reader *r, struct bus_str bytes,
				     struct schema_proto_message *messages,
				     struct schema_proto_oneof *const *oneof, size_t n_oneofs,
				     struct bus_str *extendee, struct schema_proto_field **out)
{
	struct proto_wire w = proto_wire(bytes);
	struct schema_proto_field *f = schema_proto_new(r->p, sizeof(*f));
	struct bus_str preset = { 0 };
	struct bus_str options = { 0 };
	uint64_t index = UINT64_MAX;
	bool proto3_optional = false;
	bool ok = true;
	enum bus_err rc;

	if (!f)
		return schema_proto_no_room(r->p);
	f->label = SCHEMA_PROTO_OPTIONAL;
	while (ok && proto_wire_next(&w)) {
		bool number = w.type == PROTO_WIRE_VARINT;

		switch (w.number) {
		case 1:
			ok = schema_proto_read_string(&w, &f->name);
			break;
		case 2:
			ok = extendee && schema_proto_read_string(&w, extendee);
			break;
		case 3:
			ok = number && w.value >= 1 && w.value <= SCHEMA_PROTO_NUMBER_MAX;
			f->number = ok ? (int32_t)w.value : 0;
			break;
		case 4: /* LABEL_OPTIONAL 1, REQUIRED 2, REPEATED 3 */
			ok = number && w.value >= 1 && w.value <= 3;
			f->label = ok ? (enum schema_proto_label)w.value : 0;
			break;
		case 5:
			ok = number && w.value >= SCHEMA_PROTO_DOUBLE && w.value <= SCHEMA_PROTO_SINT64;
			f->type = ok ? (enum schema_proto_type)w.value : 0;
			break;
		case 6:
			ok = schema_proto_read_string(&w, &f->type_name) &&
			     schema_proto_is_full_name(f->type_name, true);
			break;
		case 7:
			ok = schema_proto_read_string(&w, &preset);
			break;
		case 8:
			ok = w.type == PROTO_WIRE_BYTES;
			options = w.bytes;
			break;
		case 9:
			ok = number && w.value < n_oneofs;
			index = w.value;
			break;
		case 10:
			ok = schema_proto_read_string(&w, &f->json_name);
			break;
		case 17:
			ok = number;
			proto3_optional = w.value != 0;
			break;
		default:
			break;
		}
	}
	if (!ok || w.bad || f->number == 0)
		return schema_proto_broken(r, "field");
	rc = schema_proto_want_name(r, f->name, "field");
	if (rc == BUS_OK && !f->type && !f->type_name.p)
		rc = bus_fail(r->p->err, BUS_ESCHEMA,
			      "field '" SCHEMA_PROTO_F "' of the descriptor has no type",
			      SCHEMA_PROTO_A(f->name));
	if (rc)
		return rc;
	if (schema_proto_scalar_name(f->type))
		f->type_name = bus_str(schema_proto_scalar_name(f->type));
	else if (!f->type_name.p || schema_proto_is_keyword(f->type_name))
		return schema_proto_broken(r, "field");
	if ((proto3_optional && !r->file->proto3) ||
	    ((proto3_optional || index != UINT64_MAX) && f->label != SCHEMA_PROTO_OPTIONAL) ||
	    (r->file->proto3 && f->label == SCHEMA_PROTO_REQUIRED))
		return bus_fail(r->p->err, BUS_ESCHEMA,
				"field '" SCHEMA_PROTO_F
				"' of the descriptor has a label that it cannot have",
				SCHEMA_PROTO_A(f->name));
	if (proto3_optional)
		index = UINT64_MAX;
	else if (r->file->proto3 && f->label != SCHEMA_PROTO_REPEATED)
		f->label = SCHEMA_PROTO_NONE;
	if (index != UINT64_MAX) {
		f->oneof = oneof[index];
		f->label = SCHEMA_PROTO_NONE;
	}
	if (f->type == SCHEMA_PROTO_GROUP)
		rc = find_group(r, f, messages);
	if (rc == BUS_OK && preset.p && !r->file->proto3)
		rc = read_default(r, f, preset);
	if (rc == BUS_OK && options.p)
		rc = schema_proto_options_read(r->p, "FieldOptions", options, &f->options);
	*out = f;
	return rc;
}

/* Extensions of the same message, one after the other, are one block. */
enum bus_err schema_proto_read_extension(struct schema_proto_reader *r, struct bus_str bytes,
					 struct schema_proto_message *messages,
					 struct schema_proto_extend **list)
{
	struct schema_proto_field *f = NULL;
	struct schema_proto_extend *e;
	struct bus_str extendee = { 0 };
	enum bus_err rc = schema_proto_read_field(r, bytes, messages, NULL, 0, &extendee, &f);

	if (rc)
		return rc;
	if (!extendee.p || !schema_proto_is_full_name(extendee, true))
		return schema_proto_broken(r, "extension");
	for (e = *list; e && !bus_str_eq(e->name, extendee) && rc == BUS_OK; e = e->next)
		rc = schema_proto_work(r->p, 1);
	if (rc)
		return rc;
	if (!e) {
		e = schema_proto_new(r->p, sizeof(*e));
		if (!e)
			return schema_proto_no_room(r->p);
		e->name = extendee;
		SCHEMA_PROTO_PUSH(*list, e);
	}
	SCHEMA_PROTO_PUSH(e->fields, f);
	return BUS_OK;
}
