/* A column's values in one row group: a dictionary as long as it is small beside what it stands for. */
#include <math.h>
#include <xxhash.h>

#include "gateway/export/parquet.h"

#define DICTIONARY_BYTES ((size_t)1024 * 1024)
#define DICTIONARY_ENTRIES 65536
#define DICTIONARY_TRIAL 4096 /* values, after which most must have been repetitions */
#define SLOTS_FIRST 1024

void gw_parquet_column_begin(struct gw_parquet_column *c)
{
	bus_buf_reset(&c->level);
	bus_buf_reset(&c->plain);
	bus_buf_reset(&c->index);
	bus_buf_reset(&c->entry);
	bus_buf_reset(&c->least);
	bus_buf_reset(&c->greatest);
	c->values = 0;
	c->n_marks = 0;
	c->dictionary = c->type != GW_PARQUET_BOOLEAN;
	if (c->slots > 0)
		memset(c->slot, 0, c->slots * sizeof(*c->slot));
}

void gw_parquet_column_release(struct gw_parquet_column *c)
{
	bus_buf_release(&c->level);
	bus_buf_release(&c->plain);
	bus_buf_release(&c->index);
	bus_buf_release(&c->entry);
	bus_buf_release(&c->least);
	bus_buf_release(&c->greatest);
	free(c->slot);
	free(c->mark);
}

size_t gw_parquet_column_bytes(const struct gw_parquet_column *c)
{
	return c->level.n + c->plain.n + c->index.n + c->entry.n;
}

static struct bus_str entry_at(const struct gw_parquet_column *c, uint32_t i)
{
	const size_t *begin = (const void *)c->entry.p;
	size_t n = c->entry.n / sizeof(*begin), to = i + 1 < n ? begin[i + 1] : c->plain.n;

	return (struct bus_str){ c->plain.p + begin[i], to - begin[i] };
}

static void grow_slots(struct gw_parquet_column *c)
{
	uint32_t n = (uint32_t)(c->entry.n / sizeof(size_t));

	c->slots = c->slots ? c->slots * 2 : SLOTS_FIRST;
	free(c->slot);
	c->slot = bus_xcalloc(c->slots, sizeof(*c->slot));
	for (uint32_t i = 0; i < n; i++) {
		struct bus_str s = entry_at(c, i);
		size_t at = XXH3_64bits(s.p, s.n) & (c->slots - 1);

		while (c->slot[at])
			at = (at + 1) & (c->slots - 1);
		c->slot[at] = i + 1;
	}
}

/* The entry of a value in PLAIN form, made when it is new. */
static uint32_t entry_of(struct gw_parquet_column *c, struct bus_str s, bool *made)
{
	size_t n = c->entry.n / sizeof(size_t), at;

	if (2 * (n + 1) > c->slots)
		grow_slots(c);
	*made = false;
	for (at = XXH3_64bits(s.p, s.n) & (c->slots - 1); c->slot[at]; at = (at + 1) & (c->slots - 1))
		if (bus_str_eq(entry_at(c, c->slot[at] - 1), s))
			return c->slot[at] - 1;
	*made = true;
	c->slot[at] = (uint32_t)n + 1;
	at = c->plain.n;
	bus_buf_put(&c->entry, &at, sizeof(at));
	bus_buf_put(&c->plain, s.p, s.n);
	return (uint32_t)n;
}

/* It does not pay: the values so far are written out, those to come are added to them. */
static void leave_dictionary(struct gw_parquet_column *c)
{
	struct bus_buf plain = { 0 };
	size_t mark = 0;

	for (size_t i = 0; i < c->values; i++) {
		uint32_t index;
		struct bus_str s;

		memcpy(&index, c->index.p + i * sizeof(index), sizeof(index));
		s = entry_at(c, index);
		while (mark < c->n_marks && c->mark[mark].values == i)
			c->mark[mark++].bytes = plain.n;
		bus_buf_put(&plain, s.p, s.n);
	}
	while (mark < c->n_marks)
		c->mark[mark++].bytes = plain.n;
	bus_buf_release(&c->plain);
	c->plain = plain;
	bus_buf_reset(&c->index);
	bus_buf_reset(&c->entry);
	c->dictionary = false;
}

static bool pays(const struct gw_parquet_column *c)
{
	size_t entries = c->entry.n / sizeof(size_t);

	return c->plain.n <= DICTIONARY_BYTES && entries <= DICTIONARY_ENTRIES &&
	       (c->values < DICTIONARY_TRIAL || entries <= c->values / 2);
}

/* Bytes in the order of unsigned ones; numbers as numbers, a NaN counts for nothing (parquet.thrift, ColumnOrder). */
static int compare(const struct gw_parquet_column *c, struct bus_str a, const struct bus_buf *b)
{
	int order;

	if (c->type == GW_PARQUET_DOUBLE) {
		double x, y;

		memcpy(&x, a.p, sizeof(x));
		memcpy(&y, b->p, sizeof(y));
		return (x > y) - (x < y);
	}
	if (c->type == GW_PARQUET_INT64) {
		int64_t x, y;

		memcpy(&x, a.p, sizeof(x));
		memcpy(&y, b->p, sizeof(y));
		return (x > y) - (x < y);
	}
	order = memcmp(a.p, b->p, a.n < b->n ? a.n : b->n);
	return order ? order : (a.n > b->n) - (a.n < b->n);
}

static void keep_bounds(struct gw_parquet_column *c, struct bus_str s)
{
	bool first = c->least.n == 0 && c->greatest.n == 0 && c->values == 0;

	if (c->type == GW_PARQUET_DOUBLE) {
		double x;

		memcpy(&x, s.p, sizeof(x));
		first = c->least.n == 0;
		if (isnan(x))
			return;
	}
	if (first || compare(c, s, &c->least) < 0) {
		bus_buf_reset(&c->least);
		bus_buf_put(&c->least, s.p, s.n);
	}
	if (first || compare(c, s, &c->greatest) > 0) {
		bus_buf_reset(&c->greatest);
		bus_buf_put(&c->greatest, s.p, s.n);
	}
}

static void end_page_if_full(struct gw_parquet_column *c)
{
	struct gw_parquet_mark last = c->n_marks ? c->mark[c->n_marks - 1] : (struct gw_parquet_mark){ 0 };

	if (c->level.n - last.rows < GW_PARQUET_PAGE_ROWS &&
	    (c->dictionary || c->plain.n - last.bytes < GW_PARQUET_PAGE))
		return;
	if (c->n_marks == c->cap_marks) {
		c->cap_marks = c->cap_marks ? c->cap_marks * 2 : 16;
		c->mark = bus_xrealloc(c->mark, c->cap_marks * sizeof(*c->mark));
	}
	c->mark[c->n_marks++] = (struct gw_parquet_mark){ c->level.n, c->values, c->plain.n };
}

static void add_plain(struct gw_parquet_column *c, struct bus_str plain, struct bus_str value)
{
	bool made = true;

	if (c->dictionary) {
		uint32_t index = entry_of(c, plain, &made);

		bus_buf_put(&c->index, &index, sizeof(index));
	} else {
		bus_buf_put(&c->plain, plain.p, plain.n);
	}
	if (made)
		keep_bounds(c, value);
	c->values++;
	if (c->dictionary && made && !pays(c))
		leave_dictionary(c);
}

void gw_parquet_column_add(struct gw_parquet_column *c, const struct gw_value *v)
{
	bus_buf_putc(&c->level, v->type != GW_NULL);
	if (v->type == GW_NULL) {
		;
	} else if (c->type == GW_PARQUET_BOOLEAN) {
		const char b = v->i != 0;

		add_plain(c, (struct bus_str){ &b, 1 }, (struct bus_str){ &b, 1 });
	} else if (c->type == GW_PARQUET_INT64) {
		const struct bus_str s = { (const void *)&v->i, sizeof(v->i) };

		add_plain(c, s, s);
	} else if (c->type == GW_PARQUET_DOUBLE) {
		const struct bus_str s = { (const void *)&v->r, sizeof(v->r) };

		add_plain(c, s, s);
	} else {
		const uint32_t n = (uint32_t)v->s.n;
		char few[256];
		char *all = sizeof(n) + n <= sizeof(few) ? few : bus_xmalloc(sizeof(n) + n);

		memcpy(all, &n, sizeof(n));
		if (n > 0)
			memcpy(all + sizeof(n), v->s.p, n);
		add_plain(c, (struct bus_str){ all, sizeof(n) + n }, (struct bus_str){ all + sizeof(n), n });
		if (all != few)
			free(all);
	}
	end_page_if_full(c);
}
