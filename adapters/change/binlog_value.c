#include "adapters/change/binlog_value.h"

#include <arpa/inet.h>
#include <math.h>
#include <stdio.h>
#include <time.h>

/* enum_field_types of sql/field.h, and where a value's length or digits stand in meta. */
enum {
	T_TINY = 1,
	T_SHORT = 2,
	T_LONG = 3,
	T_FLOAT = 4,
	T_DOUBLE = 5,
	T_NULL = 6,
	T_LONGLONG = 8,
	T_INT24 = 9,
	T_DATE = 10,
	T_YEAR = 13,
	T_NEWDATE = 14,
	T_VARCHAR = 15,
	T_BIT = 16,
	T_TIMESTAMP2 = 17,
	T_DATETIME2 = 18,
	T_TIME2 = 19,
	T_BLOB_COMPRESSED = 140,
	T_VARCHAR_COMPRESSED = 141,
	T_NEWDECIMAL = 246,
	T_ENUM = 247,
	T_SET = 248,
	T_TINY_BLOB = 249,
	T_MEDIUM_BLOB = 250,
	T_LONG_BLOB = 251,
	T_BLOB = 252,
	T_STRING = 254,
	T_GEOMETRY = 255,
};

uint64_t adapter_binlog_number(struct adapter_binlog_bytes *b, size_t bytes)
{
	uint64_t v = 0;

	if ((size_t)(b->end - b->p) < bytes) {
		b->bad = true;
		b->p = b->end;
		return 0;
	}
	for (size_t i = 0; i < bytes; i++)
		v |= (uint64_t)b->p[i] << (8 * i);
	b->p += bytes;
	return v;
}

uint64_t adapter_binlog_packed(struct adapter_binlog_bytes *b)
{
	uint64_t first = adapter_binlog_number(b, 1);

	if (first < 251)
		return first;
	return adapter_binlog_number(b, first == 252 ? 2 : first == 253 ? 3 : 8);
}

struct bus_str adapter_binlog_take(struct adapter_binlog_bytes *b, uint64_t n)
{
	struct bus_str s = { (const char *)b->p, (size_t)n };

	if ((uint64_t)(b->end - b->p) < n) {
		b->bad = true;
		b->p = b->end;
		return bus_str("");
	}
	b->p += n;
	return s;
}

static uint64_t big(struct adapter_binlog_bytes *b, size_t bytes)
{
	struct bus_str s = adapter_binlog_take(b, bytes);
	uint64_t v = 0;

	for (size_t i = 0; i < s.n; i++)
		v = v << 8 | (unsigned char)s.p[i];
	return v;
}

/* --- numbers --- */

static void put_whole(uint64_t v, size_t bytes, bool is_unsigned, struct bus_buf *out)
{
	unsigned shift = (unsigned)(64 - 8 * bytes);

	if (is_unsigned)
		bus_buf_printf(out, "%llu", (unsigned long long)v);
	else
		bus_buf_printf(out, "%lld", (long long)((int64_t)(v << shift) >> shift));
}

void adapter_binlog_put_double(double v, char out[ADAPTER_BINLOG_NUMBER])
{
	for (int digits = 15; digits <= 17; digits++) {
		snprintf(out, ADAPTER_BINLOG_NUMBER, "%.*g", digits, v);
		if (strtod(out, NULL) == v)
			return;
	}
}

void adapter_binlog_put_float(float v, char out[ADAPTER_BINLOG_NUMBER])
{
	for (int digits = 6; digits <= 9; digits++) {
		snprintf(out, ADAPTER_BINLOG_NUMBER, "%.*g", digits, (double)v);
		if (strtof(out, NULL) == v)
			return;
	}
}

static void put_real(uint64_t bits, size_t bytes, struct bus_buf *out)
{
	char text[ADAPTER_BINLOG_NUMBER];
	uint32_t half = (uint32_t)bits;
	double d;
	float f;

	memcpy(&d, &bits, sizeof(d));
	memcpy(&f, &half, sizeof(f));
	if (bytes == sizeof(d))
		adapter_binlog_put_double(d, text);
	else
		adapter_binlog_put_float(f, text);
	bus_buf_puts(out, text);
}

/* Groups of nine digits in four bytes, what is left over in fewer; the first bit is the sign turned round, and a negative
 * number's bytes are turned round altogether (strings/decimal.c). */
static void put_decimal(struct adapter_binlog_bytes *b, unsigned precision, unsigned scale,
			struct bus_buf *out)
{
	static const unsigned char bytes_of[] = { 0, 1, 1, 2, 2, 3, 3, 4, 4, 4 };
	static const uint32_t over[] = { 1,	 10,	  100,	    1000,      10000,
					 100000, 1000000, 10000000, 100000000, 1000000000 };
	unsigned whole = precision - scale, lead = whole % 9, tail = scale % 9;
	size_t size = whole / 9 * 4 + bytes_of[lead] + scale / 9 * 4 + bytes_of[tail], at = 0;
	struct bus_str s = adapter_binlog_take(b, size);
	unsigned char raw[40] = { 0 };
	char text[96];
	size_t n = 0, from = 0;
	bool negative;

	if (!out || b->bad)
		return;
	negative = !((unsigned char)s.p[0] & 0x80);
	for (size_t i = 0; i < size; i++)
		raw[i] = (unsigned char)s.p[i] ^ (negative ? 0xff : 0);
	raw[0] ^= 0x80;
	for (unsigned left = precision, part; left > 0; left -= part) {
		bool is_whole = left > scale;
		unsigned in = is_whole ? (left - scale) % 9 : left % 9;
		uint32_t v = 0;

		part = is_whole ? (in ? in : 9) : (left >= 9 ? 9 : in);
		for (size_t i = 0; i < bytes_of[part]; i++)
			v = v << 8 | raw[at++];
		if (v >= over[part]) {
			b->bad = true;
			return;
		}
		if (left == scale)
			text[n++] = '.';
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%0*u", (int)part, v);
	}
	if (negative)
		bus_buf_putc(out, '-');
	if (whole == 0)
		bus_buf_putc(out, '0');
	while (from + 1 < whole && text[from] == '0')
		from++;
	bus_buf_put(out, text + from, n - from);
}

static void put_bits(struct adapter_binlog_bytes *b, uint16_t meta, struct bus_buf *out)
{
	size_t bytes = (meta >> 8) + (size_t)((meta & 0xff) > 0);
	uint64_t v = bytes <= 8 ? big(b, bytes) : 0;

	b->bad |= bytes > 8;
	if (out)
		bus_buf_printf(out, "%llu", (unsigned long long)v);
}

/* --- times --- */

/* The parts of a second stand behind, big endian, in as many bytes as the digits need. */
static unsigned parts(struct adapter_binlog_bytes *b, unsigned digits)
{
	static const unsigned micro[] = { 0, 10000, 10000, 100, 100, 1, 1 };

	return digits > 0 && digits <= 6 ? (unsigned)big(b, (digits + 1) / 2) * micro[digits] : 0;
}

static void put_parts(unsigned micro, unsigned digits, struct bus_buf *out)
{
	if (digits > 0 && digits <= 6) {
		char text[16];

		snprintf(text, sizeof(text), ".%06u", micro % 1000000);
		bus_buf_put(out, text, digits + 1);
	}
}

static void put_date(struct adapter_binlog_bytes *b, struct bus_buf *out)
{
	unsigned v = (unsigned)adapter_binlog_number(b, 3);

	if (out)
		bus_buf_printf(out, "%04u-%02u-%02u", v >> 9, v >> 5 & 15, v & 31);
}

static void put_datetime(struct adapter_binlog_bytes *b, unsigned digits, struct bus_buf *out)
{
	uint64_t v = big(b, 5);
	unsigned micro = parts(b, digits);
	unsigned months = (unsigned)(v >> 22 & 0x1ffff);

	if (!out)
		return;
	bus_buf_printf(out, "%04u-%02u-%02u %02u:%02u:%02u", months / 13, months % 13,
		       (unsigned)(v >> 17 & 31), (unsigned)(v >> 12 & 31), (unsigned)(v >> 6 & 63),
		       (unsigned)(v & 63));
	put_parts(micro, digits, out);
}

static void put_timestamp(struct adapter_binlog_bytes *b, unsigned digits, struct bus_buf *out)
{
	time_t seconds = (time_t)big(b, 4);
	unsigned micro = parts(b, digits);
	struct tm tm;

	if (!out)
		return;
	if (seconds == 0 && micro == 0) {
		bus_buf_puts(out, "0000-00-00 00:00:00");
	} else {
		gmtime_r(&seconds, &tm);
		bus_buf_printf(out, "%04d-%02d-%02d %02d:%02d:%02d", tm.tm_year + 1900, tm.tm_mon + 1,
			       tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
	}
	put_parts(micro, digits, out);
	bus_buf_puts(out, "+00");
}

/* All of it is one number, larger than nothing when positive: sign and seconds in three bytes, parts behind (my_time.c,
 * my_time_packed_from_binary). */
static void put_time(struct adapter_binlog_bytes *b, unsigned digits, struct bus_buf *out)
{
	static const int64_t micro[] = { 1, 10000, 10000, 100, 100, 1, 1 };
	size_t more = digits <= 6 ? (digits + 1) / 2 : 0;
	int64_t v = (int64_t)big(b, 3 + more) - ((int64_t)0x800000 << (8 * more));
	bool negative = v < 0;
	unsigned hms;

	if (!out)
		return;
	v = negative ? -v : v;
	hms = (unsigned)(v >> (8 * more));
	bus_buf_printf(out, "%s%02u:%02u:%02u", negative ? "-" : "", hms >> 12 & 0x3ff, hms >> 6 & 63,
		       hms & 63);
	put_parts((unsigned)((v & (((int64_t)1 << (8 * more)) - 1)) * micro[digits <= 6 ? digits : 0]),
		  digits, out);
}

/* --- texts and bytes --- */

static void put_hex(struct bus_str s, struct bus_buf *out)
{
	static const char digit[] = "0123456789ABCDEF";

	bus_buf_reserve(out, 2 * s.n);
	for (size_t i = 0; i < s.n; i++) {
		bus_buf_putc(out, digit[(unsigned char)s.p[i] >> 4]);
		bus_buf_putc(out, digit[s.p[i] & 15]);
	}
}

/* Windows-1252; the five bytes it leaves open are the control characters of their number, as with the server itself
 * (strings/ctype-latin1.c). */
static void put_latin1(struct bus_str s, struct bus_buf *out)
{
	static const uint16_t high[32] = {
		0x20ac, 0x81,	0x201a, 0x192,	0x201e, 0x2026, 0x2020, 0x2021, 0x2c6,	0x2030, 0x160,
		0x2039, 0x152,	0x8d,	0x17d,	0x8f,	0x90,	0x2018, 0x2019, 0x201c, 0x201d, 0x2022,
		0x2013, 0x2014, 0x2dc,	0x2122, 0x161,	0x203a, 0x153,	0x9d,	0x17e,	0x178,
	};

	for (size_t i = 0; i < s.n; i++) {
		unsigned c = (unsigned char)s.p[i];

		if (c >= 0x80 && c < 0xa0)
			c = high[c - 0x80];
		if (c < 0x80) {
			bus_buf_putc(out, (char)c);
		} else if (c < 0x800) {
			bus_buf_putc(out, (char)(0xc0 | c >> 6));
			bus_buf_putc(out, (char)(0x80 | (c & 63)));
		} else {
			bus_buf_putc(out, (char)(0xe0 | c >> 12));
			bus_buf_putc(out, (char)(0x80 | (c >> 6 & 63)));
			bus_buf_putc(out, (char)(0x80 | (c & 63)));
		}
	}
}

static void put_uuid(const unsigned char *p, struct bus_buf *out)
{
	for (size_t i = 0; i < 16; i++)
		bus_buf_printf(out, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", p[i]);
}

/* width: of a type of a fixed one, whose last zeroes the log leaves out; 0: none. */
static void put_text(struct bus_str s, size_t width, enum adapter_binlog_spell spell, struct bus_buf *out)
{
	unsigned char fixed[256] = { 0 };
	char text[INET6_ADDRSTRLEN];

	if (spell == ADAPTER_BINLOG_UTF8) {
		bus_buf_put(out, s.p, s.n);
		return;
	}
	if (spell == ADAPTER_BINLOG_LATIN1) {
		put_latin1(s, out);
		return;
	}
	memcpy(fixed, s.p, s.n < sizeof(fixed) ? s.n : sizeof(fixed));
	switch (spell) {
	case ADAPTER_BINLOG_UUID:
		put_uuid(fixed, out);
		break;
	case ADAPTER_BINLOG_INET4:
		bus_buf_puts(out, inet_ntop(AF_INET, fixed, text, sizeof(text)));
		break;
	case ADAPTER_BINLOG_INET6:
		bus_buf_puts(out, inet_ntop(AF_INET6, fixed, text, sizeof(text)));
		break;
	default:
		put_hex(width > s.n && width <= sizeof(fixed) ? (struct bus_str){ (const char *)fixed, width }
							      : s,
			out);
	}
}

static void put_member(struct bus_str name, enum adapter_binlog_spell spell, struct bus_buf *out)
{
	put_text(name, 0, spell, out);
}

static void put_enum(struct adapter_binlog_bytes *b, const struct adapter_binlog_type *t,
		     enum adapter_binlog_spell spell, struct bus_buf *out)
{
	size_t bytes = t->meta & 0xff;
	uint64_t v = adapter_binlog_number(b, bytes <= 2 ? bytes : 0);

	b->bad |= bytes < 1 || bytes > 2;
	if (!out)
		return;
	if (v > t->n_members)
		b->bad = true;
	else if (v > 0)
		put_member(t->member[v - 1], spell, out);
}

static void put_set(struct adapter_binlog_bytes *b, const struct adapter_binlog_type *t,
		    enum adapter_binlog_spell spell, struct bus_buf *out)
{
	size_t bytes = t->meta & 0xff;
	uint64_t v = adapter_binlog_number(b, bytes <= 8 ? bytes : 0);
	bool some = false;

	b->bad |= bytes < 1 || bytes > 8;
	if (!out)
		return;
	for (size_t i = 0; i < 64; i++) {
		if (!(v >> i & 1))
			continue;
		if (i >= t->n_members) {
			b->bad = true;
			return;
		}
		if (some)
			bus_buf_putc(out, ',');
		put_member(t->member[i], spell, out);
		some = true;
	}
}

/* CHAR, BINARY, ENUM, SET are one type on the wire; a length over 255 borrows two bits of the type (sql/field.cc,
 * Field_string::pack_length_from_metadata). */
static void put_string(struct adapter_binlog_bytes *b, const struct adapter_binlog_type *t,
		       enum adapter_binlog_spell spell, struct bus_buf *out)
{
	unsigned real = t->meta >> 8;
	size_t width = t->meta & 0xff;
	struct bus_str s;

	if (real == T_ENUM) {
		put_enum(b, t, spell, out);
		return;
	}
	if (real == T_SET) {
		put_set(b, t, spell, out);
		return;
	}
	if ((real & 0x30) != 0x30)
		width |= (size_t)((real & 0x30) ^ 0x30) << 4;
	s = adapter_binlog_take(b, adapter_binlog_number(b, width > 255 ? 2 : 1));
	if (out)
		put_text(s, width, spell, out);
}

static bool put_whole_of(struct adapter_binlog_bytes *b, const struct adapter_binlog_type *t, size_t bytes,
			 struct bus_buf *out)
{
	uint64_t v = adapter_binlog_number(b, bytes);

	if (out)
		put_whole(v, bytes, t->is_unsigned, out);
	return true;
}

bool adapter_binlog_value(struct adapter_binlog_bytes *b, const struct adapter_binlog_type *t,
			  enum adapter_binlog_spell spell, struct bus_buf *out)
{
	struct bus_str s;
	uint64_t v;

	switch (t->type) {
	case T_TINY:
		return put_whole_of(b, t, 1, out);
	case T_SHORT:
		return put_whole_of(b, t, 2, out);
	case T_INT24:
		return put_whole_of(b, t, 3, out);
	case T_LONG:
		return put_whole_of(b, t, 4, out);
	case T_LONGLONG:
		return put_whole_of(b, t, 8, out);
	case T_FLOAT:
	case T_DOUBLE:
		v = adapter_binlog_number(b, t->type == T_FLOAT ? 4 : 8);
		if (out)
			put_real(v, t->type == T_FLOAT ? 4 : 8, out);
		return true;
	case T_NEWDECIMAL:
		if (t->meta >> 8 > 65 || t->meta >> 8 < 1 || (t->meta & 0xff) > t->meta >> 8)
			b->bad = true;
		else
			put_decimal(b, t->meta >> 8, t->meta & 0xff, out);
		return true;
	case T_BIT:
		put_bits(b, t->meta, out);
		return true;
	case T_YEAR:
		v = adapter_binlog_number(b, 1);
		if (out)
			bus_buf_printf(out, "%04u", v ? (unsigned)v + 1900 : 0);
		return true;
	case T_DATE:
	case T_NEWDATE:
		put_date(b, out);
		return true;
	case T_TIME2:
		put_time(b, t->meta, out);
		return true;
	case T_DATETIME2:
		put_datetime(b, t->meta, out);
		return true;
	case T_TIMESTAMP2:
		put_timestamp(b, t->meta, out);
		return true;
	case T_VARCHAR:
		s = adapter_binlog_take(b, adapter_binlog_number(b, t->meta > 255 ? 2 : 1));
		if (out)
			put_text(s, 0, spell, out);
		return true;
	case T_TINY_BLOB:
	case T_MEDIUM_BLOB:
	case T_LONG_BLOB:
	case T_BLOB:
	case T_GEOMETRY:
		s = adapter_binlog_take(b, adapter_binlog_number(b, t->meta <= 4 ? t->meta : 0));
		b->bad |= t->meta < 1 || t->meta > 4;
		if (out)
			put_text(s, 0, spell, out);
		return true;
	case T_STRING:
		put_string(b, t, spell, out);
		return true;
	case T_BLOB_COMPRESSED: /* not read, but passed over */
		(void)adapter_binlog_take(b, adapter_binlog_number(b, t->meta <= 4 ? t->meta : 0));
		b->bad |= t->meta < 1 || t->meta > 4;
		return !out;
	case T_VARCHAR_COMPRESSED:
		(void)adapter_binlog_take(b, adapter_binlog_number(b, t->meta > 255 ? 2 : 1));
		return !out;
	case T_NULL:
		return true;
	default:
		return false;
	}
}
