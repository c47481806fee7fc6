#include "adapters/text_repair.h"

#include <stdint.h>

#include "bus/utf8.h"

/* Windows-1252 0x80 to 0x9F; the rest of it is Latin-1. */
static const uint16_t windows_1252[32] = {
	0x20ac, 0x0081, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160,
	0x2039, 0x0152, 0x008d, 0x017d, 0x008f, 0x0090, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022,
	0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0x009d, 0x017e, 0x0178,
};

void adapter_text_init(struct adapter_text *t, enum adapter_encoding encoding)
{
	t->encoding = encoding;
	t->arena = bus_arena_new(0);
	t->plain = true;
}

void adapter_text_release(struct adapter_text *t)
{
	bus_arena_free(&t->arena);
}

static bool is_ascii(struct bus_str s)
{
	uint64_t high = 0;
	size_t i = 0;

	for (; s.n - i >= sizeof(uint64_t); i += sizeof(uint64_t)) {
		uint64_t word;

		memcpy(&word, s.p + i, sizeof(word));
		high |= word;
	}
	for (; i < s.n; i++)
		high |= (unsigned char)s.p[i];
	return !(high & UINT64_C(0x8080808080808080));
}

bool adapter_text_row(struct adapter_text *t, struct bus_str row)
{
	if (bus_arena_used(t->arena) > 0)
		bus_arena_reset(t->arena);
	t->plain = is_ascii(row);
	if (t->plain || t->encoding != ADAPTER_UTF8)
		return false;
	t->plain = bus_utf8_ok(row.p, row.n) == row.n;
	return !t->plain;
}

struct bus_str adapter_text_decode(struct adapter_text *t, struct bus_str part)
{
	size_t n = 0, i = 0;
	char *out;

	if (t->plain || is_ascii(part))
		return part;
	out = bus_arena_alloc(t->arena, 3 * part.n); /* no byte becomes more than three */
	while (i < part.n) {
		unsigned char c = (unsigned char)part.p[i];
		size_t len = c < 0x80			   ? 1
			     : t->encoding == ADAPTER_UTF8 ? bus_utf8_len(part.p + i, part.n - i)
							   : 0;

		if (len > 0) {
			memcpy(out + n, part.p + i, len);
			n += len;
			i += len;
			continue;
		}
		n += bus_utf8_put(c < 0xa0 && t->encoding != ADAPTER_LATIN_1 ? windows_1252[c - 0x80] : c,
				  out + n);
		i++;
	}
	return (struct bus_str){ out, n };
}

struct bus_str adapter_text_unquote(struct adapter_text *t, struct bus_str part, char quote)
{
	char *out = bus_arena_alloc(t->arena, part.n + 1);
	size_t n = 0;

	for (size_t i = 0; i < part.n; i++) {
		out[n++] = part.p[i];
		if (part.p[i] == quote && i + 1 < part.n && part.p[i + 1] == quote)
			i++;
	}
	return adapter_text_decode(t, (struct bus_str){ out, n });
}
