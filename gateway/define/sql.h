/* gateway/define/sql.h - the words of a SELECT.
 *
 * Enough of SQLite's lexical rules (sqlite.org/lang_keywords.html, its tokenize.c for what a comment and a
 * quote are) to walk a statement that SQLite has taken already; of any other text it makes some words and an
 * end. Nothing is copied. Thread: any.
 */
#ifndef GATEWAY_DEFINE_SQL_H
#define GATEWAY_DEFINE_SQL_H

#include "bus/mem.h"

enum gw_sql_kind {
	GW_SQL_END,
	GW_SQL_WORD,   /* a name or a keyword */
	GW_SQL_QUOTED, /* "name", [name], `name`: a name, never a keyword; text is without its quotes */
	GW_SQL_STRING, /* 'text', without its quotes; a quote inside stands twice */
	GW_SQL_NUMBER,
	GW_SQL_PARAM, /* :name, ?1, @name, $name, with their sign */
	GW_SQL_SIGN,  /* ( ) , . = <> || ->> ...; one operator */
};

struct gw_sql_token {
	enum gw_sql_kind kind;
	struct bus_str text;
	const char *at; /* its first byte in the statement, quotes included */
	const char *end;
};

/* The token at p, and where the next one may begin. p is NUL-ended. */
const char *gw_sql_next(const char *p, struct gw_sql_token *out);
bool gw_sql_is(const struct gw_sql_token *t, const char *word);	   /* a keyword (any case) or a sign */
bool gw_sql_names(const struct gw_sql_token *t, const char *name); /* a name, quoted or not; any case */

#endif
