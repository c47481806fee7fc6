#include "bus/json_out.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>

#include "bus/utf8.h"

/* 0: stands for itself. 1: \u00XX or UTF-8 to look at. Else the letter after the backslash. */
static const char escape[256] = {
	[0 ... 7] = 1, ['\b'] = 'b', ['\t'] = 't',	 ['\n'] = 'n',	      [0xb] = 1,
	['\f'] = 'f',  ['\r'] = 'r', [0xe ... 0x1f] = 1, ['"'] = '"',	      ['\\'] = '\\',
	['<'] = 1,     ['>'] = 1,    ['&'] = 1,		 [0x80 ... 0xff] = 1,
};

/* What must stand before the next value or name. */
static void separate(struct bus_json_out *j)
{
	if (j->after_key) {
		j->after_key = false;
		return;
	}
	if (j->depth == 0)
		return;
	if (j->some)
		bus_buf_putc(j->buf, ',');
	j->some = true;
}

static void begin(struct bus_json_out *j, char c)
{
	separate(j);
	bus_buf_putc(j->buf, c);
	j->depth++;
	j->some = false;
}

static void end(struct bus_json_out *j, char c)
{
	assert(j->depth > 0 && !j->after_key);
	bus_buf_putc(j->buf, c);
	j->depth--;
	j->some = true; /* what was closed stands there */
}

void bus_json_object(struct bus_json_out *j)
{
	begin(j, '{');
}

void bus_json_object_end(struct bus_json_out *j)
{
	end(j, '}');
}

void bus_json_array(struct bus_json_out *j)
{
	begin(j, '[');
}

void bus_json_array_end(struct bus_json_out *j)
{
	end(j, ']');
}

static void put_unicode_escape(struct bus_buf *b, unsigned c)
{
	static const char digit[] = "0123456789abcdef";
	const char out[6] = { '\\',	    'u', digit[c >> 12 & 15], digit[c >> 8 & 15], digit[c >> 4 & 15],
			      digit[c & 15] };

	bus_buf_put(b, out, sizeof(out));
}

/* Writes the one character at s that does not stand for itself; returns its bytes in s. */
static size_t put_special(struct bus_buf *b, const char *s, size_t n)
{
	unsigned char c = (unsigned char)s[0];
	size_t len = 1;

	if (c < 0x80) {
		if (escape[c] == 1) {
			put_unicode_escape(b, c);
		} else {
			bus_buf_putc(b, '\\');
			bus_buf_putc(b, escape[c]);
		}
		return 1;
	}
	len = bus_utf8_len(s, n);
	if (len == 0) {
		bus_buf_put(b, "\xef\xbf\xbd", 3);
		return 1;
	}
	/* U+2028 and U+2029 end a line in older JavaScript. */
	if (len == 3 && memcmp(s, "\xe2\x80", 2) == 0 && ((unsigned char)s[2] | 1) == 0xa9)
		put_unicode_escape(b, 0x2000U | ((unsigned char)s[2] & 0x3fU));
	else
		bus_buf_put(b, s, len);
	return len;
}

static void put_quoted(struct bus_buf *b, struct bus_str s)
{
	size_t i = 0;

	bus_buf_putc(b, '"');
	while (i < s.n) {
		size_t from = i;

		while (i < s.n && !escape[(unsigned char)s.p[i]])
			i++;
		bus_buf_put(b, s.p + from, i - from);
		if (i < s.n)
			i += put_special(b, s.p + i, s.n - i);
	}
	bus_buf_putc(b, '"');
}

void bus_json_key_str(struct bus_json_out *j, struct bus_str name)
{
	assert(j->depth > 0 && !j->after_key);
	separate(j);
	put_quoted(j->buf, name);
	bus_buf_putc(j->buf, ':');
	j->after_key = true;
}

void bus_json_key(struct bus_json_out *j, const char *name)
{
	bus_json_key_str(j, bus_str(name));
}

void bus_json_put_str(struct bus_json_out *j, struct bus_str s)
{
	separate(j);
	put_quoted(j->buf, s);
}

void bus_json_put_text(struct bus_json_out *j, const char *s)
{
	if (s)
		bus_json_put_str(j, bus_str(s));
	else
		bus_json_put_null(j);
}

void bus_json_text_member(struct bus_json_out *j, const char *name, const char *s)
{
	bus_json_key(j, name);
	bus_json_put_text(j, s);
}

void bus_json_some_text_member(struct bus_json_out *j, const char *name, const char *s)
{
	if (s)
		bus_json_text_member(j, name, s);
}

void bus_json_put_int(struct bus_json_out *j, int64_t v)
{
	char text[24];
	char *p = text + sizeof(text);
	uint64_t rest = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;

	separate(j);
	do {
		*--p = (char)('0' + rest % 10);
		rest /= 10;
	} while (rest > 0);
	if (v < 0)
		*--p = '-';
	bus_buf_put(j->buf, p, (size_t)(text + sizeof(text) - p));
}

static const double ten[] = { 1e0, 1e1, 1e2,  1e3,  1e4,  1e5,	1e6,  1e7,
			      1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15 };

/* Most numbers are short decimals: digits over a power of ten, both exact, so that one division says whether
 * they read back as v. The same text as below; false: not such a number. */
static bool put_short(struct bus_json_out *j, double v)
{
	const double size = fabs(v);
	char text[40];
	char *p = text + sizeof(text);
	uint64_t n;
	size_t k = 0;

	if (!(size >= 1e-4 && size < 1e15))
		return false;
	for (; k < BUS_LEN(ten); k++) {
		const double whole = size * ten[k];

		if (whole >= 1e15)
			return false;
		n = (uint64_t)(int64_t)(whole + 0.5);
		/* Two roundings lie between digits and whole: what is farther off cannot be. */
		if (fabs(whole - (double)n) <= whole * 4e-16 && (double)n / ten[k] == size)
			break;
	}
	if (k == BUS_LEN(ten))
		return false;
	for (size_t i = 0; i < k; i++, n /= 10)
		*--p = (char)('0' + n % 10);
	if (k > 0)
		*--p = '.';
	do {
		*--p = (char)('0' + n % 10);
		n /= 10;
	} while (n > 0);
	if (v < 0)
		*--p = '-';
	bus_json_put_raw(j, (struct bus_str){ p, (size_t)(text + sizeof(text) - p) });
	return true;
}

void bus_json_put_double(struct bus_json_out *j, double v)
{
	char text[40];

	if (isnan(v) || isinf(v)) {
		bus_json_put_text(j, isnan(v) ? "NaN" : v > 0 ? "Infinity" : "-Infinity");
		return;
	}
	if (put_short(j, v))
		return;
	separate(j);
	/* 17 digits always read back as the same double, 15 or 16 most often do and look like what was meant.
	 */
	for (int digits = 15; digits <= 17; digits++) {
		snprintf(text, sizeof(text), "%.*g", digits, v);
		if (strtod(text, NULL) == v)
			break;
	}
	/* "-0" reads back as a whole number without a sign in some languages. */
	bus_buf_puts(j->buf, v == 0 && signbit(v) ? "-0.0" : text);
}

void bus_json_put_bool(struct bus_json_out *j, bool v)
{
	separate(j);
	bus_buf_puts(j->buf, v ? "true" : "false");
}

void bus_json_put_null(struct bus_json_out *j)
{
	separate(j);
	bus_buf_put(j->buf, "null", 4);
}

void bus_json_put_raw(struct bus_json_out *j, struct bus_str json)
{
	separate(j);
	bus_buf_put(j->buf, json.p, json.n);
}

void bus_json_put_members(struct bus_json_out *j, struct bus_str members)
{
	assert(j->depth > 0 && !j->after_key);
	if (members.n == 0)
		return;
	separate(j);
	bus_buf_put(j->buf, members.p, members.n);
}

void bus_json_int_member(struct bus_json_out *j, const char *name, int64_t v)
{
	bus_json_key(j, name);
	bus_json_put_int(j, v);
}

void bus_json_bool_member(struct bus_json_out *j, const char *name, bool v)
{
	bus_json_key(j, name);
	bus_json_put_bool(j, v);
}
