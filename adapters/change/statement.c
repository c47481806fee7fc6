#include "adapters/change/statement.h"

#include <strings.h>

#define WORDS 16 /* that say what kind of a statement it is */

static bool in_name(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
	       c == '$' || (unsigned char)c >= 0x80;
}

static bool is(struct bus_str word, const char *what)
{
	return word.n == strlen(what) && strncasecmp(word.p, what, word.n) == 0;
}

static bool among(struct bus_str word, const char *const *list)
{
	for (; *list; list++)
		if (is(word, *list))
			return true;
	return false;
}

/* As a word of its own, in capitals or not: servers differ in whether that matters. */
static bool stands_at(struct bus_str text, size_t i, const char *name, size_t n)
{
	return i + n <= text.n && strncasecmp(text.p + i, name, n) == 0 &&
	       (i == 0 || !in_name(text.p[i - 1])) && (i + n == text.n || !in_name(text.p[i + n]));
}

static bool names(struct bus_str text, const char *name)
{
	size_t n = strlen(name);

	for (size_t i = 0; i + n <= text.n; i++)
		if (stands_at(text, i, name, n))
			return true;
	return false;
}

static size_t back_over(struct bus_str text, size_t i, char c)
{
	while (i > 0 && (text.p[i - 1] == c || text.p[i - 1] == ' '))
		i--;
	return i;
}

/* The table by its name, of our database: that one is named before it, or is where the statement was run. */
static bool names_table(struct bus_str text, bool run_here, const char *schema, const char *table)
{
	size_t n = strlen(table), k = strlen(schema);

	for (size_t i = 0; i + n <= text.n; i++) {
		size_t before = back_over(text, i, '`');

		if (!stands_at(text, i, table, n))
			continue;
		if (before == 0 || text.p[before - 1] != '.') {
			if (run_here)
				return true;
			continue;
		}
		before = back_over(text, before - 1, '`');
		if (before >= k && strncasecmp(text.p + before - k, schema, k) == 0)
			return true;
	}
	return false;
}

/* The end of a comment that begins at i, or i. What is in a comment for servers of some version counts. */
static size_t comment(struct bus_str t, size_t i)
{
	const char *end;

	if (t.p[i] == '#' || (t.p[i] == '-' && i + 1 < t.n && t.p[i + 1] == '-')) {
		end = memchr(t.p + i, '\n', t.n - i);
		return end ? (size_t)(end - t.p) + 1 : t.n;
	}
	if (t.p[i] != '/' || i + 3 >= t.n || t.p[i + 1] != '*')
		return i;
	if (t.p[i + 2] == '!' || (t.p[i + 2] == 'M' && t.p[i + 3] == '!')) {
		for (i += 3; i < t.n && (t.p[i] == '!' || (t.p[i] >= '0' && t.p[i] <= '9')); i++)
			;
		return i;
	}
	end = memmem(t.p + i + 2, t.n - i - 2, "*/", 2);
	return end ? (size_t)(end - t.p) + 2 : t.n;
}

/* The first words that are not in quotes. */
static size_t first_words(struct bus_str t, struct bus_str *word)
{
	size_t n = 0, i = 0;

	while (i < t.n && n < WORDS) {
		size_t from, after = comment(t, i);

		if (after > i) {
			i = after;
		} else if (t.p[i] == '`' || t.p[i] == '\'' || t.p[i] == '"') {
			const char *end = memchr(t.p + i + 1, t.p[i], t.n - i - 1);

			i = end ? (size_t)(end - t.p) + 1 : t.n;
		} else if (in_name(t.p[i])) {
			for (from = i; i < t.n && in_name(t.p[i]); i++)
				;
			word[n++] = (struct bus_str){ t.p + from, i - from };
		} else {
			i++;
		}
	}
	return n;
}

/* CREATE and DROP of what is no table. */
static bool of_no_table(const struct bus_str *word, size_t n)
{
	static const char *const other[] = { "VIEW", "TRIGGER", "PROCEDURE", "FUNCTION", "EVENT", "USER",
					     "ROLE", "INDEX",	"SERVER",    "PACKAGE",	 NULL };
	static const char *const table[] = { "TABLE", "DATABASE", "SCHEMA", "SEQUENCE", NULL };

	for (size_t i = 1; i < n; i++) {
		if (is(word[i], "TEMPORARY") || among(word[i], other))
			return true;
		if (among(word[i], table))
			return false;
	}
	return false;
}

static bool of_a_database(const struct bus_str *word, size_t n)
{
	for (size_t i = 1; i < n; i++)
		if (is(word[i], "DATABASE") || is(word[i], "SCHEMA"))
			return true;
		else if (is(word[i], "TABLE"))
			return false;
	return false;
}

enum adapter_statement adapter_statement_of(struct bus_str text, struct bus_str in, const char *schema,
					    const char *table)
{
	static const char *const harmless[] = { "BEGIN",    "START",   "SAVEPOINT", "RELEASE",	"ANALYZE",
						"OPTIMIZE", "REPAIR",  "CHECK",	    "CHECKSUM", "FLUSH",
						"GRANT",    "REVOKE",  "KILL",	    "LOCK",	"UNLOCK",
						"BACKUP",   "INSTALL", "UNINSTALL", NULL };
	static const char *const alters[] = { "ALTER", "CREATE", "DROP", "RENAME", "TRUNCATE", NULL };
	struct bus_str word[WORDS] = { 0 };
	size_t n = first_words(text, word);
	bool here = in.n == strlen(schema) && strncasecmp(in.p, schema, in.n) == 0;

	if (n == 0 || among(word[0], harmless))
		return ADAPTER_STATEMENT_NOTHING;
	if (is(word[0], "COMMIT"))
		return ADAPTER_STATEMENT_COMMIT;
	if (is(word[0], "ROLLBACK"))
		return n > 1 ? ADAPTER_STATEMENT_ROLLBACK_TO : ADAPTER_STATEMENT_ROLLBACK;
	if (is(word[0], "XA"))
		return n > 1 && is(word[1], "COMMIT") ? ADAPTER_STATEMENT_XA_COMMIT
						      : ADAPTER_STATEMENT_NOTHING;
	if (is(word[0], "SET") && !(n > 1 && is(word[1], "STATEMENT")))
		return ADAPTER_STATEMENT_NOTHING;
	if (!among(word[0], alters))
		return here || names(text, schema) ? ADAPTER_STATEMENT_CHANGES : ADAPTER_STATEMENT_NOTHING;
	if ((is(word[0], "CREATE") || is(word[0], "DROP")) && of_no_table(word, n))
		return ADAPTER_STATEMENT_NOTHING;
	if (of_a_database(word, n))
		return names(text, schema) && !is(word[0], "ALTER") ? ADAPTER_STATEMENT_ALTERS
								    : ADAPTER_STATEMENT_NOTHING;
	if (!names_table(text, here, schema, table))
		return ADAPTER_STATEMENT_NOTHING;
	return is(word[0], "TRUNCATE") ? ADAPTER_STATEMENT_TRUNCATE : ADAPTER_STATEMENT_ALTERS;
}
