/* `checks:` - what makes a row refused, flagged or loose, in the order in which they are declared. */
#include "adapters/map_impl.h"

#include <stdio.h>

static const struct {
	const char *name;
	enum map_test_kind kind;
} tests[] = {
	{ "missing", MAP_TEST_MISSING },       { "bad", MAP_TEST_BAD },
	{ "fallback", MAP_TEST_FALLBACK },     { "number", MAP_TEST_NUMBER },
	{ "differ", MAP_TEST_DIFFER },	       { "scientific", MAP_TEST_SCIENTIFIC },
	{ "repeated", MAP_TEST_REPEATED },     { "falls", MAP_TEST_FALLS },
	{ "repaired", MAP_TEST_REPAIRED },     { "doubtful", MAP_TEST_DOUBTFUL },
	{ "translated", MAP_TEST_TRANSLATED },
};

static const struct {
	const char *name;
	enum adapter_class_fate fate;
} fates[] = {
	{ "refuse", ADAPTER_CLASS_REFUSE }, { "flag", ADAPTER_CLASS_FLAG }, { "loose", ADAPTER_CLASS_LOOSE },
	{ "note", ADAPTER_CLASS_NOTE },	    { "seen", ADAPTER_CLASS_SEEN },
};

const char *adapter_map_fate_text(enum adapter_class_fate fate)
{
	static const char *const text[] = {
		[ADAPTER_CLASS_REFUSE] = "ditolak / refused",
		[ADAPTER_CLASS_FLAG] = "diterima, ditandai / kept, flagged",
		[ADAPTER_CLASS_LOOSE] = "diterima, tak tergabung / kept, joins nobody",
		[ADAPTER_CLASS_NOTE] = "diterima, catatan / kept, a note",
		[ADAPTER_CLASS_SEEN] = "diamati / observed",
	};

	return text[fate];
}

const char *adapter_map_test_name(size_t i)
{
	return i < BUS_LEN(tests) ? tests[i].name : NULL;
}

/* ---- reading ---- */

static enum bus_err fate_of(struct adapter_map *m, struct bus_yaml_node *node, enum adapter_class_fate *out,
			    struct bus_error *err)
{
	const char *text = NULL, *names[BUS_LEN(fates)];
	enum bus_err rc = bus_yaml_str(m->yaml, node, "fate", true, &text, err);

	if (rc != BUS_OK)
		return rc;
	for (size_t i = 0; i < BUS_LEN(fates); i++) {
		names[i] = fates[i].name;
		if (strcmp(text, names[i]) == 0) {
			*out = fates[i].fate;
			return BUS_OK;
		}
	}
	return adapter_map_hint(m, bus_yaml_get(node, "fate"), err, "no fate", text, names, BUS_LEN(names));
}

/* What a test may be asked of which kind of value. */
static enum bus_err fits(struct adapter_map *m, const struct bus_yaml_node *at, const struct map_test *t,
			 struct bus_error *err)
{
	struct map_info *a = &m->scope->info[t->a], *b = &m->scope->info[t->b];

	switch (t->kind) {
	case MAP_TEST_BAD:
		a->handled = true;
		if (!a->can_fail)
			return bus_yaml_fail(m->yaml, at, err, "'%s' cannot be bad: nothing in it can fail",
					     a->name);
		break;
	case MAP_TEST_DOUBTFUL:
		a->doubt_handled = true;
		if (!a->can_doubt)
			return bus_yaml_fail(m->yaml, at, err,
					     "'%s' cannot be doubtful: it is none of the identifiers",
					     a->name);
		break;
	case MAP_TEST_TRANSLATED:
		if (!a->can_translate)
			return bus_yaml_fail(m->yaml, at, err, "'%s' is not translated: it has no lookup",
					     a->name);
		break;
	case MAP_TEST_FALLBACK:
		if (a->alternatives < 2)
			return bus_yaml_fail(m->yaml, at, err,
					     "'%s' has one format or key only; fallback needs a list of them",
					     a->name);
		break;
	case MAP_TEST_DIFFER:
		if (a->type != b->type || a->type >= MAP_LIST)
			return bus_yaml_fail(m->yaml, at, err, "'%s' and '%s' are not of one kind", a->name,
					     b->name);
		break;
	case MAP_TEST_REPEATED:
	case MAP_TEST_SCIENTIFIC:
		if (a->type != MAP_TEXT)
			return bus_yaml_fail(m->yaml, at, err, "'%s' is no text", a->name);
		break;
	case MAP_TEST_FALLS:
		if (a->type != MAP_WHOLE && a->type != MAP_DATE && a->type != MAP_TIME)
			return bus_yaml_fail(m->yaml, at, err, "'%s' is no number, date or time", a->name);
		break;
	case MAP_TEST_MISSING:
	case MAP_TEST_NUMBER:
	case MAP_TEST_REPEATED_ROW:
	case MAP_TEST_REPAIRED:
		break;
	}
	return BUS_OK;
}

static enum bus_err add_test(struct adapter_map *m, struct map_check *c, enum map_test_kind kind,
			     const struct bus_yaml_node *at, const struct bus_yaml_node *second,
			     struct bus_error *err)
{
	struct map_test *t = &c->test[c->n];
	enum bus_err rc = BUS_OK;

	t->kind = kind;
	if (at->kind != BUS_YAML_SCALAR)
		return bus_yaml_fail(m->yaml, at, err, "the name of a value is needed");
	if ((kind == MAP_TEST_REPEATED || kind == MAP_TEST_REPAIRED) && strcmp(at->text, "row") == 0) {
		if (kind == MAP_TEST_REPEATED)
			t->kind = MAP_TEST_REPEATED_ROW;
	} else if (kind == MAP_TEST_REPAIRED) {
		return bus_yaml_fail(m->yaml, at, err, "write repaired: row");
	} else {
		rc = adapter_map_find(m, m->scope, at, at->text, &t->a, err);
		if (rc == BUS_OK && second)
			rc = adapter_map_find(m, m->scope, second, second->text, &t->b, err);
		if (rc == BUS_OK)
			rc = fits(m, at, t, err);
	}
	c->n++;
	return rc;
}

static enum bus_err read_test(struct adapter_map *m, struct map_check *c, struct bus_yaml_node *node,
			      struct bus_error *err)
{
	const char *names[BUS_LEN(tests)];
	struct bus_yaml_node *first = node->kind == BUS_YAML_LIST ? node->first : node;
	enum bus_err rc = BUS_OK;

	for (size_t i = 0; i < BUS_LEN(tests); i++) {
		names[i] = tests[i].name;
		if (strcmp(node->key, names[i]) != 0)
			continue;
		if (tests[i].kind == MAP_TEST_DIFFER) {
			if (node->kind != BUS_YAML_LIST || bus_yaml_count(node) != 2 ||
			    first->next->kind != BUS_YAML_SCALAR)
				return bus_yaml_fail(m->yaml, node, err,
						     "write differ: [one value, another]");
			return add_test(m, c, tests[i].kind, first, first->next, err);
		}
		if (node->kind != BUS_YAML_LIST)
			return add_test(m, c, tests[i].kind, node, NULL, err);
		for (; first && rc == BUS_OK; first = first->next)
			rc = add_test(m, c, tests[i].kind, first, NULL, err);
		return rc;
	}
	return adapter_map_hint(m, node, err, "no test", node->key, names, BUS_LEN(names));
}

static enum bus_err read_check(struct adapter_map *m, struct map_check *c, struct bus_yaml_node *node,
			       struct bus_error *err)
{
	struct bus_yaml_node *when;
	const char *name = NULL;
	size_t n = 0;
	enum bus_err rc;

	if (node->kind != BUS_YAML_MAP)
		return bus_yaml_fail(m->yaml, node, err, "a check is {class: ..., fate: ..., when: {...}}");
	rc = bus_yaml_str(m->yaml, node, "class", true, &name, err);
	if (rc == BUS_OK)
		rc = fate_of(m, node, &c->fate, err);
	if (rc == BUS_OK)
		rc = adapter_map_class(m, bus_yaml_get(node, "class"), name, c->fate, &c->class, err);
	if (rc != BUS_OK)
		return rc;
	when = bus_yaml_get(node, "when");
	if (!when || when->kind != BUS_YAML_MAP || bus_yaml_count(when) == 0)
		return bus_yaml_fail(m->yaml, when ? when : node, err,
				     "when: a test is needed, such as {missing: nik}");
	for (struct bus_yaml_node *t = when->first; t; t = t->next)
		n += t->kind == BUS_YAML_LIST ? bus_yaml_count(t) : 1;
	c->test = adapter_map_keep(m, n * sizeof(*c->test));
	for (struct bus_yaml_node *t = when->first; t && rc == BUS_OK; t = t->next) {
		t->asked = true;
		rc = read_test(m, c, t, err);
	}
	return rc != BUS_OK ? rc : bus_yaml_no_more(m->yaml, node, err);
}

enum bus_err adapter_map_checks_load(struct adapter_map *m, struct bus_yaml_node *node, struct bus_error *err)
{
	size_t count = bus_yaml_count(node), flags = 0;
	enum bus_err rc = BUS_OK;

	if (!node)
		return BUS_OK;
	if (node->kind != BUS_YAML_LIST)
		return bus_yaml_fail(m->yaml, node, err, "checks: a list is needed");
	m->check = adapter_map_keep(m, (count + 1) * sizeof(*m->check));
	for (struct bus_yaml_node *n = node->first; n && rc == BUS_OK; n = n->next) {
		struct map_check *c = &m->check[m->n_checks++];

		rc = read_check(m, c, n, err);
		flags += c->fate != ADAPTER_CLASS_REFUSE;
		if (rc == BUS_OK && flags > ADAPTER_FLAGS_MAX)
			rc = bus_yaml_fail(m->yaml, n, err, "more than %d checks that do not refuse",
					   ADAPTER_FLAGS_MAX);
	}
	return rc;
}

/* ---- running ---- */

void adapter_map_refuse(struct adapter_result *out, uint16_t class, const struct map_info *info,
			const char *why)
{
	out->fate = ADAPTER_REFUSE;
	out->reason = class;
	out->field = info ? info->column : NULL;
	snprintf(out->detail, sizeof(out->detail), "%s", why);
}

static bool differs(const struct map_slot *a, const struct map_slot *b, enum map_type type)
{
	if (a->state != MAP_GOOD || b->state != MAP_GOOD)
		return false;
	return type == MAP_TEXT || type == MAP_DECIMAL ? !bus_str_eq(a->text, b->text) : a->whole != b->whole;
}

static bool falls(struct map_test *t, const struct map_slot *s)
{
	if (s->state != MAP_GOOD)
		return false;
	if (t->some && s->whole < t->greatest)
		return true;
	t->greatest = s->whole;
	t->some = true;
	return false;
}

static enum bus_err repeated(struct map_test *t, struct bus_str text, bool *holds, struct bus_error *err)
{
	bool fresh = true;
	enum bus_err rc = adapter_seen_put(t->once, text, NULL, &fresh, err);

	*holds = !fresh;
	return rc;
}

static enum bus_err run_test(struct adapter_map *m, struct map_test *t, const struct adapter_row *row,
			     bool *holds, struct bus_error *err)
{
	const struct map_slot *a = &m->slot[t->a];
	bool good = a->state == MAP_GOOD;

	*holds = false;
	switch (t->kind) {
	case MAP_TEST_MISSING:
		*holds = a->state == MAP_NOTHING;
		break;
	case MAP_TEST_BAD:
		*holds = a->state == MAP_BAD;
		break;
	case MAP_TEST_DOUBTFUL:
		*holds = good && a->doubt != MAP_WHY_NONE;
		break;
	case MAP_TEST_TRANSLATED:
		*holds = good && a->translated;
		break;
	case MAP_TEST_FALLBACK:
		*holds = good && a->alt > 0;
		break;
	case MAP_TEST_NUMBER:
		*holds = good && a->number;
		break;
	case MAP_TEST_SCIENTIFIC:
		*holds =
		    good ? adapter_map_scientific(a->text) : a->state == MAP_BAD && a->why == MAP_WHY_ROUNDED;
		break;
	case MAP_TEST_DIFFER:
		*holds = differs(a, &m->slot[t->b], m->scope->info[t->a].type);
		break;
	case MAP_TEST_REPEATED:
		return good ? repeated(t, a->text, holds, err) : BUS_OK;
	case MAP_TEST_REPEATED_ROW:
		return repeated(t, row->raw, holds, err);
	case MAP_TEST_FALLS:
		*holds = falls(t, a);
		break;
	case MAP_TEST_REPAIRED:
		*holds = row->repaired;
		break;
	}
	return BUS_OK;
}

static const char *words_of(const struct adapter_map *m, const struct map_test *t)
{
	switch (t->kind) {
	case MAP_TEST_BAD:
		return adapter_map_why_text(m->slot[t->a].why);
	case MAP_TEST_DOUBTFUL:
		return adapter_map_why_text(m->slot[t->a].doubt);
	case MAP_TEST_TRANSLATED:
		return "kode lama diganti yang sekarang / an old code, replaced by today's";
	case MAP_TEST_MISSING:
		return adapter_map_why_text(MAP_WHY_EMPTY);
	case MAP_TEST_REPEATED:
		return "sudah dipakai baris sebelumnya / taken by an earlier row";
	case MAP_TEST_REPEATED_ROW:
		return "sama dengan baris sebelumnya / equal to an earlier row";
	case MAP_TEST_DIFFER:
		return "tidak cocok dengan kolom lain / differs from another column";
	case MAP_TEST_FALLS:
		return "lebih awal dari yang sudah terbaca / before one already read";
	case MAP_TEST_SCIENTIFIC:
		return "angka yang dibulatkan lembar sebar / a number that a spreadsheet rounded";
	case MAP_TEST_FALLBACK:
		return "bentuk cadangan / a fallback form";
	case MAP_TEST_NUMBER:
		return "bilangan, bukan teks / a number, not text";
	case MAP_TEST_REPAIRED:
		break;
	}
	return "bukan UTF-8 / not UTF-8";
}

enum bus_err adapter_map_checks_run(struct adapter_map *m, const struct adapter_row *row,
				    struct adapter_result *out, struct bus_error *err)
{
	bool loose = false, refused = false;

	for (size_t i = 0; i < m->n_checks; i++) {
		struct map_check *c = &m->check[i];
		const struct map_test *by = NULL;

		/* After a refusal only what counts over all rows goes on. */
		if (refused && c->fate != ADAPTER_CLASS_SEEN)
			continue;
		if (loose && c->fate == ADAPTER_CLASS_LOOSE)
			continue;
		for (size_t k = 0; k < c->n && !by; k++) {
			bool holds;
			enum bus_err rc = run_test(m, &c->test[k], row, &holds, err);

			if (rc != BUS_OK)
				return rc;
			if (holds)
				by = &c->test[k];
		}
		if (!by)
			continue;
		if (c->fate == ADAPTER_CLASS_REFUSE) {
			bool whole = by->kind == MAP_TEST_REPEATED_ROW || by->kind == MAP_TEST_REPAIRED;

			adapter_map_refuse(out, c->class, whole ? NULL : &m->scope->info[by->a],
					   words_of(m, by));
			refused = true;
			continue;
		}
		loose |= c->fate == ADAPTER_CLASS_LOOSE;
		out->flag[out->n_flags++] = c->class;
	}
	return BUS_OK;
}

/* A refused row keeps of its flags only those that count over all rows. */
void adapter_map_flags_refused(const struct adapter_map *m, struct adapter_result *out)
{
	size_t n = 0;

	for (size_t i = 0; i < out->n_flags; i++)
		if (m->class[out->flag[i]].fate == ADAPTER_CLASS_SEEN)
			out->flag[n++] = out->flag[i];
	out->n_flags = n;
}

enum bus_err adapter_map_checks_begin(struct adapter_map *m, struct bus_error *err)
{
	for (size_t i = 0; i < m->n_checks; i++) {
		for (size_t k = 0; k < m->check[i].n; k++) {
			struct map_test *t = &m->check[i].test[k];
			enum bus_err rc;

			t->some = false;
			if (t->kind != MAP_TEST_REPEATED && t->kind != MAP_TEST_REPEATED_ROW)
				continue;
			/* A new table, not the old one emptied: that may be as large as the largest file was.
			 */
			adapter_seen_free(&t->once);
			rc = adapter_seen_new_bare(m->tmp_dir, &t->once, err);
			if (rc != BUS_OK)
				return rc;
			adapter_seen_share(t->once, m->budget);
		}
	}
	return BUS_OK;
}

void adapter_map_checks_free(struct adapter_map *m)
{
	for (size_t i = 0; i < m->n_checks; i++)
		for (size_t k = 0; k < m->check[i].n; k++)
			adapter_seen_free(&m->check[i].test[k].once);
}

/* The first check that refuses a row for nothing but values seen before. */
const char *adapter_map_unique_class(const struct adapter_map *m)
{
	for (size_t i = 0; i < m->n_checks; i++) {
		const struct map_check *c = &m->check[i];

		if (c->fate == ADAPTER_CLASS_REFUSE && c->n == 1 && c->test[0].kind == MAP_TEST_REPEATED)
			return m->class[c->class].name;
	}
	return NULL;
}

bool adapter_map_class_repeats(const struct adapter_map *m, const char *class)
{
	bool some = false;

	for (size_t i = 0; i < m->n_checks; i++) {
		const struct map_check *c = &m->check[i];

		if (strcmp(m->class[c->class].name, class) != 0)
			continue;
		for (size_t k = 0; k < c->n; k++) {
			enum map_test_kind kind = c->test[k].kind;

			if (kind != MAP_TEST_REPEATED && kind != MAP_TEST_REPEATED_ROW)
				return false;
			some = true;
		}
	}
	return some;
}

/* The value that rule looks at, in the row run last; n 0: no such rule, or no value. */
struct bus_str adapter_map_unique_text(const struct adapter_map *m)
{
	for (size_t i = 0; i < m->n_checks; i++) {
		const struct map_check *c = &m->check[i];

		if (c->fate != ADAPTER_CLASS_REFUSE || c->n != 1 || c->test[0].kind != MAP_TEST_REPEATED)
			continue;
		if (m->slot[c->test[0].a].state == MAP_GOOD)
			return m->slot[c->test[0].a].text;
		break;
	}
	return (struct bus_str){ NULL, 0 };
}
