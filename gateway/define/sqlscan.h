/* gateway/define/sqlscan.h - an SQL text in words, as SQLite cuts it; and what may stand where in a SELECT.
 *
 * Not a parser: SQLite has taken the text before. Words keep their place in it. Thread: any.
 */
#ifndef GATEWAY_DEFINE_SQLSCAN_H
#define GATEWAY_DEFINE_SQLSCAN_H

#include "bus/arena.h"
#include "bus/buf.h"

enum gw_word_kind {
	GW_WORD_NAME,	/* a name or keyword, bare */
	GW_WORD_QUOTED, /* a name in "", [] or `` */
	GW_WORD_TEXT,	/* '...' */
	GW_WORD_NUMBER,
	GW_WORD_PARAM,
	GW_WORD_SIGN, /* ( ) , . ; and operators, one character each but || and -> and ->> */
};

struct gw_word {
	enum gw_word_kind kind;
	const char *p; /* in the text */
	size_t n;
	size_t pair; /* of ( and ): the index of the other one */
};

/* Comments are no words. NULL: a parenthesis without its other, a string without its end, or more than 50,000 words;
 * else *n words in the arena, followed by one empty word. */
struct gw_word *gw_sql_scan(const char *sql, struct bus_arena *arena, size_t *n);

bool gw_word_is(const struct gw_word *w, const char *keyword); /* a bare keyword, in any case; or a sign */
/* A name as written, quotes off, in the arena; NULL: no name, or one with quotes in it. */
char *gw_word_name(const struct gw_word *w, struct bus_arena *arena);

#endif
