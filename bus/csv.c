#include "bus/csv.h"

#include "bus/utf8.h"

/* -12 and -12.5 are no formulas; -2+cmd|... is one. */
static bool is_number(struct bus_str s)
{
	int points = 0, digits = 0;

	for (size_t i = s.p[0] == '-'; i < s.n; i++) {
		points += s.p[i] == '.';
		digits += s.p[i] >= '0' && s.p[i] <= '9';
	}
	return digits > 0 && points <= 1 && (size_t)(digits + points) == s.n - (s.p[0] == '-');
}

/* As OWASP lists them: = + - @, tab, CR, LF, and the full-width forms of the first four. */
static bool is_formula(struct bus_str s)
{
	if (s.n >= 3 && memcmp(s.p, "\xef\xbc", 2) == 0)
		return memchr("\x9d\x8b\x8d\xa0", s.p[2], 4) != NULL;
	return s.n > 0 && memchr("=+-@\t\r\n", s.p[0], 7) && !is_number(s);
}

/* A character that stands for itself, doubled or replaced; returns its bytes in s. */
static size_t put_quoted(struct bus_buf *out, struct bus_str s)
{
	size_t n = bus_utf8_len(s.p, s.n);

	if (n == 0 || s.p[0] == 0) {
		bus_buf_put(out, "\xef\xbf\xbd", 3);
		return 1;
	}
	if (s.p[0] == '"')
		bus_buf_putc(out, '"');
	bus_buf_put(out, s.p, n);
	return n;
}

void bus_csv_put(struct bus_buf *out, struct bus_str s, char separator)
{
	/* 1: the cell is quoted; 2: to be looked at. */
	static const uint8_t class[256] = { [0] = 1,   [','] = 1,  [';'] = 1,  ['\t'] = 1,
					    ['"'] = 1, ['\n'] = 1, ['\r'] = 1, [0x80 ... 0xff] = 2 };
	unsigned seen = 0;

	/* Whatever separator a spreadsheet takes, a cell stays one: else its rest could be a formula. */
	for (size_t i = 0; i < s.n; i++)
		seen |= class[(unsigned char)s.p[i]] | (s.p[i] == separator);
	if (seen & 2 && bus_utf8_ok(s.p, s.n) < s.n)
		seen |= 1;
	if (seen & 1)
		bus_buf_putc(out, '"');
	if (is_formula(s)) /* inside the quotes: before them it would undo them */
		bus_buf_putc(out, '\'');
	if (!(seen & 1)) {
		bus_buf_put(out, s.p, s.n);
		return;
	}
	for (size_t i = 0; i < s.n;)
		i += put_quoted(out, (struct bus_str){ s.p + i, s.n - i });
	bus_buf_putc(out, '"');
}
