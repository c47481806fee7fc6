#include "bus/base64url.h"

#include <stdint.h>

static const char digit[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

void bus_base64url_put(struct bus_buf *out, const void *p, size_t n)
{
	const uint8_t *b = p;
	uint32_t bits = 0;
	int have = 0;

	for (size_t i = 0; i < n; i++) {
		bits = bits << 8 | b[i];
		for (have += 8; have >= 6; have -= 6)
			bus_buf_putc(out, digit[bits >> (have - 6) & 63]);
	}
	if (have > 0)
		bus_buf_putc(out, digit[bits << (6 - have) & 63]);
}

bool bus_base64url_read(struct bus_str text, struct bus_buf *out)
{
	uint32_t bits = 0;
	int have = 0;

	for (size_t i = 0; i < text.n; i++) {
		const char *at = text.p[i] ? strchr(digit, text.p[i]) : NULL;

		if (!at)
			return false;
		bits = bits << 6 | (uint32_t)(at - digit);
		have += 6;
		if (have >= 8) {
			have -= 8;
			bus_buf_putc(out, (char)(bits >> have & 0xff));
		}
	}
	/* What is left over must be zero, and less than a digit: one spelling for one value. */
	return have < 6 && (bits & ((1u << have) - 1)) == 0;
}
