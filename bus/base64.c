#include "bus/base64.h"

#include <stdint.h>

void bus_base64_put(struct bus_str bytes, struct bus_buf *out)
{
	static const char letter[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	for (size_t i = 0; i < bytes.n; i += 3) {
		size_t left = bytes.n - i;
		uint32_t v = (uint32_t)(unsigned char)bytes.p[i] << 16;

		if (left > 1)
			v |= (uint32_t)(unsigned char)bytes.p[i + 1] << 8;
		if (left > 2)
			v |= (uint32_t)(unsigned char)bytes.p[i + 2];
		bus_buf_putc(out, letter[v >> 18]);
		bus_buf_putc(out, letter[v >> 12 & 63]);
		bus_buf_putc(out, left > 1 ? letter[v >> 6 & 63] : '=');
		bus_buf_putc(out, left > 2 ? letter[v & 63] : '=');
	}
}

static int value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

bool bus_base64_parse(struct bus_str text, struct bus_buf *out)
{
	if (text.n % 4 != 0)
		return false;
	for (size_t i = 0; i < text.n; i += 4) {
		bool last = i + 4 == text.n;
		int pad = last ? (text.p[i + 3] == '=') + (text.p[i + 2] == '=' && text.p[i + 3] == '=') : 0;
		uint32_t v = 0;

		for (int k = 0; k < 4; k++) {
			int six = k >= 4 - pad ? 0 : value(text.p[i + (size_t)k]);

			if (six < 0)
				return false;
			v = v << 6 | (uint32_t)six;
		}
		/* One value has one spelling: the bits that are not used are zero. */
		if ((pad == 1 && (v & 0xff)) || (pad == 2 && (v & 0xffff)))
			return false;
		bus_buf_putc(out, (char)(v >> 16));
		if (pad < 2)
			bus_buf_putc(out, (char)(v >> 8));
		if (pad < 1)
			bus_buf_putc(out, (char)v);
	}
	return true;
}
