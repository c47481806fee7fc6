/* struct schema_proto_file -> FileDescriptorProto (google/protobuf/descriptor.proto), as protoc makes it but
 * for what it derives: json_name and source positions. Every type name is a full one. */
#include "schemas/kinds/proto.h"
#include "schemas/kinds/proto_wire.h"

struct write {
	struct schema_proto *p;
	struct schema_proto_file *file;
};

static enum bus_err put_options(struct write *w, uint32_t number, const struct schema_proto_message *scope,
				const char *type, const struct schema_proto_option *options,
				struct bus_buf *out)
{
	struct bus_buf bytes = { 0 };
	enum bus_err rc = schema_proto_options(w->p, w->file, scope, type, options, &bytes);

	if (rc == BUS_OK && options)
		proto_wire_put(out, number, bus_buf_str(&bytes));
	bus_buf_release(&bytes);
	return rc;
}

static void put_type_name(uint32_t number, struct bus_str full, struct bus_buf *out)
{
	struct bus_buf name = { 0 };

	bus_buf_putc(&name, '.');
	bus_buf_put(&name, full.p, full.n);
	proto_wire_put(out, number, bus_buf_str(&name));
	bus_buf_release(&name);
}

/* Bytes as C writes them. */
static void put_escaped(struct bus_str s, struct bus_buf *out)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c == '\n' || c == '\r' || c == '\t')
			bus_buf_puts(out, c == '\n' ? "\\n" : c == '\r' ? "\\r" : "\\t");
		else if (c == '"' || c == '\'' || c == '\\')
			bus_buf_printf(out, "\\%c", c);
		else if (c < 0x20 || c >= 0x7f)
			bus_buf_printf(out, "\\%03o", c);
		else
			bus_buf_putc(out, (char)c);
	}
}

static void put_default(const struct schema_proto_field *f, struct bus_buf *out)
{
	struct bus_buf text = { 0 };
	bool negative;
	uint64_t n;

	if (f->type == SCHEMA_PROTO_BYTES)
		put_escaped(f->preset->text, &text);
	else if (f->preset->kind == SCHEMA_PROTO_NUMBER &&
		 schema_proto_number(f->preset->text, &negative, &n))
		bus_buf_printf(&text, "%s%llu", negative && n ? "-" : "", (unsigned long long)n);
	else
		bus_buf_put(&text, f->preset->text.p, f->preset->text.n);
	proto_wire_put(out, 7, bus_buf_str(&text));
	bus_buf_release(&text);
}

/* extendee: of an extension. oneof: an index, or -1. */
static enum bus_err put_field(struct write *w, const struct schema_proto_message *scope,
			      const struct schema_proto_field *f, const struct schema_proto_message *extendee,
			      int oneof, bool optional3, struct bus_buf *out)
{
	enum schema_proto_label label = f->label ? f->label : SCHEMA_PROTO_OPTIONAL;
	enum bus_err rc;

	proto_wire_put(out, 1, f->name);
	if (extendee)
		put_type_name(2, extendee->full, out);
	proto_wire_put_int(out, 3, f->number);
	proto_wire_put_int(out, 4, label);
	if (f->type)
		proto_wire_put_int(out, 5, f->type);
	if (f->message)
		put_type_name(6, f->message->full, out);
	else if (f->enumeration)
		put_type_name(6, f->enumeration->full, out);
	else if (!f->type) /* of a schema that cannot be linked any more */
		proto_wire_put(out, 6, f->type_name);
	if (f->preset)
		put_default(f, out);
	rc = put_options(w, 8, scope, "FieldOptions", f->options, out);
	if (oneof >= 0)
		proto_wire_put_int(out, 9, oneof);
	if (f->json_name.p)
		proto_wire_put(out, 10, f->json_name);
	if (optional3)
		proto_wire_put_int(out, 17, 1);
	return rc;
}

static enum bus_err put_extends(struct write *w, uint32_t number, const struct schema_proto_message *scope,
				const struct schema_proto_extend *e, struct bus_buf *out)
{
	struct bus_buf field = { 0 };
	enum bus_err rc = BUS_OK;

	for (; e && rc == BUS_OK; e = e->next)
		for (const struct schema_proto_field *f = e->fields; f && e->message && rc == BUS_OK;
		     f = f->next) {
			bool optional3 = w->file->proto3 && f->label == SCHEMA_PROTO_OPTIONAL;

			bus_buf_reset(&field);
			rc = put_field(w, scope, f, e->message, -1, optional3, &field);
			proto_wire_put(out, number, bus_buf_str(&field));
		}
	bus_buf_release(&field);
	return rc;
}

static void put_range(int64_t from, int64_t to, struct bus_buf *out)
{
	proto_wire_put_int(out, 1, from);
	proto_wire_put_int(out, 2, to);
}

/* past: 1 where the end of a range is the first number that is not in it. */
static enum bus_err put_ranges(struct write *w, uint32_t number, uint32_t name_number, int past,
			       const struct schema_proto_message *scope, const struct schema_proto_ranges *r,
			       struct bus_buf *out)
{
	struct bus_buf one = { 0 };
	enum bus_err rc = BUS_OK;

	for (; r && rc == BUS_OK; r = r->next)
		for (const struct schema_proto_range *x = r->first; x && rc == BUS_OK; x = x->next) {
			if (x->name.p) {
				proto_wire_put(out, name_number, x->name);
				continue;
			}
			bus_buf_reset(&one);
			put_range(x->from, (int64_t)x->to + past, &one);
			rc = put_options(w, 3, scope, "ExtensionRangeOptions", r->options, &one);
			proto_wire_put(out, number, bus_buf_str(&one));
		}
	bus_buf_release(&one);
	return rc;
}

static enum bus_err put_enums(struct write *w, uint32_t number, const struct schema_proto_message *scope,
			      const struct schema_proto_enum *e, struct bus_buf *out)
{
	struct bus_buf body = { 0 };
	struct bus_buf value = { 0 };
	enum bus_err rc = BUS_OK;

	for (; e && rc == BUS_OK; e = e->next) {
		bus_buf_reset(&body);
		proto_wire_put(&body, 1, e->name);
		for (const struct schema_proto_constant *c = e->constants; c && rc == BUS_OK; c = c->next) {
			bus_buf_reset(&value);
			proto_wire_put(&value, 1, c->name);
			proto_wire_put_int(&value, 2, c->number);
			rc = put_options(w, 3, scope, "EnumValueOptions", c->options, &value);
			proto_wire_put(&body, 2, bus_buf_str(&value));
		}
		if (rc == BUS_OK)
			rc = put_options(w, 3, scope, "EnumOptions", e->options, &body);
		if (rc == BUS_OK)
			rc = put_ranges(w, 4, 5, 0, scope, e->reserved, &body);
		proto_wire_put(out, number, bus_buf_str(&body));
	}
	bus_buf_release(&body);
	bus_buf_release(&value);
	return rc;
}

/* Oneofs in order; then, as protoc, one for each optional field of proto3. */
static enum bus_err put_oneofs(struct write *w, const struct schema_proto_message *m, struct bus_buf *out)
{
	struct bus_buf one = { 0 };
	enum bus_err rc = BUS_OK;

	for (const struct schema_proto_oneof *o = m->oneofs; o && rc == BUS_OK; o = o->next) {
		bus_buf_reset(&one);
		proto_wire_put(&one, 1, o->name);
		rc = put_options(w, 2, m, "OneofOptions", o->options, &one);
		proto_wire_put(out, 8, bus_buf_str(&one));
	}
	for (const struct schema_proto_field *f = m->fields; f && m->file->proto3; f = f->next) {
		struct bus_buf name = { 0 };

		if (f->label != SCHEMA_PROTO_OPTIONAL || m->entry)
			continue;
		bus_buf_reset(&one);
		bus_buf_printf(&name, "%s%.*s", f->name.p[0] == '_' ? "X" : "_", (int)f->name.n, f->name.p);
		proto_wire_put(&one, 1, bus_buf_str(&name));
		proto_wire_put(out, 8, bus_buf_str(&one));
		bus_buf_release(&name);
	}
	bus_buf_release(&one);
	return rc;
}

static enum bus_err put_fields(struct write *w, const struct schema_proto_message *m, struct bus_buf *out)
{
	struct bus_buf field = { 0 };
	int next = 0;
	enum bus_err rc = BUS_OK;

	for (struct schema_proto_oneof *o = m->oneofs; o; o = o->next)
		o->index = next++;
	for (const struct schema_proto_field *f = m->fields; f && rc == BUS_OK; f = f->next) {
		bool optional3 = m->file->proto3 && f->label == SCHEMA_PROTO_OPTIONAL && !m->entry;

		bus_buf_reset(&field);
		rc = put_field(w, m, f, NULL,
			       f->oneof	   ? f->oneof->index
			       : optional3 ? next++
					   : -1,
			       optional3, &field);
		proto_wire_put(out, 2, bus_buf_str(&field));
	}
	bus_buf_release(&field);
	return rc;
}

/* Depth: the parser's. */
static enum bus_err put_messages(struct write *w, uint32_t number, const struct schema_proto_message *m,
				 struct bus_buf *out)
{
	struct bus_buf body = { 0 };
	enum bus_err rc = BUS_OK;

	for (; m && rc == BUS_OK; m = m->next) {
		bus_buf_reset(&body);
		proto_wire_put(&body, 1, m->name);
		rc = put_fields(w, m, &body);
		if (rc == BUS_OK)
			rc = put_messages(w, 3, m->messages, &body);
		if (rc == BUS_OK)
			rc = put_enums(w, 4, m, m->enums, &body);
		if (rc == BUS_OK)
			rc = put_ranges(w, 5, 0, 1, m, m->extensions, &body);
		if (rc == BUS_OK)
			rc = put_extends(w, 6, m, m->extends, &body);
		if (rc == BUS_OK && m->entry)
			proto_wire_put(&body, 7, BUS_STR("\x38\x01")); /* map_entry = true */
		else if (rc == BUS_OK)
			rc = put_options(w, 7, m, "MessageOptions", m->options, &body);
		if (rc == BUS_OK)
			rc = put_oneofs(w, m, &body);
		if (rc == BUS_OK)
			rc = put_ranges(w, 9, 10, 1, m, m->reserved, &body);
		proto_wire_put(out, number, bus_buf_str(&body));
	}
	bus_buf_release(&body);
	return rc;
}

static enum bus_err put_services(struct write *w, const struct schema_proto_service *s, struct bus_buf *out)
{
	struct bus_buf body = { 0 };
	struct bus_buf rpc = { 0 };
	enum bus_err rc = BUS_OK;

	for (; s && rc == BUS_OK; s = s->next) {
		bus_buf_reset(&body);
		proto_wire_put(&body, 1, s->name);
		for (const struct schema_proto_rpc *r = s->rpcs; r && rc == BUS_OK; r = r->next) {
			bus_buf_reset(&rpc);
			proto_wire_put(&rpc, 1, r->name);
			if (r->input_message)
				put_type_name(2, r->input_message->full, &rpc);
			if (r->output_message)
				put_type_name(3, r->output_message->full, &rpc);
			rc = put_options(w, 4, NULL, "MethodOptions", r->options, &rpc);
			if (r->input_stream)
				proto_wire_put_int(&rpc, 5, 1);
			if (r->output_stream)
				proto_wire_put_int(&rpc, 6, 1);
			proto_wire_put(&body, 2, bus_buf_str(&rpc));
		}
		if (rc == BUS_OK)
			rc = put_options(w, 3, NULL, "ServiceOptions", s->options, &body);
		proto_wire_put(out, 6, bus_buf_str(&body));
	}
	bus_buf_release(&body);
	bus_buf_release(&rpc);
	return rc;
}

enum bus_err schema_proto_write(struct schema_proto *p, struct schema_proto_file *file, struct bus_buf *out)
{
	struct write w = { p, file };
	int index = 0;
	enum bus_err rc;

	proto_wire_put(out, 1, file->name);
	if (file->package.p)
		proto_wire_put(out, 2, file->package);
	for (const struct schema_proto_import *i = file->imports; i; i = i->next)
		proto_wire_put(out, 3, i->name);
	rc = put_messages(&w, 4, file->messages, out);
	if (rc == BUS_OK)
		rc = put_enums(&w, 5, NULL, file->enums, out);
	if (rc == BUS_OK)
		rc = put_services(&w, file->services, out);
	if (rc == BUS_OK)
		rc = put_extends(&w, 7, NULL, file->extends, out);
	if (rc == BUS_OK)
		rc = put_options(&w, 8, NULL, "FileOptions", file->options, out);
	for (const struct schema_proto_import *i = file->imports; i; i = i->next, index++)
		if (i->public || i->weak)
			proto_wire_put_int(out, i->public ? 10 : 11, index);
	if (file->syntax.p)
		proto_wire_put(out, 12, file->syntax);
	return rc;
}
