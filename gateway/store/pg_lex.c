/* Text as tokens. */
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <strings.h>

#include "gateway/store/hash.h"
#include "gateway/store/pg_parse.h"

#define NAME_MAX 63 /* bytes; PostgreSQL cuts what is longer */

enum bus_err gw_pgsql_fail(struct pg_parse *p, const char *fmt, ...)
{
	char text[300];
	va_list ap;

	if (p->rc == BUS_OK) {
		va_start(ap, fmt);
		vsnprintf(text, sizeof(text), fmt, ap);
		va_end(ap);
		p->rc = bus_fail(p->err, BUS_EPARSE, "the PostgreSQL store does not take this: %s", text);
	}
	return p->rc;
}

static bool is_letter(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == '$' || (unsigned char)c >= 0x80;
}

static size_t quoted(const char *p, char end)
{
	size_t i = 1;

	for (; p[i]; i++) {
		if (p[i] != end)
			continue;
		if (p[i + 1] != end || end == ']')
			return i + 1;
		i++;
	}
	return 0;
}

static size_t number(const char *p, enum pg_token_type *type)
{
	size_t i = strspn(p, "0123456789");

	*type = PG_INT;
	if (p[i] == '.') {
		*type = PG_REAL;
		i += 1 + strspn(p + i + 1, "0123456789");
	}
	if ((p[i] == 'e' || p[i] == 'E') &&
	    (isdigit((unsigned char)p[i + 1]) ||
	     ((p[i + 1] == '+' || p[i + 1] == '-') && isdigit((unsigned char)p[i + 2])))) {
		*type = PG_REAL;
		i += 2 + strspn(p + i + 2, "0123456789");
	}
	return i;
}

static size_t space(const char *p)
{
	const char *end;

	if (isspace((unsigned char)*p))
		return 1;
	if (p[0] == '-' && p[1] == '-')
		return strcspn(p, "\n");
	if (p[0] == '/' && p[1] == '*')
		return (end = strstr(p + 2, "*/")) ? (size_t)(end + 2 - p) : strlen(p);
	return 0;
}

static size_t sign(const char *p)
{
	static const char *const two[] = { "||", "<=", ">=", "<>", "!=", "==", "<<", ">>" };

	if (strncmp(p, "->>", 3) == 0)
		return 3;
	if (strncmp(p, "->", 2) == 0)
		return 2;
	for (size_t i = 0; i < BUS_LEN(two); i++) {
		if (strncmp(p, two[i], 2) == 0)
			return 2;
	}
	return strchr("()+-*/%<>=,.&|~", *p) ? 1 : 0;
}

static size_t next(const char *p, enum pg_token_type *type)
{
	if (*p == '\'') {
		*type = PG_STRING;
		return quoted(p, '\'');
	}
	if (*p == '"' || *p == '`' || *p == '[') {
		*type = PG_NAME;
		return quoted(p, *p == '[' ? ']' : *p);
	}
	if (isdigit((unsigned char)*p) || (*p == '.' && isdigit((unsigned char)p[1])))
		return number(p, type);
	if (*p == '?' || ((*p == ':' || *p == '@') && is_letter(p[1]))) {
		size_t i = 1;

		*type = PG_PARAM;
		while (is_letter(p[i]) && (*p != '?' || isdigit((unsigned char)p[i])))
			i++;
		return i;
	}
	if (is_letter(*p)) {
		size_t i = 1;

		*type = PG_WORD;
		while (is_letter(p[i]))
			i++;
		return i;
	}
	*type = PG_SIGN;
	return sign(p);
}

enum bus_err gw_pgsql_lex(const char *sql, struct pg_parse *p, const char **rest)
{
	enum pg_token_type type = PG_END;
	size_t n, cap = 0;

	while (*sql && *sql != ';') {
		n = space(sql);
		if (n > 0) {
			sql += n;
			continue;
		}
		n = next(sql, &type);
		if (n == 0)
			return gw_pgsql_fail(p, "something that is no SQL, at '%.10s'", sql);
		if (p->n + 2 > cap)
			p->t = bus_xrealloc(p->t, (cap = cap ? cap * 2 : 64) * sizeof(*p->t));
		p->t[p->n++] = (struct pg_token){ type, sql, n };
		if (p->n == TOKENS_MAX)
			return gw_pgsql_fail(p, "a statement of more than %d words", TOKENS_MAX);
		sql += n;
	}
	*rest = sql + strspn(sql, "; \t\r\n");
	return BUS_OK;
}

const struct pg_token *gw_pgsql_peek(const struct pg_parse *p, size_t ahead)
{
	static const struct pg_token end = { PG_END, "", 0 };

	return p->at + ahead < p->n ? &p->t[p->at + ahead] : &end;
}

bool gw_pgsql_is(const struct pg_parse *p, size_t ahead, const char *word)
{
	const struct pg_token *t = gw_pgsql_peek(p, ahead);

	return (t->type == PG_WORD || t->type == PG_SIGN) && strlen(word) == t->n &&
	       strncasecmp(t->p, word, t->n) == 0;
}

bool gw_pgsql_take(struct pg_parse *p, const char *word)
{
	if (!gw_pgsql_is(p, 0, word))
		return false;
	p->at++;
	return true;
}

void gw_pgsql_want(struct pg_parse *p, const char *word)
{
	if (!gw_pgsql_take(p, word))
		gw_pgsql_fail(p, "'%s' should stand before '%.*s'", word, (int)gw_pgsql_peek(p, 0)->n,
			      gw_pgsql_peek(p, 0)->p);
}

bool gw_pgsql_is_name(const struct pg_parse *p, size_t ahead)
{
	/* Words that end an expression, a table or a list of columns: never an alias without AS. */
	static const char *const word[] = {
		"AND",	   "AS",    "ASC",     "BETWEEN", "BY",	       "CASE",	 "COLLATE", "CROSS",
		"DESC",	   "DO",    "ELSE",    "END",	  "ESCAPE",    "EXCEPT", "EXISTS",  "FILTER",
		"FROM",	   "FULL",  "GLOB",    "GROUP",	  "HAVING",    "IN",	 "INNER",   "INTERSECT",
		"INTO",	   "IS",    "ISNULL",  "JOIN",	  "LEFT",      "LIKE",	 "LIMIT",   "MATCH",
		"NATURAL", "NOT",   "NOTNULL", "NULL",	  "NULLS",     "OFFSET", "ON",	    "OR",
		"ORDER",   "OUTER", "OVER",    "REGEXP",  "RETURNING", "RIGHT",	 "SELECT",  "SET",
		"THEN",	   "UNION", "USING",   "VALUES",  "WHEN",      "WHERE",	 "WINDOW",  "WITH",
	};

	if (gw_pgsql_peek(p, ahead)->type == PG_NAME)
		return true;
	if (gw_pgsql_peek(p, ahead)->type != PG_WORD)
		return false;
	for (size_t i = 0; i < BUS_LEN(word); i++) {
		if (gw_pgsql_is(p, ahead, word[i]))
			return false;
	}
	return true;
}

char *gw_pgsql_take_name(struct pg_parse *p)
{
	const struct pg_token *t = gw_pgsql_peek(p, 0);
	char *name, end;
	size_t n = 0;

	if (!gw_pgsql_is_name(p, 0) && t->type != PG_STRING) {
		gw_pgsql_fail(p, "a name should stand before '%.*s'", (int)t->n, t->p);
		return bus_xstrdup("?");
	}
	p->at++;
	if (t->type == PG_WORD)
		return bus_xstrndup(t->p, t->n);
	name = bus_xmalloc(t->n);
	end = *t->p == '[' ? ']' : *t->p;
	for (size_t i = 1; i + 1 < t->n; i++) {
		name[n++] = t->p[i];
		if (t->p[i] == end && end != ']')
			i++;
	}
	name[n] = '\0';
	return name;
}

void gw_pg_name(struct bus_buf *out, const char *p, size_t n)
{
	static const struct gw_hash_key key = { 0x746974, 0x69616e };
	size_t keep = n > NAME_MAX ? NAME_MAX - 17 : n;

	while (keep < n && keep > 0 && ((unsigned char)p[keep] & 0xc0) == 0x80)
		keep--; /* no half of a character */
	bus_buf_putc(out, '"');
	for (size_t i = 0; i < keep; i++) {
		if (p[i] == '"')
			bus_buf_putc(out, '"');
		bus_buf_putc(out, p[i]);
	}
	if (keep < n)
		bus_buf_printf(out, "_%016llx", (unsigned long long)gw_hash(key, p, n));
	bus_buf_putc(out, '"');
}

void gw_pgsql_put_name(struct pg_parse *p, struct bus_buf *out)
{
	char *name = gw_pgsql_take_name(p);

	gw_pg_name(out, name, strlen(name));
	free(name);
}

void gw_pgsql_put_table(struct pg_parse *p, struct bus_buf *out)
{
	if (gw_pgsql_is(p, 1, ".")) {
		if (gw_pgsql_is(p, 0, "temp")) {
			bus_buf_puts(out, "pg_temp.");
			p->out->temp = true;
		} else if (gw_pgsql_is(p, 0, "main")) {
			bus_buf_puts(out, GW_PG_SCHEMA ".");
		} else {
			gw_pgsql_fail(p, "a database '%.*s'", (int)gw_pgsql_peek(p, 0)->n,
				      gw_pgsql_peek(p, 0)->p);
		}
		p->at += 2;
	}
	gw_pgsql_put_name(p, out);
}
