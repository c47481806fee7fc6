#include "adapters/init/file_name.h"

#include <ctype.h>

#include "adapters/init/column.h"

#define ENTITY_MAX 40

/* The dates that stand in names, longest first; - is any of "-_. ". A month without its day only behind the year: in
 * kecamatan_03_2023 it may be anything. */
static const char *const dates[] = { "YYYY-MM-DD", "DD-MM-YYYY", "YYYYMMDD", "DDMMYYYY",
				     "YYYY-MM",	   "YYYYMM",	 "YYYY" };

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* How many letters this part of the date has: YYYY, MM, DD. */
static size_t part(const char *date)
{
	size_t n = 1;

	while (date[n] == *date)
		n++;
	return n;
}

static bool is_part(const char *p, char what, size_t n)
{
	int v = 0;

	for (size_t i = 0; i < n; i++) {
		if (!is_digit(p[i]))
			return false;
		v = v * 10 + (p[i] - '0');
	}
	return what == 'Y' ? v / 100 == 20 : v >= 1 && v <= (what == 'M' ? 12 : 31);
}

static bool fits(const char *p, const char *date)
{
	while (*date) {
		size_t n = part(date);

		if (*date == '-' ? !*p || !strchr("-_. ", *p) : !is_part(p, *date, n))
			return false;
		date += n;
		p += n;
	}
	return !is_digit(*p);
}

/* The date that begins here; NULL: none. */
static const char *date_at(const char *name, const char *p)
{
	if (p > name && is_digit(p[-1]))
		return NULL;
	for (size_t i = 0; i < BUS_LEN(dates); i++)
		if (fits(p, dates[i]))
			return dates[i];
	return NULL;
}

static const char *base(const char *file)
{
	const char *slash = strrchr(file, '/');

	return slash ? slash + 1 : file;
}

static void put_char(char c, struct bus_buf *out)
{
	bus_buf_putc(out, strchr("[]*?\\", c) || (unsigned char)c < 0x20 ? '?' : c);
}

/* No wider than a date is: a name with other digits there is another file. */
static void put_date(const char *p, const char *date, struct bus_buf *out)
{
	while (*date) {
		size_t n = part(date);

		if (*date == '-')
			put_char(*p, out);
		else
			bus_buf_printf(out, "%s[0-9]",
				       *date == 'Y'   ? "20[0-9]"
				       : *date == 'M' ? "[01]"
						      : "[0-3]");
		date += n;
		p += n;
	}
}

void adapter_init_file_pattern(const char *file, struct bus_buf *out, bool *dated)
{
	const char *name = base(file), *dot = strrchr(name, '.');

	*dated = false;
	for (const char *p = name; *p;) {
		const char *date = date_at(name, p);

		if (p == dot)
			bus_buf_putc(out, '*');
		if (!date) {
			put_char(*p++, out);
			continue;
		}
		*dated = true;
		put_date(p, date, out);
		p += strlen(date);
	}
	if (!dot)
		bus_buf_putc(out, '*');
}

char *adapter_init_file_entity(const char *file)
{
	const char *name = base(file), *dot = strrchr(name, '.');
	size_t n = dot && dot != name ? (size_t)(dot - name) : strlen(name);
	char *stem = bus_xstrndup(name, n), field[64];
	struct bus_buf undated = { 0 };
	bool words = false;

	for (const char *p = stem; *p;) {
		const char *date = date_at(stem, p);

		if (date) {
			bus_buf_putc(&undated, ' ');
			p += strlen(date);
			continue;
		}
		words |= isalpha((unsigned char)*p) != 0;
		bus_buf_putc(&undated, *p++);
	}
	adapter_init_field_name(words ? bus_buf_cstr(&undated) : stem, field);
	field[ENTITY_MAX] = '\0';
	while (field[0] && field[strlen(field) - 1] == '_')
		field[strlen(field) - 1] = '\0';
	bus_buf_release(&undated);
	free(stem);
	return bus_xstrdup(field);
}
