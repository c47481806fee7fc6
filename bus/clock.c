#include "bus/clock.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define DAY_MS INT64_C(86400000)
#define WIB_MS (INT64_C(7) * 3600 * 1000)
#define YEAR_DAYS(y) (365 * (y) + (y) / 4 - (y) / 100 + (y) / 400) /* days in the years 1 ... y */
#define EPOCH_DAYS 719162					   /* 1970-01-01, counted from 0001-01-01 */
#define CYCLE_DAYS 146097					   /* the calendar repeats every 400 years */
#define CYCLE_YEARS 400
#define HTTP_LAST_MS INT64_C(253402300799999) /* 9999-12-31T23:59:59.999Z */

static _Atomic int64_t fake_ms = -1;

static int64_t read_us(clockid_t which)
{
	struct timespec t;

	clock_gettime(which, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

int64_t bus_clock_ms(void)
{
	int64_t fake = atomic_load_explicit(&fake_ms, memory_order_relaxed);

	return fake >= 0 ? fake : read_us(CLOCK_REALTIME) / 1000;
}

int64_t bus_clock_mono_ms(void)
{
	return read_us(CLOCK_MONOTONIC) / 1000;
}

int64_t bus_clock_mono_coarse_ms(void)
{
	return read_us(CLOCK_MONOTONIC_COARSE) / 1000;
}

int64_t bus_clock_mono_us(void)
{
	return read_us(CLOCK_MONOTONIC);
}

void bus_clock_fake(int64_t wall_ms)
{
	atomic_store(&fake_ms, wall_ms);
}

static int64_t floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

static bool is_leap(int64_t year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static int month_days(int64_t year, int month)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

	return days[month - 1] + (month == 2 && is_leap(year));
}

struct date {
	int64_t year;
	int month;
	int day;
};

static struct date to_date(int64_t days)
{
	int64_t since = days + EPOCH_DAYS;
	int64_t cycle = floor_div(since, CYCLE_DAYS);
	int64_t rest = since - cycle * CYCLE_DAYS; /* days into the cycle, whose years are 1 ... 400 */
	int64_t year = rest / 366 + 1;		   /* never too late, at most one too early */
	struct date d = { .month = 1 };

	while (YEAR_DAYS(year) <= rest)
		year++;
	rest -= YEAR_DAYS(year - 1);
	while (rest >= month_days(year, d.month)) {
		rest -= month_days(year, d.month);
		d.month++;
	}
	d.year = year + cycle * CYCLE_YEARS;
	d.day = (int)rest + 1;
	return d;
}

_Bool bus_clock_days(int year, int month, int day, int32_t *days)
{
	int64_t cycle;
	int64_t in_cycle;
	int64_t n;

	/* Some room below what int32_t days can hold. */
	if (year < -5000000 || year > 5000000 || month < 1 || month > 12 || day < 1 ||
	    day > month_days(year, month))
		return false;
	cycle = floor_div((int64_t)year - 1, CYCLE_YEARS);
	in_cycle = year - cycle * CYCLE_YEARS; /* 1 ... 400 */
	n = cycle * CYCLE_DAYS + YEAR_DAYS(in_cycle - 1) - EPOCH_DAYS + day - 1;
	for (int m = 1; m < month; m++)
		n += month_days(year, m);
	*days = (int32_t)n;
	return true;
}

/* Each answer of the gateway tells two moments: printf would take longer over them than reading its row. */
static char *put_digits(char *p, int64_t v, int n)
{
	for (int i = n; i-- > 0; v /= 10)
		p[i] = (char)('0' + v % 10);
	return p + n;
}

/* "08:00:00" */
static char *put_time(char *p, int64_t ms)
{
	p = put_digits(p, ms / 3600000, 2);
	*p++ = ':';
	p = put_digits(p, ms / 60000 % 60, 2);
	*p++ = ':';
	return put_digits(p, ms / 1000 % 60, 2);
}

static char *put_out(const char *text, const char *end, char *buf, size_t n)
{
	size_t len = (size_t)(end - text);

	if (n > 0) {
		len = len < n ? len : n - 1;
		memcpy(buf, text, len);
		buf[len] = '\0';
	}
	return buf;
}

char *bus_clock_iso_wib(int64_t ms, char *buf, size_t n)
{
	const int64_t first = (-EPOCH_DAYS - 366) * DAY_MS - WIB_MS; /* 0000-01-01 in WIB */
	const int64_t last = INT64_C(2932897) * DAY_MS - WIB_MS - 1; /* 9999-12-31T23:59:59.999 in WIB */
	int64_t day;
	int64_t rest;
	struct date d;
	char text[40], *p = text;

	ms = ms < first ? first : ms > last ? last : ms;
	day = floor_div(ms + WIB_MS, DAY_MS);
	rest = ms + WIB_MS - day * DAY_MS;
	d = to_date(day);
	p = put_digits(p, d.year, 4);
	*p++ = '-';
	p = put_digits(p, d.month, 2);
	*p++ = '-';
	p = put_digits(p, d.day, 2);
	*p++ = 'T';
	p = put_time(p, rest);
	if (rest % 1000 != 0) {
		*p++ = '.';
		p = put_digits(p, rest % 1000, 3);
	}
	memcpy(p, "+07:00", 6);
	return put_out(text, p + 6, buf, n);
}

char *bus_clock_http(int64_t ms, char *buf, size_t n)
{
	static const char weekday[] = "ThuFriSatSunMonTueWed", month[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	int64_t day;
	struct date d;
	char text[40], *p = text;

	ms = ms < 0 ? 0 : ms > HTTP_LAST_MS ? HTTP_LAST_MS : ms;
	day = ms / DAY_MS;
	d = to_date(day);
	memcpy(p, weekday + 3 * (day % 7), 3);
	memcpy(p + 3, ", ", 2);
	p = put_digits(p + 5, d.day, 2);
	*p++ = ' ';
	memcpy(p, month + (ptrdiff_t)3 * (d.month - 1), 3);
	p[3] = ' ';
	p = put_digits(p + 4, d.year, 4);
	*p++ = ' ';
	p = put_time(p, ms - day * DAY_MS);
	memcpy(p, " GMT", 4);
	return put_out(text, p + 4, buf, n);
}

char *bus_clock_iso_date(int32_t days, char *buf, size_t n)
{
	struct date d = to_date(days);

	snprintf(buf, n, "%s%04d-%02d-%02d", d.year < 0 ? "-" : "", (int)(d.year < 0 ? -d.year : d.year),
		 d.month, d.day);
	return buf;
}
