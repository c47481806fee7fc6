#include "bus/csv.h"

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

void bus_csv_put(struct bus_buf *out, struct bus_str s, char separator)
{
	bool quote = false, formula = s.n > 0 && memchr("=+-@\t\r", s.p[0], 6) && !is_number(s);

	for (size_t i = 0; i < s.n && !quote; i++)
		quote = s.p[i] == separator || s.p[i] == '"' || s.p[i] == '\n' || s.p[i] == '\r';
	if (quote)
		bus_buf_putc(out, '"');
	if (formula) /* inside the quotes: before them it would undo them */
		bus_buf_putc(out, '\'');
	if (!quote) {
		bus_buf_put(out, s.p, s.n);
		return;
	}
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '"')
			bus_buf_putc(out, '"');
		bus_buf_putc(out, s.p[i]);
	}
	bus_buf_putc(out, '"');
}
