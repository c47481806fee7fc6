/* Options of a text as bytes. An option is a field of google.protobuf.XxxOptions, found by name, or an
 * extension of it, found by its name in the scope where the option stands. */
#include <math.h>
#include <stdio.h>

#include "bus/utf8.h"
#include "schemas/kinds/proto.h"
#include "schemas/kinds/proto_wire.h"

struct encode {
	struct schema_proto *p;
	struct schema_proto_file *file;
	const struct schema_proto_message *scope;
};

static enum bus_err encode(struct encode *e, const struct schema_proto_field *f,
			   const struct schema_proto_value *v, struct bus_buf *out);

static enum bus_err wrong(struct encode *e, const struct schema_proto_field *f,
			  const struct schema_proto_value *v, const char *want)
{
	return schema_proto_fail(e->p, v->at, "'" SCHEMA_PROTO_F "' wants %s", SCHEMA_PROTO_A(f->name), want);
}

/* Confluent's own options are known without an import, as to its registry. */
static const struct schema_proto_symbol *own_option(struct encode *e, struct bus_str name)
{
	struct schema_proto_file *meta;

	if (name.n > 0 && name.p[0] == '.')
		name = (struct bus_str){ name.p + 1, name.n - 1 };
	if (name.n < 10 || memcmp(name.p, "confluent.", 10) != 0 ||
	    schema_proto_file_named(e->p, BUS_STR("confluent/meta.proto"), &meta) != BUS_OK)
		return NULL;
	return schema_proto_find(e->p, name);
}

static struct schema_proto_field *extension(struct encode *e, const struct schema_proto_message *m,
					    const struct schema_proto_message *scope, struct bus_str name)
{
	const struct schema_proto_symbol *s = schema_proto_resolve(e->p, e->file, scope, name, false);

	if (!s)
		s = own_option(e, name);
	return s && s->kind == SCHEMA_PROTO_IS_EXTENSION && s->extend->message == m ? s->what : NULL;
}

/* value: the name stands inside { }, where an extension's is that of the message's scope. */
static struct schema_proto_field *member(struct encode *e, const struct schema_proto_message *m,
					 struct bus_str name, bool is_extension, bool value)
{
	const struct schema_proto_symbol *s;
	struct schema_proto_field *f;
	struct bus_buf full = { 0 };

	if (is_extension) {
		f = value ? extension(e, m, m, name) : NULL;
		return f ? f : extension(e, m, e->scope, name);
	}
	bus_buf_put(&full, m->full.p, m->full.n);
	bus_buf_putc(&full, '.');
	bus_buf_put(&full, name.p, name.n);
	s = schema_proto_find(e->p, bus_buf_str(&full));
	bus_buf_release(&full);
	f = s && s->kind == SCHEMA_PROTO_IS_OTHER ? s->what : NULL;
	return f && f->type != SCHEMA_PROTO_GROUP ? f : NULL;
}

static enum bus_err whole(struct encode *e, const struct schema_proto_field *f,
			  const struct schema_proto_value *v, struct bus_buf *out)
{
	bool wide = f->type == SCHEMA_PROTO_INT64 || f->type == SCHEMA_PROTO_UINT64 ||
		    f->type == SCHEMA_PROTO_FIXED64 || f->type == SCHEMA_PROTO_SFIXED64 ||
		    f->type == SCHEMA_PROTO_SINT64;
	bool sign = f->type == SCHEMA_PROTO_INT32 || f->type == SCHEMA_PROTO_INT64 ||
		    f->type == SCHEMA_PROTO_SINT32 || f->type == SCHEMA_PROTO_SINT64 ||
		    f->type == SCHEMA_PROTO_SFIXED32 || f->type == SCHEMA_PROTO_SFIXED64 ||
		    f->type == SCHEMA_PROTO_ENUM;
	uint64_t most = wide ? UINT64_MAX : UINT32_MAX;
	bool negative = false;
	uint64_t n = 0;

	if (v->kind != SCHEMA_PROTO_NUMBER || !schema_proto_number(v->text, &negative, &n))
		return wrong(e, f, v, "a whole number");
	if (sign)
		most = most / 2 + negative;
	if (n > most || (negative && !sign && n > 0))
		return wrong(e, f, v, wide ? "a number of its 64 bits" : "a number of its 32 bits");
	if (negative)
		n = 0 - n;
	switch (f->type) {
	case SCHEMA_PROTO_FIXED32:
	case SCHEMA_PROTO_SFIXED32:
		proto_wire_put_fixed(out, (uint32_t)f->number, 4, n & UINT32_MAX);
		break;
	case SCHEMA_PROTO_FIXED64:
	case SCHEMA_PROTO_SFIXED64:
		proto_wire_put_fixed(out, (uint32_t)f->number, 8, n);
		break;
	case SCHEMA_PROTO_SINT32:
	case SCHEMA_PROTO_SINT64:
		proto_wire_put_int(out, (uint32_t)f->number, (int64_t)(n << 1 ^ (negative ? UINT64_MAX : 0)));
		break;
	default:
		proto_wire_put_int(out, (uint32_t)f->number, (int64_t)n);
		break;
	}
	return BUS_OK;
}

static enum bus_err floating(struct encode *e, const struct schema_proto_field *f,
			     const struct schema_proto_value *v, struct bus_buf *out)
{
	bool minus = v->text.n > 0 && v->text.p[0] == '-';
	struct bus_str s = { v->text.p + minus, v->text.n - minus };
	uint64_t n;
	bool ignored;
	double d;
	float narrow;
	uint32_t bits32;
	uint64_t bits64;

	if (v->kind == SCHEMA_PROTO_WORD || bus_str_is(s, "inf") || bus_str_is(s, "nan")) {
		if (!bus_str_is(s, "inf") && !bus_str_is(s, "nan"))
			return wrong(e, f, v, "a number");
		d = bus_str_is(s, "inf") ? INFINITY : NAN;
	} else if (v->kind != SCHEMA_PROTO_NUMBER) {
		return wrong(e, f, v, "a number");
	} else if (schema_proto_number(s, &ignored, &n)) {
		d = (double)n;
	} else {
		char *text = bus_xstrndup(s.p, s.n);

		d = strtod(text, NULL);
		free(text);
	}
	if (minus)
		d = -d;
	narrow = (float)d;
	memcpy(&bits32, &narrow, sizeof(bits32));
	memcpy(&bits64, &d, sizeof(bits64));
	if (f->type == SCHEMA_PROTO_FLOAT)
		proto_wire_put_fixed(out, (uint32_t)f->number, 4, bits32);
	else
		proto_wire_put_fixed(out, (uint32_t)f->number, 8, bits64);
	return BUS_OK;
}

static enum bus_err enumerated(struct encode *e, const struct schema_proto_field *f,
			       const struct schema_proto_value *v, struct bus_buf *out)
{
	if (v->kind == SCHEMA_PROTO_NUMBER && v->key.p) /* inside { } only */
		return whole(e, f, v, out);
	for (const struct schema_proto_constant *c = f->enumeration->constants; c; c = c->next) {
		enum bus_err rc = schema_proto_work(e->p, 1);

		if (rc)
			return rc;
		if (v->kind != SCHEMA_PROTO_STRING && bus_str_eq(c->name, v->text)) {
			proto_wire_put_int(out, (uint32_t)f->number, c->number);
			return BUS_OK;
		}
	}
	return schema_proto_fail(e->p, v->at,
				 "'" SCHEMA_PROTO_F "' wants a value of enum '" SCHEMA_PROTO_F "'",
				 SCHEMA_PROTO_A(f->name), SCHEMA_PROTO_A(f->enumeration->full));
}

static enum bus_err message(struct encode *e, const struct schema_proto_field *f,
			    const struct schema_proto_value *v, struct bus_buf *out)
{
	struct bus_buf inner = { 0 };
	enum bus_err rc = BUS_OK;

	if (v->kind != SCHEMA_PROTO_MAP)
		return wrong(e, f, v, "a message: { ... }");
	for (const struct schema_proto_value *m = v->first; m && rc == BUS_OK; m = m->next) {
		const struct schema_proto_field *inside =
		    member(e, f->message, m->key, m->key_extension, true);

		rc = inside ? encode(e, inside, m, &inner)
			    : schema_proto_fail(e->p, m->at,
						"'" SCHEMA_PROTO_F "' has no field '" SCHEMA_PROTO_F "'",
						SCHEMA_PROTO_A(f->message->full), SCHEMA_PROTO_A(m->key));
	}
	if (rc == BUS_OK)
		proto_wire_put(out, (uint32_t)f->number, bus_buf_str(&inner));
	bus_buf_release(&inner);
	return rc;
}

/* Depth: that of the values, which the parser bounds. */
static enum bus_err encode(struct encode *e, const struct schema_proto_field *f,
			   const struct schema_proto_value *v, struct bus_buf *out)
{
	enum bus_err rc = BUS_OK;

	if (v->kind == SCHEMA_PROTO_LIST) {
		if (f->label != SCHEMA_PROTO_REPEATED)
			return wrong(e, f, v, "one value");
		for (v = v->first; v && rc == BUS_OK; v = v->next)
			rc = encode(e, f, v, out);
		return rc;
	}
	switch (f->type) {
	case SCHEMA_PROTO_DOUBLE:
	case SCHEMA_PROTO_FLOAT:
		return floating(e, f, v, out);
	case SCHEMA_PROTO_BOOLEAN:
		if (v->kind != SCHEMA_PROTO_BOOL)
			return wrong(e, f, v, "true or false");
		proto_wire_put_int(out, (uint32_t)f->number, bus_str_is(v->text, "true"));
		return BUS_OK;
	case SCHEMA_PROTO_TEXT:
	case SCHEMA_PROTO_BYTES:
		if (v->kind != SCHEMA_PROTO_STRING)
			return wrong(e, f, v, "a string in quotes");
		/* protoc takes it and says later that nobody will be able to read it. */
		if (f->type == SCHEMA_PROTO_TEXT && bus_utf8_ok(v->text.p, v->text.n) != v->text.n)
			return wrong(e, f, v, "a string of UTF-8 (bytes may hold anything)");
		proto_wire_put(out, (uint32_t)f->number, v->text);
		return BUS_OK;
	case SCHEMA_PROTO_ENUM:
		return f->enumeration ? enumerated(e, f, v, out) : wrong(e, f, v, "a type that is known");
	case SCHEMA_PROTO_MESSAGE:
		return f->message ? message(e, f, v, out) : wrong(e, f, v, "a type that is known");
	case SCHEMA_PROTO_GROUP:
		return wrong(e, f, v, "to be a message: a group as an option is not taken");
	default:
		return f->type ? whole(e, f, v, out) : wrong(e, f, v, "a type that is known");
	}
}

/* The parts of the name from outside in: each but the last is a message that holds the next. */
static enum bus_err encode_option(struct encode *e, const struct schema_proto_message *in,
				  const struct schema_proto_option *o, const struct schema_proto_part *part,
				  struct bus_buf *out)
{
	const struct schema_proto_field *f = member(e, in, part->text, part->parens, false);
	struct bus_buf inner = { 0 };
	enum bus_err rc;

	if (!f)
		return schema_proto_fail(
		    e->p, o->at, "option '%s" SCHEMA_PROTO_F "%s' is not known here%s",
		    part->parens ? "(" : "", SCHEMA_PROTO_A(part->text), part->parens ? ")" : "",
		    part->parens ? ": import the file that extends google.protobuf's options with it" : "");
	if (!part->next)
		return encode(e, f, o->value, out);
	if (f->type != SCHEMA_PROTO_MESSAGE || !f->message || f->label == SCHEMA_PROTO_REPEATED)
		return schema_proto_fail(e->p, o->at, "'" SCHEMA_PROTO_F "' is not one message",
					 SCHEMA_PROTO_A(part->text));
	rc = encode_option(e, f->message, o, part->next, &inner); /* depth: the parser's bound on parts */
	if (rc == BUS_OK)
		proto_wire_put(out, (uint32_t)f->number, bus_buf_str(&inner));
	bus_buf_release(&inner);
	return rc;
}

static bool same_name(const struct schema_proto_part *a, const struct schema_proto_part *b)
{
	for (; a && b; a = a->next, b = b->next)
		if (a->parens != b->parens || !bus_str_eq(a->text, b->text))
			return false;
	return !a && !b;
}

static enum bus_err check_twice(struct encode *e, const struct schema_proto_message *in,
				const struct schema_proto_option *o)
{
	const struct schema_proto_field *f = NULL;

	if (!o->next)
		return BUS_OK;
	for (const struct schema_proto_part *part = o->name; part && in; part = part->next) {
		f = member(e, in, part->text, part->parens, false);
		in = f ? f->message : NULL;
	}
	for (const struct schema_proto_option *later = o->next; later; later = later->next) {
		enum bus_err rc = schema_proto_work(e->p, 1);

		if (rc)
			return rc;
		if (same_name(o->name, later->name) && (!f || f->label != SCHEMA_PROTO_REPEATED))
			return schema_proto_fail(e->p, later->at, "option '" SCHEMA_PROTO_F "' is set twice",
						 SCHEMA_PROTO_A(o->name->text));
	}
	return BUS_OK;
}

enum bus_err schema_proto_default(struct schema_proto *p, const struct schema_proto_field *f)
{
	struct encode e = { .p = p, .file = p->files };
	struct bus_buf scratch = { 0 };
	enum bus_err rc;

	if (f->type == SCHEMA_PROTO_MESSAGE || f->type == SCHEMA_PROTO_GROUP ||
	    f->preset->kind == SCHEMA_PROTO_LIST)
		return schema_proto_fail(p, f->preset->at, "a message has no default");
	if (f->type == SCHEMA_PROTO_ENUM && f->preset->kind != SCHEMA_PROTO_WORD &&
	    f->preset->kind != SCHEMA_PROTO_BOOL)
		return schema_proto_fail(p, f->preset->at, "the default of an enum is one of its names");
	rc = encode(&e, f, f->preset, &scratch);
	bus_buf_release(&scratch);
	return rc;
}

enum bus_err schema_proto_options(struct schema_proto *p, struct schema_proto_file *file,
				  const struct schema_proto_message *scope, const char *type,
				  const struct schema_proto_option *options, struct bus_buf *out)
{
	struct encode e = { .p = p, .file = file, .scope = scope };
	const struct schema_proto_symbol *s;
	struct schema_proto_file *descriptor;
	char full[64];
	enum bus_err rc;

	if (!options)
		return BUS_OK;
	rc = schema_proto_file_named(p, BUS_STR("google/protobuf/descriptor.proto"), &descriptor);
	if (rc)
		return rc;
	snprintf(full, sizeof(full), "google.protobuf.%s", type);
	s = schema_proto_find(p, bus_str(full));
	if (!s || s->kind != SCHEMA_PROTO_IS_MESSAGE)
		return bus_fail(p->err, BUS_ESCHEMA, "'google/protobuf/descriptor.proto' has no %s", type);
	for (; options && rc == BUS_OK; options = options->next) {
		rc = p->lenient ? BUS_OK : check_twice(&e, s->what, options);
		if (rc == BUS_OK)
			rc = encode_option(&e, s->what, options, options->name, out);
		if (rc && p->lenient) /* what the registry cannot read it leaves out, as Confluent's does */
			rc = BUS_OK;
	}
	return rc;
}
