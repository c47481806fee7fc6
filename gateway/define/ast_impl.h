/* The inside of gateway/define/ast.h, for its own files only. */
#ifndef GATEWAY_DEFINE_AST_IMPL_H
#define GATEWAY_DEFINE_AST_IMPL_H

#include "gateway/define/ast.h"

struct gw_ast_with { /* a query of WITH */
	const char *name;
	const char *const *column;
	size_t n_columns, from; /* token of its query */
	struct gw_ast_select *outer;
	const struct gw_ast_with *next;
};

struct gw_ast_parse {
	struct gw_ast *a;
	size_t i; /* token */
	int depth;
	const struct gw_ast_with *with;
};

static inline const struct gw_sql_token *gw_ast_now(const struct gw_ast_parse *p)
{
	return &p->a->token[p->i];
}

static inline bool gw_ast_is(const struct gw_ast_parse *p, const char *word)
{
	return gw_sql_is(gw_ast_now(p), word);
}

static inline bool gw_ast_take(struct gw_ast_parse *p, const char *word)
{
	if (!gw_ast_is(p, word))
		return false;
	p->i++;
	return true;
}

void gw_ast_give_up(struct gw_ast_parse *p, const char *why); /* at the END then: all loops end there */
/* Room for one more in an array that grows at 0, 1, 2, 4, ... */
void *gw_ast_grown(struct gw_ast_parse *p, void *array, size_t n, size_t size);
#define GW_AST_PUSH(p, array, n, value)                                                                      \
	do {                                                                                                 \
		(array) = gw_ast_grown((p), (void *)(array), (n), sizeof(*(array)));                         \
		(array)[(n)++] = (value);                                                                    \
	} while (0)
const char *gw_ast_name(struct gw_ast_parse *p, const struct gw_sql_token *t);

/* ast.c */
struct gw_ast_query *gw_ast_read_query(struct gw_ast_parse *p, enum gw_ast_role role,
				       struct gw_ast_select *within, struct gw_ast_select *outer);
bool gw_ast_opens_query(const struct gw_ast_parse *p, size_t i);

/* ast_expr.c */
bool gw_ast_ends_expression(const struct gw_ast_parse *p);
/* Over one expression, noting the sub-queries in it, aggregates, windows. */
struct gw_ast_range gw_ast_read_expression(struct gw_ast_parse *p, struct gw_ast_select *s);
void gw_ast_read_items(struct gw_ast_parse *p, struct gw_ast_select *s);
/* A condition, split at AND. */
void gw_ast_add_terms(struct gw_ast_parse *p, struct gw_ast_select *s, struct gw_ast_range r);

/* ast_names.c: stars into items, items that are plain columns, equalities of terms. */
void gw_ast_names(struct gw_ast *a);

#endif
