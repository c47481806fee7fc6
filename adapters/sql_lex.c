#include "adapters/sql_lex.h"

#include <strings.h>

#include "adapters/adapter.h"

#define NONE (-1)

void adapter_sql_init(struct adapter_sql_lex *l, struct adapter_input *in)
{
	*l = (struct adapter_sql_lex){ .in = in, .line = 1, .backslash = true };
}

void adapter_sql_release(struct adapter_sql_lex *l)
{
	bus_buf_release(&l->text);
	bus_buf_release(&l->record);
}

/* --- bytes ------------------------------------------------------------------------------------------- */

static int look(struct adapter_sql_lex *l)
{
	struct bus_str piece;

	while (l->p == l->end && !l->at_end) {
		enum bus_err rc = adapter_input_piece(l->in, &piece, &l->why);

		if (rc) {
			l->at_end = true;
			l->failed = rc == BUS_ENOENT ? BUS_OK : rc;
			return NONE;
		}
		l->p = piece.p;
		l->end = piece.p + piece.n;
	}
	return l->p == l->end ? NONE : (unsigned char)*l->p;
}

static int take(struct adapter_sql_lex *l)
{
	int c = look(l);

	if (c == NONE)
		return NONE;
	l->p++;
	l->line += c == '\n';
	if (l->recording) {
		if (l->record.n < ADAPTER_ROW_MAX)
			bus_buf_putc(&l->record, (char)c);
		else
			l->record_long = true;
	}
	return c;
}

static void put(struct adapter_sql_lex *l, int c)
{
	if (l->text.n < ADAPTER_ROW_MAX)
		bus_buf_putc(&l->text, (char)c);
	else
		l->too_long = true;
}

/* --- words ------------------------------------------------------------------------------------------- */

static bool is_space(int c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool is_word(int c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
	       c == '$' || c == '.' || c >= 0x80;
}

static void pass_line(struct adapter_sql_lex *l)
{
	int c;

	while ((c = take(l)) != NONE && c != '\n')
		;
}

static void pass_block(struct adapter_sql_lex *l)
{
	int c, before = 0;

	while ((c = take(l)) != NONE) {
		if (before == '*' && c == '/')
			return;
		before = c;
	}
	l->torn = true;
}

/* MySQL 8.0 manual, table 9.1; what has no meaning stands for itself. \% and \_ keep the backslash. */
static void put_escaped(struct adapter_sql_lex *l)
{
	static const char from[] = "0bnrtZ", to[] = "\0\b\n\r\t\x1a";
	int c = take(l);
	const char *at = c > 0 ? strchr(from, c) : NULL;

	if (c == NONE)
		return;
	if (c == '%' || c == '_')
		put(l, '\\');
	put(l, at ? to[at - from] : c);
}

static void read_quoted(struct adapter_sql_lex *l, int close, bool escapes)
{
	int c;

	while ((c = take(l)) != NONE) {
		if (c == '\\' && escapes) {
			put_escaped(l);
		} else if (c != close) {
			put(l, c);
		} else if (look(l) == close && close != ']') {
			take(l);
			put(l, c);
		} else {
			return;
		}
	}
	l->torn = true;
}

/* A first character has been taken; true: it began a comment, which is passed. */
static bool comment(struct adapter_sql_lex *l, int c)
{
	if (c == '#') {
		pass_line(l);
		return true;
	}
	if (c == '-' && look(l) == '-') {
		pass_line(l);
		return true;
	}
	if (c == '/' && look(l) == '*') {
		take(l);
		pass_block(l);
		return true;
	}
	return false;
}

void adapter_sql_next(struct adapter_sql_lex *l)
{
	int c;

	bus_buf_reset(&l->text);
	l->too_long = false;
	do {
		c = take(l);
	} while (c != NONE && (is_space(c) || comment(l, c)));
	if (c == NONE) {
		l->token = ADAPTER_SQL_END;
	} else if (c == '\'') {
		l->token = ADAPTER_SQL_TEXT;
		read_quoted(l, '\'', l->backslash);
	} else if (c == '`' || c == '"' || c == '[') {
		l->token = ADAPTER_SQL_NAME;
		read_quoted(l, c == '[' ? ']' : c, c == '"' && l->backslash);
	} else if (is_word(c) ||
		   ((c == '-' || c == '+') && look(l) != NONE && strchr("0123456789.", look(l)))) {
		l->token = ADAPTER_SQL_WORD;
		put(l, c);
		while (is_word(look(l)) ||
		       ((look(l) == '-' || look(l) == '+') && l->text.n > 1 &&
			strchr("eE", l->text.p[l->text.n - 1]) && strchr("0123456789.-+", l->text.p[0])))
			put(l, take(l));
	} else {
		l->token = ADAPTER_SQL_SYMBOL;
		put(l, c);
	}
}

bool adapter_sql_is(const struct adapter_sql_lex *l, const char *word)
{
	return l->token == ADAPTER_SQL_WORD && l->text.n == strlen(word) &&
	       strncasecmp(l->text.p, word, l->text.n) == 0;
}

bool adapter_sql_sign(const struct adapter_sql_lex *l, char c)
{
	return l->token == ADAPTER_SQL_SYMBOL && l->text.p[0] == c;
}

void adapter_sql_record(struct adapter_sql_lex *l)
{
	bus_buf_reset(&l->record);
	l->recording = true;
	l->record_long = false;
	if (l->token == ADAPTER_SQL_SYMBOL)
		bus_buf_putc(&l->record, l->text.p[0]);
}

void adapter_sql_pass(struct adapter_sql_lex *l)
{
	while (l->token != ADAPTER_SQL_END && !adapter_sql_sign(l, ';'))
		adapter_sql_next(l);
}
