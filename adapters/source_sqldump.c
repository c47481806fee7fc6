/* One table of a dump of INSERTs: mysqldump, phpMyAdmin, HeidiSQL, pg_dump --inserts, SQLite's .dump. Options:
 * adapters/README.md. */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <strings.h>

#include "adapters/source.h"
#include "adapters/sql_lex.h"
#include "bus/hex.h"
#include "bus/utf8.h"

#define COLUMNS_MAX 4096 /* MySQL's own limit */
#define NAMES_IN_MESSAGE 10
#define HEAD_MAX 4096 /* of the file: who wrote it */

struct value {
	size_t at, n; /* in sqldump.bytes */
	enum adapter_cell_kind kind;
};

struct sqldump {
	struct adapter_sql_lex lex;
	struct adapter_text text;
	const char *table, *defect;
	bool by_backslash, backslash; /* said in the mapping */

	char **column, **made; /* of the INSERT in hand; of CREATE TABLE */
	size_t n_columns, n_made;
	struct value *value; /* COLUMNS_MAX */
	size_t n_values;
	struct bus_buf bytes; /* what the row's values mean */
	const char **wanted;
	size_t *at; /* column of each wanted; SIZE_MAX: the INSERT leaves it out */
	struct adapter_cell *cell;
	size_t n_wanted;

	bool in_rows; /* after VALUES or ',' */
	bool found;   /* the table has been seen */
	bool cut;
	struct bus_buf tables;
	size_t n_tables;
	char detail[160];
};

static void free_names(char **name, size_t *n)
{
	for (size_t i = 0; i < *n; i++)
		free(name[i]);
	*n = 0;
}

static void sqldump_close(void *source)
{
	struct sqldump *s = source;

	free_names(s->column, &s->n_columns);
	free_names(s->made, &s->n_made);
	free(s->column);
	free(s->made);
	free(s->value);
	for (size_t i = 0; i < s->n_wanted; i++)
		free(s->wanted[i] ? (void *)(uintptr_t)s->wanted[i] : NULL);
	free(s->wanted);
	free(s->at);
	free(s->cell);
	bus_buf_release(&s->bytes);
	bus_buf_release(&s->tables);
	adapter_text_release(&s->text);
	adapter_sql_release(&s->lex);
	free(s);
}

/* --- names ------------------------------------------------------------------------------------------- */

/* A table's name, `a`.`b`, a.b or b, into out; the token after it is in hand. */
static bool table_name(struct sqldump *s, struct bus_buf *out)
{
	struct adapter_sql_lex *l = &s->lex;

	bus_buf_reset(out);
	if (l->token != ADAPTER_SQL_NAME && l->token != ADAPTER_SQL_WORD)
		return false;
	bus_buf_put(out, l->text.p, l->text.n);
	adapter_sql_next(l);
	/* A word takes its points with it: `a`.b is NAME and WORD ".b"; `a`.`b` is NAME, WORD ".", NAME. */
	if (l->token == ADAPTER_SQL_WORD && l->text.p[0] == '.') {
		bool alone = l->text.n == 1;

		bus_buf_put(out, l->text.p, l->text.n);
		adapter_sql_next(l);
		if (alone && l->token == ADAPTER_SQL_NAME) {
			bus_buf_put(out, l->text.p, l->text.n);
			adapter_sql_next(l);
		}
	} else if (out->n > 0 && out->p[out->n - 1] == '.' && l->token == ADAPTER_SQL_NAME) {
		bus_buf_put(out, l->text.p, l->text.n); /* a.`b` */
		adapter_sql_next(l);
	}
	return true;
}

/* The whole name, or its last part when the mapping names no schema. */
static bool is_table(const struct sqldump *s, struct bus_buf *name)
{
	const char *whole = bus_buf_cstr(name), *last = strrchr(whole, '.');

	return strcmp(whole, s->table) == 0 ||
	       (!strchr(s->table, '.') && last && strcmp(last + 1, s->table) == 0);
}

static void note_table(struct sqldump *s, struct bus_buf *name)
{
	const char *n = bus_buf_cstr(name);
	char word[80];

	/* A table's name comes in many INSERTs, one after the other. */
	snprintf(word, sizeof(word), "%s%.63s", s->tables.n > 0 ? ", " : "", n);
	if (bus_utf8_ok(n, name->n) != name->n || (s->tables.n > 0 && strstr(bus_buf_cstr(&s->tables), n)))
		return;
	if (s->n_tables++ < NAMES_IN_MESSAGE)
		bus_buf_puts(&s->tables, word);
}

static void add_name(struct sqldump *s, char **name, size_t *n)
{
	if (*n < COLUMNS_MAX)
		name[(*n)++] = bus_xstrndup(s->lex.text.p ? s->lex.text.p : "", s->lex.text.n);
}

/* --- statements -------------------------------------------------------------------------------------- */

static bool is_constraint(const struct adapter_sql_lex *l)
{
	static const char *const words[] = { "PRIMARY",	   "UNIQUE",  "KEY",	 "INDEX",
					     "FULLTEXT",   "SPATIAL", "FOREIGN", "CHECK",
					     "CONSTRAINT", "EXCLUDE", "LIKE" };

	for (size_t i = 0; i < BUS_LEN(words); i++)
		if (adapter_sql_is(l, words[i]))
			return true;
	return false;
}

/* CREATE TABLE [IF NOT EXISTS] name ( column type ..., ... ): the columns, for INSERTs that name none. */
static void read_create(struct sqldump *s, struct bus_buf *name)
{
	struct adapter_sql_lex *l = &s->lex;
	int depth = 1;
	bool first = true;

	while (adapter_sql_is(l, "IF") || adapter_sql_is(l, "NOT") || adapter_sql_is(l, "EXISTS"))
		adapter_sql_next(l);
	if (!table_name(s, name) || !is_table(s, name) || !adapter_sql_sign(l, '('))
		return;
	free_names(s->made, &s->n_made);
	for (adapter_sql_next(l); depth > 0 && l->token != ADAPTER_SQL_END; adapter_sql_next(l)) {
		if (first &&
		    (l->token == ADAPTER_SQL_NAME || (l->token == ADAPTER_SQL_WORD && !is_constraint(l))))
			add_name(s, s->made, &s->n_made);
		first = depth == 1 && adapter_sql_sign(l, ',');
		depth += adapter_sql_sign(l, '(');
		depth -= adapter_sql_sign(l, ')');
		if (depth == 0)
			break;
	}
}

static void read_columns(struct sqldump *s)
{
	struct adapter_sql_lex *l = &s->lex;

	free_names(s->column, &s->n_columns);
	if (!adapter_sql_sign(l, '(')) {
		for (size_t i = 0; i < s->n_made; i++)
			s->column[s->n_columns++] = bus_xstrdup(s->made[i]);
		return;
	}
	for (adapter_sql_next(l);
	     l->token != ADAPTER_SQL_END && !adapter_sql_sign(l, ')') && !adapter_sql_sign(l, ';');
	     adapter_sql_next(l))
		if (l->token == ADAPTER_SQL_NAME || l->token == ADAPTER_SQL_WORD)
			add_name(s, s->column, &s->n_columns);
	adapter_sql_next(l);
}

static enum bus_err find_wanted(struct sqldump *s, struct bus_error *err)
{
	if (s->n_columns == 0)
		return bus_fail(err, BUS_EDATA,
				"line %" PRIu64 ": INSERT tanpa nama kolom, dan tidak ada CREATE TABLE / the "
				"INSERT names no columns, and there "
				"is no CREATE TABLE: dump with --complete-insert",
				s->lex.line);
	for (size_t i = 0; i < s->n_wanted; i++) {
		size_t k = 0;
		bool made = false;

		while (k < s->n_columns && strcmp(s->column[k], s->wanted[i]) != 0)
			k++;
		s->at[i] = k < s->n_columns ? k : SIZE_MAX;
		for (size_t m = 0; m < s->n_made; m++)
			made |= strcmp(s->made[m], s->wanted[i]) == 0;
		/* An INSERT may leave out a column of the table; one that the table does not have is a mistake. */
		if (k == s->n_columns && !made)
			return adapter_source_no_column(s->wanted[i], (const char *const *)s->column,
							s->n_columns, err);
	}
	return BUS_OK;
}

/* Reads on to the first row of the next INSERT of the table. BUS_ENOENT: there is none. */
static enum bus_err find_rows(struct sqldump *s, struct bus_error *err)
{
	struct adapter_sql_lex *l = &s->lex;
	struct bus_buf name = { 0 };
	enum bus_err rc = BUS_OK;

	for (adapter_sql_next(l); l->token != ADAPTER_SQL_END && !s->in_rows && !rc; adapter_sql_next(l)) {
		if (adapter_sql_is(l, "CREATE")) {
			adapter_sql_next(l);
			if (adapter_sql_is(l, "TABLE")) {
				adapter_sql_next(l);
				read_create(s, &name);
			}
		} else if (adapter_sql_is(l, "INSERT") || adapter_sql_is(l, "REPLACE")) {
			while (l->token == ADAPTER_SQL_WORD && !adapter_sql_is(l, "INTO"))
				adapter_sql_next(l);
			adapter_sql_next(l);
			if (table_name(s, &name) && !is_table(s, &name)) {
				note_table(s, &name);
			} else if (name.n > 0) {
				s->found = true;
				read_columns(s);
				s->in_rows = adapter_sql_is(l, "VALUES") || adapter_sql_is(l, "VALUE");
				if (s->in_rows)
					rc = find_wanted(s, err);
			}
		}
		if (s->in_rows || rc)
			break;
		adapter_sql_pass(l);
	}
	bus_buf_release(&name);
	if (rc || s->in_rows)
		return rc;
	s->cut = l->torn;
	if (l->failed && err)
		*err = l->why;
	return l->failed ? l->failed : BUS_ENOENT;
}

/* --- opening ----------------------------------------------------------------------------------------- */

/* How much of the head comes before the first table or row: what stands in a row was written by anybody, and must not say
 * how rows are read. */
static size_t preamble(struct bus_str head)
{
	static const char *const begins[] = { "CREATE", "INSERT", "REPLACE" };

	for (size_t i = 0; i < head.n; i++)
		for (size_t k = 0; k < BUS_LEN(begins); k++)
			if (head.n - i >= strlen(begins[k]) &&
			    strncasecmp(head.p + i, begins[k], strlen(begins[k])) == 0)
				return i;
	return head.n;
}

/* Where a backslash is one: PostgreSQL (since 9.1) and SQLite. Everybody else who dumps INSERTs is MySQL's kin. */
static enum bus_err who_wrote_it(struct sqldump *s, struct bus_error *err)
{
	static const char *const plain[] = { "PostgreSQL database dump", "PRAGMA foreign_keys",
					     "BEGIN TRANSACTION", "standard_conforming_strings" };
	struct bus_str head;
	enum bus_err rc = adapter_input_peek(s->lex.in, HEAD_MAX, &head, err);

	if (!rc)
		head.n = preamble(head);
	for (size_t i = 0; !rc && i < BUS_LEN(plain); i++)
		if (memmem(head.p, head.n, plain[i], strlen(plain[i])))
			s->lex.backslash = false;
	if (s->by_backslash)
		s->lex.backslash = s->backslash;
	return rc;
}

static enum bus_err open_table(struct sqldump *s, struct bus_error *err)
{
	enum bus_err rc;

	if ((rc = adapter_source_sniff(s->lex.in, err)) != BUS_OK || (rc = who_wrote_it(s, err)) != BUS_OK)
		return rc;
	rc = find_rows(s, err);
	if (rc != BUS_ENOENT || s->found || s->n_made > 0) /* a table without rows is one */
		return rc == BUS_ENOENT ? BUS_OK : rc;
	return bus_fail(
	    err, BUS_EDATA, "tabel '%s' tidak ada dalam dump ini / there is no INSERT of '%s'%s%s%s",
	    s->table, s->table, s->tables.n > 0 ? "; tables: " : "",
	    s->tables.n > 0 ? bus_buf_cstr(&s->tables) : "", s->n_tables > NAMES_IN_MESSAGE ? ", ..." : "");
}

static enum bus_err sqldump_open(struct bus_yaml *yaml, struct bus_yaml_node *conf, struct adapter_input *in,
				 const char *const *wanted, size_t n_wanted, void **source,
				 struct bus_error *err)
{
	struct sqldump *s = bus_xcalloc(1, sizeof(*s));
	enum adapter_encoding encoding = ADAPTER_UTF8;
	enum bus_err rc;

	*source = NULL;
	adapter_sql_init(&s->lex, in);
	s->defect = "baris_rusak";
	s->column = bus_xcalloc(COLUMNS_MAX, sizeof(*s->column));
	s->made = bus_xcalloc(COLUMNS_MAX, sizeof(*s->made));
	s->value = bus_xcalloc(COLUMNS_MAX, sizeof(*s->value));
	s->wanted = bus_xcalloc(n_wanted + 1, sizeof(*s->wanted));
	s->at = bus_xcalloc(n_wanted + 1, sizeof(*s->at));
	s->cell = bus_xcalloc(n_wanted + 1, sizeof(*s->cell));
	for (; s->n_wanted < n_wanted; s->n_wanted++)
		s->wanted[s->n_wanted] = bus_xstrdup(wanted[s->n_wanted]);
	s->by_backslash = bus_yaml_get(conf, "backslash") != NULL;
	if ((rc = adapter_source_word(yaml, conf, "table", true, &s->table, err)) == BUS_OK &&
	    (rc = adapter_source_word(yaml, conf, "defect", false, &s->defect, err)) == BUS_OK &&
	    (rc = adapter_source_encoding(yaml, conf, &encoding, err)) == BUS_OK &&
	    (rc = bus_yaml_bool(yaml, conf, "backslash", false, &s->backslash, err)) == BUS_OK)
		rc = bus_yaml_no_more(yaml, conf, err);
	adapter_text_init(&s->text, encoding);
	if (!rc && in)
		rc = open_table(s, err);
	if (rc || !in) {
		sqldump_close(s);
		return rc;
	}
	*source = s;
	return BUS_OK;
}

/* --- rows -------------------------------------------------------------------------------------------- */

static bool put_hex(struct sqldump *s, const char *p, size_t n)
{
	if (n % 2)
		return false;
	for (size_t i = 0; i < n; i += 2) {
		char byte;

		if (!bus_unhex(p + i, 1, &byte))
			return false;
		bus_buf_putc(&s->bytes, byte);
	}
	return true;
}

/* The value that begins with the token in hand; the token after it is in hand then. False: no constant. */
static bool read_value(struct sqldump *s)
{
	struct adapter_sql_lex *l = &s->lex;
	struct value v = { .at = s->bytes.n, .kind = ADAPTER_TEXT };
	bool known = true, hex = false;

	if (l->token == ADAPTER_SQL_WORD &&
	    (l->text.p[0] == '_' || adapter_sql_is(l, "N") || adapter_sql_is(l, "E")))
		adapter_sql_next(l); /* _utf8mb4'...', N'...' */
	else if (adapter_sql_is(l, "x")) {
		adapter_sql_next(l);
		hex = true;
		known = l->token == ADAPTER_SQL_TEXT;
	}
	if (adapter_sql_is(l, "NULL"))
		v.kind = ADAPTER_NULL;
	else if (l->token == ADAPTER_SQL_WORD && l->text.n > 2 && l->text.p[0] == '0' &&
		 (l->text.p[1] == 'x' || l->text.p[1] == 'X'))
		known = put_hex(s, l->text.p + 2, l->text.n - 2);
	else if (hex)
		known = known && put_hex(s, l->text.p, l->text.n);
	else if (l->token == ADAPTER_SQL_TEXT)
		bus_buf_put(&s->bytes, l->text.p, l->text.n);
	else if (adapter_sql_is(l, "true") || adapter_sql_is(l, "false") ||
		 (l->token == ADAPTER_SQL_WORD && strchr("0123456789.+-", l->text.p[0])))
		bus_buf_put(&s->bytes, l->text.p, l->text.n);
	else
		known = false;
	known = known && !l->too_long;
	v.n = s->bytes.n - v.at;
	if (s->n_values < COLUMNS_MAX)
		s->value[s->n_values] = v;
	s->n_values++;
	if (known)
		adapter_sql_next(l);
	return known;
}

/* From '(' in hand to the ')' that closes the row, which is in hand then. False: something in it is no constant. */
static bool read_row(struct sqldump *s)
{
	struct adapter_sql_lex *l = &s->lex;
	bool good = true;

	bus_buf_reset(&s->bytes);
	s->n_values = 0;
	adapter_sql_record(l);
	do {
		adapter_sql_next(l);
		good = read_value(s);
	} while (good && adapter_sql_sign(l, ','));
	good &= adapter_sql_sign(l, ')');
	for (int depth = 1; !good && l->token != ADAPTER_SQL_END; adapter_sql_next(l)) {
		depth += adapter_sql_sign(l, '(');
		depth -= adapter_sql_sign(l, ')');
		if (depth == 0)
			break;
	}
	l->recording = false;
	return good;
}

static void fill_cells(struct sqldump *s, struct adapter_row *row)
{
	row->repaired = adapter_text_row(&s->text, bus_buf_str(&s->bytes));
	for (size_t i = 0; i < s->n_wanted; i++) {
		const struct value *v = s->at[i] == SIZE_MAX ? NULL : &s->value[s->at[i]];

		s->cell[i] = (struct adapter_cell){ .kind = v ? v->kind : ADAPTER_MISSING };
		if (v && v->kind == ADAPTER_TEXT)
			s->cell[i].text =
			    adapter_text_decode(&s->text, (struct bus_str){ s->bytes.p + v->at, v->n });
	}
	row->cell = s->cell;
	row->n_cells = s->n_wanted;
}

static void judge(struct sqldump *s, struct adapter_row *row, bool good)
{
	row->raw = bus_buf_str(&s->lex.record);
	if (s->lex.record_long) {
		row->raw.n = row->raw.n > 4096 ? 4096 : row->raw.n;
		row->defect = ADAPTER_DEFECT_LONG;
		row->detail = ADAPTER_DETAIL_LONG;
		return;
	}
	row->defect = s->defect;
	row->detail = s->detail;
	if (!good)
		snprintf(s->detail, sizeof(s->detail), "nilai %zu bukan tetapan / value %zu is no constant",
			 s->n_values, s->n_values);
	else if (s->n_values != s->n_columns)
		snprintf(s->detail, sizeof(s->detail),
			 "%zu nilai, seharusnya %zu / %zu values instead of %zu", s->n_values, s->n_columns,
			 s->n_values, s->n_columns);
	else if (adapter_has_nul(bus_buf_str(&s->bytes)))
		row->detail = ADAPTER_DETAIL_NUL;
	else
		row->defect = row->detail = NULL;
}

static enum bus_err sqldump_next(void *source, struct adapter_row *row, struct bus_error *err)
{
	struct sqldump *s = source;
	struct adapter_sql_lex *l = &s->lex;
	bool good;

	for (;;) {
		enum bus_err rc;

		if (s->in_rows)
			adapter_sql_next(l); /* after VALUES, or after the ',' or ')' before */
		if (s->in_rows && adapter_sql_sign(l, ','))
			continue;
		if (s->in_rows && adapter_sql_sign(l, '('))
			break;
		if (s->in_rows && l->token == ADAPTER_SQL_END) {
			s->cut = true; /* within a statement */
			return l->failed ? (err ? (*err = l->why, l->failed) : l->failed) : BUS_ENOENT;
		}
		if (s->in_rows)
			adapter_sql_pass(l); /* ';', or ON DUPLICATE KEY ... */
		s->in_rows = false;
		rc = find_rows(s, err);
		if (rc)
			return rc;
	}
	*row = (struct adapter_row){ .line = l->line };
	good = read_row(s);
	if (l->token == ADAPTER_SQL_END) {
		s->cut = true;
		return l->failed ? (err ? (*err = l->why, l->failed) : l->failed) : BUS_ENOENT;
	}
	judge(s, row, good);
	if (!row->defect)
		fill_cells(s, row);
	return BUS_OK;
}

static void sqldump_end(void *source, struct adapter_end *out)
{
	const struct sqldump *s = source;

	*out = (struct adapter_end){ .cut = s->cut };
	if (s->cut)
		snprintf(out->why, sizeof(out->why),
			 "dump terpotong di tengah pernyataan / the dump ends within a statement");
}

const struct adapter_source_kind adapter_source_sqldump = {
	.name = "sqldump",
	.open = sqldump_open,
	.next = sqldump_next,
	.end = sqldump_end,
	.close = sqldump_close,
};
