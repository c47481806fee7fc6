#include "schemas/avro/plain.h"

#include "bus/clock.h"
#include "bus/hex.h"

#define DAY_S INT64_C(86400)
#define WIB_S INT64_C(25200)
#define FIRST_DAY (-719528) /* 0000-01-01: years have four digits (RFC 3339) */
#define LAST_DAY 2932896    /* 9999-12-31 */

enum kind { NO_TIME, DATE, TIME, STAMP, LOCAL };

/* What kind of time a node holds, its units in a second, and the digits of a fraction of one. */
static enum kind kind_of(const struct schema_node *node, int64_t *per_second, int *digits)
{
	*per_second = 1000;
	*digits = 3;
	switch (node->logical) {
	case SCHEMA_DATE:
		return DATE;
	case SCHEMA_TIME_MICROS:
	case SCHEMA_TIMESTAMP_MICROS:
	case SCHEMA_LOCAL_TIMESTAMP_MICROS:
		*per_second = 1000000;
		*digits = 6;
		break;
	case SCHEMA_TIMESTAMP_NANOS:
	case SCHEMA_LOCAL_TIMESTAMP_NANOS:
		*per_second = 1000000000;
		*digits = 9;
		break;
	default:
		break;
	}
	switch (node->logical) {
	case SCHEMA_TIME_MILLIS:
	case SCHEMA_TIME_MICROS:
		return TIME;
	case SCHEMA_TIMESTAMP_MILLIS:
	case SCHEMA_TIMESTAMP_MICROS:
	case SCHEMA_TIMESTAMP_NANOS:
		return STAMP;
	case SCHEMA_LOCAL_TIMESTAMP_MILLIS:
	case SCHEMA_LOCAL_TIMESTAMP_MICROS:
	case SCHEMA_LOCAL_TIMESTAMP_NANOS:
		return LOCAL;
	default:
		return NO_TIME;
	}
}

/* ".123" in threes: nothing, milli-, micro- or nanoseconds. */
static void put_fraction(struct bus_buf *out, int64_t fraction, int digits)
{
	if (fraction == 0)
		return;
	while (digits > 3 && fraction % 1000 == 0) {
		fraction /= 1000;
		digits -= 3;
	}
	bus_buf_printf(out, ".%0*lld", digits, (long long)fraction);
}

/* seconds: as they are written, in WIB or without a zone. */
static bool put_stamp(int64_t seconds, int64_t fraction, int digits, bool local, struct bus_buf *out)
{
	const size_t zone = strlen("+07:00");
	char text[40];
	size_t n;

	if (seconds < FIRST_DAY * DAY_S || seconds >= (LAST_DAY + 1) * DAY_S)
		return false;
	bus_clock_iso_wib((seconds - WIB_S) * 1000, text, sizeof(text));
	n = strlen(text);
	bus_buf_put(out, text, n - zone);
	put_fraction(out, fraction, digits);
	if (!local)
		bus_buf_put(out, text + n - zone, zone);
	return true;
}

bool schema_plain_time(const struct schema_node *node, int64_t v, struct bus_buf *out)
{
	int64_t per_second;
	int digits;
	enum kind kind = kind_of(node, &per_second, &digits);
	int64_t seconds = v / per_second;
	int64_t fraction = v % per_second;
	char text[40];

	if (fraction < 0) {
		fraction += per_second;
		seconds--;
	}
	switch (kind) {
	case DATE:
		if (v < FIRST_DAY || v > LAST_DAY)
			return false;
		bus_buf_puts(out, bus_clock_iso_date((int32_t)v, text, sizeof(text)));
		return true;
	case TIME:
		if (v < 0 || seconds >= DAY_S)
			return false;
		bus_buf_printf(out, "%02d:%02d:%02d", (int)(seconds / 3600), (int)(seconds / 60 % 60),
			       (int)(seconds % 60));
		put_fraction(out, fraction, digits);
		return true;
	case STAMP:
		seconds += WIB_S; /* per_second is 1000 at least: far from overflow */
		return put_stamp(seconds, fraction, digits, false, out);
	case LOCAL:
		return put_stamp(seconds, fraction, digits, true, out);
	default:
		return false;
	}
}

/* Exactly n digits. */
static bool take_digits(struct bus_str *s, size_t n, int64_t *v)
{
	*v = 0;
	if (s->n < n)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (s->p[i] < '0' || s->p[i] > '9')
			return false;
		*v = *v * 10 + (s->p[i] - '0');
	}
	s->p += n;
	s->n -= n;
	return true;
}

static bool take(struct bus_str *s, char c)
{
	if (s->n == 0 || *s->p != c)
		return false;
	s->p++;
	s->n--;
	return true;
}

static bool take_date(struct bus_str *s, int32_t *days)
{
	int64_t year;
	int64_t month;
	int64_t day;

	return take_digits(s, 4, &year) && take(s, '-') && take_digits(s, 2, &month) && take(s, '-') &&
	       take_digits(s, 2, &day) && bus_clock_days((int)year, (int)month, (int)day, days);
}

/* "08:00:00" and a fraction of at most `digits`, in units of per_second. */
static bool take_time(struct bus_str *s, int64_t per_second, int digits, int64_t *v)
{
	int64_t hour;
	int64_t minute;
	int64_t second;
	int64_t fraction = 0;
	int given = 0;

	if (!take_digits(s, 2, &hour) || !take(s, ':') || !take_digits(s, 2, &minute) || !take(s, ':') ||
	    !take_digits(s, 2, &second) || hour > 23 || minute > 59 || second > 59)
		return false;
	if (take(s, '.')) {
		int64_t digit;

		while (given < digits && take_digits(s, 1, &digit)) {
			fraction = fraction * 10 + digit;
			given++;
		}
		if (given == 0)
			return false;
		for (; given < digits; given++)
			fraction *= 10;
	}
	*v = ((hour * 60 + minute) * 60 + second) * per_second + fraction;
	return true;
}

/* "Z" or "+07:00": seconds east of Greenwich. */
static bool take_zone(struct bus_str *s, int64_t *east)
{
	bool west;
	int64_t hour;
	int64_t minute;

	*east = 0;
	if (take(s, 'Z'))
		return true;
	west = take(s, '-');
	if (!west && !take(s, '+'))
		return false;
	if (!take_digits(s, 2, &hour) || !take(s, ':') || !take_digits(s, 2, &minute) || hour > 18 ||
	    minute > 59)
		return false;
	*east = (west ? -1 : 1) * (hour * 60 + minute) * 60;
	return true;
}

bool schema_plain_time_parse(const struct schema_node *node, struct bus_str text, int64_t *v)
{
	int64_t per_second;
	int digits;
	enum kind kind = kind_of(node, &per_second, &digits);
	int64_t east = 0;
	int64_t in_day = 0;
	int32_t days = 0;

	if (kind == NO_TIME || (kind != TIME && !take_date(&text, &days)))
		return false;
	if (kind == DATE) {
		*v = days;
		return text.n == 0;
	}
	if (kind != TIME && !take(&text, 'T'))
		return false;
	if (!take_time(&text, per_second, digits, &in_day) || (kind == STAMP && !take_zone(&text, &east)))
		return false;
	return text.n == 0 && !__builtin_mul_overflow((int64_t)days * 86400 - east, per_second, v) &&
	       !__builtin_add_overflow(*v, in_day, v);
}

bool schema_plain_decimal(struct bus_str bytes, int scale, struct bus_buf *out)
{
	uint32_t limb[SCHEMA_DECIMAL_BYTES / 4] = { 0 }; /* little-endian magnitude */
	char digit[SCHEMA_DECIMAL_BYTES * 3];
	size_t limbs = (bytes.n + 3) / 4;
	bool negative = bytes.n > 0 && (bytes.p[0] & 0x80);
	size_t n = 0;
	unsigned carry = negative;

	if (bytes.n > SCHEMA_DECIMAL_BYTES || scale > SCHEMA_DECIMAL_BYTES)
		return false;
	for (size_t i = 0; i < bytes.n; i++) {
		unsigned char byte = (unsigned char)bytes.p[bytes.n - 1 - i];

		carry += negative ? (unsigned char)~byte : byte;
		limb[i / 4] |= (uint32_t)(carry & 0xff) << (8 * (i % 4));
		carry >>= 8;
	}
	do {
		uint64_t rest = 0;

		for (size_t i = limbs; i-- > 0;) {
			uint64_t value = rest << 32 | limb[i];

			limb[i] = (uint32_t)(value / 10);
			rest = value % 10;
		}
		digit[n++] = (char)('0' + rest);
		while (limbs > 0 && limb[limbs - 1] == 0)
			limbs--;
	} while (limbs > 0);
	while (n < (size_t)scale + 1)
		digit[n++] = '0';
	if (negative)
		bus_buf_putc(out, '-');
	while (n-- > 0) {
		bus_buf_putc(out, digit[n]);
		if (n == (size_t)scale && scale > 0)
			bus_buf_putc(out, '.');
	}
	return true;
}

/* value = value * 10 + digit, of n bytes, big-endian; false: it does not fit. */
static bool push_digit(unsigned char *value, size_t n, unsigned digit)
{
	unsigned carry = digit;

	for (size_t i = n; i-- > 0;) {
		carry += value[i] * 10U;
		value[i] = (unsigned char)carry;
		carry >>= 8;
	}
	return carry == 0;
}

bool schema_plain_decimal_parse(const struct schema_node *node, struct bus_str text, struct bus_buf *out)
{
	unsigned char value[SCHEMA_DECIMAL_BYTES] = { 0 };
	const size_t size = sizeof(value);
	bool negative = take(&text, '-');
	bool point = false;
	int digits = 0; /* without zeros in front */
	int after = 0;
	size_t from = 0;
	unsigned carry = 1;

	if (text.n == 0 || text.p[0] == '.' || text.p[text.n - 1] == '.')
		return false;
	for (size_t i = 0; i < text.n || after < node->scale; i++) {
		char c = i < text.n ? text.p[i] : '0';

		if (i < text.n && c == '.' && !point) {
			point = true;
			continue;
		}
		if (c < '0' || c > '9' || (point && after == node->scale && c != '0'))
			return false;
		if (i >= text.n)
			point = true;
		if (point && after == node->scale)
			continue; /* a zero beyond the scale */
		after += point;
		digits += digits > 0 || c != '0';
		if (digits > node->precision || !push_digit(value, size, (unsigned)(c - '0')))
			return false;
	}
	if (value[0] & 0x80)
		return false;
	for (size_t i = size; negative && i-- > 0;) {
		carry += (unsigned char)~value[i];
		value[i] = (unsigned char)carry;
		carry >>= 8;
	}
	/* Leading bytes that only repeat the sign are left out; a fixed has its own size. */
	while (from + 1 < size && value[from] == (value[from + 1] & 0x80 ? 0xff : 0))
		from++;
	if (node->type == SCHEMA_FIXED) {
		if (size - from > node->size)
			return false;
		for (size_t i = size - from; i < node->size; i++)
			bus_buf_putc(out, (char)(value[from] & 0x80 ? 0xff : 0));
	}
	bus_buf_put(out, value + from, size - from);
	return true;
}

void schema_plain_uuid(const char bytes[16], struct bus_buf *out)
{
	for (int i = 0; i < 16; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			bus_buf_putc(out, '-');
		bus_buf_printf(out, "%02x", (unsigned)(unsigned char)bytes[i]);
	}
}

bool schema_plain_uuid_parse(struct bus_str text, char bytes[16])
{
	size_t at = 0;

	if (text.n != 36)
		return false;
	for (int i = 0; i < 16; i++) {
		if ((i == 4 || i == 6 || i == 8 || i == 10) && text.p[at++] != '-')
			return false;
		if (!bus_unhex(text.p + at, 1, bytes + i))
			return false;
		at += 2;
	}
	return true;
}
