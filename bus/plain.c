#include "bus/plain.h"

#include <string.h>

#include "bus/utf8.h"

static bool obeyed(const char *p, size_t len, bool lines)
{
	const unsigned char a = (unsigned char)p[0], b = len > 1 ? (unsigned char)p[1] : 0,
			    c = len > 2 ? (unsigned char)p[2] : 0;

	if (len == 1)
		return (a < ' ' && a != '\t' && !(lines && a == '\n')) || a == 0x7f;
	if (len == 2)
		return (a == 0xc2 && b < 0xa0) || (a == 0xd8 && b == 0x9c); /* C1; U+061C */
	/* U+200E, U+200F, U+2028 to U+202E, U+2066 to U+2069 */
	return len == 3 && a == 0xe2 &&
	       ((b == 0x80 && (c == 0x8e || c == 0x8f || (c >= 0xa8 && c <= 0xae))) ||
		(b == 0x81 && c >= 0xa6 && c <= 0xa9));
}

void bus_plain(char *text, size_t n, bool lines)
{
	for (size_t i = 0, len; i < n; i += len) {
		len = bus_utf8_len(text + i, n - i);
		if (len == 0 || obeyed(text + i, len, lines)) {
			len = len ? len : 1;
			memset(text + i, '?', len);
		}
	}
}
