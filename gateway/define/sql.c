#include "gateway/define/sql.h"

#include <ctype.h>
#include <strings.h>

static bool is_first(char c)
{
	return isalpha((unsigned char)c) || c == '_' || (unsigned char)c >= 0x80;
}

static bool is_inner(char c)
{
	return is_first(c) || isdigit((unsigned char)c) || c == '$';
}

static const char *skip_blank(const char *p)
{
	for (;;) {
		while (*p && isspace((unsigned char)*p))
			p++;
		if (p[0] == '-' && p[1] == '-') {
			while (*p && *p != '\n')
				p++;
		} else if (p[0] == '/' && p[1] == '*') {
			p += 2;
			while (*p && !(p[0] == '*' && p[1] == '/'))
				p++;
			p += *p ? 2 : 0;
		} else {
			return p;
		}
	}
}

/* From an opening quote to behind the closing one; a doubled quote is none, but for [. */
static const char *quoted(const char *p, struct gw_sql_token *t)
{
	char close = *p == '[' ? ']' : *p;

	t->text.p = ++p;
	while (*p) {
		if (*p == close && (close == ']' || p[1] != close))
			break;
		p += *p == close ? 2 : 1;
	}
	t->text.n = (size_t)(p - t->text.p);
	return *p ? p + 1 : p;
}

static size_t sign_length(const char *p)
{
	static const char *const sign[] = { "->>", "->", "<>", "<=", ">=", "<<", ">>", "==", "!=", "||" };

	for (size_t i = 0; i < BUS_LEN(sign); i++) {
		if (strncmp(p, sign[i], strlen(sign[i])) == 0)
			return strlen(sign[i]);
	}
	return 1;
}

const char *gw_sql_next(const char *p, struct gw_sql_token *out)
{
	p = skip_blank(p);
	out->at = p;
	out->text = (struct bus_str){ p, 0 };
	if (*p == '\0') {
		out->kind = GW_SQL_END;
	} else if (*p == '\'') {
		out->kind = GW_SQL_STRING;
		p = quoted(p, out);
	} else if ((*p == 'x' || *p == 'X') && p[1] == '\'') {
		out->kind = GW_SQL_STRING;
		p = quoted(p + 1, out);
	} else if (*p == '"' || *p == '[' || *p == '`') {
		out->kind = GW_SQL_QUOTED;
		p = quoted(p, out);
	} else if (isdigit((unsigned char)*p) || (*p == '.' && isdigit((unsigned char)p[1]))) {
		out->kind = GW_SQL_NUMBER;
		while (is_inner(*p) || *p == '.' ||
		       ((*p == '+' || *p == '-') && (p[-1] == 'e' || p[-1] == 'E')))
			p++;
		out->text.n = (size_t)(p - out->at);
	} else if (*p == ':' || *p == '?' || *p == '@' || *p == '$') {
		out->kind = GW_SQL_PARAM;
		p++;
		while (is_inner(*p))
			p++;
		out->text.n = (size_t)(p - out->at);
	} else if (is_first(*p)) {
		out->kind = GW_SQL_WORD;
		while (is_inner(*p))
			p++;
		out->text.n = (size_t)(p - out->at);
	} else {
		out->kind = GW_SQL_SIGN;
		out->text.n = sign_length(p);
		p += out->text.n;
	}
	out->end = p;
	return p;
}

static bool same(struct bus_str a, const char *b)
{
	return strlen(b) == a.n && strncasecmp(a.p, b, a.n) == 0;
}

bool gw_sql_is(const struct gw_sql_token *t, const char *word)
{
	return (t->kind == GW_SQL_WORD || t->kind == GW_SQL_SIGN) && same(t->text, word);
}

bool gw_sql_names(const struct gw_sql_token *t, const char *name)
{
	return (t->kind == GW_SQL_WORD || t->kind == GW_SQL_QUOTED) && same(t->text, name);
}

struct gw_sql_token *gw_sql_scan(const char *sql, struct bus_arena *arena, size_t *n)
{
	struct gw_sql_token *token, t;
	size_t *open, depth = 0;
	const char *p = sql;

	*n = 0;
	do {
		p = gw_sql_next(p, &t);
		++*n;
	} while (t.kind != GW_SQL_END);
	/* One more before, two more behind, so that looking aside is no care. */
	token = (struct gw_sql_token *)bus_arena_zalloc(arena, (*n + 3) * sizeof(*token)) + 1;
	open = bus_arena_alloc(arena, *n * sizeof(*open));
	p = sql;
	for (size_t i = 0; i < *n; i++) {
		p = gw_sql_next(p, &token[i]);
		token[i].pair = i;
		if (gw_sql_is(&token[i], "(")) {
			token[i].pair = *n - 1;
			open[depth++] = i;
		} else if (gw_sql_is(&token[i], ")") && depth > 0) {
			token[i].pair = open[--depth];
			token[open[depth]].pair = i;
		}
	}
	return token;
}

bool gw_sql_is_name(const struct gw_sql_token *t)
{
	return t->kind == GW_SQL_WORD || t->kind == GW_SQL_QUOTED;
}

bool gw_sql_is_keyword(const struct gw_sql_token *t)
{
	static const char *const word[] = {
		"AND",	 "AS",	    "ASC",  "BETWEEN",	"BINARY", "BLOB",    "BY",     "CASE",
		"CAST",	 "COLLATE", "DESC", "DISTINCT", "ELSE",	  "END",     "ESCAPE", "EXISTS",
		"FALSE", "FROM",    "GLOB", "IN",	"INT",	  "INTEGER", "IS",     "ISNULL",
		"LIKE",	 "NOCASE",  "NOT",  "NOTNULL",	"NULL",	  "NUMERIC", "OR",     "ORDER",
		"REAL",	 "RTRIM",   "TEXT", "THEN",	"TRUE",	  "WHEN",
	};

	for (size_t i = 0; i < BUS_LEN(word) && t->kind == GW_SQL_WORD; i++) {
		if (gw_sql_is(t, word[i]))
			return true;
	}
	return false;
}

enum gw_fun gw_sql_call(const struct gw_sql_token *token, size_t i)
{
	enum gw_fun kind = GW_FUN_NONE;

	if (gw_sql_is_name(&token[i]) && gw_sql_is(&token[i + 1], "("))
		kind = gw_sqlfun_kind(token[i].text);
	for (size_t k = i + 2; kind == GW_FUN_EXTREME && k < token[i + 1].pair; k++) {
		if (gw_sql_is(&token[k], ","))
			return GW_FUN_PLAIN;
		if (gw_sql_is(&token[k], "("))
			k = token[k].pair;
	}
	return kind;
}

bool gw_sql_is_aggregate(const struct gw_sql_token *token, size_t i)
{
	return gw_sql_call(token, i) >= GW_FUN_COUNT;
}
