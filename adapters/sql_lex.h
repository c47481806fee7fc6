/* adapters/sql_lex.h - the words of a SQL script, streamed: what a dump of INSERTs is made of.
 *
 * MySQL's, MariaDB's, PostgreSQL's and SQLite's ways of writing at once: comments (--, #, C's), names in backticks, double
 * quotes or brackets, texts with doubled quotes and, where `backslash` holds, with backslashes (MySQL 8.0 manual, 9.1.1).
 * From lex_record() on the bytes read are kept, up to ADAPTER_ROW_MAX. Thread: one.
 */
#ifndef ADAPTERS_SQL_LEX_H
#define ADAPTERS_SQL_LEX_H

#include "adapters/input.h"
#include "bus/buf.h"

enum adapter_sql_token {
	ADAPTER_SQL_END,
	ADAPTER_SQL_WORD,   /* a keyword or a plain name, or a number with its sign: as written */
	ADAPTER_SQL_NAME,   /* a quoted name: without its quotes */
	ADAPTER_SQL_TEXT,   /* 'text': what it means */
	ADAPTER_SQL_SYMBOL, /* any other character */
};

struct adapter_sql_lex {
	struct adapter_input *in;
	const char *p, *end; /* what is left of the piece */
	uint64_t line;	     /* of the next byte */
	bool backslash;	     /* it escapes in a text */
	bool at_end;
	enum bus_err failed; /* of the input; the words end there */
	struct bus_error why;
	enum adapter_sql_token token;
	struct bus_buf text; /* of the token; SYMBOL: one character */
	bool too_long;	     /* the token's text was cut at ADAPTER_ROW_MAX */
	bool torn;	     /* the file ends within a text, a name or a comment */
	bool recording, record_long;
	struct bus_buf record;
};

void adapter_sql_init(struct adapter_sql_lex *l, struct adapter_input *in);
void adapter_sql_release(struct adapter_sql_lex *l);
void adapter_sql_next(struct adapter_sql_lex *l);
bool adapter_sql_is(const struct adapter_sql_lex *l, const char *word); /* WORD, without regard to case */
bool adapter_sql_sign(const struct adapter_sql_lex *l, char c);		/* SYMBOL */
void adapter_sql_record(struct adapter_sql_lex *l); /* from here, with the token in hand if it is a symbol */
void adapter_sql_pass(struct adapter_sql_lex *l);   /* to the ';' that ends the statement, or the end */

#endif
