/* Filters as PostgREST writes them: `column=not.op.value`, and trees of them, `or=(column.op.value,and(...))`. A value
 * that stands alone is taken as it is; inside parentheses it ends at a comma or the closing one, unless it is in
 * double quotes, where a backslash takes the next character as it is. */
#include <stdio.h>
#include <strings.h>

#include "bus/yaml.h"
#include "gateway/serve/query.h"

static const struct {
	const char *name;
	enum gw_operator op;
} operators[] = {
	/* of two that are as near, the first is offered: lke is like, not lte */
	{ "eq", GW_EQ }, { "neq", GW_NEQ }, { "like", GW_LIKE }, { "ilike", GW_ILIKE }, { "lt", GW_LT },
	{ "lte", GW_LTE }, { "gt", GW_GT }, { "gte", GW_GTE },   { "in", GW_IN },	{ "is", GW_IS_NULL },
};

/* PostgREST has them and we do not: said so, not taken for a slip. */
static const char *const not_offered[] = { "fts", "plfts", "phfts", "wfts",   "cs",
					   "cd",  "ov",	   "sl",    "sr",     "nxr",
					   "nxl", "adj",   "match", "imatch", "isdistinct" };

static const char offered[] =
    "eq neq lt lte gt gte like ilike in.() is.null is.true is.false is.not_null not.";

struct place { /* what is being read */
	struct gw_params *p;
	const char *at;
	bool inside; /* of parentheses: a value ends where the next begins */
	int depth;
};

static bool too_long(struct gw_params *p)
{
	return gw_params_refuse(p, "parameter-invalid", NULL, "a filter is too long");
}

/* In double quotes; `at` is on the first. */
static bool read_quoted(struct place *c, const char **out)
{
	char *text = bus_arena_alloc(c->p->arena, strlen(c->at)), *end = text;

	if (!text)
		return too_long(c->p);
	for (c->at++; *c->at && *c->at != '"'; c->at++) {
		if (*c->at == '\\' && c->at[1])
			c->at++;
		*end++ = *c->at;
	}
	if (*c->at != '"')
		return gw_params_refuse(c->p, "parameter-invalid", "\"...\"", "a quote is not closed");
	c->at++;
	*end = '\0';
	*out = text;
	return true;
}

static bool read_value(struct place *c, bool list, const char **out)
{
	size_t n;

	if ((c->inside || list) && *c->at == '"')
		return read_quoted(c, out);
	n = c->inside || list ? strcspn(c->at, ",)") : strlen(c->at);
	*out = bus_arena_dup(c->p->arena, c->at, n);
	c->at += n;
	return *out || too_long(c->p);
}

static bool read_list(struct place *c, struct gw_filter *f)
{
	const char **item;

	if (*c->at != '(')
		return gw_params_refuse(c->p, "parameter-invalid", "in.(a,b)",
					"in: a list in parentheses is needed");
	if (c->at[1] == ')') { /* of nothing: no row */
		c->at += 2;
		return true;
	}
	item = bus_arena_alloc(c->p->arena, GW_IN_MAX * sizeof(*item));
	if (!item)
		return too_long(c->p);
	do {
		c->at++;
		if (f->n == GW_IN_MAX)
			return gw_params_refuse(c->p, "parameter-invalid", "POST .../lookup",
						"in: at most %d values", GW_IN_MAX);
		if (!read_value(c, true, &item[f->n++]))
			return false;
	} while (*c->at == ',');
	f->value = item;
	if (*c->at != ')')
		return gw_params_refuse(c->p, "parameter-invalid", "in.(a,b)", "in: the list is not closed");
	c->at++;
	return true;
}

static bool read_is(struct place *c, struct gw_filter *f)
{
	static const struct {
		const char *word;
		enum gw_operator op;
	} is[] = { { "null", GW_IS_NULL },
		   { "not_null", GW_NOT_NULL },
		   { "true", GW_IS_TRUE },
		   { "false", GW_IS_FALSE },
		   { "unknown", GW_IS_NULL } };
	const char *word;

	if (!read_value(c, false, &word))
		return false;
	for (size_t i = 0; i < BUS_LEN(is); i++)
		if (strcasecmp(is[i].word, word) == 0) {
			f->op = is[i].op;
			return true;
		}
	return gw_params_refuse(c->p, "parameter-invalid", "is.null is.true is.false is.not_null",
				"is: null, true, false or not_null");
}

static bool pattern_ok(struct gw_params *p, const char *pattern)
{
	size_t wild = 0;

	for (const char *s = pattern; *s; s++)
		wild += *s == '*' || *s == '%';
	return (strlen(pattern) <= GW_PATTERN_MAX && wild <= GW_WILDCARDS_MAX) ||
	       gw_params_refuse(p, "parameter-invalid", "like.a*", "like: at most %d bytes and %d wildcards",
				GW_PATTERN_MAX, GW_WILDCARDS_MAX);
}

/* The operator's name at c->at, up to the dot. */
static bool read_operator(struct place *c, struct gw_filter *f, const char *column)
{
	const char *names[BUS_LEN(operators)];
	size_t n = strcspn(c->at, ".,()"), i;
	char word[16], hint[96];
	const char *near;

	snprintf(word, sizeof(word), "%.*s", (int)n, c->at);
	for (i = 0; i < BUS_LEN(operators); i++) {
		names[i] = operators[i].name;
		if (c->at[n] == '.' && strcmp(word, names[i]) == 0) {
			f->op = operators[i].op;
			c->at += n + 1;
			return true;
		}
	}
	for (i = 0; i < BUS_LEN(not_offered); i++)
		if (strcmp(word, not_offered[i]) == 0)
			return gw_params_refuse(c->p, "not-offered", offered, "operator '%s'", word);
	if (c->at[n] == '(' && (strcmp(word, "like") == 0 || strcmp(word, "ilike") == 0))
		return gw_params_refuse(c->p, "not-offered", "or=(a.like.x*,a.like.y*)", "operator '%s(...)'",
					word);
	near = c->at[n] == '.' ? bus_nearest(word, names, BUS_LEN(names)) : NULL;
	if (near) { /* else it may be the beginning of a value, which is not told again */
		snprintf(hint, sizeof(hint), "%s=%s.VALUE", column, near);
		return gw_params_refuse(c->p, "operator-unknown", hint, "'%s': '%s' is no operator", column, word);
	}
	return gw_params_refuse(c->p, "operator-unknown", offered,
				"'%s': an operator is needed, like %s=eq.VALUE", column, column);
}

/* `not.op.value` behind the column's name. */
static bool read_condition(struct place *c, struct bus_str name, struct gw_filter *f)
{
	int column = gw_params_column(c->p, name, GW_USE_VALUE);
	const char **one;

	if (column < 0)
		return false;
	*f = (struct gw_filter){ .column = column };
	if (strncmp(c->at, "not.", 4) == 0) {
		f->negated = true;
		c->at += 4;
	}
	if (!read_operator(c, f, c->p->view->column[column].name))
		return false;
	if (f->op == GW_IN)
		return read_list(c, f);
	if (f->op == GW_IS_NULL)
		return read_is(c, f);
	if (!(one = bus_arena_alloc(c->p->arena, sizeof(*one))))
		return too_long(c->p);
	if (!read_value(c, false, one))
		return false;
	f->value = one;
	f->n = 1;
	return (f->op != GW_LIKE && f->op != GW_ILIKE) || pattern_ok(c->p, *one);
}

static bool read_part(struct place *c, struct gw_filter *f);

/* `(part,part)`; at is on the opening parenthesis. */
static bool read_tree(struct place *c, enum gw_operator op, bool negated, struct gw_filter *f)
{
	size_t first = c->p->n_parts, most = GW_FILTER_PARTS_MAX - first;
	struct gw_filter *part;

	if (*c->at != '(')
		return gw_params_refuse(c->p, "parameter-invalid", "or=(a.eq.1,b.gt.2)",
					"or, and: a list in parentheses is needed");
	if (++c->depth > GW_FILTER_DEPTH_MAX)
		return gw_params_refuse(c->p, "parameter-invalid", NULL, "filters: at most %d deep",
					GW_FILTER_DEPTH_MAX);
	if (!(part = bus_arena_alloc(c->p->arena, (most + 1) * sizeof(*part))))
		return too_long(c->p);
	*f = (struct gw_filter){ .op = op, .negated = negated, .part = part };
	do {
		c->at++;
		if (c->p->n_parts++ == GW_FILTER_PARTS_MAX)
			return gw_params_refuse(c->p, "parameter-invalid", NULL, "at most %d filters in all",
						GW_FILTER_PARTS_MAX);
		if (!read_part(c, &part[f->n++]))
			return false;
	} while (*c->at == ',');
	if (*c->at != ')')
		return gw_params_refuse(c->p, "parameter-invalid", "or=(a.eq.1,b.gt.2)",
					"or, and: not closed");
	c->at++;
	c->depth--;
	return true;
}

/* `and(...)`, `not.or(...)` or `column.op.value`. */
static bool read_part(struct place *c, struct gw_filter *f)
{
	static const struct {
		const char *word;
		enum gw_operator op;
		bool negated;
	} tree[] = { { "and(", GW_AND, false },
		     { "or(", GW_OR, false },
		     { "not.and(", GW_AND, true },
		     { "not.or(", GW_OR, true } };
	struct bus_str name;
	const char *quoted;

	for (size_t i = 0; i < BUS_LEN(tree); i++) {
		size_t n = strlen(tree[i].word) - 1;

		if (strncmp(c->at, tree[i].word, n + 1) == 0) {
			c->at += n;
			return read_tree(c, tree[i].op, tree[i].negated, f);
		}
	}
	if (*c->at == '"') {
		if (!read_quoted(c, &quoted))
			return false;
		name = bus_str(quoted);
	} else {
		name = (struct bus_str){ c->at, strcspn(c->at, ".,()") };
		c->at += name.n;
	}
	if (*c->at == '.')
		c->at++;
	return read_condition(c, name, f);
}

bool gw_filter_add(struct gw_params *p, const char *name, const char *value)
{
	struct place c = { .p = p, .at = value };
	bool negated = strncmp(name, "not.", 4) == 0;
	const char *word = name + (negated ? 4 : 0);
	bool tree = strcmp(word, "or") == 0 || strcmp(word, "and") == 0;
	struct gw_filter *f = &p->filter[p->query.n_filters];

	if (p->query.n_filters == GW_FILTERS_MAX)
		return gw_params_refuse(p, "parameter-invalid", NULL, "at most %d filters", GW_FILTERS_MAX);
	c.inside = tree;
	if (tree ? !read_tree(&c, strcmp(word, "or") == 0 ? GW_OR : GW_AND, negated, f)
		 : !read_condition(&c, bus_str(name), f))
		return false;
	if (*c.at)
		return gw_params_refuse(p, "parameter-invalid", NULL, "a filter goes on behind its end");
	p->query.n_filters++;
	return true;
}
