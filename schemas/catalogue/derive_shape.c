/* What is seen of each value, one after the other. */
#include <ctype.h>
#include <stdio.h>

#include "schemas/catalogue/derive_impl.h"

/* --- what a text could be --- */

static bool digits(const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!isdigit((unsigned char)p[i]))
			return false;
	return n > 0;
}

static int number(const char *p, size_t n)
{
	int v = 0;

	for (size_t i = 0; i < n; i++)
		v = v * 10 + (p[i] - '0');
	return v;
}

static bool is_day(int y, int m, int d)
{
	return y >= 1850 && y <= 2200 && m >= 1 && m <= 12 && d >= 1 && d <= 31;
}

static bool is_date(struct bus_str t)
{
	return t.n == 10 && t.p[4] == '-' && t.p[7] == '-' && digits(t.p, 4) && digits(t.p + 5, 2) &&
	       digits(t.p + 8, 2) && is_day(number(t.p, 4), number(t.p + 5, 2), number(t.p + 8, 2));
}

static bool is_dmy(struct bus_str t)
{
	return t.n == 10 && (t.p[2] == '/' || t.p[2] == '-') && t.p[5] == t.p[2] && digits(t.p, 2) &&
	       digits(t.p + 3, 2) && digits(t.p + 6, 4) &&
	       is_day(number(t.p + 6, 4), number(t.p + 3, 2), number(t.p, 2));
}

static bool is_time(struct bus_str t)
{
	return t.n >= 16 && t.n <= 35 && is_date((struct bus_str){ t.p, 10 }) &&
	       (t.p[10] == 'T' || t.p[10] == ' ') && digits(t.p + 11, 2) && t.p[13] == ':' &&
	       digits(t.p + 14, 2);
}

static bool is_bool(struct bus_str t)
{
	static const char *const word[] = { "true", "false", "ya", "tidak" };

	for (size_t i = 0; i < BUS_LEN(word); i++)
		if (strlen(word[i]) == t.n && strncasecmp(word[i], t.p, t.n) == 0)
			return true;
	return false;
}

static bool is_uuid(struct bus_str t)
{
	if (t.n != 36)
		return false;
	for (size_t i = 0; i < 36; i++)
		if (i == 8 || i == 13 || i == 18 || i == 23 ? t.p[i] != '-'
							    : !isxdigit((unsigned char)t.p[i]))
			return false;
	return true;
}

static bool is_phone(struct bus_str t)
{
	size_t n = 0;

	if (t.n < 9 || (t.p[0] != '0' && t.p[0] != '+' && strncmp(t.p, "62", 2) != 0))
		return false;
	for (size_t i = 0; i < t.n; i++) {
		n += isdigit((unsigned char)t.p[i]) != 0;
		if (!isdigit((unsigned char)t.p[i]) && !strchr("+- ()", t.p[i]))
			return false;
	}
	return n >= 9 && n <= 14;
}

static bool is_email(struct bus_str t)
{
	const char *at = memchr(t.p, '@', t.n);

	return at && at > t.p && memchr(at, '.', t.n - (size_t)(at - t.p)) && !memchr(t.p, ' ', t.n);
}

/* Could stand in an enum as it is, in capitals and with _ for blanks. */
static bool is_symbol(struct bus_str t)
{
	if (t.n > 32 || !isalpha((unsigned char)t.p[0]))
		return false;
	for (size_t i = 0; i < t.n; i++)
		if (!isalnum((unsigned char)t.p[i]) && !strchr(" _-", t.p[i]))
			return false;
	return true;
}

/* *scale: digits after the point. */
static unsigned numbers(struct bus_str t, int *scale)
{
	size_t sign = t.p[0] == '-';
	const char *point = memchr(t.p, '.', t.n);
	size_t whole = (point ? (size_t)(point - t.p) : t.n) - sign;
	size_t rest = point ? t.n - sign - whole - 1 : 0;

	if (whole > 18 || !digits(t.p + sign, whole) || (whole > 1 && t.p[sign] == '0'))
		return 0;
	if (!point)
		return DERIVE_WHOLE | DERIVE_REAL;
	if (rest > 18 || !digits(point + 1, rest))
		return 0;
	*scale = (int)rest;
	return DERIVE_REAL;
}

static unsigned could_be(struct bus_str t, int *scale)
{
	unsigned is = numbers(t, scale);

	is |= is_date(t) ? DERIVE_DATE : 0;
	is |= is_dmy(t) ? DERIVE_DATE_DMY : 0;
	is |= is_time(t) ? DERIVE_TIME : 0;
	is |= is_bool(t) ? DERIVE_BOOL : 0;
	is |= is_uuid(t) ? DERIVE_UUID : 0;
	is |= t.n == 16 && digits(t.p, 16) ? DERIVE_NIK : 0;
	is |= is_email(t) ? DERIVE_EMAIL : 0;
	is |= is_phone(t) ? DERIVE_PHONE : 0;
	is |=
	    t.n == 4 && digits(t.p, 4) && number(t.p, 4) >= 1900 && number(t.p, 4) <= 2100 ? DERIVE_YEAR : 0;
	is |= is_symbol(t) ? DERIVE_SYMBOL : 0;
	return is;
}

/* --- what is kept --- */

static uint64_t hash_of(struct bus_str t)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325); /* FNV-1a: two equal ones among 20,000 are no harm */

	for (size_t i = 0; i < t.n; i++)
		h = (h ^ (unsigned char)t.p[i]) * UINT64_C(0x100000001b3);
	return h;
}

static void forget_symbols(struct derive_shape *s)
{
	for (size_t i = 0; i < s->n_symbols; i++)
		free(s->symbol[i]);
	free(s->symbol);
	s->symbol = NULL;
	s->n_symbols = 0;
	s->many = true;
}

static void keep_symbol(struct derive_shape *s, struct bus_str t)
{
	if (s->many)
		return;
	for (size_t i = 0; i < s->n_symbols; i++)
		if (strlen(s->symbol[i]) == t.n && memcmp(s->symbol[i], t.p, t.n) == 0)
			return;
	if (s->n_symbols == DERIVE_SYMBOLS_MAX || !is_symbol(t)) {
		forget_symbols(s);
		return;
	}
	s->symbol = bus_xrealloc(s->symbol, (s->n_symbols + 1) * sizeof(char *));
	s->symbol[s->n_symbols++] = bus_xstrndup(t.p, t.n);
}

static void keep_hash(struct derive_shape *s, struct bus_str t)
{
	if (s->n_hashes >= SCHEMA_DERIVE_ROWS_MAX)
		return;
	if ((s->n_hashes & (s->n_hashes - 1)) == 0)
		s->hash = bus_xrealloc(s->hash, (2 * s->n_hashes + 1) * sizeof(*s->hash));
	s->hash[s->n_hashes++] = hash_of(t);
}

static void see(struct derive_shape *s, struct bus_str t)
{
	int scale = 0;

	s->could_be = (s->texts + s->numbers == 1 ? (unsigned)DERIVE_ALL : s->could_be) & could_be(t, &scale);
	s->scale = scale > s->scale ? scale : s->scale;
	keep_symbol(s, t);
	keep_hash(s, t);
}

void schema_derive_text(struct derive_shape *s, struct bus_str t)
{
	while (t.n > 0 && isspace((unsigned char)t.p[0]))
		t.p++, t.n--;
	while (t.n > 0 && isspace((unsigned char)t.p[t.n - 1]))
		t.n--;
	s->seen++;
	if (t.n == 0 || (t.n == 4 && strncasecmp(t.p, "null", 4) == 0)) {
		s->nulls++;
		return;
	}
	s->texts++;
	see(s, t);
}

struct derive_shape *schema_derive_member(struct derive_shape *s, struct bus_str name)
{
	struct derive_member *m;

	for (size_t i = 0; i < s->n_members; i++)
		if (bus_str_is(name, s->member[i].from))
			return &s->member[i].shape;
	if (s->n_members == SCHEMA_DERIVE_COLUMNS_MAX)
		return NULL;
	s->member = bus_xrealloc(s->member, (s->n_members + 1) * sizeof(*s->member));
	m = &s->member[s->n_members++];
	*m = (struct derive_member){ .from = bus_xstrndup(name.p, name.n) };
	return &m->shape;
}

/* "1471...": a number, not a name. */
static bool is_data(struct bus_str name)
{
	return name.n == 0 || name.n > 64 || isdigit((unsigned char)name.p[0]) ||
	       memchr(name.p, '@', name.n) || memchr(name.p, '\0', name.n);
}

static enum bus_err see_object(struct derive_shape *s, const struct bus_json *v, int depth,
			       struct bus_error *err)
{
	for (const struct bus_json *c = v->first; c; c = c->next)
		s->map |= is_data(c->name);
	for (const struct bus_json *c = v->first; c; c = c->next) {
		struct derive_shape *to;
		enum bus_err rc;

		if (s->map && !s->item)
			s->item = bus_xcalloc(1, sizeof(*s->item));
		to = s->map ? s->item : schema_derive_member(s, c->name);
		if (!to)
			return bus_fail(err, BUS_EDATA, "more than %d columns", SCHEMA_DERIVE_COLUMNS_MAX);
		rc = schema_derive_value(to, c, depth + 1, err);
		if (rc != BUS_OK)
			return rc;
	}
	return BUS_OK;
}

enum bus_err schema_derive_value(struct derive_shape *s, const struct bus_json *v, int depth,
				 struct bus_error *err)
{
	enum bus_err rc = BUS_OK;

	if (depth > DERIVE_DEPTH_MAX)
		return bus_fail(err, BUS_EDATA, "the sample nests deeper than %d levels", DERIVE_DEPTH_MAX);
	if (v->type == BUS_JSON_STRING) {
		schema_derive_text(s, v->text);
		return BUS_OK;
	}
	s->seen++;
	switch (v->type) {
	case BUS_JSON_NUMBER:
		s->numbers++;
		see(s, v->text);
		break;
	case BUS_JSON_TRUE:
	case BUS_JSON_FALSE:
		s->bools++;
		break;
	case BUS_JSON_OBJECT:
		s->objects++;
		rc = see_object(s, v, depth, err);
		break;
	case BUS_JSON_ARRAY:
		s->arrays++;
		if (!s->item)
			s->item = bus_xcalloc(1, sizeof(*s->item));
		for (const struct bus_json *c = v->first; c && rc == BUS_OK; c = c->next)
			rc = schema_derive_value(s->item, c, depth + 1, err);
		break;
	default:
		s->nulls++;
	}
	return rc;
}

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

bool schema_derive_unique(struct derive_shape *s)
{
	if (s->n_hashes < 2 || s->nulls > 0)
		return false;
	qsort(s->hash, s->n_hashes, sizeof(*s->hash), by_value);
	for (size_t i = 1; i < s->n_hashes; i++)
		if (s->hash[i] == s->hash[i - 1])
			return false;
	return true;
}

void schema_derive_release(struct derive_shape *s)
{
	forget_symbols(s);
	free(s->hash);
	for (size_t i = 0; i < s->n_members; i++) {
		schema_derive_release(&s->member[i].shape);
		free(s->member[i].from);
		free(s->member[i].name);
	}
	free(s->member);
	if (s->item)
		schema_derive_release(s->item);
	free(s->item);
}
