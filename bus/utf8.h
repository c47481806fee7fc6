/* bus/utf8.h - well-formed UTF-8 (RFC 3629: no surrogate, no overlong form, nothing over U+10FFFF).
 * Thread: any. */
#ifndef BUS_UTF8_H
#define BUS_UTF8_H

#include <stddef.h>
#include <stdint.h>

/* Bytes of the well-formed character at p (1 to 4), or 0 when none stands there. n > 0. */
size_t bus_utf8_len(const char *p, size_t n);
/* How many bytes the character that begins with this byte should have; 0: no character begins so. */
size_t bus_utf8_want(unsigned char lead);
/* Leading bytes of p that are well-formed: n when all are. */
size_t bus_utf8_ok(const char *p, size_t n);
/* Writes the character (no surrogate, at most U+10FFFF: assert); returns its bytes, at most 4. */
size_t bus_utf8_put(uint32_t c, char out[4]);

#endif
