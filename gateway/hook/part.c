/* A subscription's parameters: read as those of a page and of a feed are. */
#include <stdio.h>

#include "gateway/hook/hooks_impl.h"

static bool refuse(struct gw_hook_part *p, const char *code, const char *detail, const char *hint)
{
	p->params.problem = code;
	snprintf(p->params.detail, sizeof(p->params.detail), "'%.60s'", detail);
	snprintf(p->params.hint, sizeof(p->params.hint), "%s", hint);
	return false;
}

/* `eq.1471011003`, `in.(a,b)`, of a scope column. */
static bool add_filter(const struct gw_hook_filter *f, const struct gw_view *v, struct bus_arena *arena,
		       struct gw_hook_part *p)
{
	static const char forms[] = "eq.VALUE in.(A,B)";
	struct gw_scope_part *part = &p->scope_part[p->scope.n];
	int column = gw_view_column(v, f->column);
	const char **values = bus_arena_alloc(arena, GW_IN_MAX * sizeof(*values));
	char *text = bus_arena_dup(arena, f->value, strlen(f->value)), *one;
	size_t n = strlen(f->value);

	if (!values || !text)
		return refuse(p, "parameter-invalid", f->column, "");
	if (column < 0 || !gw_scope_ok(v, f->column) || !(p->params.grant.shown >> column & 1))
		return refuse(p, "parameter-invalid", f->column, "filter: scope columns of the view");
	if (!(p->params.grant.clear >> column & 1))
		return refuse(p, "column-masked", f->column, "");
	if (n > 5 && strncmp(text, "in.(", 4) == 0 && text[n - 1] == ')') {
		text[n - 1] = '\0';
		text += 4;
	} else if (n > 3 && strncmp(text, "eq.", 3) == 0) {
		values[part->n++] = text + 3;
		text = NULL;
	} else {
		return refuse(p, "parameter-invalid", f->column, forms);
	}
	while (text && (one = strsep(&text, ",")))
		if (part->n < GW_IN_MAX)
			values[part->n++] = one;
		else
			return refuse(p, "parameter-invalid", f->column, forms);
	for (size_t i = 0; i < part->n; i++)
		if (!gw_scope_value_ok(&v->column[column], values[i]))
			return refuse(p, "parameter-invalid", f->column, forms);
	part->column = v->column[column].name;
	part->value = values;
	p->scope.n++;
	return true;
}

bool gw_hook_part_make(const struct gw_hook_sub *s, const struct gw_view *v, struct gw_grant grant,
		       struct bus_arena *arena, struct gw_hook_part *p)
{
	bool good = true;

	memset(p, 0, sizeof(*p));
	gw_params_begin(&p->params, v, grant, arena);
	p->scope.part = p->scope_part;
	for (size_t i = 0; grant.rows && i < grant.rows->n; i++)
		p->scope_part[p->scope.n++] = grant.rows->part[i];
	if (s->select)
		good = gw_params_add(&p->params, "select", s->select);
	if (good && s->date)
		good = gw_params_add(&p->params, "per_tanggal", s->date);
	for (size_t i = 0; i < s->n_filters && good; i++)
		good = add_filter(&s->filter[i], v, arena, p);
	return good && gw_params_end(&p->params);
}
