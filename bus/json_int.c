#include "bus/json.h"

/* A number's digits without leading and trailing zeros, and the power of ten behind them. */
struct decimal {
	char digit[20]; /* the first ones */
	size_t n;	/* all of them */
	int64_t power;
};

#define POWER_MAX 1000000000 /* more than any text has digits */

static int64_t read_power(const char *p, const char *end)
{
	bool negative = p < end && *p == '-';
	int64_t v = 0;

	if (p < end && (*p == '-' || *p == '+'))
		p++;
	for (; p < end && v < POWER_MAX; p++)
		v = v * 10 + (*p - '0');
	return negative ? -v : v;
}

static struct decimal read_decimal(const char *p, const char *end)
{
	struct decimal d = { .n = 0 };
	size_t zeros = 0; /* since the last other digit */
	bool fraction = false;

	for (; p < end && (*p | 0x20) != 'e'; p++) {
		if (*p == '.') {
			fraction = true;
			continue;
		}
		d.power -= fraction;
		if (*p == '0') {
			zeros++;
			continue;
		}
		if (d.n == 0)
			zeros = 0;
		for (; zeros > 0; zeros--, d.n++) {
			if (d.n < sizeof(d.digit))
				d.digit[d.n] = '0';
		}
		if (d.n < sizeof(d.digit))
			d.digit[d.n] = *p;
		d.n++;
	}
	d.power += (int64_t)zeros;
	if (p < end)
		d.power += read_power(p + 1, end);
	return d;
}

/* Digits alone, too few to overflow. */
static bool short_whole(struct bus_str s, int64_t *out)
{
	const bool negative = s.p[0] == '-';
	int64_t v = 0;

	if (s.n - negative > 18)
		return false;
	for (size_t i = negative; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
		v = v * 10 + (s.p[i] - '0');
	}
	*out = negative ? -v : v;
	return true;
}

enum bus_err bus_json_int(const struct bus_json *v, int64_t *out)
{
	struct decimal d;
	const char *p;
	bool negative;
	int64_t sum = 0;

	if (!v || v->type != BUS_JSON_NUMBER)
		return BUS_EDATA;
	p = v->text.p;
	negative = *p == '-';
	if (short_whole(v->text, out))
		return BUS_OK;
	d = read_decimal(p + negative, v->text.p + v->text.n);
	if (d.n == 0) {
		*out = 0;
		return BUS_OK;
	}
	if (d.power < 0 || d.power > 19 || d.n + (size_t)d.power > 19)
		return BUS_EDATA;
	/* Downwards, since the least number has no positive counterpart. */
	for (size_t i = 0; i < d.n + (size_t)d.power; i++) {
		int digit = i < d.n ? d.digit[i] - '0' : 0;

		if (__builtin_mul_overflow(sum, 10, &sum) || __builtin_sub_overflow(sum, digit, &sum))
			return BUS_EDATA;
	}
	if (!negative && __builtin_sub_overflow(0, sum, &sum))
		return BUS_EDATA;
	*out = sum;
	return BUS_OK;
}
