#include "bus/utf8.h"
#include "schemas/kinds/proto_parse.h"

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static void newline(struct schema_proto_parser *s)
{
	s->line++;
	s->line_start = s->c;
}

/* White space and comments. False: a comment that does not end. */
static bool skip(struct schema_proto_parser *s)
{
	while (s->c < s->end) {
		char c = *s->c;

		if (c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f') {
			s->c++;
		} else if (c == '\n') {
			s->c++;
			newline(s);
		} else if (c == '/' && s->end - s->c > 1 && s->c[1] == '/') {
			while (s->c < s->end && *s->c != '\n')
				s->c++;
		} else if (c == '/' && s->end - s->c > 1 && s->c[1] == '*') {
			for (s->c += 2; s->end - s->c > 1 && !(s->c[0] == '*' && s->c[1] == '/');)
				if (*s->c++ == '\n')
					newline(s);
			if (s->end - s->c < 2)
				return false;
			s->c += 2;
		} else {
			break;
		}
	}
	return true;
}

static void bad(struct schema_proto_parser *s, const char *why)
{
	s->token = PROTO_BAD;
	s->bad = why;
}

static void number(struct schema_proto_parser *s)
{
	const char *from = s->c;
	bool hex = s->end - s->c > 1 && s->c[0] == '0' && (s->c[1] == 'x' || s->c[1] == 'X');

	s->token = PROTO_INT;
	if (hex) {
		for (s->c += 2; s->c < s->end && strchr("0123456789abcdefABCDEF", *s->c) && *s->c; s->c++)
			;
		if (s->c - from == 2)
			bad(s, "0x without digits");
	} else {
		for (; s->c < s->end && (is_digit(*s->c) || *s->c == '.'); s->c++)
			if (*s->c == '.') {
				if (s->token == PROTO_FLOAT)
					break;
				s->token = PROTO_FLOAT;
			}
		if (s->c < s->end && (*s->c == 'e' || *s->c == 'E')) {
			s->token = PROTO_FLOAT;
			s->c++;
			if (s->c < s->end && (*s->c == '+' || *s->c == '-'))
				s->c++;
			if (s->c == s->end || !is_digit(*s->c))
				bad(s, "an exponent without digits");
			while (s->c < s->end && is_digit(*s->c))
				s->c++;
		}
		if (s->token == PROTO_INT && *from == '0')
			for (const char *d = from; d < s->c; d++)
				if (*d > '7')
					bad(s, "an octal number with an 8 or a 9");
	}
	if (s->token != PROTO_BAD && s->c < s->end && (is_letter(*s->c) || is_digit(*s->c)))
		bad(s, "a letter right after a number");
	s->text = (struct bus_str){ from, (size_t)(s->c - from) };
}

static void quoted(struct schema_proto_parser *s)
{
	const char *from = s->c;
	char quote = *s->c++;

	while (s->c < s->end && *s->c != quote && *s->c != '\n')
		s->c += *s->c == '\\' && s->end - s->c > 1 ? 2 : 1;
	if (s->c >= s->end || *s->c == '\n') {
		bad(s, "a string that does not end on its line");
		return;
	}
	s->c++;
	s->token = PROTO_QUOTED;
	s->text = (struct bus_str){ from, (size_t)(s->c - from) };
}

void schema_proto_next(struct schema_proto_parser *s)
{
	bool ended = skip(s);

	s->at = (struct schema_proto_at){ s->line, (uint32_t)(s->c - s->line_start) + 1 };
	s->text = (struct bus_str){ s->c, 0 };
	if (!ended) {
		bad(s, "a comment that does not end");
	} else if (s->c == s->end) {
		s->token = PROTO_END;
	} else if (is_letter(*s->c)) {
		s->token = PROTO_NAME;
		while (s->c < s->end && (is_letter(*s->c) || is_digit(*s->c)))
			s->c++;
		s->text.n = (size_t)(s->c - s->text.p);
	} else if (is_digit(*s->c) || (*s->c == '.' && s->end - s->c > 1 && is_digit(s->c[1]))) {
		number(s);
	} else if (*s->c == '"' || *s->c == '\'') {
		quoted(s);
	} else if ((unsigned char)*s->c < 0x20 || (unsigned char)*s->c >= 0x7f) {
		bad(s, "a character that has no place here");
	} else {
		s->token = PROTO_SYMBOL;
		s->c++;
		s->text.n = 1;
	}
}

bool schema_proto_is(const struct schema_proto_parser *s, const char *text)
{
	return (s->token == PROTO_NAME || s->token == PROTO_SYMBOL) && bus_str_is(s->text, text);
}

bool schema_proto_take(struct schema_proto_parser *s, const char *text)
{
	if (!schema_proto_is(s, text))
		return false;
	schema_proto_next(s);
	return true;
}

enum bus_err schema_proto_unexpected(struct schema_proto_parser *s, const char *want)
{
	if (s->token == PROTO_BAD)
		return schema_proto_fail(s->p, s->at, "%s", s->bad);
	if (s->token == PROTO_END)
		return schema_proto_fail(s->p, s->at, "the text ends where %s should stand", want);
	return schema_proto_fail(s->p, s->at, "'" SCHEMA_PROTO_F "' stands where %s should",
				 SCHEMA_PROTO_A(s->text), want);
}

enum bus_err schema_proto_want_text(struct schema_proto_parser *s, const char *text)
{
	char want[16];

	if (schema_proto_take(s, text))
		return BUS_OK;
	want[0] = '\'';
	memcpy(stpncpy(want + 1, text, sizeof(want) - 3), "'", 2);
	return schema_proto_unexpected(s, want);
}

static int hex(char c)
{
	return is_digit(c)	      ? c - '0'
	       : c >= 'a' && c <= 'f' ? c - 'a' + 10
	       : c >= 'A' && c <= 'F' ? c - 'A' + 10
				      : -1;
}

/* \u and \U: so many hex digits as UTF-8. */
static const char *unicode(struct bus_str in, size_t *i, int digits, struct bus_buf *out)
{
	uint32_t c = 0;
	char utf8[4];

	for (int d = 0; d < digits; d++) {
		int v = ++*i < in.n ? hex(in.p[*i]) : -1;

		if (v < 0)
			return "\\u wants four hex digits, \\U eight";
		c = c << 4 | (uint32_t)v;
	}
	if (c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
		return "\\u or \\U with no character's number";
	bus_buf_put(out, utf8, bus_utf8_put(c, utf8));
	return NULL;
}

/* What stands between the quotes; i is at the character after '\'. NULL: well. */
static const char *escape(struct bus_str in, size_t *i, struct bus_buf *out)
{
	static const char from[] = "abfnrtv\\'\"?";
	static const char to[] = "\a\b\f\n\r\t\v\\'\"?";
	const char *known = *i < in.n && in.p[*i] ? strchr(from, in.p[*i]) : NULL;
	int v = 0;
	int n = 0;

	if (known) {
		bus_buf_putc(out, to[known - from]);
		return NULL;
	}
	if (*i < in.n && (in.p[*i] == 'u' || in.p[*i] == 'U'))
		return unicode(in, i, in.p[*i] == 'u' ? 4 : 8, out);
	if (*i < in.n && (in.p[*i] == 'x' || in.p[*i] == 'X')) {
		for (; n < 2 && *i + 1 < in.n && hex(in.p[*i + 1]) >= 0; n++)
			v = v * 16 + hex(in.p[++*i]);
		if (n == 0)
			return "\\x without hex digits";
	} else {
		for (; n < 3 && *i < in.n && in.p[*i] >= '0' && in.p[*i] <= '7'; n++)
			v = v * 8 + (in.p[(*i)++] - '0');
		--*i;
		if (n == 0)
			return "an escape that there is none of";
		if (v > 255)
			return "an octal escape over \\377";
	}
	bus_buf_putc(out, (char)v);
	return NULL;
}

enum bus_err schema_proto_string(struct schema_proto_parser *s, struct bus_str *out)
{
	struct bus_buf b = { 0 };

	if (s->token != PROTO_QUOTED)
		return schema_proto_unexpected(s, "a string in quotes");
	for (; s->token == PROTO_QUOTED; schema_proto_next(s)) {
		struct bus_str in = { s->text.p + 1, s->text.n - 2 };

		for (size_t i = 0; i < in.n; i++) {
			const char *wrong = NULL;

			if (in.p[i] == '\\') {
				i++;
				wrong = escape(in, &i, &b);
			} else {
				bus_buf_putc(&b, in.p[i]);
			}
			if (wrong) {
				bus_buf_release(&b);
				return schema_proto_fail(s->p, s->at, "%s", wrong);
			}
		}
	}
	*out = (struct bus_str){ bus_arena_dup(s->p->arena, b.p ? b.p : "", b.n), b.n };
	bus_buf_release(&b);
	return out->p ? BUS_OK : schema_proto_no_room(s->p);
}

enum bus_err schema_proto_utf8(struct schema_proto_parser *s, struct bus_str *out)
{
	struct schema_proto_at at = s->at;
	enum bus_err rc = schema_proto_string(s, out);

	if (rc == BUS_OK && bus_utf8_ok(out->p, out->n) != out->n)
		rc = schema_proto_fail(s->p, at, "a string that is not UTF-8");
	return rc;
}

enum bus_err schema_proto_name(struct schema_proto_parser *s, struct bus_str *out)
{
	if (s->token != PROTO_NAME)
		return schema_proto_unexpected(s, "a name");
	*out = s->text;
	schema_proto_next(s);
	return BUS_OK;
}

enum bus_err schema_proto_full_name(struct schema_proto_parser *s, bool dot, struct bus_str *out)
{
	struct bus_buf b = { 0 };
	enum bus_err rc = BUS_OK;
	struct bus_str part = { 0 };

	if (dot && schema_proto_take(s, "."))
		bus_buf_putc(&b, '.');
	for (bool first = true;; first = false) {
		if (!first && !schema_proto_take(s, "."))
			break;
		if (!first)
			bus_buf_putc(&b, '.');
		rc = schema_proto_name(s, &part);
		if (rc)
			break;
		bus_buf_put(&b, part.p, part.n);
	}
	if (rc == BUS_OK) {
		*out = (struct bus_str){ bus_arena_dup(s->p->arena, b.p, b.n), b.n };
		if (!out->p)
			rc = schema_proto_no_room(s->p);
	}
	bus_buf_release(&b);
	return rc;
}

enum bus_err schema_proto_int(struct schema_proto_parser *s, int64_t low, int64_t high, int32_t *out)
{
	struct schema_proto_at at = s->at;
	bool minus = low < 0 && schema_proto_take(s, "-");
	bool ignored;
	uint64_t v;

	if (s->token != PROTO_INT)
		return schema_proto_unexpected(s, "a whole number");
	if (!schema_proto_number(s->text, &ignored, &v) || v > (uint64_t)(minus ? -low : high) ||
	    (!minus && low > 0 && v < (uint64_t)low))
		return schema_proto_fail(s->p, at, "'%s" SCHEMA_PROTO_F "' is not a number of %lld to %lld",
					 minus ? "-" : "", SCHEMA_PROTO_A(s->text), (long long)low,
					 (long long)high);
	*out = (int32_t)(minus ? -(int64_t)v : (int64_t)v);
	schema_proto_next(s);
	return BUS_OK;
}
