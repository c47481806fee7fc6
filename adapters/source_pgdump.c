/* One table of a plain pg_dump: its COPY block, in COPY's text format (PostgreSQL manual, COPY, File
 * Formats). Options: adapters/README.md. */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#include "adapters/csv.h"
#include "adapters/source.h"
#include "bus/hex.h"
#include "bus/utf8.h"

#define COLUMNS_MAX 1664 /* PostgreSQL's own limit for a result */
#define NAME_MAX_BYTES 512
#define NAMES_IN_MESSAGE 10

struct pgdump {
	struct adapter_input *in;
	struct adapter_csv csv;
	struct adapter_text text;
	const char *table;
	const char *defect;

	char **column;
	size_t n_columns;
	size_t *at; /* column number of each wanted name */
	struct adapter_cell *cell;
	size_t n_wanted;

	bool in_block;
	bool cut;
	bool has_inserts;
	struct bus_buf tables; /* the names of other tables, for the message */
	size_t n_tables;
	char detail[160];
};

static void pgdump_close(void *source)
{
	struct pgdump *s = source;

	for (size_t i = 0; i < s->n_columns; i++)
		free(s->column[i]);
	free(s->column);
	free(s->at);
	free(s->cell);
	adapter_csv_release(&s->csv);
	adapter_text_release(&s->text);
	bus_buf_release(&s->tables);
	free(s);
}

/* ---- statements ---- */

struct cursor {
	const char *p;
	const char *end;
};

static bool accept(struct cursor *c, const char *text)
{
	size_t n = strlen(text);

	if ((size_t)(c->end - c->p) < n || memcmp(c->p, text, n) != 0)
		return false;
	c->p += n;
	return true;
}

/* An identifier, "quoted" or plain, appended to out (NAME_MAX_BYTES in all). */
static bool identifier(struct cursor *c, char *out, size_t *n)
{
	bool quoted = accept(c, "\"");
	const char *from = c->p;

	while (c->p < c->end && *n < NAME_MAX_BYTES - 1) {
		if (quoted && *c->p == '"') {
			c->p++;
			if (c->p == c->end || *c->p != '"')
				return true;
		} else if (!quoted && strchr(" .,();", *c->p)) {
			break;
		}
		out[(*n)++] = *c->p++;
	}
	return !quoted && c->p > from && *n < NAME_MAX_BYTES - 1;
}

/* COPY schema.name: the name into out, NUL-ended. */
static bool copy_begins(struct cursor *c, char out[NAME_MAX_BYTES])
{
	size_t n = 0;

	if (!accept(c, "COPY ") || !identifier(c, out, &n))
		return false;
	if (accept(c, ".")) {
		out[n++] = '.';
		if (!identifier(c, out, &n))
			return false;
	}
	out[n] = '\0';
	return true;
}

/* (a, b, c) FROM stdin; the list may be absent. False: another kind of COPY, or no COPY. */
static bool copy_columns(struct cursor *c, struct pgdump *s)
{
	char name[NAME_MAX_BYTES];

	if (!accept(c, " "))
		return false;
	if (accept(c, "(")) {
		do {
			size_t n = 0;

			if (!identifier(c, name, &n) || (s && s->n_columns == COLUMNS_MAX))
				return false;
			if (s)
				s->column[s->n_columns++] = bus_xstrndup(name, n);
		} while (accept(c, ", "));
		if (!accept(c, ") "))
			return false;
	}
	return accept(c, "FROM stdin;") && c->p == c->end;
}

/* SET client_encoding = 'UTF8'; */
static enum bus_err take_encoding(struct pgdump *s, struct bus_str line, struct bus_error *err)
{
	static const struct {
		const char *name;
		enum adapter_encoding encoding;
	} known[] = {
		{ "UTF8", ADAPTER_UTF8 },
		{ "SQL_ASCII", ADAPTER_UTF8 },
		{ "UNICODE", ADAPTER_UTF8 },
		{ "LATIN1", ADAPTER_LATIN_1 },
		{ "WIN1252", ADAPTER_WINDOWS_1252 },
	};
	struct cursor c = { line.p, line.p + line.n };

	if (!accept(&c, "SET client_encoding = '"))
		return BUS_OK;
	for (size_t i = 0; i < BUS_LEN(known); i++) {
		struct cursor value = c;

		if (accept(&value, known[i].name) && accept(&value, "'")) {
			s->text.encoding = known[i].encoding;
			return BUS_OK;
		}
	}
	return bus_fail(err, BUS_EDATA,
			"client_encoding dump ini tidak didukung / its client_encoding is not supported: use "
			"pg_dump --encoding=UTF8");
}

static void note_table(struct pgdump *s, const char *name)
{
	/* A name from outside: only what can stand in one line of a message. */
	if (s->n_tables++ >= NAMES_IN_MESSAGE || bus_utf8_ok(name, strlen(name)) != strlen(name))
		return;
	bus_buf_printf(&s->tables, "%s%.63s", s->tables.n > 0 ? ", " : "", name);
}

static enum bus_err skip_block(struct pgdump *s, struct bus_error *err)
{
	struct bus_str line;
	enum bus_err rc;
	bool too_long;

	do {
		rc = adapter_input_line(s->in, &line, &too_long, err);
	} while (rc == BUS_OK && (too_long || !bus_str_is(line, "\\.")));
	return rc;
}

/* Reads on to the next COPY of the table, past those of others. BUS_ENOENT: there is none. */
static enum bus_err find_block(struct pgdump *s, struct bus_error *err)
{
	for (;;) {
		char name[NAME_MAX_BYTES];
		struct bus_str line;
		bool too_long;
		enum bus_err rc = adapter_input_line(s->in, &line, &too_long, err);
		struct cursor c, rest;

		if (rc != BUS_OK)
			return rc;
		if (too_long)
			continue;
		c = (struct cursor){ line.p, line.p + line.n };
		if (!copy_begins(&c, name)) {
			s->has_inserts |= line.n >= 12 && memcmp(line.p, "INSERT INTO ", 12) == 0;
			if ((rc = take_encoding(s, line, err)) != BUS_OK)
				return rc;
			continue;
		}
		rest = c;
		if (!copy_columns(&rest, NULL))
			continue;
		if (strcmp(name, s->table) == 0) {
			if (s->n_columns > 0)
				return bus_fail(err, BUS_EDATA,
						"line %" PRIu64 ": tabel '%s' ada dua kali / is there twice",
						adapter_input_line_number(s->in), s->table);
			s->column = bus_xcalloc(COLUMNS_MAX, sizeof(char *));
			if (!copy_columns(&c, s) || s->n_columns == 0)
				return bus_fail(
				    err, BUS_EDATA,
				    "COPY tanpa daftar kolom / the COPY of '%s' has no usable column list",
				    s->table);
			return BUS_OK;
		}
		note_table(s, name);
		rc = skip_block(s, err);
		if (rc != BUS_OK)
			return rc;
	}
}

/* ---- opening ---- */

static enum bus_err open_table(struct pgdump *s, const char *const *wanted, struct bus_error *err)
{
	enum bus_err rc;

	if ((rc = adapter_source_sniff(s->in, err)) != BUS_OK)
		return rc;
	rc = find_block(s, err);
	if (rc == BUS_ENOENT)
		return bus_fail(err, BUS_EDATA,
				"tabel '%s' tidak ada dalam dump ini / there is no COPY of '%s'%s%s%s%s",
				s->table, s->table, s->n_tables > 0 ? "; tables: " : "",
				s->n_tables > 0 ? bus_buf_cstr(&s->tables) : "",
				s->n_tables > NAMES_IN_MESSAGE ? ", ..." : "",
				s->has_inserts ? "; it has INSERTs: use pg_dump without --inserts" : "");
	if (rc != BUS_OK)
		return rc;
	for (size_t i = 0; i < s->n_wanted; i++) {
		size_t k = 0;

		while (k < s->n_columns && strcmp(s->column[k], wanted[i]) != 0)
			k++;
		if (k == s->n_columns)
			return adapter_source_no_column(wanted[i], (const char *const *)s->column,
							s->n_columns, err);
		s->at[i] = k;
	}
	adapter_csv_init(&s->csv, s->in, '\t', '\0');
	adapter_csv_limit(&s->csv, s->n_columns);
	s->in_block = true;
	return BUS_OK;
}

static enum bus_err pgdump_open(struct bus_yaml *yaml, struct bus_yaml_node *conf, struct adapter_input *in,
				const char *const *wanted, size_t n_wanted, void **source,
				struct bus_error *err)
{
	struct pgdump *s = bus_xcalloc(1, sizeof(*s));
	enum bus_err rc;

	*source = NULL;
	s->in = in;
	s->defect = "baris_rusak";
	s->at = bus_xcalloc(n_wanted + 1, sizeof(*s->at));
	s->cell = bus_xcalloc(n_wanted + 1, sizeof(*s->cell));
	s->n_wanted = n_wanted;
	adapter_text_init(&s->text, ADAPTER_UTF8);
	if ((rc = adapter_source_word(yaml, conf, "table", true, &s->table, err)) == BUS_OK &&
	    (rc = adapter_source_word(yaml, conf, "defect", false, &s->defect, err)) == BUS_OK &&
	    (rc = bus_yaml_no_more(yaml, conf, err)) == BUS_OK && in)
		rc = open_table(s, wanted, err);
	if (rc != BUS_OK || !in) {
		pgdump_close(s);
		return rc;
	}
	*source = s;
	return BUS_OK;
}

/* ---- rows ---- */

/* What stands after a backslash at p: one byte; *bytes: it was given by its number. */
static const char *unescape(const char *p, const char *end, char *out, bool *bytes)
{
	static const char from[] = "bfnrtv", to[] = "\b\f\n\r\t\v";
	const char *letter;
	int value = 0, n = 0;

	if (*p >= '0' && *p <= '7') {
		for (; n < 3 && p < end && *p >= '0' && *p <= '7'; n++)
			value = value * 8 + (*p++ - '0');
		*bytes = true;
		*out = (char)(value & 0xff);
		return p;
	}
	if (*p == 'x' && end - p > 1 && bus_hex_digit(p[1]) >= 0) {
		for (p++; n < 2 && p < end && bus_hex_digit(*p) >= 0; n++)
			value = value * 16 + bus_hex_digit(*p++);
		*bytes = true;
		*out = (char)value;
		return p;
	}
	letter = *p ? strchr(from, *p) : NULL;
	*out = letter ? to[letter - from] : *p;
	return p + 1;
}

static struct bus_str unescape_all(struct pgdump *s, struct bus_str part, struct adapter_row *row)
{
	char *out = bus_arena_alloc(s->text.arena, part.n + 1);
	const char *p = part.p, *end = part.p + part.n;
	bool bytes = false, plain = s->text.plain;
	struct bus_str whole;
	size_t n = 0;

	while (p < end) {
		if (*p != '\\' || p + 1 == end)
			out[n++] = *p++;
		else
			p = unescape(p + 1, end, &out[n++], &bytes);
	}
	whole = (struct bus_str){ out, n };
	if (bytes) {
		/* The row's own bytes say nothing about these. */
		s->text.plain = false;
		if (s->text.encoding == ADAPTER_UTF8 && bus_utf8_ok(out, n) != n)
			row->repaired = true;
	}
	whole = adapter_text_decode(&s->text, whole);
	s->text.plain = plain;
	return whole;
}

static bool fill_cells(struct pgdump *s, struct adapter_row *row)
{
	bool escapes;

	row->repaired = adapter_text_row(&s->text, s->csv.raw);
	escapes = memchr(s->csv.raw.p, '\\', s->csv.raw.n) != NULL;
	for (size_t i = 0; i < s->n_wanted; i++) {
		const struct adapter_csv_field *f = &s->csv.field[s->at[i]];
		struct bus_str part = { s->csv.raw.p + f->at, f->n };
		struct adapter_cell *cell = &s->cell[i];

		*cell = (struct adapter_cell){ .kind = ADAPTER_TEXT };
		if (!escapes || !memchr(part.p, '\\', part.n)) {
			cell->text = adapter_text_decode(&s->text, part);
		} else if (bus_str_is(part, "\\N")) {
			cell->kind = ADAPTER_NULL;
		} else {
			cell->text = unescape_all(s, part, row);
			if (adapter_has_nul(cell->text))
				return false;
		}
	}
	row->cell = s->cell;
	row->n_cells = s->n_wanted;
	return true;
}

/* After the block: the same table must not come again, or its rows would be lost without a word. */
static enum bus_err leave_block(struct pgdump *s, struct bus_error *err)
{
	enum bus_err rc;

	s->in_block = false;
	rc = find_block(s, err);
	assert(rc != BUS_OK);
	return rc;
}

static enum bus_err pgdump_next(void *source, struct adapter_row *row, struct bus_error *err)
{
	struct pgdump *s = source;
	enum bus_err rc;

	if (!s->in_block)
		return BUS_ENOENT;
	rc = adapter_csv_next(&s->csv, err);
	if (rc == BUS_ENOENT) {
		s->in_block = false;
		s->cut = true;
	}
	if (rc != BUS_OK)
		return rc;
	if (!s->csv.too_long && bus_str_is(s->csv.raw, "\\."))
		return leave_block(s, err);
	*row = (struct adapter_row){ .line = s->csv.line, .raw = s->csv.raw };
	if (s->csv.too_long) {
		row->defect = ADAPTER_DEFECT_LONG;
		row->detail = ADAPTER_DETAIL_LONG;
	} else if (s->csv.n != s->n_columns) {
		row->defect = s->defect;
		row->detail = s->detail;
		snprintf(s->detail, sizeof(s->detail),
			 "%s%zu kolom, seharusnya %zu / %s%zu fields, expected %zu",
			 s->csv.n > s->n_columns ? "sedikitnya " : "", s->csv.n, s->n_columns,
			 s->csv.n > s->n_columns ? "at least " : "", s->csv.n, s->n_columns);
	} else if (adapter_has_nul(s->csv.raw) || !fill_cells(s, row)) {
		row->defect = s->defect;
		row->detail = ADAPTER_DETAIL_NUL;
	}
	return BUS_OK;
}

static void pgdump_end(void *source, struct adapter_end *out)
{
	const struct pgdump *s = source;

	*out = (struct adapter_end){ .cut = s->cut };
	if (s->cut)
		snprintf(out->why, sizeof(out->why),
			 "penutup '\\.' tidak ada / the block of '%.80s' has no end '\\.'", s->table);
}

const struct adapter_source_kind adapter_source_pgdump = {
	.name = "pgdump",
	.open = pgdump_open,
	.next = pgdump_next,
	.end = pgdump_end,
	.close = pgdump_close,
};
