#include "gateway/national/field.h"

#include <inttypes.h>

#include "bus/base64.h"

#define DIGITS_MAX 15 /* RFC 8941, 3.3.1 */

struct parser {
	const char *at, *end, *begin;
	struct bus_arena *arena;
	const char *why; /* set once */
};

static bool fail(struct parser *p, const char *why)
{
	if (!p->why)
		p->why = why;
	return false;
}

static bool is_lower(char c)
{
	return c >= 'a' && c <= 'z';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_alpha(char c)
{
	return is_lower((char)(c | 0x20));
}

static bool peek(const struct parser *p, char c)
{
	return p->at < p->end && *p->at == c;
}

static bool take(struct parser *p, char c)
{
	if (!peek(p, c))
		return false;
	p->at++;
	return true;
}

static void pass(struct parser *p, bool tabs)
{
	while (peek(p, ' ') || (tabs && peek(p, '\t')))
		p->at++;
}

static bool parse_key(struct parser *p, struct bus_str *out)
{
	const char *from = p->at;

	if (p->at == p->end || (!is_lower(*p->at) && *p->at != '*'))
		return fail(p, "a key begins with a small letter or '*'");
	while (p->at < p->end && (is_lower(*p->at) || is_digit(*p->at) || memchr("_-.*", *p->at, 4)))
		p->at++;
	*out = (struct bus_str){ from, (size_t)(p->at - from) };
	return true;
}

static bool parse_int(struct parser *p, struct gw_field_value *v)
{
	bool minus = take(p, '-');
	int digits = 0;

	v->type = GW_FIELD_INT;
	for (; p->at < p->end && is_digit(*p->at); p->at++) {
		if (++digits > DIGITS_MAX)
			return fail(p, "a number of more than 15 digits");
		v->number = v->number * 10 + (*p->at - '0');
	}
	if (digits == 0 || peek(p, '.'))
		return fail(p, "not a whole number");
	v->number = minus ? -v->number : v->number;
	return true;
}

static bool parse_string(struct parser *p, struct gw_field_value *v)
{
	char *out = bus_arena_alloc(p->arena, (size_t)(p->end - p->at) + 1);
	size_t n = 0;

	if (!out)
		return fail(p, "too much");
	v->type = GW_FIELD_STRING;
	p->at++;
	while (p->at < p->end) {
		char c = *p->at++;

		if (c == '"') {
			v->text = (struct bus_str){ out, n };
			return true;
		}
		if (c == '\\' && (p->at == p->end || (*p->at != '"' && *p->at != '\\')))
			return fail(p, "a backslash stands before '\"' or itself only");
		if (c == '\\')
			c = *p->at++;
		else if (c < 0x20 || c > 0x7e)
			return fail(p, "a string is printable ASCII");
		out[n++] = c;
	}
	return fail(p, "a string without its end");
}

static bool parse_token(struct parser *p, struct gw_field_value *v)
{
	const char *from = p->at;

	v->type = GW_FIELD_TOKEN;
	while (p->at < p->end &&
	       (is_alpha(*p->at) || is_digit(*p->at) || memchr(":/!#$%&'*+-.^_`|~", *p->at, 17)))
		p->at++;
	v->text = (struct bus_str){ from, (size_t)(p->at - from) };
	return true;
}

static bool parse_bytes(struct parser *p, struct gw_field_value *v)
{
	const char *from = ++p->at, *to = memchr(from, ':', (size_t)(p->end - from));
	struct bus_buf bytes = { 0 };
	char *kept = NULL;

	v->type = GW_FIELD_BYTES;
	if (!to)
		return fail(p, "bytes without their end");
	if (bus_base64_parse((struct bus_str){ from, (size_t)(to - from) }, &bytes)) {
		kept = bus_arena_dup(p->arena, bytes.p ? bytes.p : "", bytes.n);
		v->text = (struct bus_str){ kept, bytes.n };
		p->at = to + 1;
	}
	bus_buf_release(&bytes);
	return kept || fail(p, "not base64");
}

static bool parse_bool(struct parser *p, struct gw_field_value *v)
{
	v->type = GW_FIELD_BOOL;
	p->at++;
	v->number = peek(p, '1');
	return take(p, '1') || take(p, '0') || fail(p, "neither ?0 nor ?1");
}

static bool parse_bare(struct parser *p, struct gw_field_value *v)
{
	if (p->at == p->end)
		return fail(p, "a value is missing");
	switch (*p->at) {
	case '"':
		return parse_string(p, v);
	case ':':
		return parse_bytes(p, v);
	case '?':
		return parse_bool(p, v);
	default:
		if (is_alpha(*p->at) || *p->at == '*')
			return parse_token(p, v);
		return parse_int(p, v);
	}
}

/* A member with that key at the end of *list. */
static struct gw_field_member *add(struct parser *p, struct gw_field_member **list, struct bus_str key)
{
	struct gw_field_member *m;
	size_t n = 0;

	for (; *list; list = &(*list)->next, n++)
		if (bus_str_eq((*list)->key, key)) {
			fail(p, "a key stands twice");
			return NULL;
		}
	m = n < GW_FIELD_MEMBERS_MAX ? bus_arena_zalloc(p->arena, sizeof(*m)) : NULL;
	if (!m) {
		fail(p, "too many members or parameters");
		return NULL;
	}
	m->key = key;
	*list = m;
	return m;
}

static const struct gw_field_value yes = { .type = GW_FIELD_BOOL, .number = 1 };

static bool parse_params(struct parser *p, struct gw_field_value *v)
{
	while (take(p, ';')) {
		struct gw_field_member *m;
		struct bus_str key;

		pass(p, false);
		if (!parse_key(p, &key) || !(m = add(p, &v->param, key)))
			return false;
		m->value = yes;
		if (take(p, '=')) {
			m->value = (struct gw_field_value){ 0 };
			if (!parse_bare(p, &m->value))
				return false;
		}
	}
	return true;
}

static bool parse_list(struct parser *p, struct gw_field_value *v)
{
	struct gw_field_value **last = &v->item;
	size_t n = 0;

	v->type = GW_FIELD_LIST;
	p->at++;
	for (;;) {
		pass(p, false);
		if (take(p, ')'))
			return parse_params(p, v);
		if (n > 0 && p->at > p->begin && p->at[-1] != ' ')
			return fail(p, "items of a list are parted by spaces");
		*last = n++ < GW_FIELD_MEMBERS_MAX ? bus_arena_zalloc(p->arena, sizeof(**last)) : NULL;
		if (!*last)
			return fail(p, "too many items");
		if (!parse_bare(p, *last) || !parse_params(p, *last))
			return false;
		last = &(*last)->next;
	}
}

static bool parse_member(struct parser *p, struct gw_field_member **list)
{
	struct gw_field_member *m;
	struct bus_str key;

	if (!parse_key(p, &key) || !(m = add(p, list, key)))
		return false;
	if (!take(p, '=')) {
		m->value = yes;
		return parse_params(p, &m->value);
	}
	if (peek(p, '('))
		return parse_list(p, &m->value);
	return parse_bare(p, &m->value) && parse_params(p, &m->value);
}

enum bus_err gw_field_dictionary(struct bus_str text, struct bus_arena *arena, struct gw_field_member **out,
				 struct bus_error *err)
{
	struct parser p = { .at = text.p, .begin = text.p, .arena = arena };

	*out = NULL;
	if (text.n > GW_FIELD_TEXT_MAX)
		return bus_fail(err, BUS_EPARSE, "more than %zu bytes", GW_FIELD_TEXT_MAX);
	if (text.n == 0)
		return BUS_OK;
	p.end = text.p + text.n;
	pass(&p, false);
	while (p.at < p.end && parse_member(&p, out)) {
		pass(&p, true);
		if (p.at == p.end)
			return BUS_OK;
		if (!take(&p, ','))
			fail(&p, "a comma is missing");
		pass(&p, true);
		if (p.at == p.end)
			fail(&p, "nothing behind the last comma");
		if (p.why)
			break;
	}
	if (!p.why)
		return BUS_OK; /* spaces alone */
	*out = NULL;
	return bus_fail(err, BUS_EPARSE, "byte %zu: %s", (size_t)(p.at - p.begin) + 1, p.why);
}

const struct gw_field_value *gw_field_find(const struct gw_field_member *m, const char *key)
{
	for (; m; m = m->next)
		if (bus_str_eq(m->key, bus_str(key)))
			return &m->value;
	return NULL;
}

struct bus_str gw_field_text(const struct gw_field_member *param, const char *key)
{
	const struct gw_field_value *v = gw_field_find(param, key);

	return v && v->type == GW_FIELD_STRING ? v->text : (struct bus_str){ 0 };
}

void gw_field_put_string(struct bus_str s, struct bus_buf *out)
{
	bus_buf_putc(out, '"');
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '"' || s.p[i] == '\\')
			bus_buf_putc(out, '\\');
		bus_buf_putc(out, s.p[i]);
	}
	bus_buf_putc(out, '"');
}

void gw_field_put_bytes(struct bus_str s, struct bus_buf *out)
{
	bus_buf_putc(out, ':');
	bus_base64_put(s, out);
	bus_buf_putc(out, ':');
}

static void put_bare(const struct gw_field_value *v, struct bus_buf *out)
{
	switch (v->type) {
	case GW_FIELD_INT:
		bus_buf_printf(out, "%" PRId64, v->number);
		break;
	case GW_FIELD_BOOL:
		bus_buf_puts(out, v->number ? "?1" : "?0");
		break;
	case GW_FIELD_STRING:
		gw_field_put_string(v->text, out);
		break;
	case GW_FIELD_BYTES:
		gw_field_put_bytes(v->text, out);
		break;
	case GW_FIELD_TOKEN:
	case GW_FIELD_LIST:
		bus_buf_put(out, v->text.p, v->text.n);
		break;
	}
}

void gw_field_put(const struct gw_field_value *v, struct bus_buf *out)
{
	if (v->type == GW_FIELD_LIST) {
		bus_buf_putc(out, '(');
		for (const struct gw_field_value *i = v->item; i; i = i->next) {
			gw_field_put(i, out);
			if (i->next)
				bus_buf_putc(out, ' ');
		}
		bus_buf_putc(out, ')');
	} else {
		put_bare(v, out);
	}
	for (const struct gw_field_member *m = v->param; m; m = m->next) {
		bus_buf_putc(out, ';');
		bus_buf_put(out, m->key.p, m->key.n);
		if (m->value.type == GW_FIELD_BOOL && m->value.number)
			continue;
		bus_buf_putc(out, '=');
		put_bare(&m->value, out);
	}
}
