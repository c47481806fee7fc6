/* Dates and times in the formats that departments write. A format is text like DD-MM-YYYY; each run of a
 * letter is that many digits, everything else stands for itself. */
#include "adapters/map_impl.h"
#include "bus/clock.h"

#define YEAR_MIN 1800
#define YEAR_MAX 2199
#define DAY_MS ((int64_t)24 * 60 * 60 * 1000)
#define WIB_MS ((int64_t)7 * 60 * 60 * 1000)

struct moment {
	int year, month, day, hour, minute, second, ms;
	int zone; /* minutes east */
};

bool adapter_map_pattern_parse(const char *text, bool time, struct map_pattern *out)
{
	unsigned have = 0; /* bit per letter of DMYhmsz */
	static const char letters[] = "DMYhmsz";

	memset(out, 0, sizeof(*out));
	if (time && strcmp(text, "epoch_ms") == 0) {
		out->epoch = true;
		return true;
	}
	for (const char *p = text; *p;) {
		const char *letter = strchr(letters, *p);
		size_t len = 1;

		if (out->n == BUS_LEN(out->part))
			return false;
		if (!letter) {
			if ((*p >= 'a' && *p <= 'z' && *p != 'f') || (unsigned char)*p >= 0x80)
				return false;
			out->part[out->n].token = *p == 'f' ? 'f' : '=';
			out->part[out->n].literal = *p;
		} else {
			unsigned bit = 1u << (letter - letters);

			while (p[len] == *p)
				len++;
			if ((have & bit) || len != (*p == 'Y' ? 4u : *p == 'z' ? 1u : 2u))
				return false;
			have |= bit;
			out->part[out->n].token = *p;
			out->part[out->n].len = (uint8_t)len;
		}
		out->n++;
		p += len;
	}
	out->zone = have & 64;
	if ((have & 7) != 7)
		return false;
	return time ? (have & 24) == 24 : (have & ~7u) == 0;
}

static bool digits(struct bus_str *s, size_t n, int *out)
{
	int v = 0;

	if (s->n < n)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (s->p[i] < '0' || s->p[i] > '9')
			return false;
		v = v * 10 + (s->p[i] - '0');
	}
	s->p += n;
	s->n -= n;
	*out = v;
	return true;
}

/* Z, +07, +0700, +07:00. */
static bool read_zone(struct bus_str *s, int *minutes)
{
	int sign, hour, minute = 0;

	if (s->n > 0 && s->p[0] == 'Z') {
		s->p++;
		s->n--;
		*minutes = 0;
		return true;
	}
	if (s->n == 0 || (s->p[0] != '+' && s->p[0] != '-'))
		return false;
	sign = s->p[0] == '-' ? -1 : 1;
	s->p++;
	s->n--;
	if (!digits(s, 2, &hour))
		return false;
	if (s->n > 0 && s->p[0] == ':') {
		s->p++;
		s->n--;
		if (!digits(s, 2, &minute))
			return false;
	} else if (s->n >= 2 && !digits(s, 2, &minute)) {
		return false;
	}
	if (hour > 18 || minute > 59)
		return false;
	*minutes = sign * (hour * 60 + minute);
	return true;
}

/* A fraction of a second, when there is one: ".123456". What is finer than a millisecond is cut. */
static bool read_fraction(struct bus_str *s, int *ms)
{
	int scale = 100;
	size_t n = 0;

	if (s->n == 0 || s->p[0] != '.')
		return true;
	for (n = 1; n < s->n && s->p[n] >= '0' && s->p[n] <= '9'; n++) {
		*ms += (s->p[n] - '0') * scale;
		scale /= 10;
	}
	s->p += n;
	s->n -= n;
	return n > 1;
}

static bool match(const struct map_pattern *f, struct bus_str s, struct moment *t)
{
	memset(t, 0, sizeof(*t));
	for (size_t i = 0; i < f->n; i++) {
		size_t len = f->part[i].len;
		bool ok = false;

		switch (f->part[i].token) {
		case 'D':
			ok = digits(&s, len, &t->day);
			break;
		case 'M':
			ok = digits(&s, len, &t->month);
			break;
		case 'Y':
			ok = digits(&s, len, &t->year);
			break;
		case 'h':
			ok = digits(&s, len, &t->hour);
			break;
		case 'm':
			ok = digits(&s, len, &t->minute);
			break;
		case 's':
			ok = digits(&s, len, &t->second);
			break;
		case 'z':
			ok = read_zone(&s, &t->zone);
			break;
		case 'f':
			ok = read_fraction(&s, &t->ms);
			break;
		default:
			ok = s.n > 0 && s.p[0] == f->part[i].literal;
			if (ok) {
				s.p++;
				s.n--;
			}
		}
		if (!ok)
			return false;
	}
	return s.n == 0;
}

static enum map_why to_days(const struct moment *t, int32_t *days)
{
	if (!bus_clock_days(t->year, t->month, t->day, days))
		return MAP_WHY_NO_DAY;
	return t->year < YEAR_MIN || t->year > YEAR_MAX ? MAP_WHY_YEAR : MAP_WHY_NONE;
}

/* The first format that fits in form and gives a day that exists takes it. */
enum map_why adapter_map_date_read(const struct map_formats *f, struct bus_str s, int64_t *days, uint8_t *alt)
{
	enum map_why worst = MAP_WHY_FORMAT;

	for (size_t i = 0; i < f->n; i++) {
		struct moment t;
		int32_t d;
		enum map_why why;

		if (!match(&f->format[i], s, &t))
			continue;
		why = to_days(&t, &d);
		if (why == MAP_WHY_NONE) {
			*days = d;
			*alt = (uint8_t)i;
			return MAP_WHY_NONE;
		}
		worst = why;
	}
	return worst;
}

enum map_why adapter_map_time_read(const struct map_formats *f, struct bus_str s, int64_t *ms, uint8_t *alt)
{
	enum map_why worst = MAP_WHY_FORMAT;

	for (size_t i = 0; i < f->n; i++) {
		const struct map_pattern *p = &f->format[i];
		struct moment t;
		int32_t d;
		enum map_why why;

		if (p->epoch) {
			why = adapter_map_whole(s, ms);
			/* Seconds taken for milliseconds would all fall into January 1970. */
			if (why == MAP_WHY_NONE && (*ms < DAY_MS * 365 || *ms > DAY_MS * 365 * 230))
				why = MAP_WHY_RANGE;
			if (why == MAP_WHY_NONE) {
				*alt = (uint8_t)i;
				return MAP_WHY_NONE;
			}
			if (why == MAP_WHY_RANGE)
				worst = why;
			continue;
		}
		if (!match(p, s, &t))
			continue;
		why = to_days(&t, &d);
		if (why == MAP_WHY_NONE && (t.hour > 23 || t.minute > 59 || t.second > 59))
			why = MAP_WHY_RANGE;
		if (why == MAP_WHY_NONE) {
			*ms = (int64_t)d * DAY_MS +
			      ((t.hour * 60 + t.minute) * 60 + t.second) * (int64_t)1000 + t.ms -
			      (p->zone ? (int64_t)t.zone * 60000 : WIB_MS);
			*alt = (uint8_t)i;
			return MAP_WHY_NONE;
		}
		worst = why;
	}
	return worst;
}
