#include "bus/hex.h"

#include <stdint.h>

void bus_hex(const void *p, size_t n, char *hex)
{
	static const char digit[] = "0123456789abcdef";
	const uint8_t *b = p;

	for (size_t i = 0; i < n; i++) {
		hex[2 * i] = digit[b[i] >> 4];
		hex[2 * i + 1] = digit[b[i] & 15];
	}
	hex[2 * n] = '\0';
}

bool bus_unhex(const char *hex, size_t n, void *p)
{
	uint8_t *b = p;

	for (size_t i = 0; i < n; i++) {
		int high = bus_hex_digit(hex[2 * i]), low = bus_hex_digit(hex[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		b[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}
