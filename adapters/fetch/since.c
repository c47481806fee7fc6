#include "adapters/fetch/since.h"

#include <stdio.h>

#include "adapters/source.h"
#include "bus/clock.h"
#include "bus/conf.h"

#define DAY_US (INT64_C(86400) * 1000000)
#define NONE INT64_MIN
#define OVERLAP_US (INT64_C(10) * 60 * 1000000)
#define OVERLAP_NUMBERS 1000

static bool read_number(struct bus_str s, int64_t *out)
{
	bool minus = s.n > 0 && s.p[0] == '-';
	size_t i = minus ? 1 : 0, end = s.n;
	int64_t v = 0;

	for (size_t k = i; k < end; k++) /* a NUMERIC(20,0) may be written as 12.0000 */
		if (s.p[k] == '.') {
			for (size_t z = k + 1; z < end; z++)
				if (s.p[z] != '0')
					return false;
			end = k;
		}
	if (i == end)
		return false;
	for (; i < end; i++) {
		if (s.p[i] < '0' || s.p[i] > '9' || __builtin_mul_overflow(v, 10, &v) ||
		    __builtin_add_overflow(v, s.p[i] - '0', &v))
			return false;
	}
	*out = minus ? -v : v;
	return true;
}

static bool digits(struct bus_str *s, size_t n, int *out)
{
	*out = 0;
	if (s->n < n)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (s->p[i] < '0' || s->p[i] > '9')
			return false;
		*out = *out * 10 + (s->p[i] - '0');
	}
	s->p += n;
	s->n -= n;
	return true;
}

static bool take(struct bus_str *s, const char *any)
{
	if (s->n == 0 || !strchr(any, s->p[0]) || s->p[0] == '\0')
		return false;
	s->p++;
	s->n--;
	return true;
}

/* 2025-01-10 08:00:00.123456, with T or a blank, without a zone or with one that is left alone: the database compares the
 * column with what it wrote itself. */
static bool read_time(struct bus_str s, int64_t *out)
{
	int year, month, day, hour = 0, minute = 0, second = 0, digit;
	int64_t fraction = 0, unit = 100000;
	int32_t days;

	if (!digits(&s, 4, &year) || !take(&s, "-") || !digits(&s, 2, &month) || !take(&s, "-") ||
	    !digits(&s, 2, &day) || !bus_clock_days(year, month, day, &days))
		return false;
	if (take(&s, " T") &&
	    (!digits(&s, 2, &hour) || !take(&s, ":") || !digits(&s, 2, &minute) || hour > 23 || minute > 59))
		return false;
	if (take(&s, ":") && (!digits(&s, 2, &second) || second > 60))
		return false;
	if (take(&s, "."))
		for (; digits(&s, 1, &digit); unit /= 10)
			fraction += digit * unit;
	*out = days * DAY_US + ((hour * 60 + minute) * 60 + second) * INT64_C(1000000) + fraction;
	return true;
}

/* A time that has not come yet, a day allowed for zones: typed by hand (9999-12-31), or sent by a clock that is wrong. */
static bool to_come(const struct adapter_since *s, int64_t v)
{
	return s->type == ADAPTER_SINCE_TIME && v > bus_clock_ms() * 1000 + DAY_US;
}

static void write_value(const struct adapter_since *s, int64_t v, char *out)
{
	int64_t days = v / DAY_US, us = v % DAY_US;
	char date[32];

	if (s->type == ADAPTER_SINCE_INTEGER) {
		snprintf(out, ADAPTER_SINCE_MAX, "%lld", (long long)v);
		return;
	}
	if (us < 0) {
		us += DAY_US;
		days--;
	}
	bus_clock_iso_date((int32_t)days, date, sizeof(date));
	snprintf(out, ADAPTER_SINCE_MAX, "%.10s %02d:%02d:%02d.%06d", date, (int)(us / 3600000000),
		 (int)(us / 60000000 % 60), (int)(us / 1000000 % 60), (int)(us % 1000000));
}

static bool read_value(const struct adapter_since *s, struct bus_str text, int64_t *out)
{
	return s->type == ADAPTER_SINCE_INTEGER ? read_number(text, out) : read_time(text, out);
}

static enum bus_err read_overlap(struct adapter_since *s, struct bus_yaml *yaml, struct bus_yaml_node *conf,
				 struct bus_error *err)
{
	const char *text = NULL;
	struct bus_error why;
	int64_t ms;
	enum bus_err rc = BUS_OK;

	if (s->type == ADAPTER_SINCE_INTEGER) {
		s->overlap = OVERLAP_NUMBERS;
		return bus_yaml_int(yaml, conf, "overlap", false, 0, INT64_MAX / 2, &s->overlap, err);
	}
	s->overlap = OVERLAP_US;
	rc = adapter_source_word(yaml, conf, "overlap", false, &text, err);
	if (!rc && text && (bus_conf_ms(text, &ms, &why) || ms > INT64_C(366) * 86400000))
		return bus_yaml_fail(
		    yaml, bus_yaml_get(conf, "overlap"), err,
		    "overlap: a time such as 10m, longer than any transaction takes; not '%s'", text);
	if (!rc && text)
		s->overlap = ms * 1000;
	return rc;
}

enum bus_err adapter_since_read(struct adapter_since *s, struct bus_yaml *yaml, struct bus_yaml_node *conf,
				struct bus_error *err)
{
	const char *type = NULL, *start = NULL;
	enum bus_err rc;

	if (conf->kind != BUS_YAML_MAP)
		return bus_yaml_fail(yaml, conf, err,
				     "write mark: {column: NAME, type: time} or type: integer");
	rc = adapter_source_word(yaml, conf, "column", true, &s->column, err);
	if (!rc)
		rc = adapter_source_word(yaml, conf, "type", true, &type, err);
	if (!rc && strcmp(type, "time") != 0 && strcmp(type, "integer") != 0)
		rc = bus_yaml_fail(yaml, bus_yaml_get(conf, "type"), err, "type: time or integer");
	if (rc)
		return rc;
	s->type = type[0] == 't' ? ADAPTER_SINCE_TIME : ADAPTER_SINCE_INTEGER;
	s->start = s->type == ADAPTER_SINCE_TIME ? 0 : -1;
	rc = read_overlap(s, yaml, conf, err);
	if (!rc)
		rc = adapter_source_word(yaml, conf, "start", false, &start, err);
	if (!rc && start && !read_value(s, bus_str(start), &s->start))
		rc = bus_yaml_fail(yaml, bus_yaml_get(conf, "start"), err,
				   "start: where the first fetch begins, as %s",
				   s->type == ADAPTER_SINCE_TIME ? "2025-01-31 or \"2025-01-31 08:00:00\""
								 : "a whole number");
	return rc ? rc : bus_yaml_no_more(yaml, conf, err);
}

enum bus_err adapter_since_begin(struct adapter_since *s, struct bus_str mark, char *from,
				 struct bus_error *err)
{
	int64_t at = s->start;

	s->most = NONE;
	if (mark.n > 0 && !read_value(s, mark, &s->most))
		return bus_fail(err, BUS_EDATA,
				"the mark kept is no %s: remove it, and everything is fetched again",
				s->type == ADAPTER_SINCE_TIME ? "time" : "whole number");
	if (to_come(s, s->most))
		s->most = NONE;
	if (s->most != NONE && (__builtin_sub_overflow(s->most, s->overlap, &at) || at < s->start))
		at = s->start;
	write_value(s, at, from);
	return BUS_OK;
}

enum bus_err adapter_since_see(struct adapter_since *s, struct bus_str value, struct bus_error *err)
{
	int64_t v;

	if (!read_value(s, value, &v))
		return bus_fail(err, BUS_EDATA, "mark: a value of column '%s' is no %s", s->column,
				s->type == ADAPTER_SINCE_TIME ? "time" : "whole number");
	if (v > s->most && !to_come(s, v))
		s->most = v;
	return BUS_OK;
}

struct bus_str adapter_since_mark(struct adapter_since *s)
{
	if (s->most == NONE)
		return (struct bus_str){ 0 };
	write_value(s, s->most, s->text);
	return bus_str(s->text);
}
