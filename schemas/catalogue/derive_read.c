/* The formats of samples. */
#include <ctype.h>
#include <stdio.h>

#include "schemas/catalogue/derive_impl.h"

#define ARENA_MAX ((size_t)512 * 1024 * 1024)

/* --- CSV (RFC 4180; comma, semicolon, tab or bar) --- */

struct csv {
	const char *at, *end;
	char delimiter;
	struct bus_buf cell;
};

static char find_delimiter(const char *at, const char *end)
{
	static const char candidates[] = ",;\t|";
	size_t count[4] = { 0, 0, 0, 0 }, best = 0;
	bool quoted = false;

	for (; at < end && (quoted || *at != '\n'); at++) {
		const char *c = *at ? strchr(candidates, *at) : NULL;

		quoted ^= *at == '"';
		if (c && !quoted)
			count[c - candidates]++;
	}
	for (size_t i = 1; i < 4; i++)
		best = count[i] > count[best] ? i : best;
	return candidates[best];
}

/* The next cell into c->cell; *last: it ends its line. False: no more lines. */
static bool next_cell(struct csv *c, bool *last)
{
	bool quoted = false;

	bus_buf_reset(&c->cell);
	if (c->at == c->end)
		return false;
	if (*c->at == '"') {
		quoted = true;
		c->at++;
	}
	for (; c->at < c->end; c->at++) {
		if (quoted && *c->at == '"') {
			if (c->at + 1 < c->end && c->at[1] == '"')
				c->at++;
			else {
				quoted = false;
				continue;
			}
		} else if (!quoted && (*c->at == c->delimiter || *c->at == '\n')) {
			break;
		}
		bus_buf_putc(&c->cell, *c->at);
	}
	*last = c->at == c->end || *c->at == '\n';
	if (c->at < c->end)
		c->at++;
	if (*last && c->cell.n > 0 && c->cell.p[c->cell.n - 1] == '\r')
		c->cell.n--;
	return true;
}

/* A cell that no header would have: a number, an address, a date. */
static bool is_value(struct bus_str t)
{
	size_t n = 0;

	for (size_t i = 0; i < t.n; i++)
		n += isdigit((unsigned char)t.p[i]) != 0;
	return t.n == 0 || n >= 6 || n == t.n || memchr(t.p, '@', t.n);
}

/* The columns of the first line. Without a header they are numbered, and the line is data. */
static bool read_header(struct schema_derive *d, struct csv *c)
{
	const char *first = c->at;
	struct bus_buf name = { 0 };
	bool last = false, header = true;
	size_t n = 0;

	while (!last && next_cell(c, &last)) {
		header &= !is_value(bus_buf_str(&c->cell));
		n++;
	}
	c->at = first;
	last = n == 0;
	for (size_t i = 0; !last && next_cell(c, &last); i++) {
		bus_buf_reset(&name);
		if (header)
			bus_buf_put(&name, c->cell.p, c->cell.n);
		else
			bus_buf_printf(&name, "kolom_%zu", i + 1);
		/* Two columns of one name stay two. */
		for (size_t k = 0; k < d->row.n_members; k++)
			if (bus_str_is(bus_buf_str(&name), d->row.member[k].from)) {
				bus_buf_printf(&name, "_%zu", i + 1);
				break;
			}
		if (!schema_derive_member(&d->row, bus_buf_str(&name)))
			break;
	}
	bus_buf_release(&name);
	if (!header)
		c->at = first;
	return n > 0 && n <= SCHEMA_DERIVE_COLUMNS_MAX && d->row.n_members == n;
}

static enum bus_err read_csv(struct schema_derive *d, struct bus_str text, struct bus_error *err)
{
	struct csv c = { text.p, text.p + text.n, find_delimiter(text.p, text.p + text.n), { 0 } };
	bool good = read_header(d, &c);

	while (good && d->rows < SCHEMA_DERIVE_ROWS_MAX && c.at < c.end) {
		bool last = false;
		size_t i = 0;

		for (; !last && next_cell(&c, &last); i++) {
			if (i == 0 && last && c.cell.n == 0)
				break; /* an empty line */
			if (i < d->row.n_members)
				schema_derive_text(&d->row.member[i].shape, bus_buf_str(&c.cell));
		}
		if (i == 0)
			continue;
		for (; i < d->row.n_members; i++)
			schema_derive_text(&d->row.member[i].shape, (struct bus_str){ "", 0 });
		d->rows++;
	}
	bus_buf_release(&c.cell);
	return good ? BUS_OK
		    : bus_fail(err, BUS_EDATA, "no line of at most %d columns, each with a name of its own",
			       SCHEMA_DERIVE_COLUMNS_MAX);
}

/* --- JSON --- */

static enum bus_err see_row(struct schema_derive *d, const struct bus_json *v, struct bus_error *err)
{
	if (v->type != BUS_JSON_OBJECT)
		return bus_fail(err, BUS_EPARSE, "row %zu is no JSON object", d->rows + 1);
	d->rows++;
	return schema_derive_value(&d->row, v, 0, err);
}

/* The rows: the array itself, or the first array of objects in an object, or that object alone. */
static enum bus_err read_json(struct schema_derive *d, struct bus_str text, struct bus_error *err)
{
	struct bus_arena *arena = bus_arena_new(ARENA_MAX);
	struct bus_json *tree = NULL;
	const struct bus_json *rows;
	enum bus_err rc = bus_json_parse(text, NULL, arena, &tree, err);

	rows = tree;
	for (const struct bus_json *v = rc == BUS_OK && tree->type == BUS_JSON_OBJECT ? tree->first : NULL;
	     v && rows == tree; v = v->next)
		if (v->type == BUS_JSON_ARRAY && v->first && v->first->type == BUS_JSON_OBJECT)
			rows = v;
	if (rc == BUS_OK && rows->type == BUS_JSON_ARRAY) {
		for (const struct bus_json *v = rows->first;
		     v && rc == BUS_OK && d->rows < SCHEMA_DERIVE_ROWS_MAX; v = v->next)
			rc = see_row(d, v, err);
	} else if (rc == BUS_OK) {
		rc = see_row(d, tree, err);
	}
	bus_arena_free(&arena);
	return rc;
}

static enum bus_err read_lines(struct schema_derive *d, struct bus_str text, struct bus_error *err)
{
	struct bus_arena *arena = bus_arena_new(ARENA_MAX);
	const char *at = text.p, *end = text.p + text.n;
	enum bus_err rc = BUS_OK;

	while (at < end && rc == BUS_OK && d->rows < SCHEMA_DERIVE_ROWS_MAX) {
		const char *stop = memchr(at, '\n', (size_t)(end - at));
		struct bus_str line = { at, (size_t)((stop ? stop : end) - at) };
		struct bus_json *tree;

		at = stop ? stop + 1 : end;
		while (line.n > 0 && isspace((unsigned char)line.p[0]))
			line.p++, line.n--;
		if (line.n == 0)
			continue;
		bus_arena_reset(arena);
		rc = bus_json_parse(line, NULL, arena, &tree, err);
		if (rc == BUS_OK)
			rc = see_row(d, tree, err);
		else
			(void)bus_fail_prefix(err, rc, "row %zu", d->rows + 1);
	}
	bus_arena_free(&arena);
	return rc;
}

/* A line of its own that is a whole object: lines; a bracket or a brace: JSON. */
static enum schema_sample format_of(struct bus_str text)
{
	size_t i = 0, line;

	while (i < text.n && isspace((unsigned char)text.p[i]))
		i++;
	if (i == text.n || (text.p[i] != '{' && text.p[i] != '['))
		return SCHEMA_SAMPLE_CSV;
	if (text.p[i] == '[')
		return SCHEMA_SAMPLE_JSON;
	line = i;
	while (i < text.n && text.p[i] != '\n')
		i++;
	while (i > line && isspace((unsigned char)text.p[i - 1]))
		i--;
	if (i - line < 2 || text.p[i - 1] != '}')
		return SCHEMA_SAMPLE_JSON;
	while (i < text.n && isspace((unsigned char)text.p[i]))
		i++;
	return i < text.n && text.p[i] == '{' ? SCHEMA_SAMPLE_LINES : SCHEMA_SAMPLE_JSON;
}

enum bus_err schema_derive_open(struct bus_str text, enum schema_sample format, struct schema_derive **out,
				struct bus_error *err)
{
	struct schema_derive *d;
	enum bus_err rc;

	*out = NULL;
	if (text.n >= 3 && memcmp(text.p, "\xef\xbb\xbf", 3) == 0)
		text = (struct bus_str){ text.p + 3, text.n - 3 };
	if (format == SCHEMA_SAMPLE_AUTO)
		format = format_of(text);
	if (text.n > SCHEMA_DERIVE_TEXT_MAX && format == SCHEMA_SAMPLE_JSON)
		return bus_fail(err, BUS_ETOOBIG,
				"a JSON sample of more than %zu bytes; a part of it is enough",
				SCHEMA_DERIVE_TEXT_MAX);
	if (text.n > SCHEMA_DERIVE_TEXT_MAX) {
		text.n = SCHEMA_DERIVE_TEXT_MAX;
		while (text.n > 0 && text.p[text.n - 1] != '\n')
			text.n--;
	}
	d = bus_xcalloc(1, sizeof(*d));
	d->typed = format != SCHEMA_SAMPLE_CSV;
	rc = format == SCHEMA_SAMPLE_CSV    ? read_csv(d, text, err)
	     : format == SCHEMA_SAMPLE_JSON ? read_json(d, text, err)
					    : read_lines(d, text, err);
	if (rc == BUS_OK && (d->rows == 0 || d->row.map))
		rc = bus_fail(err, BUS_EDATA,
			      d->rows == 0 ? "no rows in the sample"
					   : "the names of the columns look like data");
	if (rc == BUS_OK && d->row.n_members == 0)
		rc = bus_fail(err, BUS_EDATA, "the rows have no columns");
	if (rc != BUS_OK) {
		schema_derive_free(&d);
		return rc;
	}
	*out = d;
	return BUS_OK;
}

void schema_derive_free(struct schema_derive **d)
{
	if (!*d)
		return;
	schema_derive_release(&(*d)->row);
	bus_buf_release(&(*d)->type_names);
	free(*d);
	*d = NULL;
}

size_t schema_derive_rows(const struct schema_derive *d)
{
	return d->rows;
}
