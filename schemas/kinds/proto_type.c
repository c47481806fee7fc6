#include <stdarg.h>
#include <stdio.h>

#include "schemas/kinds/proto.h"

#define WORK_MAX ((size_t)20 * 1000 * 1000)

static const char *const scalar[] = {
	[SCHEMA_PROTO_DOUBLE] = "double",     [SCHEMA_PROTO_FLOAT] = "float",
	[SCHEMA_PROTO_INT64] = "int64",	      [SCHEMA_PROTO_UINT64] = "uint64",
	[SCHEMA_PROTO_INT32] = "int32",	      [SCHEMA_PROTO_FIXED64] = "fixed64",
	[SCHEMA_PROTO_FIXED32] = "fixed32",   [SCHEMA_PROTO_BOOLEAN] = "bool",
	[SCHEMA_PROTO_TEXT] = "string",	      [SCHEMA_PROTO_BYTES] = "bytes",
	[SCHEMA_PROTO_UINT32] = "uint32",     [SCHEMA_PROTO_SFIXED32] = "sfixed32",
	[SCHEMA_PROTO_SFIXED64] = "sfixed64", [SCHEMA_PROTO_SINT32] = "sint32",
	[SCHEMA_PROTO_SINT64] = "sint64",
};

enum schema_proto_type schema_proto_scalar(struct bus_str name)
{
	for (size_t i = 1; i < BUS_LEN(scalar); i++)
		if (scalar[i] && bus_str_is(name, scalar[i]))
			return (enum schema_proto_type)i;
	return 0;
}

const char *schema_proto_scalar_name(enum schema_proto_type type)
{
	return (size_t)type < BUS_LEN(scalar) ? scalar[type] : NULL;
}

bool schema_proto_number(struct bus_str s, bool *negative, uint64_t *magnitude)
{
	unsigned base = 10;
	uint64_t v = 0;

	*negative = s.n > 0 && s.p[0] == '-';
	if (*negative)
		s = (struct bus_str){ s.p + 1, s.n - 1 };
	if (s.n > 2 && s.p[0] == '0' && (s.p[1] == 'x' || s.p[1] == 'X')) {
		base = 16;
		s = (struct bus_str){ s.p + 2, s.n - 2 };
	} else if (s.n > 1 && s.p[0] == '0') {
		base = 8;
	}
	if (s.n == 0)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		unsigned d = c >= '0' && c <= '9'   ? (unsigned)(c - '0')
			     : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a' + 10)
			     : c >= 'A' && c <= 'F' ? (unsigned)(c - 'A' + 10)
						    : 16;

		if (d >= base || __builtin_mul_overflow(v, base, &v) || __builtin_add_overflow(v, d, &v))
			return false;
	}
	*magnitude = v;
	return true;
}

enum bus_err schema_proto_fail(struct schema_proto *p, struct schema_proto_at at, const char *fmt, ...)
{
	char what[400];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	if (at.line == 0)
		return bus_fail(p->err, BUS_ESCHEMA, "%s", what);
	return bus_fail(p->err, BUS_ESCHEMA, "line %u, column %u: %s", at.line, at.column, what);
}

enum bus_err schema_proto_no_room(struct schema_proto *p)
{
	return bus_fail(p->err, BUS_ETOOBIG, "the schema needs more than %zu bytes of memory to be checked",
			SCHEMA_KIND_MEMORY_MAX);
}

enum bus_err schema_proto_work(struct schema_proto *p, size_t n)
{
	p->work += n;
	return p->work < WORK_MAX ? BUS_OK
				  : bus_fail(p->err, BUS_ETOOBIG, "the schema takes too long to be checked");
}

bool schema_proto_is_entry(const struct schema_proto_message *m)
{
	if (m->entry)
		return true;
	for (const struct schema_proto_option *o = m->options; o; o = o->next)
		if (!o->name->parens && !o->name->next && bus_str_is(o->name->text, "map_entry"))
			return bus_str_is(o->value->text, "true");
	return false;
}

struct schema_proto_value *schema_proto_value_new(struct schema_proto *p, enum schema_proto_kind kind,
						  struct bus_str text)
{
	struct schema_proto_value *v = schema_proto_new(p, sizeof(*v));

	if (v) {
		v->kind = kind;
		v->text = text;
	}
	return v;
}

void *schema_proto_new(struct schema_proto *p, size_t n)
{
	return bus_arena_zalloc(p->arena, n);
}

struct bus_str schema_proto_join(struct schema_proto *p, struct bus_str scope, struct bus_str name)
{
	size_t n = scope.n ? scope.n + 1 + name.n : name.n;
	char *s = bus_arena_alloc(p->arena, n + 1);

	if (!s)
		return (struct bus_str){ 0 };
	if (scope.n) {
		memcpy(s, scope.p, scope.n);
		s[scope.n] = '.';
	}
	if (name.n) /* a descriptor's may be missing */
		memcpy(s + n - name.n, name.p, name.n);
	s[n] = '\0';
	return (struct bus_str){ s, n };
}
