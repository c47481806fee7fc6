/* Reference tables by key: what a code stands for, on a day when the table says from when until when. */
#include "adapters/map_ref_impl.h"
#include "bus/clock.h"

static size_t put_key(char *key, size_t n, struct bus_str s, const char *ignore)
{
	for (size_t i = 0; i < s.n && n < REF_KEY; i++)
		if (!ignore || !strchr(ignore, s.p[i]) || !s.p[i])
			key[n++] = s.p[i];
	return n;
}

static struct map_entry *find_entry(const struct map_slots *s, struct bus_str key)
{
	size_t i = adapter_fingerprint(key) & s->mask;

	while (s->entry[i].key.p && !bus_str_eq(s->entry[i].key, key))
		i = (i + 1) & s->mask;
	return &s->entry[i];
}

static enum bus_err find_column(const struct map_table *t, const char *name, size_t *out,
				struct bus_error *err)
{
	const char *near;

	for (size_t i = 0; i < t->n_columns; i++) {
		if (strcmp(t->column[i], name) == 0) {
			*out = i;
			return BUS_OK;
		}
	}
	near = bus_nearest(name, t->column, t->n_columns);
	return bus_fail(err, BUS_EPARSE, "the reference table has no column '%s'%s%s%s", name,
			near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

/* "a+b": the two columns' texts together are the key. */
static enum bus_err key_columns(const struct map_table *t, const char *key, size_t *column, size_t *n,
				struct bus_error *err)
{
	*n = 0;
	for (const char *p = key; *p;) {
		size_t len = strcspn(p, "+");
		enum bus_err rc;

		if (*n == 4)
			return bus_fail(err, BUS_EPARSE, "a key has at most 4 columns");
		rc = find_column(t, bus_arena_dup(t->arena, p, len), &column[(*n)++], err);
		if (rc != BUS_OK)
			return rc;
		p += len;
		p += *p == '+';
	}
	return *n > 0 ? BUS_OK : bus_fail(err, BUS_EPARSE, "an empty key");
}

static int number(const char *p, size_t n)
{
	int v = 0;

	for (size_t i = 0; i < n; i++) {
		if (p[i] < '0' || p[i] > '9')
			return -1;
		v = v * 10 + (p[i] - '0');
	}
	return v;
}

/* YYYY-MM-DD; empty: without end. */
static bool read_day(struct bus_str s, int32_t open, int32_t *out)
{
	*out = open;
	if (s.n == 0)
		return true;
	return s.n == 10 && s.p[4] == '-' && s.p[7] == '-' &&
	       bus_clock_days(number(s.p, 4), number(s.p + 5, 2), number(s.p + 8, 2), out);
}

struct columns {
	size_t key[4], n_keys, give, from, until;
};

static enum bus_err find_columns(const struct map_table *t, const struct map_index *x, struct columns *c,
				 struct bus_error *err)
{
	enum bus_err rc = key_columns(t, x->key, c->key, &c->n_keys, err);

	if (rc == BUS_OK && x->give)
		rc = find_column(t, x->give, &c->give, err);
	if (rc == BUS_OK && x->from)
		rc = find_column(t, x->from, &c->from, err);
	if (rc == BUS_OK && x->from)
		rc = find_column(t, x->until, &c->until, err);
	return rc;
}

/* Without periods a key stands for one thing; with them, for one on each day: that is asked when a day is. */
static enum bus_err add(struct map_table *t, const struct map_index *x, struct map_entry *e,
			const struct map_period *p, struct bus_error *err)
{
	struct map_period *keep;
	size_t n = 0;

	for (const struct map_period *have = e->period; have; have = have->next, n++) {
		if (have->from == p->from && have->until == p->until && bus_str_eq(have->gives, p->gives))
			return BUS_OK;
		if (!x->from)
			return bus_fail(err, BUS_EPARSE, "its key '%s' stands for something else further up",
					x->key);
	}
	if (n == REF_PERIODS)
		return bus_fail(err, BUS_EPARSE, "its key '%s' stands for more than %d things", x->key,
				REF_PERIODS);
	keep = bus_arena_alloc(t->arena, sizeof(*keep));
	*keep = *p;
	keep->next = e->period;
	e->period = keep;
	return BUS_OK;
}

static enum bus_err put_row(struct map_table *t, const struct map_index *x, const struct columns *c,
			    const struct bus_str *row, struct map_slots *out, struct bus_error *err)
{
	struct map_period p = { .gives = x->give ? row[c->give] : (struct bus_str){ "", 0 },
				.from = INT32_MIN,
				.until = INT32_MAX };
	struct map_entry *e;
	char buf[REF_KEY];
	size_t len = 0;

	for (size_t k = 0; k < c->n_keys; k++)
		len = put_key(buf, len, row[c->key[k]], x->ignore);
	if (len == 0)
		return BUS_OK; /* no key here: a row that another key column serves */
	if (len == REF_KEY)
		return bus_fail(err, BUS_EPARSE, "a key over %d bytes", REF_KEY - 1);
	if (x->from &&
	    (!read_day(row[c->from], INT32_MIN, &p.from) || !read_day(row[c->until], INT32_MAX, &p.until)))
		return bus_fail(err, BUS_EPARSE, "'%s' and '%s' must be days as YYYY-MM-DD, or empty",
				x->from, x->until);
	e = find_entry(out, (struct bus_str){ buf, len });
	if (!e->key.p)
		e->key = (struct bus_str){ bus_arena_dup(t->arena, buf, len), len };
	return add(t, x, e, &p, err);
}

enum bus_err adapter_map_index_make(struct map_table *t, const char *path, const struct map_index *x,
				    struct map_slots *out, struct bus_error *err)
{
	struct columns c = { 0 };
	size_t size = 16;
	enum bus_err rc = find_columns(t, x, &c, err);

	if (rc != BUS_OK)
		return rc;
	while (size < t->n_rows * 2)
		size *= 2;
	*out = (struct map_slots){ size - 1, bus_arena_zalloc(t->arena, size * sizeof(*out->entry)) };
	for (size_t i = 0; i < t->n_rows && rc == BUS_OK; i++) {
		rc = put_row(t, x, &c, t->cell + i * t->n_columns, out, err);
		if (rc != BUS_OK)
			rc = bus_fail_prefix(err, rc, "%s: record %zu", path, i + 2);
	}
	return rc;
}

/* ---- asking ---- */

/* What the key stands for on the day, or (day MAP_NO_DAY) at any time: one thing, or nothing is said. */
static enum map_why choose(const struct map_entry *e, int64_t day, struct bus_str *gives)
{
	bool some = false;

	for (const struct map_period *p = e->period; p; p = p->next) {
		if (day != MAP_NO_DAY && (day < p->from || day > p->until))
			continue;
		if (some && !bus_str_eq(*gives, p->gives))
			return MAP_WHY_AMBIGUOUS;
		*gives = p->gives;
		some = true;
	}
	return some ? MAP_WHY_NONE : MAP_WHY_PERIOD;
}

static enum map_why find(const struct map_lookup *l, struct bus_str key, int64_t day, struct bus_str *gives,
			 uint8_t *alt)
{
	enum map_why why = MAP_WHY_TABLE;

	for (size_t i = 0; i < l->n_keys; i++) {
		const struct map_entry *e = find_entry(&l->key[i]->now, key);
		enum map_why here;

		if (!e->key.p)
			continue;
		here = choose(e, day, gives);
		*alt = (uint8_t)i;
		if (here != MAP_WHY_PERIOD)
			return here;
		why = here;
	}
	return why;
}

enum map_why adapter_map_ref_find(const struct map_lookup *l, struct bus_str text, int64_t day,
				  struct bus_str *gives, uint8_t *alt, bool *translated)
{
	const char *ignore = l->key[0]->ignore;
	char buf[REF_KEY], other[REF_KEY];
	size_t n = put_key(buf, 0, text, ignore);
	struct bus_str key = { buf, n };
	enum map_why why;

	*translated = false;
	if (n == 0 || n == REF_KEY)
		return MAP_WHY_TABLE;
	why = find(l, key, day, gives, alt);
	if (why == MAP_WHY_PERIOD && l->outside) {
		why = find(l, key, MAP_NO_DAY, gives, alt);
		*alt = (uint8_t)l->n_keys;
	}
	if (why == MAP_WHY_NONE && l->give)
		*translated = !bus_str_eq(key, (struct bus_str){ other, put_key(other, 0, *gives, ignore) });
	return why;
}
