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
