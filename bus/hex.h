/* bus/hex.h - hexadecimal digits. Thread: any. */
#ifndef BUS_HEX_H
#define BUS_HEX_H

#include <stdbool.h>
#include <stddef.h>

/* What a digit counts, of either case; -1: it is none. */
static inline int bus_hex_digit(char c)
{
	return c >= '0' && c <= '9'   ? c - '0'
	       : c >= 'a' && c <= 'f' ? c - 'a' + 10
	       : c >= 'A' && c <= 'F' ? c - 'A' + 10
				      : -1;
}

void bus_hex(const void *p, size_t n, char *hex);   /* 2n digits, small, and a NUL */
bool bus_unhex(const char *hex, size_t n, void *p); /* n bytes of 2n digits; false: some are none */

#endif
