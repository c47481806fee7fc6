/* Rules (`skip_rows`) that hold for the rows that are no records, and for no record. */
#include "adapters/init/layout_impl.h"

#include "adapters/init/value.h"

static bool holds(const struct layout_work *w, const struct adapter_init_rule *rule, size_t row)
{
	struct bus_str s;

	if (rule->test == ADAPTER_INIT_FILLED)
		return layout_filled(w, row) <= rule->filled;
	s = layout_at(w, row, rule->column);
	switch (rule->test) {
	case ADAPTER_INIT_PREFIX:
		return s.n >= rule->text.n && memcmp(s.p, rule->text.p, rule->text.n) == 0;
	case ADAPTER_INIT_EQUALS:
		return bus_str_eq(s, rule->text);
	default:
		return s.n == 0;
	}
}

static bool spares_data(const struct layout_work *w, const struct adapter_init_rule *rule)
{
	for (size_t r = w->l->data; r <= w->l->last; r++)
		if (w->class[r - w->l->first] == CLASS_DATA && !w->g->row[r]->broken && holds(w, rule, r))
			return false;
	return true;
}

static bool add_rule(struct layout_work *w, size_t row, struct adapter_init_rule rule)
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

static bool by_words(struct layout_work *w, size_t row, enum layout_fate class)
{
	for (uint32_t c = 0; c < w->l->n_columns; c++) {
		struct bus_str s = layout_at(w, row, c);
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

static bool cover(struct layout_work *w, size_t row, enum layout_fate class)
{
	const struct adapter_init_rule filled = {
		ADAPTER_INIT_FILLED, 0, { NULL, 0 }, layout_filled(w, row)
	};
	const struct adapter_init_rule empty = {
		ADAPTER_INIT_EMPTY, w->key >= 0 ? (uint32_t)w->key : 0, { NULL, 0 }, 0
	};

	bool ruling = adapter_init_layout_is_ruling(w, row);

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

void adapter_init_layout_find_rules(struct layout_work *w)
{
	for (size_t r = w->l->data; r < w->l->end; r++) {
		enum layout_fate c = w->class[r - w->l->first];

		if (c != CLASS_BLANK && c != CLASS_DATA && !cover(w, r, c))
			w->l->uncovered++;
	}
}
