/* bus/json_lex.h - what the puller and the tree must agree on. For bus/json*.c only. */
#ifndef BUS_JSON_LEX_H
#define BUS_JSON_LEX_H

#include <assert.h>
#include <endian.h>

#include "bus/json.h"

#define BUS_JSON_BOM "\xef\xbb\xbf"
#define BUS_JSON_ONES UINT64_C(0x0101010101010101)

static inline int bus_json_depth_max(const struct bus_json_limits *l)
{
	int depth = l && l->depth ? l->depth : 64;

	assert(depth > 0 && depth <= BUS_JSON_DEPTH_MAX);
	return depth;
}

static inline size_t bus_json_text_max(const struct bus_json_limits *l)
{
	return l && l->text ? l->text : (size_t)1024 * 1024;
}

/* First byte from p on that is a quote, a backslash, a control character or not ASCII; or end. */
static inline const char *bus_json_plain_end(const char *p, const char *end)
{
	while (end - p >= 8) {
		uint64_t w;
		uint64_t quote;
		uint64_t slash;
		uint64_t hit;

		memcpy(&w, p, sizeof(w));
		w = le64toh(w);
		quote = w ^ BUS_JSON_ONES * '"';
		slash = w ^ BUS_JSON_ONES * '\\';
		/* The usual test for a zero byte; above the first hit it may be wrong, which is never looked
		 * at. */
		hit = ((quote - BUS_JSON_ONES) & ~quote) | ((slash - BUS_JSON_ONES) & ~slash) |
		      ((w - BUS_JSON_ONES * 0x20) & ~w) | w;
		hit &= (BUS_JSON_ONES << 7);
		if (hit)
			return p + __builtin_ctzll(hit) / 8;
		p += 8;
	}
	while (p < end && *p != '"' && *p != '\\' && (unsigned char)*p >= 0x20 && (unsigned char)*p < 0x80)
		p++;
	return p;
}

/* What backslash and c stand for; 0: no such escape, or 'u'. */
static inline char bus_json_unescape(char c)
{
	switch (c) {
	case '"':
	case '\\':
	case '/':
		return c;
	case 'b':
		return '\b';
	case 'f':
		return '\f';
	case 'n':
		return '\n';
	case 'r':
		return '\r';
	case 't':
		return '\t';
	default:
		return 0;
	}
}

#endif
