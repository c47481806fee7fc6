#include "adapters/csv.h"

#include <endian.h>

#define ONES UINT64_C(0x0101010101010101)
#define LOW7 UINT64_C(0x7f7f7f7f7f7f7f7f)

#define NOT_CLOSED "tanda kutip tidak ditutup / a quote is not closed"
#define AFTER_QUOTE "ada teks setelah kutip penutup / text after a closing quote"

void adapter_csv_init(struct adapter_csv *c, struct adapter_input *in, char separator, char quote)
{
	*c = (struct adapter_csv){ .in = in, .separator = separator, .quote = quote };
}

void adapter_csv_release(struct adapter_csv *c)
{
	free(c->field);
	c->field = NULL;
}

void adapter_csv_limit(struct adapter_csv *c, size_t max)
{
	c->max = max;
	c->field = bus_xrealloc(c->field, max * sizeof(*c->field));
}

/* False: there is no room for it, the record has too many. */
static inline bool add(struct adapter_csv *c, size_t at, size_t end, bool doubled)
{
	if (c->n == c->max) {
		c->n = c->max + 1;
		return false;
	}
	c->field[c->n++] = (struct adapter_csv_field){ (uint32_t)at, (uint32_t)(end - at), doubled };
	return true;
}

/* Eight bytes at p, the first in the lowest bits; of the last n < 8 of a longer run, or of a short one. */
static inline uint64_t load8(const char *p)
{
	uint64_t word;

	memcpy(&word, p, sizeof(word));
	return le64toh(word);
}

static inline uint64_t load_rest(const char *p, size_t i, size_t n)
{
	uint64_t word = 0;

	if (n >= 8)
		return load8(p + n - 8) >> (8 * (8 - (n - i)));
	for (size_t k = n; k > i; k--)
		word = word << 8 | (unsigned char)p[k - 1];
	return word;
}

/* Fields are short, so that a memchr for each costs more than it finds: eight bytes are compared with the
 * separator at once, and each byte that is one leaves its top bit set. */
static void split_plain(struct adapter_csv *c)
{
	const char *p = c->raw.p;
	size_t n = c->raw.n, begin = 0;
	uint64_t pattern = ONES * (unsigned char)c->separator;

	for (size_t i = 0; i < n; i += 8) {
		uint64_t x = (n - i >= 8 ? load8(p + i) : load_rest(p, i, n)) ^ pattern;
		uint64_t hits = ~(((x & LOW7) + LOW7) | x | LOW7);

		while (hits) {
			size_t at = i + (size_t)__builtin_ctzll(hits) / 8;

			if (!add(c, begin, at, false))
				return;
			begin = at + 1;
			hits &= hits - 1;
		}
	}
	add(c, begin, n, false);
}

/* The record is its first physical line, and broken. */
static enum bus_err broken(struct adapter_csv *c, const char *why)
{
	adapter_input_line_back(c->in, &c->raw);
	c->n = 0;
	c->broken = why;
	return BUS_OK;
}

/* The quoted field whose opening quote is before at: *end is its closing quote. Reads further lines. */
static enum bus_err close_quote(struct adapter_csv *c, size_t at, size_t *end, bool *doubled,
				struct bus_error *err)
{
	*doubled = false;
	for (;;) {
		const char *q = at < c->raw.n ? memchr(c->raw.p + at, c->quote, c->raw.n - at) : NULL;
		enum bus_err rc;

		if (!q) {
			at = c->raw.n;
			rc = adapter_input_line_more(c->in, &c->raw, err);
			if (rc != BUS_OK)
				return rc;
			continue;
		}
		*end = (size_t)(q - c->raw.p);
		if (*end + 1 == c->raw.n || q[1] != c->quote)
			return BUS_OK;
		*doubled = true;
		at = *end + 2;
	}
}

static enum bus_err split_quoted(struct adapter_csv *c, struct bus_error *err)
{
	size_t at = 0, end;

	for (;;) {
		bool doubled = false, fits;

		if (at < c->raw.n && c->raw.p[at] == c->quote) {
			enum bus_err rc = close_quote(c, at + 1, &end, &doubled, err);

			if (rc == BUS_ENOENT || rc == BUS_ETOOBIG)
				return broken(c, NOT_CLOSED);
			if (rc != BUS_OK)
				return rc;
			if (end + 1 < c->raw.n && c->raw.p[end + 1] != c->separator)
				return broken(c, AFTER_QUOTE);
			fits = add(c, at + 1, end, doubled);
			end++;
		} else {
			const char *s =
			    at < c->raw.n ? memchr(c->raw.p + at, c->separator, c->raw.n - at) : NULL;

			end = s ? (size_t)(s - c->raw.p) : c->raw.n;
			fits = add(c, at, end, false);
		}
		if (!fits) {
			adapter_input_line_back(c->in, &c->raw);
			return BUS_OK;
		}
		if (end == c->raw.n)
			return BUS_OK;
		at = end + 1;
	}
}

enum bus_err adapter_csv_next(struct adapter_csv *c, struct bus_error *err)
{
	enum bus_err rc;

	c->n = 0;
	c->broken = NULL;
	rc = adapter_input_line(c->in, &c->raw, &c->too_long, err);
	if (rc != BUS_OK)
		return rc;
	c->line = adapter_input_line_number(c->in);
	if (c->too_long)
		return BUS_OK;
	if (c->quote && c->raw.n > 0 && memchr(c->raw.p, c->quote, c->raw.n))
		return split_quoted(c, err);
	split_plain(c);
	return BUS_OK;
}
