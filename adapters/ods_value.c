#include "adapters/ods_value.h"

#include "adapters/sheet.h"
#include "bus/clock.h"

#define DAY_MS ((int64_t)24 * 60 * 60 * 1000)
#define TIME_MAX ((int64_t)9999 * 60 * 60 * 1000)

/* At most 6 digits at *p, least of them at least. -1: there are not so many. */
static int number(const char **p, int least)
{
	int n = 0, digits = 0;

	for (; **p >= '0' && **p <= '9' && digits < 6; ++*p, digits++)
		n = n * 10 + (**p - '0');
	return digits < least ? -1 : n;
}

static bool take(const char **p, char c)
{
	if (**p != c)
		return false;
	++*p;
	return true;
}

/* [.,]digits as milliseconds, rounded: a sheet's times are fractions of a day, and 59.999999999 is what is left of 60. */
static int fraction(const char **p)
{
	int ms = 0, scale = 1000;

	if (!take(p, '.') && !take(p, ','))
		return 0;
	for (int digits = 0; **p >= '0' && **p <= '9'; ++*p, digits++) {
		if (digits < 3)
			ms += (**p - '0') * (scale /= 10);
		else if (digits == 3)
			ms += **p >= '5';
	}
	return ms;
}

bool adapter_ods_date(const char *stored, struct bus_buf *out)
{
	const char *p = stored;
	int year = number(&p, 4), month, day, hour = 0, minute = 0, second = 0;
	int64_t ms = 0;
	int32_t days;
	char iso[32];
	bool timed;

	if (year < 0 || !take(&p, '-') || (month = number(&p, 2)) < 0 || !take(&p, '-') ||
	    (day = number(&p, 2)) < 0 || year > 9999 || !bus_clock_days(year, month, day, &days))
		return false;
	timed = take(&p, 'T');
	if (timed) {
		if ((hour = number(&p, 2)) < 0 || !take(&p, ':') || (minute = number(&p, 2)) < 0 ||
		    !take(&p, ':') || (second = number(&p, 2)) < 0 || hour > 23 || minute > 59 || second > 59)
			return false;
		ms = ((int64_t)hour * 60 + minute) * 60000 + second * 1000 + fraction(&p);
	}
	(void)take(&p, 'Z');
	if (*p)
		return false;
	bus_buf_puts(out, bus_clock_iso_date(days + (int32_t)(ms / DAY_MS), iso, sizeof(iso)));
	if (timed) {
		bus_buf_putc(out, 'T');
		adapter_sheet_put_time(out, ms % DAY_MS);
	}
	return true;
}

bool adapter_ods_time(const char *stored, struct bus_buf *out)
{
	static const struct {
		char unit;
		bool timed; /* after the T */
		int64_t ms;
	} units[] = {
		{ 'D', false, DAY_MS }, { 'H', true, 3600000 }, { 'M', true, 60000 }, { 'S', true, 1000 }
	};
	const char *p = stored;
	int64_t ms = 0;
	bool timed = false, some = false;

	if (!take(&p, 'P'))
		return false;
	for (size_t i = 0; i < BUS_LEN(units) && *p; i++) {
		const char *begin;
		int n, part = 0;

		timed = timed || take(&p, 'T');
		if (timed != units[i].timed)
			continue;
		begin = p;
		n = number(&p, 1);
		if (n >= 0 && units[i].unit == 'S')
			part = fraction(&p);
		if (n < 0 || !take(&p, units[i].unit)) {
			p = begin;
			continue;
		}
		ms += n * units[i].ms + part;
		some = true;
	}
	if (*p || !some || ms > TIME_MAX)
		return false;
	adapter_sheet_put_time(out, ms);
	return true;
}
