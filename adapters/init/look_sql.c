/* Dumps: which tables there are, with how many rows; the largest is taken, the others are told. */
#include <ctype.h>
#include <stdio.h>
#include <strings.h>

#include "adapters/init/shape.h"
#include "adapters/source.h"
#include "adapters/sql_lex.h"

#define TABLES_MAX 512
#define HEAD 8192

struct table {
	char *name;
	char **column;
	size_t n_columns;
	uint64_t rows;
};

struct tables {
	struct table table[TABLES_MAX];
	size_t n;
};

static struct table *table_of(struct tables *t, const char *name)
{
	for (size_t i = 0; i < t->n; i++)
		if (strcmp(t->table[i].name, name) == 0)
			return &t->table[i];
	if (t->n == TABLES_MAX)
		return NULL;
	t->table[t->n].name = bus_xstrdup(name);
	return &t->table[t->n++];
}

static void add_column(struct table *t, const char *name, size_t n)
{
	if (!t || t->n_columns == 4096)
		return;
	t->column = bus_xrealloc(t->column, (t->n_columns + 1) * sizeof(*t->column));
	t->column[t->n_columns++] = bus_xstrndup(name, n);
}

static void release(struct tables *t)
{
	for (size_t i = 0; i < t->n; i++) {
		for (size_t c = 0; c < t->table[i].n_columns; c++)
			free(t->table[i].column[c]);
		free(t->table[i].column);
		free(t->table[i].name);
	}
	free(t);
}

/* ---- COPY ---- */

/* "COPY public.pegawai (nip, \"Nama\") FROM stdin;" */
static struct table *copy_of(struct tables *t, struct bus_str line)
{
	const char *p = line.p + 5, *open = memchr(line.p, '(', line.n), *end = line.p + line.n;
	char *name = NULL;
	struct table *out;
	size_t n;

	if (!open || !memmem(line.p, line.n, ") FROM stdin", 12))
		return NULL;
	n = (size_t)(open - p);
	while (n > 0 && p[n - 1] == ' ')
		n--;
	name = bus_xstrndup(p, n);
	out = table_of(t, name);
	free(name);
	for (p = open + 1; out && p < end && *p != ')';) {
		bool quoted = *p == '"';
		const char *from = quoted ? p + 1 : p, *to = from;

		while (to < end && (quoted ? *to != '"' : *to != ',' && *to != ')'))
			to++;
		add_column(out, from, (size_t)(to - from));
		p = quoted ? to + 1 : to;
		while (p < end && (*p == ',' || *p == ' '))
			p++;
	}
	return out;
}

static enum bus_err scan_copy(struct adapter_input *in, struct tables *t, struct bus_error *err)
{
	struct table *copy = NULL;
	struct bus_str line;
	bool long_line;
	enum bus_err rc;

	while ((rc = adapter_input_line(in, &line, &long_line, err)) == BUS_OK) {
		if (copy && line.n == 2 && memcmp(line.p, "\\.", 2) == 0)
			copy = NULL;
		else if (copy)
			copy->rows++;
		else if (line.n > 5 && memcmp(line.p, "COPY ", 5) == 0)
			copy = copy_of(t, line);
	}
	return rc == BUS_ENOENT ? BUS_OK : rc;
}

/* ---- INSERT ---- */

static bool name_of(struct adapter_sql_lex *l, char *out, size_t n)
{
	if (l->token != ADAPTER_SQL_NAME && l->token != ADAPTER_SQL_WORD)
		return false;
	snprintf(out, n, "%s", bus_buf_cstr(&l->text));
	adapter_sql_next(l);
	/* `a`.`b`, a.`b`, `a`.b: the lexer leaves the point with the word. */
	while ((out[0] && out[strlen(out) - 1] == '.' && l->token == ADAPTER_SQL_NAME) ||
	       (l->token == ADAPTER_SQL_WORD && bus_buf_cstr(&l->text)[0] == '.')) {
		size_t have = strlen(out);

		snprintf(out + have, n - have, "%s", bus_buf_cstr(&l->text));
		adapter_sql_next(l);
	}
	return true;
}

/* After the name: "(a, b)"; the token after it is in hand. */
static void read_names(struct adapter_sql_lex *l, struct table *t)
{
	bool first = t && t->n_columns == 0;

	if (!adapter_sql_sign(l, '('))
		return;
	for (adapter_sql_next(l); l->token != ADAPTER_SQL_END && !adapter_sql_sign(l, ')');
	     adapter_sql_next(l))
		if (first && (l->token == ADAPTER_SQL_NAME || l->token == ADAPTER_SQL_WORD))
			add_column(t, l->text.p, l->text.n);
	adapter_sql_next(l);
}

static void read_insert(struct adapter_sql_lex *l, struct tables *t)
{
	struct table *table;
	char name[256];
	int depth = 0;

	adapter_sql_next(l);
	while (adapter_sql_is(l, "INTO") || adapter_sql_is(l, "IGNORE") ||
	       adapter_sql_is(l, "LOW_PRIORITY") || adapter_sql_is(l, "DELAYED"))
		adapter_sql_next(l);
	if (!name_of(l, name, sizeof(name)))
		return;
	table = table_of(t, name);
	read_names(l, table);
	if (!adapter_sql_is(l, "VALUES") && !adapter_sql_is(l, "VALUE"))
		return;
	for (adapter_sql_next(l); l->token != ADAPTER_SQL_END; adapter_sql_next(l)) {
		if (adapter_sql_sign(l, ';') && depth == 0)
			return;
		if (adapter_sql_sign(l, '(') && depth++ == 0 && table)
			table->rows++;
		if (adapter_sql_sign(l, ')'))
			depth--;
		if (depth == 0 && adapter_sql_is(l, "ON")) {
			adapter_sql_pass(l);
			return;
		}
	}
}

static bool is_key_word(const struct adapter_sql_lex *l)
{
	static const char *const words[] = { "PRIMARY", "KEY",	 "CONSTRAINT", "UNIQUE",  "INDEX",
					     "FOREIGN", "CHECK", "FULLTEXT",   "SPATIAL", "EXCLUDE" };

	for (size_t i = 0; i < BUS_LEN(words) && l->token == ADAPTER_SQL_WORD; i++)
		if (adapter_sql_is(l, words[i]))
			return true;
	return false;
}

static void read_create(struct adapter_sql_lex *l, struct tables *t)
{
	struct table *table;
	char name[256];
	int depth = 1;
	bool begins = true;

	adapter_sql_next(l);
	while (adapter_sql_is(l, "TEMPORARY") || adapter_sql_is(l, "UNLOGGED"))
		adapter_sql_next(l);
	if (!adapter_sql_is(l, "TABLE"))
		return;
	adapter_sql_next(l);
	while (adapter_sql_is(l, "IF") || adapter_sql_is(l, "NOT") || adapter_sql_is(l, "EXISTS"))
		adapter_sql_next(l);
	if (!name_of(l, name, sizeof(name)) || !adapter_sql_sign(l, '('))
		return;
	table = table_of(t, name);
	if (!table || table->n_columns > 0)
		return;
	for (adapter_sql_next(l); depth > 0 && l->token != ADAPTER_SQL_END; adapter_sql_next(l)) {
		depth += adapter_sql_sign(l, '(');
		depth -= adapter_sql_sign(l, ')');
		if (begins && !is_key_word(l) &&
		    (l->token == ADAPTER_SQL_NAME || l->token == ADAPTER_SQL_WORD))
			add_column(table, l->text.p, l->text.n);
		begins = depth == 1 && adapter_sql_sign(l, ',');
	}
}

static enum bus_err scan_inserts(struct adapter_input *in, bool backslash, struct tables *t,
				 struct bus_error *err)
{
	struct adapter_sql_lex l;
	enum bus_err rc;

	adapter_sql_init(&l, in);
	l.backslash = backslash;
	for (adapter_sql_next(&l); l.token != ADAPTER_SQL_END;) {
		if (adapter_sql_is(&l, "INSERT") || adapter_sql_is(&l, "REPLACE"))
			read_insert(&l, t);
		else if (adapter_sql_is(&l, "CREATE"))
			read_create(&l, t);
		if (!adapter_sql_sign(&l, ';'))
			adapter_sql_pass(&l);
		adapter_sql_next(&l);
	}
	rc = l.failed;
	if (rc != BUS_OK && err)
		*err = l.why;
	adapter_sql_release(&l);
	return rc;
}

/* ---- all of it ---- */

static const struct table *pick(const struct tables *t, const struct adapter_init_want *want,
				struct bus_error *err)
{
	const struct table *best = NULL;
	const char *names[TABLES_MAX], *near;
	size_t n = 0;

	for (size_t i = 0; i < t->n; i++) {
		const struct table *one = &t->table[i];

		names[n++] = one->name;
		if (want->table && strcmp(want->table, one->name) == 0)
			return one;
		if (one->rows == 0 || one->n_columns == 0)
			continue;
		/* A list of one column is what others refer to, hardly what is looked for. */
		if (!best || (one->n_columns > 1) > (best->n_columns > 1) ||
		    ((one->n_columns > 1) == (best->n_columns > 1) && one->rows > best->rows))
			best = one;
	}
	if (want->table) {
		near = bus_nearest(want->table, names, n);
		bus_fail(err, BUS_EINVAL, "tabel '%s' tidak ada / there is no table '%s'%s%s%s", want->table,
			 want->table, near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
		return NULL;
	}
	if (!best)
		bus_fail(err, BUS_EDATA,
			 "dump ini tidak memuat baris data (INSERT atau COPY) / this dump holds no rows "
			 "(INSERT or COPY)");
	return best;
}

static void describe(const struct tables *t, const struct table *best, const char *kind,
		     struct adapter_init_shape *out)
{
	struct bus_buf others = { 0 };
	size_t n = 0;

	out->kind = kind;
	bus_buf_printf(&out->source, "kind: %s\ntable: ", kind);
	adapter_init_put_yaml(&out->source, best->name);
	bus_buf_puts(&out->source, "\n");
	for (size_t i = 0; i < best->n_columns; i++)
		adapter_init_column_add(out, best->column[i], false);
	out->expected = best->rows;
	for (size_t i = 0; i < t->n; i++) {
		if (&t->table[i] == best || t->table[i].rows == 0 || n++ >= 30)
			continue;
		bus_buf_printf(&others, "%s%.63s (%llu)", others.n > 0 ? ", " : "", t->table[i].name,
			       (unsigned long long)t->table[i].rows);
	}
	adapter_init_note(
	    out, n > 0 ? ADAPTER_INIT_MEDIUM : ADAPTER_INIT_HIGH, n > 0,
	    "tabel '%s', %llu baris: yang terbesar dengan lebih dari satu kolom / table '%s', %llu rows: the "
	    "largest of more than one column",
	    best->name, (unsigned long long)best->rows, best->name, (unsigned long long)best->rows);
	if (n > 0)
		adapter_init_note(out, ADAPTER_INIT_MEDIUM, true,
				  "tabel lain (jumlah baris): %s; pilih dengan --table / other tables, by "
				  "rows; choose one with "
				  "--table",
				  bus_buf_cstr(&others));
	bus_buf_release(&others);
}

enum bus_err adapter_init_look_sql(const char *path, const struct adapter_init_want *want,
				   struct adapter_init_shape *out, struct bus_error *err)
{
	struct tables *t = bus_xcalloc(1, sizeof(*t));
	struct adapter_input *in = NULL;
	const struct table *best;
	struct bus_str head;
	bool postgres = false, backslash = true, copied = true;
	enum bus_err rc = adapter_input_open(path, &in, err);

	if (rc == BUS_OK)
		rc = adapter_source_sniff(in, err);
	if (rc == BUS_OK)
		rc = adapter_input_peek(in, HEAD, &head, err);
	if (rc == BUS_OK) {
		postgres = memmem(head.p, head.n, "PostgreSQL database dump", 24) != NULL;
		backslash = !postgres && !memmem(head.p, head.n, "PRAGMA foreign_keys", 19);
		rc = scan_copy(in, t, err);
	}
	adapter_input_close(&in);
	if (rc == BUS_OK && t->n == 0) {
		copied = false;
		rc = adapter_input_open(path, &in, err);
		if (rc == BUS_OK)
			rc = adapter_source_sniff(in, err);
		if (rc == BUS_OK)
			rc = scan_inserts(in, backslash, t, err);
		adapter_input_close(&in);
	}
	if (rc == BUS_OK) {
		best = pick(t, want, err);
		rc = best ? BUS_OK : want->table ? BUS_EINVAL : BUS_EDATA;
		if (best)
			describe(t, best, copied ? "pgdump" : "sqldump", out);
	}
	release(t);
	return rc;
}
