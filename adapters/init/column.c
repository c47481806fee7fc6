#include "adapters/init/column.h"

#include <ctype.h>
#include <stdio.h>
#include <strings.h>

#include "adapters/init/forms.h"
#include "adapters/init/value.h"
#include "adapters/seen.h"
#include "adapters/source_rules.h"
#include "schemas/catalogue/personal.h"

#define WORD_MAX 48

struct adapter_init_column {
	uint64_t filled, empty, nulls, trees, broken;
	struct adapter_init_forms forms;
	uint64_t *set; /* fingerprints, open addressing; 0: free */
	size_t cap, distinct;
	bool repeats, full;
	size_t longest;
	struct {
		char text[WORD_MAX];
		uint64_t n;
	} word[ADAPTER_INIT_WORDS];
	size_t n_words; /* more than ADAPTER_INIT_WORDS: too many */
	char null[ADAPTER_INIT_NULLS][16];
	size_t n_nulls;
	char example[64];
};

struct adapter_init_column *adapter_init_columns_new(size_t n)
{
	return bus_xcalloc(n + 1, sizeof(struct adapter_init_column));
}

void adapter_init_columns_free(struct adapter_init_column **c, size_t n)
{
	for (size_t i = 0; *c && i < n; i++)
		free((*c)[i].set);
	free(*c);
	*c = NULL;
}

/* ---- taking ---- */

static void insert(struct adapter_init_column *c, uint64_t hash)
{
	size_t i;

	for (i = hash & (c->cap - 1); c->set[i] != 0; i = (i + 1) & (c->cap - 1))
		if (c->set[i] == hash) {
			c->repeats = true;
			return;
		}
	c->set[i] = hash;
	c->distinct++;
}

static void count_distinct(struct adapter_init_column *c, struct bus_str s)
{
	uint64_t hash = adapter_fingerprint(s);
	uint64_t *old = c->set;
	size_t cap = c->cap;

	if (c->full)
		return;
	if (c->distinct >= ADAPTER_INIT_DISTINCT) {
		c->full = true;
		return;
	}
	if (c->distinct * 2 >= c->cap) {
		c->cap = c->cap ? c->cap * 2 : 64;
		c->set = bus_xcalloc(c->cap, sizeof(*c->set));
		c->distinct = 0;
		for (size_t i = 0; i < cap; i++)
			if (old[i])
				insert(c, old[i]);
		free(old);
	}
	insert(c, hash ? hash : 1);
}

static void count_word(struct adapter_init_column *c, struct bus_str s)
{
	size_t i;

	if (c->n_words > ADAPTER_INIT_WORDS)
		return;
	for (i = 0; i < c->n_words; i++)
		if (strlen(c->word[i].text) == s.n && memcmp(c->word[i].text, s.p, s.n) == 0)
			break;
	if (i == ADAPTER_INIT_WORDS || s.n >= WORD_MAX) {
		c->n_words = ADAPTER_INIT_WORDS + 1;
		return;
	}
	if (i == c->n_words)
		memcpy(c->word[c->n_words++].text, s.p, s.n);
	c->word[i].n++;
}

static void note_null(struct adapter_init_column *c, struct bus_str s)
{
	c->nulls++;
	for (size_t i = 0; i < c->n_nulls; i++)
		if (bus_str_is(s, c->null[i]))
			return;
	if (c->n_nulls < ADAPTER_INIT_NULLS && s.n < sizeof(c->null[0]))
		memcpy(c->null[c->n_nulls++], s.p, s.n);
}

static void take(struct adapter_init_column *c, const struct adapter_cell *cell)
{
	struct bus_str s = adapter_source_trim(cell->text);

	if (cell->kind == ADAPTER_TREE) {
		bool truth =
		    cell->tree && (cell->tree->type == BUS_JSON_TRUE || cell->tree->type == BUS_JSON_FALSE);

		c->trees += !truth;
		s = !truth ? s : cell->tree->type == BUS_JSON_TRUE ? BUS_STR("true") : BUS_STR("false");
		if (!truth)
			return;
	} else if (cell->kind == ADAPTER_BROKEN) {
		c->broken++;
		return;
	} else if (cell->kind == ADAPTER_MISSING || cell->kind == ADAPTER_NULL || s.n == 0) {
		c->empty++;
		return;
	}
	if (adapter_init_is_null(s)) {
		note_null(c, s);
		return;
	}
	c->filled++;
	if (s.n > c->longest)
		c->longest = s.n;
	if (c->filled == 1 && s.n < sizeof(c->example))
		memcpy(c->example, s.p, s.n);
	adapter_init_forms_take(&c->forms, s, cell->kind == ADAPTER_NUMBER);
	count_distinct(c, s);
	count_word(c, s);
}

void adapter_init_columns_take(struct adapter_init_column *c, size_t n, const struct adapter_row *row)
{
	for (size_t i = 0; i < n && i < row->n_cells && !row->defect; i++)
		take(&c[i], &row->cell[i]);
}

/* ---- guessing ---- */

void adapter_init_field_name(const char *name, char out[64])
{
	size_t n = 0;

	for (; *name && n < 58; name++) {
		unsigned char c = (unsigned char)*name;

		if (isalnum(c) && c < 0x80)
			out[n++] = (char)tolower(c);
		else if (n > 0 && out[n - 1] != '_')
			out[n++] = '_';
	}
	while (n > 0 && out[n - 1] == '_')
		n--;
	out[n] = '\0';
	if (n == 0)
		snprintf(out, 64, "kolom");
	if (out[0] >= '0' && out[0] <= '9') {
		memmove(out + 2, out, n + 1);
		out[0] = 'k';
		out[1] = '_';
	}
}

/* As the guess of a class wants it: the last names of "IDENTITAS / NIK" and "pelaku.nik". */
static const char *last_part(const char *name)
{
	const char *p = strstr(name, " / "), *dot = strrchr(name, '.');

	while (p && strstr(p + 1, " / "))
		p = strstr(p + 1, " / ");
	return p ? p + 3 : dot && dot[1] ? dot + 1 : name;
}

static void put_choices(const struct adapter_init_column *c, struct adapter_init_guess *out)
{
	size_t n = 0;

	if (out->class != 'N' || out->type != ADAPTER_INIT_TEXT || c->n_words > ADAPTER_INIT_WORDS ||
	    c->n_words < 2 || c->filled < c->n_words * 3)
		return;
	for (size_t i = 0; i < c->n_words && n < sizeof(out->choices); i++)
		n += (size_t)snprintf(out->choices + n, sizeof(out->choices) - n, "%s%s", i > 0 ? ", " : "",
				      c->word[i].text);
}

void adapter_init_hide(char *example)
{
	for (char *p = example; *p; p++) {
		unsigned char b = (unsigned char)*p;

		*p = isdigit(b) ? '9' : isalpha(b) || b >= 0x80 ? 'x' : *p;
	}
}

static void put_example(const struct adapter_init_column *c, struct adapter_init_guess *out)
{
	for (size_t i = 0; i < sizeof(out->example) && c->example[i]; i++)
		out->example[i] = (unsigned char)c->example[i] < 0x20 ? ' ' : c->example[i];
	if (out->class != 'N')
		adapter_init_hide(out->example);
}

void adapter_init_column_guess(const struct adapter_init_column *columns, size_t i, const char *name,
			       bool list, struct adapter_init_guess *out)
{
	const struct adapter_init_column *c = &columns[i];
	bool sure;

	*out = (struct adapter_init_guess){ .from = name,
					    .filled = c->filled + c->trees + c->broken,
					    .empty = c->empty + c->nulls,
					    .distinct = c->distinct,
					    .unique = c->filled > 0 && !c->repeats && !c->full };
	adapter_init_field_name(last_part(name), out->field);
	memcpy(out->null, c->null, sizeof(out->null));
	out->n_nulls = c->n_nulls;
	out->class = schema_class_of_name(last_part(name), &sure);
	if (out->class == 'N' && strchr(name, '/')) /* a path in XML: orang/@nik */
		out->class =
		    schema_class_of_name(strrchr(name, '/') + 1 + (strrchr(name, '/')[1] == '@'), &sure);
	if (out->class == 'P')
		out->class = 'U';
	if (list) {
		out->type = ADAPTER_INIT_LIST;
		out->sure = ADAPTER_INIT_HIGH;
		snprintf(out->why, sizeof(out->why), "larik nilai / an array of values");
		return;
	}
	adapter_init_forms_guess(&c->forms, last_part(name), c->filled, out);
	put_choices(c, out);
	put_example(c, out);
}
