#include "schemas/avro/canon.h"
#include "schemas/kinds/json_schema.h"

/* BigDecimal.toString of a number with point or exponent: its digits without leading zeros, plain while the
 * exponent is not positive and the first digit stands at most 7 places after the point. */
static void put_decimal(struct bus_buf *out, struct bus_str s)
{
	struct bus_buf digits = { 0 };
	long long exponent = 0;
	long long scale = 0;
	long long adjusted;
	bool point = false;
	bool zero;
	size_t i = s.p[0] == '-';
	size_t e = 0;

	for (; i < s.n && s.p[i] != 'e' && s.p[i] != 'E'; i++) {
		if (s.p[i] == '.') {
			point = true;
			continue;
		}
		scale += point;
		if (digits.n > 0 || s.p[i] != '0')
			bus_buf_putc(&digits, s.p[i]);
	}
	e = s.n - i;
	if (e > 11) { /* beyond what Java holds: as written */
		bus_buf_put(out, s.p, s.n);
		bus_buf_release(&digits);
		return;
	}
	if (e > 0) {
		char text[12];

		memcpy(text, s.p + i + 1, e - 1);
		text[e - 1] = '\0';
		exponent = strtoll(text, NULL, 10);
	}
	scale -= exponent;
	zero = digits.n == 0;
	if (zero)
		bus_buf_putc(&digits, '0');
	adjusted = (long long)digits.n - 1 - scale;
	if (s.p[0] == '-' && !zero)
		bus_buf_putc(out, '-');
	if (scale >= 0 && adjusted >= -6) {
		if (scale == 0) {
			bus_buf_put(out, digits.p, digits.n);
		} else if ((long long)digits.n > scale) {
			bus_buf_put(out, digits.p, digits.n - (size_t)scale);
			bus_buf_putc(out, '.');
			bus_buf_put(out, digits.p + digits.n - scale, (size_t)scale);
		} else {
			bus_buf_puts(out, "0.");
			for (long long z = (long long)digits.n; z < scale; z++)
				bus_buf_putc(out, '0');
			bus_buf_put(out, digits.p, digits.n);
		}
	} else {
		bus_buf_putc(out, digits.p[0]);
		if (digits.n > 1) {
			bus_buf_putc(out, '.');
			bus_buf_put(out, digits.p + 1, digits.n - 1);
		}
		if (adjusted != 0)
			bus_buf_printf(out, "E%+lld", adjusted);
	}
	bus_buf_release(&digits);
}

static void put_number(struct bus_buf *out, struct bus_str s)
{
	if (memchr(s.p, '.', s.n) || memchr(s.p, 'e', s.n) || memchr(s.p, 'E', s.n))
		put_decimal(out, s);
	else if (bus_str_is(s, "-0"))
		bus_buf_putc(out, '0');
	else
		bus_buf_put(out, s.p, s.n);
}

/* UTF-16 code units in order: as bytes of UTF-8, but U+E000..U+FFFF come after what takes a surrogate pair.
 */
static int by_name(const void *a, const void *b)
{
	struct bus_str x = (*(const struct bus_json *const *)a)->name;
	struct bus_str y = (*(const struct bus_json *const *)b)->name;
	size_t n = x.n < y.n ? x.n : y.n;

	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)x.p[i];
		unsigned char d = (unsigned char)y.p[i];

		if (c == d)
			continue;
		if (c >= 0xee && d >= 0xee && (c >= 0xf0) != (d >= 0xf0))
			return c >= 0xf0 ? -1 : 1;
		return c < d ? -1 : 1;
	}
	return (x.n > y.n) - (x.n < y.n);
}

static void put_object(const struct bus_json *v, bool sorted, struct bus_buf *out)
{
	const struct bus_json **member = bus_xcalloc(v->n + 1, sizeof(*member));
	size_t n = 0;

	for (const struct bus_json *m = v->first; m; m = m->next)
		member[n++] = m;
	if (sorted)
		qsort(member, n, sizeof(*member), by_name);
	bus_buf_putc(out, '{');
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			bus_buf_putc(out, ',');
		schema_put_jackson(out, member[i]->name);
		bus_buf_putc(out, ':');
		schema_json_text(member[i], sorted, out);
	}
	bus_buf_putc(out, '}');
	free(member);
}

void schema_json_text(const struct bus_json *v, bool sorted, struct bus_buf *out)
{
	switch (v->type) {
	case BUS_JSON_OBJECT:
		put_object(v, sorted, out);
		break;
	case BUS_JSON_ARRAY:
		bus_buf_putc(out, '[');
		for (const struct bus_json *m = v->first; m; m = m->next) {
			if (m != v->first)
				bus_buf_putc(out, ',');
			schema_json_text(m, sorted, out);
		}
		bus_buf_putc(out, ']');
		break;
	case BUS_JSON_STRING:
		schema_put_jackson(out, v->text);
		break;
	case BUS_JSON_NUMBER:
		put_number(out, v->text);
		break;
	default:
		bus_buf_puts(out, v->type == BUS_JSON_TRUE    ? "true"
				  : v->type == BUS_JSON_FALSE ? "false"
							      : "null");
	}
}
