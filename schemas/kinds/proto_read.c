/* FileDescriptorProto (google/protobuf/descriptor.proto) -> struct schema_proto_file. */
#include "schemas/kinds/proto_read.h"

#include "bus/utf8.h"

enum bus_err schema_proto_broken(struct schema_proto_reader *r, const char *what)
{
	return bus_fail(r->p->err, BUS_ESCHEMA, "the descriptor's %s cannot be read", what);
}

static enum bus_err done(struct schema_proto_reader *r, const struct proto_wire *w, const char *what)
{
	return w->bad ? schema_proto_broken(r, what) : BUS_OK;
}

bool schema_proto_read_string(const struct proto_wire *w, struct bus_str *out)
{
	if (w->type != PROTO_WIRE_BYTES || bus_utf8_ok(w->bytes.p, w->bytes.n) != w->bytes.n)
		return false;
	*out = w->bytes;
	return true;
}

static bool is_name(struct bus_str s)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
		      (i > 0 && c >= '0' && c <= '9')))
			return false;
	}
	return s.n > 0;
}

bool schema_proto_is_full_name(struct bus_str s, bool dot)
{
	if (dot && s.n > 0 && s.p[0] == '.')
		s = (struct bus_str){ s.p + 1, s.n - 1 };
	for (size_t from = 0, i = 0; i <= s.n; i++)
		if (i == s.n || s.p[i] == '.') {
			if (!is_name((struct bus_str){ s.p + from, i - from }))
				return false;
			from = i + 1;
		}
	return true;
}

/* protoc's own descriptors begin every type with a dot. */
bool schema_proto_is_keyword(struct bus_str type)
{
	static const char *const word[] = { "message", "enum",	     "oneof",	 "option",
					    "extend",  "extensions", "reserved", "optional",
					    "group",   "required",   "repeated", "stream" };
	const char *dot = memchr(type.p, '.', type.n);
	struct bus_str first = { type.p, dot ? (size_t)(dot - type.p) : type.n };

	for (size_t i = 0; i < BUS_LEN(word); i++)
		if (bus_str_is(first, word[i]))
			return true;
	return schema_proto_scalar(type) != 0;
}

/* A name where one must stand. */
enum bus_err schema_proto_want_name(struct schema_proto_reader *r, struct bus_str name, const char *of)
{
	return is_name(name) ? BUS_OK
			     : bus_fail(r->p->err, BUS_ESCHEMA,
					"'" SCHEMA_PROTO_F "' is no name of a %s in the descriptor",
					SCHEMA_PROTO_A(name), of);
}

static void close_extends(struct schema_proto_extend **list)
{
	SCHEMA_PROTO_REVERSE(*list);
	for (struct schema_proto_extend *e = *list; e; e = e->next)
		SCHEMA_PROTO_REVERSE(e->fields);
}

/* last: what the end is of: of a message exclusive, of an enum inclusive. */
static enum bus_err read_range(struct schema_proto_reader *r, struct bus_str bytes, bool enumeration,
			       const char *options, struct schema_proto_ranges **list)
{
	struct proto_wire w = proto_wire(bytes);
	struct schema_proto_ranges *all = schema_proto_new(r->p, sizeof(*all));
	struct schema_proto_range *one = schema_proto_new(r->p, sizeof(*one));
	int64_t low = enumeration ? INT32_MIN : 1;
	int64_t high = enumeration ? INT32_MAX : SCHEMA_PROTO_NUMBER_MAX;
	int64_t from = 0, to = 0;
	enum bus_err rc = BUS_OK;

	if (!all || !one)
		return schema_proto_no_room(r->p);
	while (rc == BUS_OK && proto_wire_next(&w)) {
		if (w.number == 1 && w.type == PROTO_WIRE_VARINT)
			from = (int32_t)w.value;
		else if (w.number == 2 && w.type == PROTO_WIRE_VARINT)
			to = (int32_t)w.value;
		else if (w.number == 3 && w.type == PROTO_WIRE_BYTES && options)
			rc = schema_proto_options_read(r->p, options, w.bytes, &all->options);
	}
	to -= !enumeration;
	if (rc == BUS_OK && (w.bad || from < low || to > high || to < from))
		rc = schema_proto_broken(r, "range");
	one->from = (int32_t)from;
	one->to = (int32_t)to;
	one->span = from != to;
	all->first = one;
	SCHEMA_PROTO_PUSH(*list, all);
	return rc;
}

static enum bus_err read_reserved_name(struct schema_proto_reader *r, const struct proto_wire *w,
				       struct schema_proto_ranges **list)
{
	struct schema_proto_ranges *all = schema_proto_new(r->p, sizeof(*all));
	struct schema_proto_range *one = schema_proto_new(r->p, sizeof(*one));

	if (!all || !one)
		return schema_proto_no_room(r->p);
	all->first = one;
	SCHEMA_PROTO_PUSH(*list, all);
	return schema_proto_read_string(w, &one->name) ? BUS_OK : schema_proto_broken(r, "reserved_name");
}

static enum bus_err read_constant(struct schema_proto_reader *r, struct bus_str bytes,
				  struct schema_proto_enum *e)
{
	struct proto_wire w = proto_wire(bytes);
	struct schema_proto_constant *c = schema_proto_new(r->p, sizeof(*c));
	enum bus_err rc = BUS_OK;

	if (!c)
		return schema_proto_no_room(r->p);
	while (rc == BUS_OK && proto_wire_next(&w)) {
		if (w.number == 1 && !schema_proto_read_string(&w, &c->name))
			rc = schema_proto_broken(r, "enum value");
		else if (w.number == 2 && w.type == PROTO_WIRE_VARINT)
			c->number = (int32_t)w.value;
		else if (w.number == 3 && w.type == PROTO_WIRE_BYTES)
			rc = schema_proto_options_read(r->p, "EnumValueOptions", w.bytes, &c->options);
	}
	SCHEMA_PROTO_PUSH(e->constants, c);
	if (rc == BUS_OK)
		rc = done(r, &w, "enum value");
	return rc ? rc : schema_proto_want_name(r, c->name, "enum value");
}

static enum bus_err read_enum(struct schema_proto_reader *r, struct bus_str bytes, struct bus_str scope,
			      struct schema_proto_enum **list)
{
	struct proto_wire w = proto_wire(bytes);
	struct schema_proto_enum *e = schema_proto_new(r->p, sizeof(*e));
	struct schema_proto_ranges *names = NULL;
	struct schema_proto_ranges **tail;
	enum bus_err rc = BUS_OK;

	if (!e)
		return schema_proto_no_room(r->p);
	e->file = r->file;
	while (rc == BUS_OK && proto_wire_next(&w)) {
		if (w.number == 1)
			rc = schema_proto_read_string(&w, &e->name) ? BUS_OK : schema_proto_broken(r, "enum");
		else if (w.number >= 2 && w.number <= 4 && w.type != PROTO_WIRE_BYTES)
			rc = schema_proto_broken(r, "enum");
		else if (w.number == 2)
			rc = read_constant(r, w.bytes, e);
		else if (w.number == 3)
			rc = schema_proto_options_read(r->p, "EnumOptions", w.bytes, &e->options);
		else if (w.number == 4)
			rc = read_range(r, w.bytes, true, NULL, &e->reserved);
		else if (w.number == 5)
			rc = read_reserved_name(r, &w, &names);
	}
	if (rc == BUS_OK)
		rc = done(r, &w, "enum");
	if (rc == BUS_OK)
		rc = schema_proto_want_name(r, e->name, "enum");
	SCHEMA_PROTO_REVERSE(e->constants);
	SCHEMA_PROTO_REVERSE(e->reserved);
	SCHEMA_PROTO_REVERSE(names);
	for (tail = &e->reserved; *tail;)
		tail = &(*tail)->next;
	*tail = names;
	e->full = schema_proto_join(r->p, scope, e->name);
	SCHEMA_PROTO_PUSH(*list, e);
	return rc ? rc : e->full.p ? BUS_OK : schema_proto_no_room(r->p);
}

static enum bus_err read_oneof(struct schema_proto_reader *r, struct bus_str bytes,
			       struct schema_proto_message *m)
{
	struct proto_wire w = proto_wire(bytes);
	struct schema_proto_oneof *o = schema_proto_new(r->p, sizeof(*o));
	enum bus_err rc = BUS_OK;

	if (!o)
		return schema_proto_no_room(r->p);
	while (rc == BUS_OK && proto_wire_next(&w)) {
		if (w.number == 1)
			rc =
			    schema_proto_read_string(&w, &o->name) ? BUS_OK : schema_proto_broken(r, "oneof");
		else if (w.number == 2 && w.type == PROTO_WIRE_BYTES)
			rc = schema_proto_options_read(r->p, "OneofOptions", w.bytes, &o->options);
	}
	SCHEMA_PROTO_PUSH(m->oneofs, o);
	if (rc == BUS_OK)
		rc = done(r, &w, "oneof");
	return rc ? rc : schema_proto_want_name(r, o->name, "oneof");
}

static enum bus_err read_message(struct schema_proto_reader *r, struct bus_str bytes,
				 struct schema_proto_message *parent, struct schema_proto_message **list);

/* First what fields refer to, then the fields. */
static enum bus_err read_parts(struct schema_proto_reader *r, struct bus_str bytes,
			       struct schema_proto_message *m, bool fields,
			       struct schema_proto_oneof *const *oneof, size_t n_oneofs,
			       struct schema_proto_ranges **names)
{
	struct proto_wire w = proto_wire(bytes);
	struct schema_proto_field *f = NULL;
	enum bus_err rc = BUS_OK;

	while (rc == BUS_OK && proto_wire_next(&w)) {
		if (w.number <= 10 && w.number != 1 && w.type != PROTO_WIRE_BYTES)
			return schema_proto_broken(r, "message");
		if (fields && w.number == 2) {
			rc = schema_proto_read_field(r, w.bytes, m->messages, oneof, n_oneofs, NULL, &f);
			if (rc == BUS_OK)
				SCHEMA_PROTO_PUSH(m->fields, f);
		} else if (fields && w.number == 6) {
			rc = schema_proto_read_extension(r, w.bytes, m->messages, &m->extends);
		}
		if (fields)
			continue;
		if (w.number == 3)
			rc = read_message(r, w.bytes, m, &m->messages);
		else if (w.number == 4)
			rc = read_enum(r, w.bytes, m->full, &m->enums);
		else if (w.number == 5)
			rc = read_range(r, w.bytes, false, "ExtensionRangeOptions", &m->extensions);
		else if (w.number == 7)
			rc = schema_proto_options_read(r->p, "MessageOptions", w.bytes, &m->options);
		else if (w.number == 8)
			rc = read_oneof(r, w.bytes, m);
		else if (w.number == 9)
			rc = read_range(r, w.bytes, false, NULL, &m->reserved);
		else if (w.number == 10)
			rc = read_reserved_name(r, &w, names);
	}
	return rc ? rc : done(r, &w, "message");
}

/* The oneofs that proto3's optional fields make are none of the text. */
static void drop_synthetic(struct schema_proto_message *m)
{
	struct schema_proto_oneof **o = &m->oneofs;

	for (struct schema_proto_field *f = m->fields; f; f = f->next)
		if (f->oneof)
			f->oneof->index = 1;
	while (*o)
		if ((*o)->index)
			o = &(*o)->next;
		else
			*o = (*o)->next;
}

static enum bus_err read_message(struct schema_proto_reader *r, struct bus_str bytes,
				 struct schema_proto_message *parent, struct schema_proto_message **list)
{
	struct proto_wire w = proto_wire(bytes);
	struct schema_proto_message *m = schema_proto_new(r->p, sizeof(*m));
	struct schema_proto_oneof **oneof = NULL;
	struct schema_proto_ranges *names = NULL;
	struct schema_proto_ranges **tail;
	size_t n = 0;
	enum bus_err rc = BUS_OK;

	if (!m)
		return schema_proto_no_room(r->p);
	if (r->depth >= SCHEMA_PROTO_DEPTH_MAX)
		return bus_fail(r->p->err, BUS_ESCHEMA, "messages nested more than %d deep",
				SCHEMA_PROTO_DEPTH_MAX);
	r->depth++;
	m->file = r->file;
	m->parent = parent;
	while (rc == BUS_OK && proto_wire_next(&w))
		if (w.number == 1 && !schema_proto_read_string(&w, &m->name))
			rc = schema_proto_broken(r, "message");
	if (rc == BUS_OK)
		rc = schema_proto_want_name(r, m->name, "message");
	m->full = schema_proto_join(r->p, parent ? parent->full : r->file->package, m->name);
	if (rc == BUS_OK && !m->full.p)
		rc = schema_proto_no_room(r->p);
	if (rc == BUS_OK)
		rc = read_parts(r, bytes, m, false, NULL, 0, &names);
	SCHEMA_PROTO_REVERSE(m->messages);
	SCHEMA_PROTO_REVERSE(m->enums);
	SCHEMA_PROTO_REVERSE(m->oneofs);
	SCHEMA_PROTO_REVERSE(m->extensions);
	SCHEMA_PROTO_REVERSE(m->reserved);
	SCHEMA_PROTO_REVERSE(names);
	for (tail = &m->reserved; *tail;)
		tail = &(*tail)->next;
	*tail = names;
	for (struct schema_proto_oneof *o = m->oneofs; o; o = o->next)
		n++;
	oneof = bus_xcalloc(n + 1, sizeof(struct schema_proto_oneof *));
	n = 0;
	for (struct schema_proto_oneof *o = m->oneofs; o; o = o->next)
		oneof[n++] = o;
	if (rc == BUS_OK)
		rc = read_parts(r, bytes, m, true, oneof, n, NULL);
	free(oneof);
	SCHEMA_PROTO_REVERSE(m->fields);
	close_extends(&m->extends);
	drop_synthetic(m);
	SCHEMA_PROTO_PUSH(*list, m);
	r->depth--;
	return rc;
}

static enum bus_err read_rpc(struct schema_proto_reader *r, struct bus_str bytes,
			     struct schema_proto_service *s)
{
	struct proto_wire w = proto_wire(bytes);
	struct schema_proto_rpc *rpc = schema_proto_new(r->p, sizeof(*rpc));
	enum bus_err rc = BUS_OK;
	bool ok = true;

	if (!rpc)
		return schema_proto_no_room(r->p);
	while (rc == BUS_OK && ok && proto_wire_next(&w)) {
		if (w.number == 1)
			ok = schema_proto_read_string(&w, &rpc->name);
		else if (w.number == 2)
			ok = schema_proto_read_string(&w, &rpc->input) &&
			     schema_proto_is_full_name(rpc->input, true);
		else if (w.number == 3)
			ok = schema_proto_read_string(&w, &rpc->output) &&
			     schema_proto_is_full_name(rpc->output, true);
		else if (w.number == 4 && w.type == PROTO_WIRE_BYTES)
			rc = schema_proto_options_read(r->p, "MethodOptions", w.bytes, &rpc->options);
		else if (w.number == 5)
			rpc->input_stream = w.value != 0;
		else if (w.number == 6)
			rpc->output_stream = w.value != 0;
	}
	SCHEMA_PROTO_PUSH(s->rpcs, rpc);
	if (rc == BUS_OK && (!ok || w.bad || !rpc->input.p || !rpc->output.p ||
			     schema_proto_is_keyword(rpc->input) || schema_proto_is_keyword(rpc->output)))
		rc = schema_proto_broken(r, "method");
	return rc ? rc : schema_proto_want_name(r, rpc->name, "method");
}

static enum bus_err read_service(struct schema_proto_reader *r, struct bus_str bytes)
{
	struct proto_wire w = proto_wire(bytes);
	struct schema_proto_service *s = schema_proto_new(r->p, sizeof(*s));
	enum bus_err rc = BUS_OK;

	if (!s)
		return schema_proto_no_room(r->p);
	while (rc == BUS_OK && proto_wire_next(&w)) {
		if (w.number == 1)
			rc = schema_proto_read_string(&w, &s->name) ? BUS_OK
								    : schema_proto_broken(r, "service");
		else if (w.number == 2 && w.type == PROTO_WIRE_BYTES)
			rc = read_rpc(r, w.bytes, s);
		else if (w.number == 3 && w.type == PROTO_WIRE_BYTES)
			rc = schema_proto_options_read(r->p, "ServiceOptions", w.bytes, &s->options);
	}
	SCHEMA_PROTO_REVERSE(s->rpcs);
	SCHEMA_PROTO_PUSH(r->file->services, s);
	if (rc == BUS_OK)
		rc = done(r, &w, "service");
	return rc ? rc : schema_proto_want_name(r, s->name, "service");
}

/* Package and syntax, which the rest needs; and the imports, which are spread over three fields. */
static enum bus_err read_head(struct schema_proto_reader *r, struct bus_str bytes)
{
	struct proto_wire w = proto_wire(bytes);
	struct schema_proto_import **import;
	struct schema_proto_file *f = r->file;
	size_t n = 0;
	bool ok = true;

	while (ok && proto_wire_next(&w)) {
		struct schema_proto_import *i;

		if (w.number == 14 || w.number == 13 || (w.number == 12 && bus_str_is(w.bytes, "editions")))
			return bus_fail(r->p->err, BUS_ESCHEMA,
					"editions are not taken: use proto3 or proto2");
		if (w.number == 2)
			ok = schema_proto_read_string(&w, &f->package) &&
			     (f->package.n == 0 || schema_proto_is_full_name(f->package, false));
		else if (w.number == 12)
			ok = schema_proto_read_string(&w, &f->syntax);
		if (w.number != 3)
			continue;
		i = schema_proto_new(r->p, sizeof(*i));
		if (!i)
			return schema_proto_no_room(r->p);
		ok = schema_proto_read_string(&w, &i->name);
		SCHEMA_PROTO_PUSH(f->imports, i);
		n++;
	}
	if (!ok || w.bad)
		return schema_proto_broken(r, "head");
	if (f->package.n == 0)
		f->package = (struct bus_str){ 0 };
	if (f->syntax.n == 0)
		f->syntax = (struct bus_str){ 0 };
	f->proto3 = bus_str_is(f->syntax, "proto3");
	if (f->syntax.p && !f->proto3 && !bus_str_is(f->syntax, "proto2"))
		return schema_proto_broken(r, "syntax");
	SCHEMA_PROTO_REVERSE(f->imports);
	import = bus_xcalloc(n + 1, sizeof(struct schema_proto_import *));
	n = 0;
	for (struct schema_proto_import *i = f->imports; i; i = i->next)
		import[n++] = i;
	w = proto_wire(bytes);
	while (ok && proto_wire_next(&w)) {
		struct proto_wire packed = proto_wire(w.bytes);
		uint64_t index = w.value;

		if (w.number != 10 && w.number != 11)
			continue;
		if (w.type == PROTO_WIRE_BYTES)
			ok = proto_wire_varint(&packed, &index);
		do {
			ok = ok && index < n;
			if (ok && w.number == 10)
				import[index]->public = true;
			else if (ok)
				import[index]->weak = true;
		} while (ok && w.type == PROTO_WIRE_BYTES && packed.p < packed.end &&
			 (ok = proto_wire_varint(&packed, &index)));
	}
	free(import);
	return ok && !w.bad ? BUS_OK : schema_proto_broken(r, "imports");
}

static enum bus_err read_body(struct schema_proto_reader *r, struct bus_str bytes, bool extensions)
{
	struct proto_wire w = proto_wire(bytes);
	struct schema_proto_file *f = r->file;
	enum bus_err rc = BUS_OK;

	while (rc == BUS_OK && proto_wire_next(&w)) {
		if (w.number >= 4 && w.number <= 8 && w.type != PROTO_WIRE_BYTES)
			return schema_proto_broken(r, "body");
		if (extensions) {
			if (w.number == 7)
				rc = schema_proto_read_extension(r, w.bytes, f->messages, &f->extends);
			continue;
		}
		if (w.number == 4)
			rc = read_message(r, w.bytes, NULL, &f->messages);
		else if (w.number == 5)
			rc = read_enum(r, w.bytes, f->package, &f->enums);
		else if (w.number == 6)
			rc = read_service(r, w.bytes);
		else if (w.number == 8)
			rc = schema_proto_options_read(r->p, "FileOptions", w.bytes, &f->options);
	}
	return rc ? rc : done(r, &w, "body");
}

enum bus_err schema_proto_read(struct schema_proto *p, struct bus_str bytes, struct schema_proto_file *file)
{
	struct schema_proto_reader r = { .p = p, .file = file };
	enum bus_err rc = read_head(&r, bytes);

	if (rc == BUS_OK)
		rc = read_body(&r, bytes, false);
	SCHEMA_PROTO_REVERSE(file->messages);
	SCHEMA_PROTO_REVERSE(file->enums);
	SCHEMA_PROTO_REVERSE(file->services);
	if (rc == BUS_OK)
		rc = read_body(&r, bytes, true);
	close_extends(&file->extends);
	return rc;
}
