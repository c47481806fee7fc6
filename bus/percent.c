#include "bus/percent.h"

#include "bus/hex.h"

static bool unreserved(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (c && strchr("-._~", c));
}

void bus_percent_put(struct bus_buf *out, struct bus_str text)
{
	bus_percent_put_but(out, text, unreserved);
}

void bus_percent_put_but(struct bus_buf *out, struct bus_str text, bool (*keep)(unsigned char c))
{
	for (size_t i = 0; i < text.n; i++) {
		unsigned char c = (unsigned char)text.p[i];

		if (keep(c))
			bus_buf_putc(out, (char)c);
		else
			bus_buf_printf(out, "%%%02X", c);
	}
}

void bus_percent_undo(struct bus_buf *out, struct bus_str text)
{
	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i], of[1];

		if (c == '%' && text.n - i > 2 && bus_unhex(text.p + i + 1, 1, of) && of[0]) {
			c = of[0];
			i += 2;
		}
		bus_buf_putc(out, c);
	}
}
