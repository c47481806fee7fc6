#include "adapters/xlsx_cell.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>

#include "adapters/sheet.h"
#include "bus/clock.h"

#define DIGITS_KEPT 15 /* significant digits a spreadsheet keeps of what is typed */
#define STORED_MAX 400 /* bytes of a number; no double needs more */
#define POWER_MAX 400
#define DAY_MS ((int64_t)24 * 60 * 60 * 1000)
#define LAST_DAY 2958465 /* 9999-12-31 */
#define LAST_DAY_1904 2957003

/* ---- number formats ---- */

enum adapter_xlsx_format adapter_xlsx_format_builtin(uint32_t id)
{
	if ((id >= 14 && id <= 17) || (id >= 27 && id <= 31) || id == 36 || (id >= 50 && id <= 58))
		return ADAPTER_XLSX_DATE;
	if (id == 22)
		return ADAPTER_XLSX_DATE_TIME;
	if ((id >= 18 && id <= 21) || (id >= 32 && id <= 35) || id == 45 || id == 47)
		return ADAPTER_XLSX_TIME;
	return id == 46 ? ADAPTER_XLSX_ELAPSED : ADAPTER_XLSX_NUMBER;
}

/* Only the first section counts. Text stands in quotes or behind \, _ or *; brackets hold colours, locales,
 * conditions, and elapsed times ([h], [mm], [ss]). An m beside hours or seconds is minutes. */
enum adapter_xlsx_format adapter_xlsx_format_parse(const char *code)
{
	bool day = false, hour = false, elapsed = false, month = false;

	for (const char *p = code; *p && *p != ';'; p++) {
		const char *close;

		switch (tolower((unsigned char)*p)) {
		case '"':
			close = strchr(p + 1, '"');
			if (!close)
				return ADAPTER_XLSX_NUMBER;
			p = close;
			break;
		case '[':
			close = strchr(p + 1, ']');
			if (!close)
				return ADAPTER_XLSX_NUMBER;
			if (close > p + 1 && strspn(p + 1, "hHmMsS") == (size_t)(close - p - 1))
				elapsed = true;
			p = close;
			break;
		case '\\':
		case '_':
		case '*':
			if (!p[1])
				return ADAPTER_XLSX_NUMBER;
			p++;
			break;
		case 'g': /* General holds an e and an n, and no letter of dates */
		case 'e':
			break;
		case 'd':
		case 'y':
			day = true;
			break;
		case 'h':
		case 's':
			hour = true;
			break;
		case 'm':
			month = true;
			break;
		}
	}
	if (elapsed)
		return ADAPTER_XLSX_ELAPSED;
	if (hour)
		return day ? ADAPTER_XLSX_DATE_TIME : ADAPTER_XLSX_TIME;
	return day || month ? ADAPTER_XLSX_DATE : ADAPTER_XLSX_NUMBER;
}

/* ---- decimals ---- */

struct decimal {	  /* digits, the point before digit[whole] */
	bool minus, some; /* some: it is not 0 */
	char digit[STORED_MAX];
	int n, whole;
};

/* [-+]digits[.digits][E[-+]digits], as xsd:double writes a number. */
static bool parse(struct bus_str s, struct decimal *d)
{
	size_t i = 0;
	int power = 0;
	bool point = false, some = false, down = false;

	*d = (struct decimal){ .minus = s.n > 0 && s.p[0] == '-' };
	if (s.n == 0 || s.n > STORED_MAX)
		return false;
	i = s.p[0] == '-' || s.p[0] == '+';
	for (; i < s.n && ((s.p[i] >= '0' && s.p[i] <= '9') || (s.p[i] == '.' && !point)); i++) {
		if (s.p[i] == '.') {
			point = true;
			continue;
		}
		some = true;
		d->whole += !point;
		d->some |= s.p[i] != '0';
		d->digit[d->n++] = s.p[i];
	}
	if (!some)
		return false;
	if (i < s.n && (s.p[i] == 'E' || s.p[i] == 'e')) {
		i++;
		if (i < s.n && (s.p[i] == '-' || s.p[i] == '+'))
			down = s.p[i++] == '-';
		if (i == s.n)
			return false;
		for (; i < s.n && s.p[i] >= '0' && s.p[i] <= '9' && power <= POWER_MAX; i++)
			power = power * 10 + (s.p[i] - '0');
		d->whole += down ? -power : power;
	}
	return i == s.n && power <= POWER_MAX;
}

static double value(struct bus_str s)
{
	char text[STORED_MAX + 1];

	memcpy(text, s.p, s.n);
	text[s.n] = '\0';
	return strtod(text, NULL);
}

/* As people wrote it, and as the sheet shows it; not the 17 digits of the double. */
static void shorten(struct bus_str stored, struct decimal *d)
{
	double v = value(stored);
	char text[40];

	for (int digits = DIGITS_KEPT; digits <= 17; digits++) {
		int n = snprintf(text, sizeof(text), "%.*e", digits - 1, v);

		if (strtod(text, NULL) == v && parse((struct bus_str){ text, (size_t)n }, d))
			return;
	}
}

bool adapter_xlsx_decimal(struct bus_str stored, struct bus_buf *out, bool *rounded)
{
	struct decimal d;
	int first = 0, last;

	*rounded = false;
	if (!parse(stored, &d))
		return false;
	if (!d.some) {
		bus_buf_putc(out, '0');
		return true;
	}
	if (d.n > DIGITS_KEPT && d.n > d.whole)
		shorten(stored, &d);
	last = d.n;
	while (last > 0 && last > d.whole && d.digit[last - 1] == '0')
		last--;
	while (first < last && first < d.whole - 1 && d.digit[first] == '0')
		first++;
	if (d.minus)
		bus_buf_putc(out, '-');
	if (d.whole <= 0) {
		bus_buf_puts(out, "0.");
		for (int i = d.whole; i < 0; i++)
			bus_buf_putc(out, '0');
	}
	for (int i = first; i < last || i < d.whole; i++) {
		if (i == d.whole && i > 0)
			bus_buf_putc(out, '.');
		bus_buf_putc(out, i < d.n ? d.digit[i] : '0');
	}
	if (d.whole - first > DIGITS_KEPT) {
		bool zeros = true;

		for (int i = first + DIGITS_KEPT; i < d.whole && i < d.n; i++)
			zeros &= d.digit[i] == '0';
		/* Over 2^53 a double skips numbers, whoever wrote it. */
		*rounded = zeros || fabs(value(stored)) > 9007199254740992.0;
	}
	return true;
}

/* ---- dates ---- */

bool adapter_xlsx_date(struct bus_str stored, enum adapter_xlsx_format format, bool from_1904,
		       struct bus_buf *out)
{
	struct decimal d;
	int64_t ms, day;
	char iso[32];
	double v;

	if (!parse(stored, &d))
		return false;
	v = value(stored);
	if (!(v >= 0 && v < (from_1904 ? LAST_DAY_1904 : LAST_DAY) + 1))
		return false;
	ms = llround(v * (double)DAY_MS);
	if (format == ADAPTER_XLSX_ELAPSED) {
		adapter_sheet_put_time(out, ms);
		return true;
	}
	day = ms / DAY_MS;
	if (format != ADAPTER_XLSX_TIME) {
		if (!from_1904 && (day == 0 || day == 60))
			return false;
		/* The 1900 system counts a 1900-02-29: before it a day is one later. */
		day += from_1904 ? -24107 : day < 60 ? -25568 : -25569;
		bus_buf_puts(out, bus_clock_iso_date((int32_t)day, iso, sizeof(iso)));
	}
	if (format == ADAPTER_XLSX_DATE_TIME)
		bus_buf_putc(out, 'T');
	if (format != ADAPTER_XLSX_DATE)
		adapter_sheet_put_time(out, ms % DAY_MS);
	return true;
}
