#include "gateway/define/sqlscan.h"

#include <strings.h>

#define WORDS_MAX 50000

static bool name_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
	       c == '$' || (c & 0x80);
}

/* Past a string or quoted name that begins at p; NULL: no end. A doubled quote stands for itself. */
static const char *quote_end(const char *p)
{
	char end = *p == '[' ? ']' : *p;

	for (p++; *p; p++) {
		if (*p == end && (end == ']' || p[1] != end))
			return p + 1;
		p += *p == end;
	}
	return NULL;
}

static const char *skip_blank(const char *p)
{
	const char *end;

	for (;;) {
		p += strspn(p, " \t\r\n\f\v");
		if (p[0] == '-' && p[1] == '-') {
			p += strcspn(p, "\n");
		} else if (p[0] == '/' && p[1] == '*') {
			end = strstr(p + 2, "*/");
			p = end ? end + 2 : p + strlen(p);
		} else {
			return p;
		}
	}
}

static const char *word_end(const char *p, enum gw_word_kind *kind)
{
	if (*p == '\'' || *p == '"' || *p == '`' || *p == '[') {
		*kind = *p == '\'' ? GW_WORD_TEXT : GW_WORD_QUOTED;
		return quote_end(p);
	}
	if ((*p == 'x' || *p == 'X') && p[1] == '\'') {
		*kind = GW_WORD_TEXT;
		return quote_end(p + 1);
	}
	if ((*p >= '0' && *p <= '9') || (*p == '.' && p[1] >= '0' && p[1] <= '9')) {
		*kind = GW_WORD_NUMBER;
		while (name_char(*p) || *p == '.' ||
		       ((*p == '+' || *p == '-') && (p[-1] == 'e' || p[-1] == 'E')))
			p++;
		return p;
	}
	if (name_char(*p)) {
		*kind = GW_WORD_NAME;
		while (name_char(*p))
			p++;
		return p;
	}
	if (*p == ':' || *p == '@' || *p == '?' || *p == '#') {
		*kind = GW_WORD_PARAM;
		for (p++; name_char(*p); p++)
			;
		return p;
	}
	*kind = GW_WORD_SIGN;
	if (strncmp(p, "->>", 3) == 0)
		return p + 3;
	return p + (strncmp(p, "->", 2) == 0 || strncmp(p, "||", 2) == 0 ? 2 : 1);
}

static bool pair_up(struct gw_word *word, size_t n, struct bus_arena *arena)
{
	size_t *open = bus_arena_alloc(arena, (n + 1) * sizeof(*open)), depth = 0;

	for (size_t i = 0; i < n; i++) {
		if (gw_word_is(&word[i], "(")) {
			open[depth++] = i;
		} else if (gw_word_is(&word[i], ")")) {
			if (depth == 0)
				return false;
			word[i].pair = open[--depth];
			word[word[i].pair].pair = i;
		}
	}
	return depth == 0;
}

struct gw_word *gw_sql_scan(const char *sql, struct bus_arena *arena, size_t *n)
{
	struct gw_word *word = bus_arena_zalloc(arena, (strlen(sql) + 1) * sizeof(*word));
	const char *p = sql, *end;

	*n = 0;
	while (word && *(p = skip_blank(p))) {
		end = word_end(p, &word[*n].kind);
		if (!end || *n == WORDS_MAX)
			return NULL;
		word[*n].p = p;
		word[(*n)++].n = (size_t)(end - p);
		p = end;
	}
	if (!word)
		return NULL;
	word[*n] = (struct gw_word){ .kind = GW_WORD_SIGN, .p = p };
	return pair_up(word, *n, arena) ? word : NULL;
}

bool gw_word_is(const struct gw_word *w, const char *keyword)
{
	size_t n = strlen(keyword);

	return (w->kind == GW_WORD_NAME || w->kind == GW_WORD_SIGN) && w->n == n &&
	       strncasecmp(w->p, keyword, n) == 0;
}

char *gw_word_name(const struct gw_word *w, struct bus_arena *arena)
{
	char end, *name, *out;

	if (w->kind == GW_WORD_NAME)
		return bus_arena_dup(arena, w->p, w->n);
	if (w->kind != GW_WORD_QUOTED)
		return NULL;
	end = w->p[0] == '[' ? ']' : w->p[0];
	name = out = bus_arena_alloc(arena, w->n);
	for (size_t i = 1; out && i + 1 < w->n; i++) {
		if (w->p[i] == end || w->p[i] == '\'' || w->p[i] == '"')
			return NULL;
		*out++ = w->p[i];
	}
	if (out)
		*out = '\0';
	return name;
}
