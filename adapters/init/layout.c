#include "adapters/init/layout.h"

#include <math.h>
#include <stdio.h>

#include "adapters/init/value.h"

#define HEADER_WITHIN 200 /* rows in which a header is looked for */
#define HEADER_MAX 5
#define TAIL_MAX 100 /* rows at the end that may all be no data */

enum fate { CLASS_BLANK, CLASS_DATA, CLASS_TOTAL, CLASS_NOTE, CLASS_REPEAT };

struct work {
	const struct adapter_init_grid *g;
	struct adapter_init_layout *l;
	uint32_t *filled; /* of each row of the grid from l->first on */
	uint8_t *class;
	bool *typed; /* of each column: it holds numbers, mostly */
	size_t n_typed;
	uint32_t usual; /* cells that are filled in a row of the middle */
	int key;	/* the first column that is always filled; -1: none */
	double *sum, *all;
	size_t n_sum;
};

static struct bus_str at(const struct work *w, size_t row, uint32_t column)
{
	return adapter_init_grid_at(w->g, row, w->l->column + column);
}

static uint32_t filled_of(const struct work *w, size_t row)
{
	return w->filled[row - w->l->first];
}

/* ---- what the rows have in common ---- */

static int by_size(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

/* A line drawn across the table: -----, =====. */
static bool is_ruling(const struct work *w, size_t row)
{
	uint32_t n = 0;

	for (uint32_t c = 0; c < w->l->n_columns; c++) {
		struct bus_str s = at(w, row, c);

		for (size_t i = 0; i < s.n; i++)
			if (!strchr("-=_+|* ", s.p[i]) || !s.p[i])
				return false;
		n += s.n > 0;
	}
	return n > 0;
}

static size_t count_filled(struct work *w)
{
	size_t n = 0, rows = w->l->end - w->l->first;
	uint32_t *sorted = bus_xcalloc(rows + 1, sizeof(*sorted));

	for (size_t r = w->l->first; r < w->l->end; r++) {
		uint32_t *f = &w->filled[r - w->l->first];

		for (uint32_t c = 0; c < w->l->n_columns; c++)
			*f += at(w, r, c).n > 0;
		if (is_ruling(w, r))
			*f = 0;
		if (*f > 0)
			sorted[n++] = *f;
	}
	qsort(sorted, n, sizeof(*sorted), by_size);
	w->usual = n > 0 ? sorted[n / 2] : 0;
	free(sorted);
	return n;
}

/* By the lower half: there are the fewest titles. */
static void find_types(struct work *w, size_t non_empty)
{
	size_t skip = (non_empty + 1) / 2, seen = 0;
	size_t *numbers = bus_xcalloc(w->l->n_columns, sizeof(*numbers));
	size_t *values = bus_xcalloc(w->l->n_columns, sizeof(*values));

	if (skip == non_empty)
		skip = non_empty - 1;
	for (size_t r = w->l->first; r < w->l->end; r++) {
		if (filled_of(w, r) == 0 || seen++ < skip)
			continue;
		for (uint32_t c = 0; c < w->l->n_columns; c++) {
			struct bus_str s = at(w, r, c);

			if (s.n == 0 || adapter_init_is_null(s))
				continue;
			values[c]++;
			numbers[c] += adapter_init_is_number(s);
		}
	}
	for (uint32_t c = 0; c < w->l->n_columns; c++) {
		w->typed[c] = values[c] > 0 && numbers[c] * 10 >= values[c] * 7;
		w->n_typed += w->typed[c];
	}
	free(numbers);
	free(values);
}

struct look { /* of one row */
	uint32_t texts, numbers, typed, typed_texts, conform;
};

static struct look look_at(const struct work *w, size_t row)
{
	struct look k = { 0 };
	uint32_t years = 0;

	for (uint32_t c = 0; c < w->l->n_columns; c++) {
		struct bus_str s = at(w, row, c);
		bool number;

		if (s.n == 0 || adapter_init_is_null(s))
			continue;
		number = adapter_init_is_number(s);
		k.texts += !number || adapter_init_is_year(s);
		k.numbers += number && !adapter_init_is_year(s);
		if (!w->typed[c])
			continue;
		k.typed++;
		k.conform += number;
		k.typed_texts += !number;
		years += number && adapter_init_is_year(s);
	}
	if (k.typed_texts > 0) { /* years head columns where words do */
		k.typed_texts += years;
		k.conform -= years;
	}
	return k;
}

/* ---- the header ---- */

static int atoi_n(struct bus_str s)
{
	int v = 0;

	for (size_t i = 0; i < s.n && i < 9; i++)
		v = v * 10 + (s.p[i] - '0');
	return v;
}

/* Uraian; 2021; 2022; 2023: nothing but rising years above the numbers. */
static bool heads_by_years(const struct work *w, size_t row)
{
	uint32_t years = 0;
	int last = 0;

	for (uint32_t c = 0; c < w->l->n_columns; c++) {
		struct bus_str s = at(w, row, c);

		if (!w->typed[c] || s.n == 0)
			continue;
		if (!adapter_init_is_year(s) || atoi_n(s) <= last)
			return false;
		last = atoi_n(s);
		years++;
	}
	return years >= 2 && look_at(w, row).texts > years;
}

static bool heads(const struct work *w, size_t row)
{
	struct look k = look_at(w, row);

	if (w->n_typed == 0)
		return k.texts > 0 && k.numbers == 0;
	if (heads_by_years(w, row))
		return true;
	return k.typed_texts > 0 && k.typed_texts * 2 >= k.typed && k.numbers * 5 <= k.texts + k.numbers;
}

static bool is_full(const struct work *w, size_t row)
{
	uint32_t least = (w->usual * 6 + 9) / 10, two = w->l->n_columns > 1 && w->usual > 1 ? 2 : 1;

	return filled_of(w, row) >= (least > two ? least : two);
}

static bool adjacent(const struct work *w, size_t a, size_t b)
{
	return w->g->row[b]->number == w->g->row[a]->number + (b - a);
}

/* A column is filled in row a and in none of rows [from, to). */
static bool fills_gap(const struct work *w, size_t a, size_t from, size_t to)
{
	for (uint32_t c = 0; c < w->l->n_columns; c++) {
		bool gap = at(w, a, c).n > 0;

		for (size_t r = from; r < to && gap; r++)
			gap = at(w, r, c).n == 0;
		if (gap)
			return true;
	}
	return false;
}

static void find_header(struct work *w)
{
	struct adapter_init_layout *l = w->l;
	size_t looked = 0, r;

	l->data = l->first;
	for (r = l->first; r < l->end && looked < HEADER_WITHIN; r++) {
		struct look k;

		if (filled_of(w, r) == 0)
			continue;
		looked++;
		if (!is_full(w, r))
			continue;
		if (heads(w, r))
			break;
		k = look_at(w, r);
		if (k.conform > 0 && k.typed_texts == 0) {
			l->data = r;
			return;
		}
	}
	if (r == l->end || looked == HEADER_WITHIN)
		return;
	l->header = r;
	l->n_header = 1;
	l->header_sure = w->n_typed > 0;
	while (l->header > l->first && l->n_header < HEADER_MAX && adjacent(w, l->header - 1, l->header) &&
	       filled_of(w, l->header - 1) >= 2 && look_at(w, l->header - 1).numbers == 0 &&
	       fills_gap(w, l->header - 1, l->header, l->header + l->n_header)) {
		l->header--;
		l->n_header++;
	}
	for (r = l->header + l->n_header; r < l->end && l->n_header < HEADER_MAX && adjacent(w, r - 1, r);
	     r++) {
		bool gap = fills_gap(w, r, l->header, r);

		if (filled_of(w, r) < 2 || !heads(w, r))
			break;
		if (w->n_typed == 0 ? !gap || !fills_gap(w, l->header, r, r + 1)
				    : !gap && look_at(w, r).typed_texts < 2)
			break;
		l->n_header++;
	}
	l->data = l->header + l->n_header;
}

/* A row that numbers the columns: (1) (2) (3). The one below it does not go on counting. */
static bool is_numbering(const struct work *w, size_t row)
{
	int last = 0, next;
	uint32_t n = 0, first = 0;
	size_t below = row + 1;

	for (uint32_t c = 0; c < w->l->n_columns; c++) {
		struct bus_str s = at(w, row, c);
		int v;

		if (s.n == 0)
			continue;
		v = adapter_init_small(s);
		if (v <= last || v > last + 2 || (n == 0 && v != 1))
			return false;
		if (n++ == 0)
			first = c;
		last = v;
	}
	if (n < 2 || n * 10 < w->l->n_columns * 5)
		return false;
	while (below < w->l->end && filled_of(w, below) == 0)
		below++;
	next = below < w->l->end ? adapter_init_small(at(w, below, first)) : -1;
	return n >= 3 ? next != 2 : next == 1;
}

static void find_numbering(struct work *w)
{
	struct adapter_init_layout *l = w->l;
	size_t r = l->data;

	while (r < l->end && filled_of(w, r) == 0)
		r++;
	if (l->n_header > 0 && r < l->end && is_numbering(w, r)) {
		l->numbered = true;
		l->data = r + 1;
	}
}

static void find_key(struct work *w)
{
	struct adapter_init_layout *l = w->l;

	w->key = -1;
	for (uint32_t c = 0; c < l->n_columns && w->key < 0; c++) {
		size_t rows = 0, filled = 0;

		for (size_t r = l->data; r < l->end; r++) {
			if (!is_full(w, r))
				continue;
			rows++;
			filled += at(w, r, c).n > 0;
		}
		/* One row in twenty, or the one total of a short table. */
		if (rows > 0 && rows - filled <= rows / 20 + (rows > 3))
			w->key = (int)c;
	}
}

/* ---- the rows ---- */

static bool repeats_header(const struct work *w, size_t row)
{
	const struct adapter_init_layout *l = w->l;
	uint32_t same = 0;

	for (size_t h = l->header; h < l->header + l->n_header; h++) {
		bool all = filled_of(w, row) > 0;

		for (uint32_t c = 0; c < l->n_columns && all; c++)
			all = bus_str_eq(at(w, row, c), at(w, h, c));
		same += all;
	}
	return same > 0;
}

/* The amounts of the row are those of the rows before it together; most of them, for some may be averages. */
static bool sums_up(const struct work *w, size_t row)
{
	uint32_t amounts = 0, sums = 0;

	for (uint32_t c = 0; c < w->l->n_columns; c++) {
		double v;

		if (!w->typed[c] || w->n_sum < 2 || (int)c == w->key ||
		    !adapter_init_amount(at(w, row, c), &v) || v == 0)
			continue;
		amounts++;
		sums += fabs(v - w->sum[c]) <= fabs(v) * 1e-9 || fabs(v - w->all[c]) <= fabs(v) * 1e-9;
	}
	return sums > 0 && sums * 2 >= amounts;
}

static void add_up(struct work *w, size_t row)
{
	for (uint32_t c = 0; c < w->l->n_columns; c++) {
		double v;

		if (w->typed[c] && adapter_init_amount(at(w, row, c), &v)) {
			w->sum[c] += v;
			w->all[c] += v;
		}
	}
	w->n_sum++;
}

/* The first cell that holds words. */
static bool first_words(const struct work *w, size_t row, uint32_t *column, struct bus_str *text)
{
	for (uint32_t c = 0; c < w->l->n_columns; c++) {
		*text = at(w, row, c);
		if (text->n == 0 || adapter_init_is_number(*text) || adapter_init_is_null(*text))
			continue;
		*column = c;
		return true;
	}
	return false;
}

static bool is_counter(const struct work *w)
{
	static const char *const words[] = { "no",	"no.",	      "nomor", "nomer",
					     "no urut", "nomor urut", "#",     "urut" };
	struct bus_str s;

	for (size_t h = w->l->header + w->l->n_header; w->key >= 0 && h > w->l->header; h--) {
		s = at(w, h - 1, (uint32_t)w->key);
		for (size_t i = 0; i < BUS_LEN(words); i++)
			if (s.n == strlen(words[i]) && strncasecmp(s.p, words[i], s.n) == 0)
				return true;
	}
	return false;
}

static enum fate judge_total(const struct work *w, size_t row, enum adapter_init_word word, uint32_t column)
{
	bool own_key = w->key < 0 || (uint32_t)w->key == column;
	bool key_empty = w->key >= 0 && at(w, row, (uint32_t)w->key).n == 0;

	if (key_empty || sums_up(w, row))
		return CLASS_TOTAL;
	if (word == ADAPTER_INIT_TOTAL && (own_key || (uint32_t)w->key > column))
		return CLASS_TOTAL;
	return CLASS_DATA;
}

static enum fate judge(const struct work *w, size_t row, bool counter)
{
	uint32_t n = filled_of(w, row), column = 0, width = w->l->n_columns;
	enum adapter_init_word word = ADAPTER_INIT_NO_WORD;
	struct bus_str text;
	bool words, key_filled = w->key >= 0 && at(w, row, (uint32_t)w->key).n > 0;
	size_t len;

	if (w->g->row[row]->broken)
		return CLASS_DATA;
	if (n == 0)
		return is_ruling(w, row) ? CLASS_NOTE : CLASS_BLANK;
	if (w->l->n_header > 0 && repeats_header(w, row))
		return CLASS_REPEAT;
	words = first_words(w, row, &column, &text);
	if (words)
		word = adapter_init_word_of(text, &len);
	if (word == ADAPTER_INIT_TOTAL || word == ADAPTER_INIT_TOTAL_OF)
		return width == 1 ? CLASS_DATA : judge_total(w, row, word, column);
	if (word == ADAPTER_INIT_NOTE_WORD && n <= (width / 3 > 2 ? width / 3 : 2) &&
	    (width == 1 || look_at(w, row).conform == 0) && n < (w->usual > 1 ? w->usual : 2))
		return CLASS_NOTE;
	if (n == 1 && width >= 3 && w->usual >= 3)
		return words || !key_filled || counter ? CLASS_NOTE : CLASS_DATA;
	return CLASS_DATA;
}

/* Below "Mengetahui" or "Sumber" nothing is a record that is not as full as one. */
static void judge_below_notes(struct work *w)
{
	struct adapter_init_layout *l = w->l;
	size_t from = l->end;

	for (size_t r = l->end; r > l->data && !is_full(w, r - 1); r--) {
		struct bus_str text;
		uint32_t column;
		size_t n;

		if (w->class[r - 1 - l->first] == CLASS_NOTE && first_words(w, r - 1, &column, &text) &&
		    adapter_init_word_of(text, &n) == ADAPTER_INIT_NOTE_WORD)
			from = r;
	}
	for (size_t r = from; r < l->end; r++)
		if (w->class[r - l->first] == CLASS_DATA && !w->g->row[r]->broken)
			w->class[r - l->first] = CLASS_NOTE;
}

/* From the end: signatures, and what else is no row of the table. */
static void judge_tail(struct work *w)
{
	struct adapter_init_layout *l = w->l;
	size_t looked = 0;

	for (size_t r = l->end; r > l->data && looked < TAIL_MAX; r--, looked++) {
		uint8_t *class = &w->class[r - 1 - l->first];
		struct look k = look_at(w, r - 1);
		bool key_odd =
		    w->key >= 0 &&
		    (at(w, r - 1, (uint32_t)w->key).n == 0 ||
		     (w->typed[w->key] && !adapter_init_is_number(at(w, r - 1, (uint32_t)w->key))));

		if (*class != CLASS_DATA)
			continue;
		if (w->g->row[r - 1]->broken || !key_odd || filled_of(w, r - 1) * 2 > l->n_columns ||
		    (w->n_typed > 0 && k.conform > k.typed_texts))
			break;
		*class = CLASS_NOTE;
	}
}

/* What is there too often is what the table consists of. */
static void forgive(struct work *w, enum fate class, size_t percent)
{
	struct adapter_init_layout *l = w->l;
	size_t n = 0, rows = 0;

	for (size_t r = l->data; r < l->end; r++) {
		enum fate c = w->class[r - l->first];

		n += c == class;
		rows += c != CLASS_BLANK;
	}
	for (size_t r = l->data; r < l->end && n * 100 > rows * percent && n > 3; r++)
		if (w->class[r - l->first] == class)
			w->class[r - l->first] = CLASS_DATA;
}

static void judge_all(struct work *w)
{
	struct adapter_init_layout *l = w->l;
	bool counter = is_counter(w);

	for (size_t r = l->data; r < l->end; r++) {
		enum fate c = judge(w, r, counter);

		w->class[r - l->first] = (uint8_t)c;
		if (c == CLASS_DATA)
			add_up(w, r);
		if (c == CLASS_TOTAL) {
			memset(w->sum, 0, l->n_columns * sizeof(*w->sum));
			w->n_sum = 0;
		}
	}
	forgive(w, CLASS_TOTAL, 50);
	forgive(w, CLASS_NOTE, 40);
	judge_below_notes(w);
	judge_tail(w);
	l->last = l->data;
	for (size_t r = l->data; r < l->end; r++) {
		enum fate c = w->class[r - l->first];

		l->records += c == CLASS_DATA;
		l->totals += c == CLASS_TOTAL;
		l->notes += c == CLASS_NOTE;
		l->repeats += c == CLASS_REPEAT;
		if (c == CLASS_DATA)
			l->last = r;
	}
	if (w->g->left_out > 0 && l->records > 0)
		l->records += w->g->left_out;
}

/* ---- rules for what is no record ---- */

static bool holds(const struct work *w, const struct adapter_init_rule *rule, size_t row)
{
	struct bus_str s;

	if (rule->test == ADAPTER_INIT_FILLED)
		return filled_of(w, row) <= rule->filled;
	s = at(w, row, rule->column);
	switch (rule->test) {
	case ADAPTER_INIT_PREFIX:
		return s.n >= rule->text.n && memcmp(s.p, rule->text.p, rule->text.n) == 0;
	case ADAPTER_INIT_EQUALS:
		return bus_str_eq(s, rule->text);
	default:
		return s.n == 0;
	}
}

static bool spares_data(const struct work *w, const struct adapter_init_rule *rule)
{
	for (size_t r = w->l->data; r <= w->l->last; r++)
		if (w->class[r - w->l->first] == CLASS_DATA && !w->g->row[r]->broken && holds(w, rule, r))
			return false;
	return true;
}

static bool add_rule(struct work *w, size_t row, struct adapter_init_rule rule)
{
	struct adapter_init_layout *l = w->l;

	if (l->n_rules == ADAPTER_INIT_RULES_MAX || !holds(w, &rule, row) || !spares_data(w, &rule))
		return false;
	for (size_t i = 0; i < l->n_rules && rule.test == ADAPTER_INIT_FILLED; i++)
		if (l->rule[i].test == ADAPTER_INIT_FILLED) {
			l->rule[i].filled = rule.filled;
			return true;
		}
	l->rule[l->n_rules++] = rule;
	return true;
}

static bool by_words(struct work *w, size_t row, enum fate class)
{
	for (uint32_t c = 0; c < w->l->n_columns; c++) {
		struct bus_str s = at(w, row, c);
		struct adapter_init_rule rule = { ADAPTER_INIT_PREFIX, c, s, 0 };
		size_t n;

		if (s.n == 0 || s.n > 200 || adapter_init_is_number(s))
			continue;
		if (class != CLASS_REPEAT && adapter_init_word_of(s, &n) != ADAPTER_INIT_NO_WORD) {
			size_t marks = 0; /* in front of the word */

			while (marks < s.n && (s.p[marks] == '(' || s.p[marks] == '*'))
				marks++;
			rule.text.n = marks + n;
			if (add_rule(w, row, rule))
				return true;
		}
		rule = (struct adapter_init_rule){ ADAPTER_INIT_EQUALS, c, s, 0 };
		if (add_rule(w, row, rule))
			return true;
	}
	return false;
}

static bool cover(struct work *w, size_t row, enum fate class)
{
	const struct adapter_init_rule filled = { ADAPTER_INIT_FILLED, 0, { NULL, 0 }, filled_of(w, row) };
	const struct adapter_init_rule empty = {
		ADAPTER_INIT_EMPTY, w->key >= 0 ? (uint32_t)w->key : 0, { NULL, 0 }, 0
	};

	bool ruling = is_ruling(w, row);

	for (size_t i = 0; i < w->l->n_rules; i++)
		if (!(ruling && w->l->rule[i].test == ADAPTER_INIT_FILLED) && holds(w, &w->l->rule[i], row))
			return true;
	if (ruling)
		return by_words(w, row, CLASS_REPEAT);
	if (class == CLASS_NOTE && filled.filled * 2 <= w->l->n_columns && add_rule(w, row, filled))
		return true;
	if (class == CLASS_NOTE && w->key >= 0 && add_rule(w, row, empty))
		return true;
	return by_words(w, row, class) || (w->key >= 0 && add_rule(w, row, empty)) ||
	       add_rule(w, row, filled);
}

static void find_rules(struct work *w)
{
	for (size_t r = w->l->data; r < w->l->end; r++) {
		enum fate c = w->class[r - w->l->first];

		if (c != CLASS_BLANK && c != CLASS_DATA && !cover(w, r, c))
			w->l->uncovered++;
	}
}

/* ---- names ---- */

/* As the sources name columns: a run of spaces and line breaks is one space. */
static char *one_line(struct bus_str s)
{
	char *out = bus_xmalloc(s.n + 1);
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++) {
		bool space = strchr(" \t\r\n", s.p[i]) && s.p[i];

		if (!space || (n > 0 && out[n - 1] != ' '))
			out[n++] = space ? ' ' : s.p[i];
	}
	out[n] = '\0';
	return out;
}

static char *short_name(const struct work *w, uint32_t c)
{
	for (size_t h = w->l->header + w->l->n_header; h > w->l->header; h--)
		if (at(w, h - 1, c).n > 0)
			return one_line(at(w, h - 1, c));
	return bus_xstrdup("");
}

/* All header cells above the column, a merged cell standing for those right of it. */
static char *long_name(const struct work *w, uint32_t c)
{
	struct bus_buf b = { 0 };
	char *out;

	for (size_t h = w->l->header; h < w->l->header + w->l->n_header; h++) {
		bool last = h + 1 == w->l->header + w->l->n_header;
		struct bus_str s = at(w, h, c);

		for (uint32_t left = c; s.n == 0 && left > 0 && !last; left--)
			s = at(w, h, left - 1);
		if (s.n == 0)
			continue;
		out = one_line(s);
		bus_buf_printf(&b, "%s%s", b.n > 0 ? " / " : "", out);
		free(out);
	}
	if (b.n == 0)
		bus_buf_printf(&b, "kolom_%u", (unsigned)c + 1);
	out = bus_xstrdup(bus_buf_cstr(&b));
	bus_buf_release(&b);
	return out;
}

static bool taken(const struct adapter_init_layout *l, uint32_t upto, const char *name)
{
	for (uint32_t i = 0; i < upto; i++)
		if (strcmp(l->name[i], name) == 0)
			return true;
	return false;
}

static void find_names(struct work *w)
{
	struct adapter_init_layout *l = w->l;

	l->name = bus_xcalloc(l->n_columns, sizeof(*l->name));
	l->names_good = l->n_header > 0;
	for (uint32_t c = 0; c < l->n_columns; c++)
		l->name[c] = short_name(w, c);
	for (uint32_t c = 0; c < l->n_columns; c++) {
		if (l->name[c][0] ? taken(l, c, l->name[c]) : adapter_init_layout_uses(w->g, l, c))
			l->names_good = false;
		for (uint32_t k = 0; k < l->n_columns && l->n_header > 1 && l->names_good; k++) {
			char *other = long_name(w, k);

			l->names_good = k == c || strcmp(other, l->name[c]) != 0;
			free(other);
		}
	}
	for (size_t i = 0; i < l->n_rules; i++)
		if (l->rule[i].test != ADAPTER_INIT_FILLED && !l->name[l->rule[i].column][0])
			l->names_good = false;
	for (uint32_t c = 0; c < l->n_columns && !l->names_good; c++) {
		char *name = long_name(w, c);

		for (int k = 2; taken(l, c, name); k++) {
			char *again = long_name(w, c);

			free(name);
			name = bus_xasprintf("%s (%d)", again, k);
			free(again);
		}
		free(l->name[c]);
		l->name[c] = name;
	}
}

bool adapter_init_layout_uses(const struct adapter_init_grid *g, const struct adapter_init_layout *l,
			      uint32_t i)
{
	for (size_t r = l->data; r <= l->last && r < l->end; r++)
		if (adapter_init_grid_at(g, r, l->column + i).n > 0)
			return true;
	return false;
}

/* ---- all of it ---- */

bool adapter_init_layout(const struct adapter_init_grid *g, size_t first, size_t end, uint32_t column,
			 uint32_t n_columns, struct adapter_init_layout *out)
{
	struct work w = { .g = g, .l = out, .key = -1 };
	size_t non_empty;

	*out = (struct adapter_init_layout){
		.first = first, .end = end, .column = column, .n_columns = n_columns, .data = first
	};
	if (end <= first || n_columns == 0)
		return false;
	w.filled = bus_xcalloc(end - first, sizeof(*w.filled));
	w.class = bus_xcalloc(end - first, sizeof(*w.class));
	w.typed = bus_xcalloc(n_columns, sizeof(*w.typed));
	w.sum = bus_xcalloc(n_columns, sizeof(*w.sum));
	w.all = bus_xcalloc(n_columns, sizeof(*w.all));
	non_empty = count_filled(&w);
	if (non_empty > 0) {
		find_types(&w, non_empty);
		find_header(&w);
		find_numbering(&w);
		find_key(&w);
		judge_all(&w);
	}
	if (out->records > 0) {
		find_rules(&w);
		find_names(&w);
	}
	free(w.filled);
	free(w.class);
	free(w.typed);
	free(w.sum);
	free(w.all);
	return out->records > 0;
}

void adapter_init_layout_release(struct adapter_init_layout *l)
{
	for (uint32_t i = 0; l->name && i < l->n_columns; i++)
		free(l->name[i]);
	free(l->name);
	*l = (struct adapter_init_layout){ 0 };
}
