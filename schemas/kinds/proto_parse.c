#include "schemas/kinds/proto_parse.h"

#include "bus/utf8.h"

static enum bus_err parse_syntax(struct schema_proto_parser *s)
{
	enum bus_err rc;

	if (schema_proto_is(s, "edition"))
		return schema_proto_fail(
		    s->p, s->at, "editions are not taken: write syntax = \"proto3\"; (or \"proto2\")");
	if (!schema_proto_take(s, "syntax"))
		return BUS_OK;
	rc = schema_proto_want_text(s, "=");
	if (rc == BUS_OK)
		rc = schema_proto_string(s, &s->file->syntax);
	if (rc)
		return rc;
	s->file->proto3 = bus_str_is(s->file->syntax, "proto3");
	if (!s->file->proto3 && !bus_str_is(s->file->syntax, "proto2"))
		return schema_proto_fail(s->p, s->at,
					 "no syntax '" SCHEMA_PROTO_F "': \"proto2\" or \"proto3\"",
					 SCHEMA_PROTO_A(s->file->syntax));
	return schema_proto_want_text(s, ";");
}

static enum bus_err parse_import(struct schema_proto_parser *s)
{
	struct schema_proto_import *i = schema_proto_new(s->p, sizeof(*i));
	enum bus_err rc;

	if (!i)
		return schema_proto_no_room(s->p);
	i->at = s->at;
	i->public = schema_proto_take(s, "public");
	i->weak = !i->public && schema_proto_take(s, "weak");
	rc = schema_proto_utf8(s, &i->name);
	SCHEMA_PROTO_PUSH(s->file->imports, i);
	return rc ? rc : schema_proto_want_text(s, ";");
}

static enum bus_err parse_rpc_type(struct schema_proto_parser *s, struct bus_str *name, bool *stream)
{
	enum bus_err rc = schema_proto_want_text(s, "(");
	struct schema_proto_parser back = *s;

	*stream = schema_proto_take(s, "stream");
	if (*stream && s->token != PROTO_NAME && !schema_proto_is(s, ".")) { /* a message called stream */
		*s = back;
		*stream = false;
	}
	if (rc == BUS_OK)
		rc = schema_proto_full_name(s, true, name);
	return rc ? rc : schema_proto_want_text(s, ")");
}

static enum bus_err parse_rpc(struct schema_proto_parser *s, struct schema_proto_service *service)
{
	struct schema_proto_rpc *r = schema_proto_new(s->p, sizeof(*r));
	enum bus_err rc;

	if (!r)
		return schema_proto_no_room(s->p);
	r->at = s->at;
	rc = schema_proto_name(s, &r->name);
	if (rc == BUS_OK)
		rc = parse_rpc_type(s, &r->input, &r->input_stream);
	if (rc == BUS_OK)
		rc = schema_proto_want_text(s, "returns");
	if (rc == BUS_OK)
		rc = parse_rpc_type(s, &r->output, &r->output_stream);
	SCHEMA_PROTO_PUSH(service->rpcs, r);
	if (rc || !schema_proto_take(s, "{"))
		return rc ? rc : schema_proto_want_text(s, ";");
	while (rc == BUS_OK && !schema_proto_take(s, "}"))
		if (!schema_proto_take(s, ";")) {
			rc = schema_proto_want_text(s, "option");
			if (rc == BUS_OK)
				rc = schema_proto_parse_option(s, &r->options);
		}
	SCHEMA_PROTO_REVERSE(r->options);
	return rc;
}

static enum bus_err parse_service(struct schema_proto_parser *s)
{
	struct schema_proto_service *v = schema_proto_new(s->p, sizeof(*v));
	enum bus_err rc;

	if (!v)
		return schema_proto_no_room(s->p);
	v->at = s->at;
	rc = schema_proto_name(s, &v->name);
	if (rc == BUS_OK)
		rc = schema_proto_want_text(s, "{");
	while (rc == BUS_OK && !schema_proto_take(s, "}")) {
		if (schema_proto_take(s, ";"))
			continue;
		if (schema_proto_take(s, "option"))
			rc = schema_proto_parse_option(s, &v->options);
		else if (schema_proto_take(s, "rpc"))
			rc = parse_rpc(s, v);
		else
			rc = schema_proto_unexpected(s, "'rpc', 'option' or '}'");
	}
	SCHEMA_PROTO_REVERSE(v->rpcs);
	SCHEMA_PROTO_REVERSE(v->options);
	SCHEMA_PROTO_PUSH(s->file->services, v);
	return rc;
}

static enum bus_err parse_package(struct schema_proto_parser *s)
{
	enum bus_err rc;

	s->file->package_at = s->at;
	if (s->file->package.p)
		return schema_proto_fail(s->p, s->at, "a second package");
	/* Full names are made while parsing, so that what stands before it would get the wrong ones. */
	if (s->file->messages || s->file->enums || s->file->extends || s->file->services)
		return schema_proto_fail(s->p, s->at,
					 "the package stands before messages, enums and services");
	rc = schema_proto_full_name(s, false, &s->file->package);
	return rc ? rc : schema_proto_want_text(s, ";");
}

static enum bus_err parse_statement(struct schema_proto_parser *s)
{
	struct schema_proto_file *f = s->file;

	if (schema_proto_take(s, ";"))
		return BUS_OK;
	if (schema_proto_take(s, "package"))
		return parse_package(s);
	if (schema_proto_take(s, "import"))
		return parse_import(s);
	if (schema_proto_take(s, "option"))
		return schema_proto_parse_option(s, &f->options);
	if (schema_proto_take(s, "message"))
		return schema_proto_parse_message(s, NULL, &f->messages);
	if (schema_proto_take(s, "enum"))
		return schema_proto_parse_enum(s, f->package, &f->enums);
	if (schema_proto_take(s, "extend"))
		return schema_proto_parse_extend(s, NULL, &f->messages, &f->extends);
	if (schema_proto_take(s, "service"))
		return parse_service(s);
	return schema_proto_unexpected(
	    s, "'message', 'enum', 'service', 'extend', 'import', 'package' or 'option'");
}

enum bus_err schema_proto_parse(struct schema_proto *p, struct bus_str text, struct schema_proto_file *file)
{
	struct schema_proto_parser s = {
		.p = p, .file = file, .c = text.p, .end = text.p + text.n, .line = 1, .line_start = text.p
	};
	enum bus_err rc;

	if (bus_utf8_ok(text.p, text.n) != text.n)
		return bus_fail(p->err, BUS_ESCHEMA, "the text is not UTF-8 from byte %zu on",
				bus_utf8_ok(text.p, text.n));
	if (text.n >= 3 && memcmp(text.p, "\357\273\277", 3) == 0)
		s.c += 3;
	schema_proto_next(&s);
	rc = parse_syntax(&s);
	while (rc == BUS_OK && s.token != PROTO_END)
		rc = parse_statement(&s);
	SCHEMA_PROTO_REVERSE(file->imports);
	SCHEMA_PROTO_REVERSE(file->options);
	SCHEMA_PROTO_REVERSE(file->messages);
	SCHEMA_PROTO_REVERSE(file->enums);
	SCHEMA_PROTO_REVERSE(file->extends);
	SCHEMA_PROTO_REVERSE(file->services);
	return rc;
}
