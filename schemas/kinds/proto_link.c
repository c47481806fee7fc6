/* From names of types to the types. */
#include "schemas/kinds/proto.h"

static enum bus_err unknown(struct schema_proto *p, struct schema_proto_at at, struct bus_str name)
{
	struct bus_str full =
	    name.n > 0 && name.p[0] == '.' ? (struct bus_str){ name.p + 1, name.n - 1 } : name;
	const struct schema_proto_symbol *s = schema_proto_find(p, full);

	if (s && s->kind != SCHEMA_PROTO_IS_PACKAGE && s->file != p->files)
		return schema_proto_fail(
		    p, at, "'" SCHEMA_PROTO_F "' stands in '" SCHEMA_PROTO_F "', which is not imported",
		    SCHEMA_PROTO_A(name), SCHEMA_PROTO_A(s->file->name));
	return schema_proto_fail(p, at,
				 "'" SCHEMA_PROTO_F
				 "' is not defined: define it, or import its file and name that in "
				 "\"references\"",
				 SCHEMA_PROTO_A(name));
}

static enum bus_err link_field(struct schema_proto *p, struct schema_proto_file *file,
			       struct schema_proto_message *scope, struct schema_proto_field *f)
{
	const struct schema_proto_symbol *s;

	if (f->message || f->enumeration ||
	    (f->type && f->type != SCHEMA_PROTO_GROUP && f->type != SCHEMA_PROTO_MESSAGE &&
	     f->type != SCHEMA_PROTO_ENUM))
		return BUS_OK;
	s = schema_proto_resolve(p, file, scope, f->type_name, true);
	if (!s)
		return p->lenient ? BUS_OK : unknown(p, f->at, f->type_name);
	if (s->kind == SCHEMA_PROTO_IS_MESSAGE)
		f->message = s->what;
	else if (s->kind == SCHEMA_PROTO_IS_ENUM)
		f->enumeration = s->what;
	else
		return schema_proto_fail(p, f->at, "'" SCHEMA_PROTO_F "' is not a type",
					 SCHEMA_PROTO_A(f->type_name));
	if (f->type && (f->type == SCHEMA_PROTO_ENUM) != (s->kind == SCHEMA_PROTO_IS_ENUM))
		return schema_proto_fail(
		    p, f->at, "'" SCHEMA_PROTO_F "' is not of the kind that field '" SCHEMA_PROTO_F "' says",
		    SCHEMA_PROTO_A(f->type_name), SCHEMA_PROTO_A(f->name));
	if (!f->type)
		f->type = f->message ? SCHEMA_PROTO_MESSAGE : SCHEMA_PROTO_ENUM;
	return BUS_OK;
}

static enum bus_err link_message_name(struct schema_proto *p, struct schema_proto_file *file,
				      struct schema_proto_message *scope, struct schema_proto_at at,
				      struct bus_str name, struct schema_proto_message **out)
{
	const struct schema_proto_symbol *s = schema_proto_resolve(p, file, scope, name, true);

	if (!s)
		return p->lenient ? BUS_OK : unknown(p, at, name);
	if (s->kind != SCHEMA_PROTO_IS_MESSAGE)
		return schema_proto_fail(p, at, "'" SCHEMA_PROTO_F "' is not a message",
					 SCHEMA_PROTO_A(name));
	*out = s->what;
	return BUS_OK;
}

static enum bus_err link_extends(struct schema_proto *p, struct schema_proto_file *file,
				 struct schema_proto_message *scope, struct schema_proto_extend *e)
{
	enum bus_err rc = BUS_OK;

	for (; e && rc == BUS_OK; e = e->next) {
		rc = link_message_name(p, file, scope, e->at, e->name, &e->message);
		for (struct schema_proto_field *f = e->fields; f && rc == BUS_OK; f = f->next)
			rc = link_field(p, file, scope, f);
	}
	return rc;
}

static enum bus_err link_messages(struct schema_proto *p, struct schema_proto_file *file,
				  struct schema_proto_message *m)
{
	enum bus_err rc = BUS_OK;

	for (; m && rc == BUS_OK; m = m->next) {
		for (struct schema_proto_field *f = m->fields; f && rc == BUS_OK; f = f->next)
			rc = link_field(p, file, m, f);
		if (rc == BUS_OK)
			rc = link_extends(p, file, m, m->extends);
		if (rc == BUS_OK)
			rc = link_messages(p, file, m->messages);
	}
	return rc;
}

enum bus_err schema_proto_link(struct schema_proto *p, struct schema_proto_file *file)
{
	enum bus_err rc = link_messages(p, file, file->messages);

	if (rc == BUS_OK)
		rc = link_extends(p, file, NULL, file->extends);
	for (struct schema_proto_service *s = file->services; s && rc == BUS_OK; s = s->next)
		for (struct schema_proto_rpc *r = s->rpcs; r && rc == BUS_OK; r = r->next) {
			rc = link_message_name(p, file, NULL, r->at, r->input, &r->input_message);
			if (rc == BUS_OK)
				rc = link_message_name(p, file, NULL, r->at, r->output, &r->output_message);
		}
	return rc;
}
