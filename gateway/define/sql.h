/* gateway/define/sql.h - the words of a SELECT, and what they call.
 *
 * Enough of SQLite's lexical rules (sqlite.org/lang_keywords.html, its tokenize.c for what a comment and a
 * quote are) to walk a statement that SQLite has taken already; of any other text it makes some words and an
 * end. Nothing is copied. Thread: any.
 */
#ifndef GATEWAY_DEFINE_SQL_H
#define GATEWAY_DEFINE_SQL_H

#include "bus/arena.h"
#include "gateway/store/sqlfun.h"

enum gw_sql_kind {
	GW_SQL_END,
	GW_SQL_WORD,   /* a name or a keyword */
	GW_SQL_QUOTED, /* "name", [name], `name`: a name, never a keyword; text is without its quotes */
	GW_SQL_STRING, /* 'text', x'00', without its quotes; a quote inside stands twice */
	GW_SQL_NUMBER,
	GW_SQL_PARAM, /* :name, ?1, @name, $name, with their sign */
	GW_SQL_SIGN,  /* ( ) , . = <> || ->> ...; one operator */
};

struct gw_sql_token {
	enum gw_sql_kind kind;
	struct bus_str text;
	const char *at; /* its first byte in the statement, quotes included */
	const char *end;
	size_t pair; /* of ( and ), by gw_sql_scan: the other one, or without one the END or itself */
};

/* The token at p, and where the next one may begin. p is NUL-ended. */
const char *gw_sql_next(const char *p, struct gw_sql_token *out);
/* All of them in the arena (without a cap): n, the last of them the END, and an empty one before the first. */
struct gw_sql_token *gw_sql_scan(const char *sql, struct bus_arena *arena, size_t *n);
bool gw_sql_is(const struct gw_sql_token *t, const char *word);	   /* a keyword (any case) or a sign */
bool gw_sql_names(const struct gw_sql_token *t, const char *name); /* a name, quoted or not; any case */
bool gw_sql_is_name(const struct gw_sql_token *t);		   /* a word, or a quoted name */
/* A bare word that is SQL's own in an expression. It may be a column's name all the same: look for that first. */
bool gw_sql_is_keyword(const struct gw_sql_token *t);
/* What is called by the token at i, a name before a bracket; GW_FUN_NONE: nothing that is known. */
enum gw_fun gw_sql_call(const struct gw_sql_token *token, size_t i);
bool gw_sql_is_aggregate(const struct gw_sql_token *token, size_t i);

#endif
