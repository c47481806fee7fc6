/* What is not plain in the puller's strings: escapes, characters of several bytes, either cut by the end of a piece; and
 * what is kept of such a token. */
#include "bus/json_impl.h"
#include "bus/hex.h"
#include "bus/utf8.h"

enum bus_err bus_json_fail(struct bus_json_puller *j, enum bus_err code, const char *what)
{
	uint64_t at = j->before + (uint64_t)(j->p - j->piece);

	return bus_fail(&j->failed, code, "line %llu, column %llu: %s", (unsigned long long)j->line,
			(unsigned long long)(at - j->line_begin) + 1, what);
}

static enum bus_err hold(struct bus_json_puller *j, const char *p, size_t n)
{
	j->holding = true;
	if (n > j->text_max || j->held.n > j->text_max - n)
		return bus_json_fail(j, BUS_ETOOBIG, "a string or number is longer than allowed");
	bus_buf_put(&j->held, p, n);
	return BUS_OK;
}

enum bus_err bus_json_hold_rest(struct bus_json_puller *j)
{
	enum bus_err rc = hold(j, j->from, (size_t)(j->p - j->from));

	j->from = j->p;
	return rc;
}

static enum bus_err hold_character(struct bus_json_puller *j, uint32_t c)
{
	char out[4];

	j->in_string = PLAIN;
	j->from = j->p;
	return hold(j, out, bus_utf8_put(c, out));
}

enum bus_err bus_json_wide_character(struct bus_json_puller *j)
{
	size_t left = (size_t)(j->end - j->p);
	size_t len = bus_utf8_len(j->p, left);
	enum bus_err rc;

	if (len > 0) {
		j->p += len;
		return BUS_OK;
	}
	if (bus_utf8_want((unsigned char)*j->p) <= left)
		return bus_json_fail(j, BUS_EPARSE, "not UTF-8");
	rc = bus_json_hold_rest(j);
	memcpy(j->character, j->p, left);
	j->count = (int)left;
	j->p = j->end;
	j->in_string = UTF8;
	return rc;
}

/* The next byte of a character that was cut by the end of a piece. */
static enum bus_err rest_of_character(struct bus_json_puller *j, char c)
{
	size_t want = bus_utf8_want((unsigned char)j->character[0]);

	j->character[j->count++] = c;
	if ((size_t)j->count < want) {
		j->p++;
		return BUS_OK;
	}
	if (bus_utf8_len(j->character, want) == 0)
		return bus_json_fail(j, BUS_EPARSE, "not UTF-8");
	j->p++;
	j->in_string = PLAIN;
	j->from = j->p;
	return hold(j, j->character, want);
}

static enum bus_err after_hex(struct bus_json_puller *j)
{
	uint32_t c = j->hex;

	if (j->in_string == LOW_HEX) {
		if (c < 0xdc00 || c > 0xdfff)
			return bus_json_fail(j, BUS_EPARSE, "half a surrogate pair");
		return hold_character(j, 0x10000 + ((j->high - 0xd800) << 10 | (c - 0xdc00)));
	}
	if (c >= 0xdc00 && c <= 0xdfff)
		return bus_json_fail(j, BUS_EPARSE, "half a surrogate pair");
	if (c >= 0xd800 && c <= 0xdbff) {
		j->high = c;
		j->in_string = LOW_SLASH;
		return BUS_OK;
	}
	return hold_character(j, c);
}

enum bus_err bus_json_special_byte(struct bus_json_puller *j)
{
	char c = *j->p;
	int d;

	switch (j->in_string) {
	case ESCAPE:
		if (c != 'u') {
			char one = bus_json_unescape(c);

			if (!one)
				return bus_json_fail(j, BUS_EPARSE, "no such escape");
			j->p++;
			return hold_character(j, (uint32_t)(unsigned char)one);
		}
		j->in_string = HEX;
		break;
	case LOW_SLASH:
		if (c != '\\')
			return bus_json_fail(j, BUS_EPARSE, "half a surrogate pair");
		j->in_string = LOW_U;
		j->p++;
		return BUS_OK;
	case LOW_U:
		if (c != 'u')
			return bus_json_fail(j, BUS_EPARSE, "half a surrogate pair");
		j->in_string = LOW_HEX;
		break;
	case HEX:
	case LOW_HEX:
		d = bus_hex_digit(c);
		if (d < 0)
			return bus_json_fail(j, BUS_EPARSE, "\\u is not followed by four hex digits");
		j->hex = j->hex << 4 | (uint32_t)d;
		j->p++;
		return ++j->count == 4 ? after_hex(j) : BUS_OK;
	case UTF8:
	case PLAIN:
	default:
		return rest_of_character(j, c);
	}
	j->p++;
	j->count = 0;
	j->hex = 0;
	return BUS_OK;
}
