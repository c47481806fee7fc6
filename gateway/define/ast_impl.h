/* The inside of gateway/define/ast.h, for its own files only. */
#ifndef GATEWAY_DEFINE_AST_IMPL_H
#define GATEWAY_DEFINE_AST_IMPL_H

#include "gateway/define/ast.h"

/* Stars into items, items that are plain columns, equalities of terms. */
void gw_ast_names(struct gw_ast *a);

#endif
