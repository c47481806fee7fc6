/* Which rows below the header are records, which totals, notes, signatures, the header again. */
#include "adapters/init/layout_impl.h"

#include <math.h>
#include <strings.h>

#include "adapters/init/value.h"

#define TAIL_MAX 100 /* rows at the end that may all be no data */

void adapter_init_layout_find_key(struct layout_work *w)
{
	struct adapter_init_layout *l = w->l;

	w->key = -1;
	for (uint32_t c = 0; c < l->n_columns && w->key < 0; c++) {
		size_t rows = 0, filled = 0;

		for (size_t r = l->data; r < l->end; r++) {
			if (!adapter_init_layout_is_full(w, r))
				continue;
			rows++;
			filled += layout_at(w, r, c).n > 0;
		}
		/* One row in twenty, or the one total of a short table. */
		if (rows > 0 && rows - filled <= rows / 20 + (rows > 3))
			w->key = (int)c;
	}
}

/* ---- the rows ---- */

static bool repeats_header(const struct layout_work *w, size_t row)
{
	const struct adapter_init_layout *l = w->l;
	uint32_t same = 0;

	for (size_t h = l->header; h < l->header + l->n_header; h++) {
		bool all = layout_filled(w, row) > 0;

		for (uint32_t c = 0; c < l->n_columns && all; c++)
			all = bus_str_eq(layout_at(w, row, c), layout_at(w, h, c));
		same += all;
	}
	return same > 0;
}

/* The amounts of the row are those of the rows before it together; most of them, for some may be averages. */
static bool sums_up(const struct layout_work *w, size_t row)
{
	uint32_t amounts = 0, sums = 0;

	for (uint32_t c = 0; c < w->l->n_columns; c++) {
		double v;

		if (!w->typed[c] || w->n_sum < 2 || (int)c == w->key ||
		    !adapter_init_amount(layout_at(w, row, c), &v) || v == 0)
			continue;
		amounts++;
		sums += fabs(v - w->sum[c]) <= fabs(v) * 1e-9 || fabs(v - w->all[c]) <= fabs(v) * 1e-9;
	}
	return sums > 0 && sums * 2 >= amounts;
}

static void add_up(struct layout_work *w, size_t row)
{
	for (uint32_t c = 0; c < w->l->n_columns; c++) {
		double v;

		if (w->typed[c] && adapter_init_amount(layout_at(w, row, c), &v)) {
			w->sum[c] += v;
			w->all[c] += v;
		}
	}
	w->n_sum++;
}

/* The first cell that holds words. */
static bool first_words(const struct layout_work *w, size_t row, uint32_t *column, struct bus_str *text)
{
	for (uint32_t c = 0; c < w->l->n_columns; c++) {
		*text = layout_at(w, row, c);
		if (text->n == 0 || adapter_init_is_number(*text) || adapter_init_is_null(*text))
			continue;
		*column = c;
		return true;
	}
	return false;
}

static bool is_counter(const struct layout_work *w)
{
	static const char *const words[] = { "no",	"no.",	      "nomor", "nomer",
					     "no urut", "nomor urut", "#",     "urut" };
	struct bus_str s;

	for (size_t h = w->l->header + w->l->n_header; w->key >= 0 && h > w->l->header; h--) {
		s = layout_at(w, h - 1, (uint32_t)w->key);
		for (size_t i = 0; i < BUS_LEN(words); i++)
			if (s.n == strlen(words[i]) && strncasecmp(s.p, words[i], s.n) == 0)
				return true;
	}
	return false;
}

static enum layout_fate judge_total(const struct layout_work *w, size_t row, enum adapter_init_word word,
				    uint32_t column)
{
	bool own_key = w->key < 0 || (uint32_t)w->key == column;
	bool key_empty = w->key >= 0 && layout_at(w, row, (uint32_t)w->key).n == 0;

	if (key_empty || sums_up(w, row))
		return CLASS_TOTAL;
	if (word == ADAPTER_INIT_TOTAL && (own_key || (uint32_t)w->key > column))
		return CLASS_TOTAL;
	return CLASS_DATA;
}

static enum layout_fate judge(const struct layout_work *w, size_t row, bool counter)
{
	uint32_t n = layout_filled(w, row), column = 0, width = w->l->n_columns;
	enum adapter_init_word word = ADAPTER_INIT_NO_WORD;
	struct bus_str text;
	bool words, key_filled = w->key >= 0 && layout_at(w, row, (uint32_t)w->key).n > 0;
	size_t len;

	if (w->g->row[row]->broken)
		return CLASS_DATA;
	if (n == 0)
		return adapter_init_layout_is_ruling(w, row) ? CLASS_NOTE : CLASS_BLANK;
	if (w->l->n_header > 0 && repeats_header(w, row))
		return CLASS_REPEAT;
	words = first_words(w, row, &column, &text);
	if (words)
		word = adapter_init_word_of(text, &len);
	if (word == ADAPTER_INIT_TOTAL || word == ADAPTER_INIT_TOTAL_OF)
		return width == 1 ? CLASS_DATA : judge_total(w, row, word, column);
	if (word == ADAPTER_INIT_NOTE_WORD && n <= (width / 3 > 2 ? width / 3 : 2) &&
	    (width == 1 || adapter_init_layout_look_at(w, row).conform == 0) &&
	    n < (w->usual > 1 ? w->usual : 2))
		return CLASS_NOTE;
	if (n == 1 && width >= 3 && w->usual >= 3)
		return words || !key_filled || counter ? CLASS_NOTE : CLASS_DATA;
	return CLASS_DATA;
}

/* Below "Mengetahui" or "Sumber" nothing is a record that is not as full as one. */
static void judge_below_notes(struct layout_work *w)
{
	struct adapter_init_layout *l = w->l;
	size_t from = l->end;

	for (size_t r = l->end; r > l->data && !adapter_init_layout_is_full(w, r - 1); r--) {
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
static void judge_tail(struct layout_work *w)
{
	struct adapter_init_layout *l = w->l;
	size_t looked = 0;

	for (size_t r = l->end; r > l->data && looked < TAIL_MAX; r--, looked++) {
		uint8_t *class = &w->class[r - 1 - l->first];
		struct layout_look k = adapter_init_layout_look_at(w, r - 1);
		bool key_odd =
		    w->key >= 0 &&
		    (layout_at(w, r - 1, (uint32_t)w->key).n == 0 ||
		     (w->typed[w->key] && !adapter_init_is_number(layout_at(w, r - 1, (uint32_t)w->key))));

		if (*class != CLASS_DATA)
			continue;
		if (w->g->row[r - 1]->broken || !key_odd || layout_filled(w, r - 1) * 2 > l->n_columns ||
		    (w->n_typed > 0 && k.conform > k.typed_texts))
			break;
		*class = CLASS_NOTE;
	}
}

/* What is there too often is what the table consists of. */
static void forgive(struct layout_work *w, enum layout_fate class, size_t percent)
{
	struct adapter_init_layout *l = w->l;
	size_t n = 0, rows = 0;

	for (size_t r = l->data; r < l->end; r++) {
		enum layout_fate c = w->class[r - l->first];

		n += c == class;
		rows += c != CLASS_BLANK;
	}
	for (size_t r = l->data; r < l->end && n * 100 > rows * percent && n > 3; r++)
		if (w->class[r - l->first] == class)
			w->class[r - l->first] = CLASS_DATA;
}

void adapter_init_layout_judge_all(struct layout_work *w)
{
	struct adapter_init_layout *l = w->l;
	bool counter = is_counter(w);

	for (size_t r = l->data; r < l->end; r++) {
		enum layout_fate c = judge(w, r, counter);

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
		enum layout_fate c = w->class[r - l->first];

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
