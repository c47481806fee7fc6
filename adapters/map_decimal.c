/* Decimal numbers as people and programs write them, to one canonical form: nothing is rounded on the way. */
#include "adapters/map_impl.h"

#define DIGITS_MAX 60

struct number {
	char digit[DIGITS_MAX]; /* without zeros in front */
	int n;
	int after; /* of them behind the point; over n: zeros between */
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool push(struct number *d, char c, bool after)
{
	d->after += after;
	if (d->n == 0 && c == '0')
		return d->after <= DIGITS_MAX;
	if (d->n == DIGITS_MAX)
		return false;
	d->digit[d->n++] = c;
	return true;
}

/* "E-05" behind a number; moves the point. */
static enum map_why exponent(struct bus_str s, struct number *d)
{
	bool minus;
	int e = 0;

	if (s.n > 0 && (s.p[0] == '+' || s.p[0] == '-')) {
		s.p++;
		s.n--;
		minus = s.p[-1] == '-';
	} else {
		minus = false;
	}
	if (s.n == 0)
		return MAP_WHY_DECIMAL;
	for (size_t i = 0; i < s.n; i++) {
		if (!is_digit(s.p[i]))
			return MAP_WHY_DECIMAL;
		e = e > 999 ? e : e * 10 + (s.p[i] - '0');
	}
	if (d->n == 0)
		return MAP_WHY_NONE;
	d->after += minus ? e : -e;
	while (d->after < 0) {
		if (d->n == DIGITS_MAX)
			return MAP_WHY_RANGE;
		d->digit[d->n++] = '0';
		d->after++;
	}
	return d->after > DIGITS_MAX ? MAP_WHY_RANGE : MAP_WHY_NONE;
}

static void put(struct number *d, bool minus, char *out, size_t *len)
{
	size_t n = 0;

	while (d->after > 0 && d->n > 0 && d->digit[d->n - 1] == '0') {
		d->n--;
		d->after--;
	}
	if (d->n == 0)
		d->after = 0;
	if (minus && d->n > 0)
		out[n++] = '-';
	if (d->n <= d->after)
		out[n++] = '0';
	for (int i = 0; i < d->n - d->after; i++)
		out[n++] = d->digit[i];
	if (d->n == 0 && n == 0)
		out[n++] = '0';
	if (d->after > 0)
		out[n++] = '.';
	for (int i = d->after; i > d->n; i--)
		out[n++] = '0';
	for (int i = d->after > d->n ? 0 : d->n - d->after; d->after > 0 && i < d->n; i++)
		out[n++] = d->digit[i];
	out[n] = '\0';
	*len = n;
}

enum map_why adapter_map_decimal(struct bus_str s, char mark, bool number, char *out, size_t *len)
{
	struct number d = { .n = 0 };
	bool minus = s.n > 0 && s.p[0] == '-', after = false, some = false;
	size_t i = minus, run = 0, groups = 0;
	char group = number ? '\0' : mark == ',' ? '.' : ',';
	enum map_why why = MAP_WHY_NONE;

	mark = number ? '.' : mark;
	for (; i < s.n; i++) {
		char c = s.p[i];

		if (is_digit(c)) {
			some = true;
			run++;
			if (!push(&d, c, after))
				return MAP_WHY_RANGE;
		} else if (c == mark && !after && run > 0) {
			if (groups > 0 && run != 3)
				return MAP_WHY_DECIMAL;
			after = true;
			groups = run = 0;
		} else if (group && c == group && !after && run > 0 && run <= 3 &&
			   (groups == 0 || run == 3)) {
			groups++;
			run = 0;
		} else if (number && some && run > 0 && (c == 'e' || c == 'E')) {
			break;
		} else {
			return MAP_WHY_DECIMAL;
		}
	}
	if (!some || run == 0 || (groups > 0 && run != 3))
		return MAP_WHY_DECIMAL;
	if (i < s.n)
		why = exponent((struct bus_str){ s.p + i + 1, s.n - i - 1 }, &d);
	if (why == MAP_WHY_NONE)
		put(&d, minus, out, len);
	return why;
}
