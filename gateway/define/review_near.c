/* "no such column: icd": which there are, for the last problem of a review. */
#include <ctype.h>
#include <strings.h>

#include "bus/yaml.h"
#include "gateway/define/review.h"

#define NEAR_MAX 1024 /* names compared */
#define TEXT_MAX 2000 /* bytes of what is added, about */

static bool of_name(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

/* Whether the name stands in the SELECT as a word. */
static bool names(const char *body, const char *name)
{
	const size_t n = strlen(name);

	for (const char *p = body; (p = strcasestr(p, name)); p += n)
		if ((p == body || !of_name(p[-1])) && !of_name(p[n]))
			return true;
	return false;
}

/* What stands behind `what` in text, without what an alias puts before a dot; NULL: it is something else. */
static const char *missing(const char *text, const char *what)
{
	const char *at = strstr(text, what), *dot;

	if (!at)
		return NULL;
	at += strlen(what);
	dot = strrchr(at, '.');
	return dot ? dot + 1 : at;
}

static void name_columns(const struct gw_review *c, struct bus_buf *b)
{
	for (size_t i = 0; i < c->world->n && b->n < TEXT_MAX; i++) {
		const struct gw_world_table *t = &c->world->table[i];

		if (!names(c->def->body, t->name))
			continue;
		bus_buf_printf(b, "; %s: ", t->name);
		for (size_t k = 0; k < t->n_columns && b->n < TEXT_MAX; k++)
			bus_buf_printf(b, "%s%s", k ? ", " : "", t->column[k].name);
	}
}

static size_t near_columns(const struct gw_review *c, const char **name)
{
	size_t n = 0;

	for (size_t i = 0; i < c->world->n; i++) {
		const struct gw_world_table *t = &c->world->table[i];

		for (size_t k = 0; names(c->def->body, t->name) && k < t->n_columns && n < NEAR_MAX; k++)
			name[n++] = t->column[k].name;
	}
	return n;
}

void gw_review_near(struct gw_review *c)
{
	struct gw_problem_found *p = &c->problem[c->n_problems - 1];
	const char **name = bus_xmalloc(NEAR_MAX * sizeof(*name)), *near;
	const char *column = missing(p->en, "no such column: "), *table = missing(p->en, "no such table: ");
	struct bus_buf en = { 0 }, id = { 0 };
	size_t n = 0;

	if (column)
		n = near_columns(c, name);
	for (; table && n < c->world->n && n < NEAR_MAX; n++)
		name[n] = c->world->table[n].name;
	near = n > 0 ? bus_nearest(column ? column : table, name, n) : NULL;
	if (column || near) {
		bus_buf_puts(&en, p->en);
		bus_buf_puts(&id, p->id);
		if (near) {
			bus_buf_printf(&en, "; did you mean '%s'?", near);
			bus_buf_printf(&id, "; maksudnya '%s'?", near);
		} else {
			name_columns(c, &en);
			name_columns(c, &id);
		}
		p->en = bus_arena_dup(c->arena, en.p, en.n);
		p->id = bus_arena_dup(c->arena, id.p, id.n);
	}
	bus_buf_release(&en);
	bus_buf_release(&id);
	free(name);
}
