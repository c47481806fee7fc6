/* `as:` - the conversions of the mapping language, by name, compiled to operations. */
#include "adapters/map_impl.h"

#include <stdio.h>

enum arg {
	ARG_NONE,
	ARG_TEXT,
	ARG_TEXTS,
	ARG_CUT,
	ARG_DIGITS,
	ARG_MARK,
	ARG_DATES,
	ARG_TIMES,
	ARG_WORDS,
	ARG_LOOKUP,
	ARG_KNOWN
};

static const struct conversion {
	const char *name;
	enum arg arg;
	enum map_op_kind op;
	enum map_type gives;
	bool can_fail;
} conversions[] = {
	{ "clean", ARG_NONE, MAP_OP_CLEAN, MAP_TEXT, false },
	{ "upper", ARG_NONE, MAP_OP_UPPER, MAP_TEXT, false },
	{ "lower", ARG_NONE, MAP_OP_LOWER, MAP_TEXT, false },
	{ "strip_prefix", ARG_TEXT, MAP_OP_STRIP, MAP_TEXT, false },
	{ "remove", ARG_TEXT, MAP_OP_REMOVE, MAP_TEXT, false },
	{ "null_if", ARG_TEXTS, MAP_OP_NULLS, MAP_TEXT, false },
	{ "cut", ARG_CUT, MAP_OP_CUT, MAP_TEXT, true },
	{ "digits", ARG_DIGITS, MAP_OP_DIGITS, MAP_TEXT, true },
	{ "nik", ARG_NONE, MAP_OP_NIK, MAP_TEXT, true },
	{ "nik_date", ARG_NONE, MAP_OP_NIK_DATE, MAP_DATE, false },
	{ "nik_sex", ARG_NONE, MAP_OP_NIK_SEX, MAP_TEXT, false },
	{ "date", ARG_DATES, MAP_OP_DATE, MAP_DATE, true },
	{ "time", ARG_TIMES, MAP_OP_TIME, MAP_TIME, true },
	{ "whole", ARG_NONE, MAP_OP_WHOLE, MAP_WHOLE, true },
	{ "rupiah", ARG_NONE, MAP_OP_RUPIAH, MAP_WHOLE, true },
	{ "decimal", ARG_MARK, MAP_OP_DECIMAL, MAP_DECIMAL, true },
	{ "nik_lenient", ARG_NONE, MAP_OP_ID, MAP_TEXT, true },
	{ "kk", ARG_NONE, MAP_OP_ID, MAP_TEXT, true },
	{ "npwp", ARG_NONE, MAP_OP_ID, MAP_TEXT, true },
	{ "nitku", ARG_NONE, MAP_OP_ID, MAP_TEXT, true },
	{ "nop", ARG_NONE, MAP_OP_ID, MAP_TEXT, true },
	{ "nib", ARG_NONE, MAP_OP_ID, MAP_TEXT, true },
	{ "npsn", ARG_NONE, MAP_OP_ID, MAP_TEXT, true },
	{ "nisn", ARG_NONE, MAP_OP_ID, MAP_TEXT, true },
	{ "nip", ARG_NONE, MAP_OP_ID, MAP_TEXT, true },
	{ "words", ARG_WORDS, MAP_OP_WORDS, MAP_TEXT, true },
	{ "lookup", ARG_LOOKUP, MAP_OP_LOOKUP, MAP_TEXT, true },
	{ "known", ARG_KNOWN, MAP_OP_LOOKUP, MAP_TEXT, true },
};

const char *adapter_map_conversion_name(size_t i, bool *takes)
{
	*takes = i < BUS_LEN(conversions) && conversions[i].arg != ARG_NONE;
	return i < BUS_LEN(conversions) ? conversions[i].name : NULL;
}

static enum bus_err find_conversion(struct adapter_map *m, const struct bus_yaml_node *at, const char *name,
				    const struct conversion **out, struct bus_error *err)
{
	const char *names[BUS_LEN(conversions)];

	for (size_t i = 0; i < BUS_LEN(conversions); i++) {
		names[i] = conversions[i].name;
		if (strcmp(name, names[i]) == 0) {
			*out = &conversions[i];
			return BUS_OK;
		}
	}
	return adapter_map_hint(m, at, err, "no conversion", name, names, BUS_LEN(names));
}

static enum bus_err range(struct adapter_map *m, const struct bus_yaml_node *arg, bool one, uint16_t *from,
			  uint16_t *to, struct bus_error *err)
{
	unsigned a = 0, b = 0;
	int end = 0;

	if (arg && arg->kind == BUS_YAML_SCALAR) {
		if (sscanf(arg->text, "%5u-%5u%n", &a, &b, &end) == 2 && !arg->text[end] && a >= 1 &&
		    a <= b && b <= UINT16_MAX) {
			*from = (uint16_t)a;
			*to = (uint16_t)b;
			return BUS_OK;
		}
		if (one && sscanf(arg->text, "%5u%n", &a, &end) == 1 && !arg->text[end] && a >= 1 &&
		    a <= UINT16_MAX) {
			*from = *to = (uint16_t)a;
			return BUS_OK;
		}
	}
	return bus_yaml_fail(m->yaml, arg, err,
			     one ? "write 18, or 6-10" : "write the characters' places as 5-10");
}

/* Names for the two forms of ISO 8601 that everybody means. */
static const char *pattern_text(const char *text)
{
	if (strcmp(text, "iso") == 0)
		return "YYYY-MM-DDThh:mm:ssfz";
	if (strcmp(text, "iso_local") == 0)
		return "YYYY-MM-DDThh:mm:ssf";
	return text;
}

static enum bus_err formats(struct adapter_map *m, struct bus_yaml_node *arg, bool time,
			    const struct map_formats **out, struct bus_error *err)
{
	struct bus_yaml_node *n = arg->kind == BUS_YAML_LIST ? arg->first : arg;
	size_t count = arg->kind == BUS_YAML_LIST ? bus_yaml_count(arg) : 1;
	struct map_formats *f;

	if (arg->kind == BUS_YAML_MAP || count == 0 || count > 16)
		return bus_yaml_fail(m->yaml, arg, err, "write one format or a list of them (at most 16)");
	f = adapter_map_keep(m, sizeof(*f) + count * sizeof(f->format[0]));
	for (size_t i = 0; i < count; i++, n = n->next) {
		if (n->kind != BUS_YAML_SCALAR ||
		    !adapter_map_pattern_parse(time ? pattern_text(n->text) : n->text, time, &f->format[i]))
			return bus_yaml_fail(
			    m->yaml, n, err,
			    time ? "not a time format; write like 'DD-MM-YYYY hh:mm:ss', iso, "
				   "iso_local or epoch_ms"
				 : "not a date format; write like DD-MM-YYYY");
	}
	f->n = count;
	*out = f;
	return BUS_OK;
}

static enum bus_err words(struct adapter_map *m, struct bus_yaml_node *arg, const struct map_words **out,
			  struct bus_error *err)
{
	size_t count = bus_yaml_count(arg), i = 0;
	struct map_words *w;

	if (arg->kind != BUS_YAML_MAP || count == 0)
		return bus_yaml_fail(m->yaml, arg, err, "write the words as {LAKI-LAKI: L, PEREMPUAN: P}");
	w = adapter_map_keep(m, sizeof(*w) + count * sizeof(w->pair[0]));
	for (struct bus_yaml_node *n = arg->first; n; n = n->next, i++) {
		struct bus_str word = bus_str(n->key);
		char *upper = adapter_map_keep(m, word.n + 1);

		if (n->kind != BUS_YAML_SCALAR)
			return bus_yaml_fail(m->yaml, n, err, "a word stands for one text");
		w->pair[i].word = (struct bus_str){ upper, adapter_map_case(word, true, upper) };
		w->pair[i].gives = (struct bus_str){ n->text, n->text_len };
	}
	w->n = count;
	*out = w;
	return BUS_OK;
}

static enum bus_err lookup_keys(struct adapter_map *m, struct bus_yaml_node *arg, struct map_ref_wish *w,
				struct bus_error *err)
{
	struct bus_yaml_node *keys = bus_yaml_get(arg, "key");

	if (!keys || keys->kind == BUS_YAML_MAP)
		return bus_yaml_fail(m->yaml, arg, err,
				     "key: a column of the table, or a list of columns, is needed");
	if (keys->kind == BUS_YAML_SCALAR)
		w->key[w->n_keys++] = keys->text;
	for (struct bus_yaml_node *k = keys->first; k; k = k->next) {
		if (k->kind != BUS_YAML_SCALAR || w->n_keys == BUS_LEN(w->key))
			return bus_yaml_fail(m->yaml, k, err, "key: at most %zu column names",
					     BUS_LEN(w->key));
		w->key[w->n_keys++] = k->text;
	}
	return BUS_OK;
}

static enum bus_err lookup_table(struct adapter_map *m, struct bus_yaml_node *arg, bool known,
				 struct map_ref_wish *w, struct bus_error *err)
{
	const char *topic = NULL;
	enum bus_err rc;

	if (arg->kind != BUS_YAML_MAP)
		return bus_yaml_fail(m->yaml, arg, err, "write {table: FILE.csv, key: COLUMN%s}",
				     known ? "" : ", give: COLUMN");
	rc = bus_yaml_str(m->yaml, arg, "topic", false, &topic, err);
	if (rc == BUS_OK)
		rc = bus_yaml_str(m->yaml, arg, "table", !topic, &w->name, err);
	if (rc == BUS_OK && topic && w->name)
		rc = bus_yaml_fail(m->yaml, arg, err, "either `table` or `topic`");
	if (topic) {
		w->name = topic;
		w->topic = true;
	}
	if (rc == BUS_OK && !known)
		rc = bus_yaml_str(m->yaml, arg, "give", true, &w->give, err);
	if (rc == BUS_OK)
		rc = bus_yaml_str(m->yaml, arg, "ignore", false, &w->ignore, err);
	return rc == BUS_OK ? lookup_keys(m, arg, w, err) : rc;
}

/* `on`: the value whose day chooses, of the list's item or of the row; `valid`: the columns with first and last day. */
static enum bus_err lookup_period(struct adapter_map *m, struct map_scope *scope, struct bus_yaml_node *arg,
				  struct map_ref_wish *w, struct map_lookup *l, struct bus_error *err)
{
	struct bus_yaml_node *on = bus_yaml_get(arg, "on"), *valid = bus_yaml_get(arg, "valid");
	struct map_scope *of = scope;
	enum map_type type;
	enum bus_err rc;

	rc = bus_yaml_bool(m->yaml, arg, "outside", false, &l->outside, err);
	if (rc != BUS_OK)
		return rc;
	if (!on)
		return valid || l->outside
			   ? bus_yaml_fail(m->yaml, arg, err,
					   "`valid` and `outside` go with `on`: the value whose day "
					   "chooses the period")
			   : BUS_OK;
	if (on->kind != BUS_YAML_SCALAR)
		return bus_yaml_fail(m->yaml, on, err, "on: the name of a date or time is needed");
	w->from = "berlaku_dari";
	w->until = "berlaku_sampai";
	if (valid && (valid->kind != BUS_YAML_LIST || bus_yaml_count(valid) != 2 ||
		      valid->first->kind != BUS_YAML_SCALAR || valid->first->next->kind != BUS_YAML_SCALAR))
		return bus_yaml_fail(m->yaml, valid, err,
				     "write valid: [COLUMN of the first day, COLUMN of the last]");
	if (valid) {
		w->from = valid->first->text;
		w->until = valid->first->next->text;
	}
	if (scope->item && adapter_map_find(m, scope, on, on->text, &l->on, NULL) != BUS_OK)
		of = m->scope;
	rc = adapter_map_find(m, of, on, on->text, &l->on, err);
	if (rc != BUS_OK)
		return rc;
	type = of->info[l->on].type;
	if (type != MAP_DATE && type != MAP_TIME)
		return bus_yaml_fail(m->yaml, on, err, "on: '%s' is no date or time", on->text);
	l->dated = true;
	l->time = type == MAP_TIME;
	l->outer = of != scope;
	return BUS_OK;
}

static enum bus_err lookup(struct adapter_map *m, struct map_scope *scope, struct bus_yaml_node *arg,
			   bool known, uint16_t *alternatives, const struct map_lookup **out,
			   struct bus_error *err)
{
	struct map_ref_wish w = { 0 };
	struct map_lookup how = { 0 }, *l = NULL;
	enum bus_err rc = lookup_table(m, arg, known, &w, err);

	if (rc == BUS_OK)
		rc = lookup_period(m, scope, arg, &w, &how, err);
	if (rc == BUS_OK)
		rc = bus_yaml_no_more(m->yaml, arg, err);
	if (rc == BUS_OK)
		rc = adapter_map_ref_lookup(m, arg, &w, &l, err);
	if (rc != BUS_OK)
		return rc;
	l->dated = how.dated;
	l->outside = how.outside;
	l->outer = how.outer;
	l->time = how.time;
	l->on = how.on;
	*alternatives = (uint16_t)(w.n_keys + how.outside);
	*out = l;
	return BUS_OK;
}

static enum bus_err argument(struct adapter_map *m, struct map_scope *scope, struct map_info *info,
			     struct map_op *op, const struct conversion *c, struct bus_yaml_node *arg,
			     struct bus_error *err)
{
	const struct map_texts *texts = NULL;
	const struct map_formats *f = NULL;
	const struct map_words *w = NULL;
	const struct map_lookup *l = NULL;
	enum bus_err rc = BUS_OK;

	switch (c->arg) {
	case ARG_NONE:
		if (c->op == MAP_OP_ID)
			op->arg = adapter_map_id_find(c->name);
		break;
	case ARG_MARK:
		if (arg->kind != BUS_YAML_SCALAR ||
		    (strcmp(arg->text, ",") != 0 && strcmp(arg->text, ".") != 0))
			return bus_yaml_fail(m->yaml, arg, err,
					     "write the decimal mark of this column: {decimal: \",\"} or "
					     "{decimal: \".\"}");
		op->from = (uint16_t)arg->text[0];
		break;
	case ARG_TEXT:
	case ARG_TEXTS:
		rc = adapter_map_texts(m, arg, &texts, err);
		if (rc == BUS_OK && c->arg == ARG_TEXT && texts->n != 1)
			rc = bus_yaml_fail(m->yaml, arg, err, "%s takes one text", c->name);
		if (rc == BUS_OK)
			op->arg = texts;
		break;
	case ARG_CUT:
	case ARG_DIGITS:
		rc = range(m, arg, c->arg == ARG_DIGITS, &op->from, &op->to, err);
		break;
	case ARG_DATES:
	case ARG_TIMES:
		rc = formats(m, arg, c->arg == ARG_TIMES, &f, err);
		if (f) {
			op->arg = f;
			info->alternatives = (uint16_t)f->n;
		}
		break;
	case ARG_WORDS:
		rc = words(m, arg, &w, err);
		if (rc == BUS_OK)
			op->arg = w;
		break;
	case ARG_LOOKUP:
	case ARG_KNOWN:
		rc = lookup(m, scope, arg, c->arg == ARG_KNOWN, &info->alternatives, &l, err);
		info->can_translate |= c->arg == ARG_LOOKUP;
		if (rc == BUS_OK)
			op->arg = l;
		break;
	}
	return rc;
}

static enum bus_err one(struct adapter_map *m, struct map_scope *scope, struct bus_yaml_node *n,
			uint16_t slot, struct bus_error *err)
{
	struct map_info *info = &scope->info[slot];
	const char *name = n->text;
	struct bus_yaml_node *arg = NULL;
	const struct conversion *c = NULL;
	enum bus_err rc;

	if (n->kind == BUS_YAML_LIST || (n->kind == BUS_YAML_MAP && bus_yaml_count(n) != 1))
		return bus_yaml_fail(
		    m->yaml, n, err,
		    "a conversion is a word, or one word with what it takes: {date: DD-MM-YYYY}");
	if (n->kind == BUS_YAML_MAP) {
		arg = n->first;
		name = arg->key;
	}
	rc = find_conversion(m, n, name, &c, err);
	if (!c)
		return rc;
	if ((c->arg == ARG_NONE) != (arg == NULL))
		return bus_yaml_fail(m->yaml, n, err,
				     c->arg == ARG_NONE ? "%s takes nothing" : "%s: of what?", name);
	if (info->type != MAP_TEXT)
		return bus_yaml_fail(m->yaml, n, err, "%s needs a text; what stands before it gives none",
				     name);
	if ((c->op == MAP_OP_NIK_DATE || c->op == MAP_OP_NIK_SEX) && !info->is_nik)
		return bus_yaml_fail(m->yaml, n, err, "%s needs a value that has passed the conversion nik",
				     name);
	rc = argument(m, scope, info, adapter_map_op_add(m, scope, c->op, slot), c, arg, err);
	if (rc != BUS_OK)
		return rc;
	for (size_t i = 0; i < scope->program.n_ops &&
			   (c->op == MAP_OP_WHOLE || c->op == MAP_OP_RUPIAH || c->op == MAP_OP_DECIMAL);
	     i++)
		if (scope->program.op[i].slot == slot && scope->program.op[i].kind == MAP_OP_CELL)
			scope->program.op[i].amount = true;
	info->type = c->gives;
	info->is_nik = c->op == MAP_OP_NIK;
	if (c->op == MAP_OP_ID) {
		const struct map_id *id = adapter_map_id_find(c->name);

		info->is_nik = strcmp(id->name, "nik_lenient") == 0;
		info->personal = id->personal;
		info->can_doubt = true;
	}
	info->can_fail |= c->can_fail;
	return BUS_OK;
}

enum bus_err adapter_map_as(struct adapter_map *m, struct map_scope *scope, struct bus_yaml_node *as,
			    uint16_t slot, struct bus_error *err)
{
	enum bus_err rc = BUS_OK;

	if (as->kind != BUS_YAML_LIST)
		return one(m, scope, as, slot, err);
	for (struct bus_yaml_node *n = as->first; n && rc == BUS_OK; n = n->next)
		rc = one(m, scope, n, slot, err);
	return rc;
}
