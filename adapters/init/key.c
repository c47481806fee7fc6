#include "adapters/init/key.h"

#include <stdio.h>
#include <strings.h>

#include "adapters/seen.h"
#include "adapters/source_rules.h"

#define CELLS_MAX ((size_t)2 * 1024 * 1024) /* fingerprints kept: 16 MiB */

struct adapter_init_prints {
	uint64_t *print; /* n_columns a row */
	size_t n_columns, rows, rows_max;
};

struct adapter_init_prints *adapter_init_prints_new(size_t n_columns)
{
	struct adapter_init_prints *p = bus_xcalloc(1, sizeof(*p));

	p->n_columns = n_columns;
	p->rows_max = CELLS_MAX / (n_columns ? n_columns : 1);
	return p;
}

void adapter_init_prints_free(struct adapter_init_prints **p)
{
	if (*p)
		free((*p)->print);
	free(*p);
	*p = NULL;
}

void adapter_init_prints_take(struct adapter_init_prints *p, const struct adapter_row *row)
{
	uint64_t *to;

	if (p->rows == p->rows_max || row->defect)
		return;
	if (p->rows % 1024 == 0)
		p->print = bus_xrealloc(p->print, (p->rows + 1024) * p->n_columns * sizeof(*p->print));
	to = p->print + p->rows++ * p->n_columns;
	for (size_t i = 0; i < p->n_columns; i++) {
		struct bus_str s = { NULL, 0 };

		if (i < row->n_cells &&
		    (row->cell[i].kind == ADAPTER_TEXT || row->cell[i].kind == ADAPTER_NUMBER))
			s = adapter_source_trim(row->cell[i].text);
		to[i] = s.n > 0 ? adapter_fingerprint(s) : 0;
	}
}

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* How many different records there are by these columns. */
static size_t count(const struct adapter_init_prints *p, const size_t *part, size_t n)
{
	uint64_t *all = bus_xcalloc(p->rows + 1, sizeof(*all));
	size_t distinct = 0;

	for (size_t r = 0; r < p->rows; r++)
		for (size_t i = 0; i < n; i++)
			all[r] =
			    (all[r] ^ p->print[r * p->n_columns + part[i]]) * UINT64_C(0x9e3779b97f4a7c15) +
			    i;
	qsort(all, p->rows, sizeof(*all), by_value);
	for (size_t r = 0; r < p->rows; r++)
		distinct += r == 0 || all[r] != all[r - 1];
	free(all);
	return distinct;
}

static bool named(const char *field, const char *word)
{
	size_t n = strlen(word);

	return strcmp(field, word) == 0 || (strncmp(field, word, n) == 0 && field[n] == '_');
}

/* How well a column would do as a key, by what it is: what stays the same year after year, and names the record. */
static int worth(const struct adapter_init_guess *g, size_t at)
{
	int w = 50 - (int)(at < 20 ? at : 20);

	switch (g->type) {
	case ADAPTER_INIT_ID:
		w += 60;
		break;
	case ADAPTER_INIT_CODE:
		w += 40;
		break;
	case ADAPTER_INIT_TEXT:
		w += 20;
		break;
	case ADAPTER_INIT_DATE:
	case ADAPTER_INIT_TIME:
		w += 5;
		break;
	case ADAPTER_INIT_WHOLE:
		w -= named(g->field, "tahun") || named(g->field, "bulan") || named(g->field, "semester") ? 0
													 : 60;
		break;
	default:
		return -1000;
	}
	if (strncasecmp(g->field, "id", 2) == 0 && (g->field[2] == '\0' || g->field[2] == '_'))
		w += 50;
	if (named(g->field, "kode") || named(g->field, "kd"))
		w += 20;
	/* A running number names a row of the file, not what it is about. */
	if (strcmp(g->field, "no") == 0 || strcmp(g->field, "nomor") == 0 || strcmp(g->field, "no_urut") == 0)
		w -= 70;
	if (named(g->field, "alamat") || named(g->field, "keterangan") || named(g->field, "lat") ||
	    named(g->field, "lon") || named(g->field, "latitude") || named(g->field, "longitude") ||
	    named(g->field, "coordinates"))
		w -= 60;
	if (g->class != 'N' && g->type != ADAPTER_INIT_ID)
		w -= 15;
	return w;
}

static void settle(struct adapter_init_key *out, const struct adapter_init_guess *guess)
{
	for (size_t i = 0; i < out->n; i++)
		out->personal |= guess[out->part[i]].class != 'N';
}

void adapter_init_key_find(const struct adapter_init_prints *p, const struct adapter_init_guess *guess,
			   size_t n, struct adapter_init_key *out)
{
	size_t all[ADAPTER_INIT_COLUMNS_MAX], whole, have = 0, best = n;
	bool used[ADAPTER_INIT_COLUMNS_MAX] = { false };

	*out = (struct adapter_init_key){ .sure = ADAPTER_INIT_LOW };
	for (size_t i = 0; i < n; i++)
		all[i] = i;
	for (size_t i = 0; i < n; i++)
		if (guess[i].unique && guess[i].empty == 0 && worth(&guess[i], i) > -500 &&
		    (best == n || worth(&guess[i], i) > worth(&guess[best], best)))
			best = i;
	if (best < n) {
		*out = (struct adapter_init_key){ .part = { best }, .n = 1, .unique = true };
		out->sure = worth(&guess[best], best) >= 70 ? ADAPTER_INIT_HIGH
			    : worth(&guess[best], best) > 0 ? ADAPTER_INIT_MEDIUM
							    : ADAPTER_INIT_LOW;
		settle(out, guess);
		if (out->sure != ADAPTER_INIT_LOW || n < 2)
			return;
	}
	/* Column by column the one that tells most records apart, until they are told apart as well as all columns can. */
	whole = count(p, all, n);
	{
		struct adapter_init_key more = { .sure = ADAPTER_INIT_MEDIUM };

		while (more.n < ADAPTER_INIT_KEY_PARTS && have < whole) {
			size_t top = n, top_count = have;

			for (size_t i = 0; i < n; i++) {
				size_t c;

				if (used[i] || worth(&guess[i], i) < -5)
					continue;
				more.part[more.n] = i;
				c = count(p, more.part, more.n + 1);
				if (c > top_count || (c == top_count && top < n &&
						      worth(&guess[i], i) > worth(&guess[top], top))) {
					top = i;
					top_count = c;
				}
			}
			if (top == n)
				break;
			used[top] = true;
			more.part[more.n++] = top;
			have = top_count;
		}
		more.unique = have == p->rows;
		more.again = p->rows - have;
		if (out->n > 0 && (!more.unique || more.n > 2))
			return;
		if (more.n == 0) { /* nothing fits: the first column, and duplicates are told */
			more.part[more.n++] = 0;
			more.again = p->rows - count(p, more.part, 1);
			more.unique = more.again == 0;
			more.sure = ADAPTER_INIT_LOW;
		}
		if (have < whole)
			more.sure = ADAPTER_INIT_LOW;
		*out = more;
		settle(out, guess);
	}
}
