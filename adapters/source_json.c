/* One JSON document whose rows are the elements of an array in it. Options: adapters/README.md.
 *
 * Two readers share the bytes. The puller reads what is around the array, and so checks the document; when it
 * has taken the array's '[' it waits. The elements are cut out by their brackets and quotes alone, and each
 * is then parsed by itself: that bounds memory by one row, gives the row's bytes for the quarantine, and lets
 * a row that is too long pass by. At the array's ']' the puller goes on, after as many line ends and spaces
 * as passed without it, so that its messages keep naming the right place.
 */
#include <inttypes.h>
#include <stdio.h>

#include "adapters/json_row.h"
#include "adapters/source.h"

#define PARTS_MAX 16

enum where { BEFORE_ROWS, IN_ROWS, AFTER_ROWS, AT_END };

struct json {
	struct adapter_input *in;
	struct adapter_json_row *reader;
	const char *defect;
	const char *rows; /* the path; NULL: the document is the array */
	struct bus_str part[PARTS_MAX];
	int n_parts;

	struct bus_json_puller *puller;
	int matched;	      /* parts whose objects are open */
	bool is_next;	      /* the next value is the one the next part names */
	uint64_t pulled_line; /* where the puller is */
	uint64_t pulled_column;

	const char *p; /* what is left of the piece */
	const char *end;
	uint64_t line; /* of p */
	uint64_t column;

	enum where where;
	bool first; /* no row has been seen yet */
	bool cut;
	struct bus_buf held; /* the beginning of a row that began in an earlier piece */
	bool too_long;
	char detail[200];
};

static void json_close(void *source)
{
	struct json *s = source;

	adapter_json_row_free(&s->reader);
	bus_json_puller_free(&s->puller);
	bus_buf_release(&s->held);
	free(s);
}

static void pass(struct json *s, const char *to)
{
	const char *lf;

	while (s->p < to && (lf = memchr(s->p, '\n', (size_t)(to - s->p)))) {
		s->line++;
		s->column = 1;
		s->p = lf + 1;
	}
	s->column += (uint64_t)(to - s->p);
	s->p = to;
}

static enum bus_err not_json(const struct bus_error *why, struct bus_error *err)
{
	return bus_fail(err, BUS_EDATA, "bukan JSON / not JSON: %.300s", why->text);
}

/* BUS_ENOENT: the end of the file. */
static enum bus_err more(struct json *s, struct bus_error *err)
{
	struct bus_str piece;
	enum bus_err rc = adapter_input_piece(s->in, &piece, err);

	if (rc != BUS_OK)
		return rc;
	s->p = piece.p;
	s->end = piece.p + piece.n;
	return BUS_OK;
}

/* ---- around the rows ---- */

/* Follows one token; *found: it is the '[' of the rows. */
static enum bus_err follow(struct json *s, enum bus_json_type type, struct bus_str text, bool *found,
			   struct bus_error *err)
{
	int depth = bus_json_depth(s->puller);
	bool is_next = s->is_next;

	*found = false;
	s->is_next = false;
	switch (type) {
	case BUS_JSON_NAME:
		s->is_next =
		    s->matched == depth - 1 && depth <= s->n_parts && bus_str_eq(text, s->part[depth - 1]);
		return BUS_OK;
	case BUS_JSON_OBJECT_END:
		if (s->matched >= depth && s->matched > 0)
			s->matched = depth > 0 ? depth - 1 : 0;
		return BUS_OK;
	case BUS_JSON_ARRAY_END:
		return BUS_OK;
	case BUS_JSON_ARRAY:
		*found = s->n_parts == 0 ? depth == 1 : is_next && s->matched == s->n_parts - 1;
		return BUS_OK;
	case BUS_JSON_OBJECT:
		if (is_next && s->matched < s->n_parts - 1) {
			s->matched++;
			return BUS_OK;
		}
		break;
	default:
		break;
	}
	if ((is_next && s->matched == s->n_parts - 1) ||
	    (s->n_parts == 0 && depth <= 1 && type != BUS_JSON_END))
		return bus_fail(err, BUS_EDATA, "line %" PRIu64 ": '%s' bukan larik / is no array",
				bus_json_line(s->puller), s->rows ? s->rows : "the document");
	return BUS_OK;
}

/* Pulls what has been fed. *found: the rows begin (nothing that was fed is left then: the caller feeds no
 * further than a '['). */
static enum bus_err pull(struct json *s, bool *found, bool *ended, struct bus_error *err)
{
	*found = false;
	*ended = false;
	for (;;) {
		enum bus_json_type type;
		struct bus_str text;
		bool here;
		struct bus_error why;
		enum bus_err rc = bus_json_next(s->puller, &type, &text, &why);

		if (rc != BUS_OK)
			return not_json(&why, err);
		if (type == BUS_JSON_MORE)
			return BUS_OK;
		if (type == BUS_JSON_END) {
			*ended = true;
			return BUS_OK;
		}
		rc = follow(s, type, text, &here, err);
		if (rc != BUS_OK)
			return rc;
		*found |= here;
	}
}

/* The file has ended outside the rows. All that came was JSON, so the one error left is that it is not all.
 */
static enum bus_err finish(struct json *s)
{
	bool found, ended;

	bus_json_feed(s->puller, "", 0, true);
	s->cut = pull(s, &found, &ended, NULL) != BUS_OK;
	s->where = AT_END;
	return BUS_OK;
}

/* Up to the '[' of the rows. */
static enum bus_err find_rows(struct json *s, struct bus_error *err)
{
	bool found = false, ended;

	while (!found) {
		const char *to;
		enum bus_err rc;

		if (s->p == s->end) {
			rc = more(s, err);
			if (rc == BUS_ENOENT)
				return finish(s);
			if (rc != BUS_OK)
				return rc;
		}
		to = memchr(s->p, '[', (size_t)(s->end - s->p));
		to = to ? to + 1 : s->end;
		bus_json_feed(s->puller, s->p, (size_t)(to - s->p), false);
		pass(s, to);
		rc = pull(s, &found, &ended, err);
		if (rc != BUS_OK)
			return rc;
	}
	s->pulled_line = s->line;
	s->pulled_column = s->column;
	s->where = IN_ROWS;
	s->first = true;
	return BUS_OK;
}

/* As many line ends and spaces as lie between where a puller is and a place further on. */
static enum bus_err feed_gap(struct bus_json_puller *puller, uint64_t from_line, uint64_t from_column,
			     uint64_t line, uint64_t column, struct bus_error *err)
{
	static const char filler[2][64] = {
		"\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n"
		"\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n",
		"                                                               ",
	};
	uint64_t count[2] = { line - from_line, line > from_line ? column - 1 : column - from_column };

	for (int i = 0; i < 2; i++) {
		while (count[i] > 0) {
			size_t n = count[i] < 63 ? (size_t)count[i] : 63;
			enum bus_json_type type;
			struct bus_str text;
			enum bus_err rc;

			bus_json_feed(puller, filler[i], n, false);
			rc = bus_json_next(puller, &type, &text, err);
			if (rc != BUS_OK)
				return rc;
			count[i] -= n;
		}
	}
	return BUS_OK;
}

/* From the ']' of the rows to the end of the file. */
static enum bus_err read_rest(struct json *s, struct bus_error *err)
{
	enum bus_err rc = feed_gap(s->puller, s->pulled_line, s->pulled_column, s->line, s->column, err);

	s->where = AFTER_ROWS;
	while (rc == BUS_OK) {
		bool found = false, ended;

		bus_json_feed(s->puller, s->p, (size_t)(s->end - s->p), false);
		pass(s, s->end);
		rc = pull(s, &found, &ended, err);
		if (rc == BUS_OK && found)
			return bus_fail(err, BUS_EDATA,
					"line %" PRIu64 ": '%s' ada dua kali / is there twice", s->line,
					s->rows);
		if (rc == BUS_OK)
			rc = more(s, err);
	}
	return rc == BUS_ENOENT ? finish(s) : rc;
}

/* ---- options ---- */

static enum bus_err configure(struct bus_yaml *yaml, struct bus_yaml_node *conf, struct json *s,
			      struct bus_error *err)
{
	const char *path;
	enum bus_err rc;

	s->defect = ADAPTER_DEFECT_JSON;
	if ((rc = adapter_source_word(yaml, conf, "rows", false, &s->rows, err)) != BUS_OK ||
	    (rc = adapter_source_word(yaml, conf, "defect", false, &s->defect, err)) != BUS_OK ||
	    (rc = bus_yaml_no_more(yaml, conf, err)) != BUS_OK)
		return rc;
	for (path = s->rows; path; path = *path ? path + 1 : NULL) {
		size_t n = strcspn(path, ".");

		if (n == 0 || s->n_parts == PARTS_MAX)
			return bus_yaml_fail(yaml, bus_yaml_get(conf, "rows"), err,
					     "rows is a path: names joined by '.', at most %d", PARTS_MAX);
		s->part[s->n_parts++] = (struct bus_str){ path, n };
		path += n;
		if (*path == '\0')
			break;
	}
	return BUS_OK;
}

static enum bus_err open_document(struct json *s, struct bus_error *err)
{
	enum bus_err rc;

	if ((rc = adapter_source_sniff(s->in, err)) != BUS_OK || (rc = find_rows(s, err)) != BUS_OK)
		return rc;
	if (s->where == AT_END && !s->cut)
		return bus_fail(err, BUS_EDATA,
				"larik '%s' tidak ada / there is no array '%s' in the document",
				s->rows ? s->rows : "", s->rows ? s->rows : "");
	return BUS_OK;
}

static enum bus_err json_open(struct bus_yaml *yaml, struct bus_yaml_node *conf, struct adapter_input *in,
			      const char *const *wanted, size_t n_wanted, void **source,
			      struct bus_error *err)
{
	struct json *s = bus_xcalloc(1, sizeof(*s));
	enum bus_err rc;

	*source = NULL;
	s->in = in;
	s->line = s->column = 1;
	s->puller = bus_json_puller_new(NULL);
	if ((rc = configure(yaml, conf, s, err)) == BUS_OK &&
	    (rc = adapter_json_row_new(yaml, conf, wanted, n_wanted, &s->reader, err)) == BUS_OK && in)
		rc = open_document(s, err);
	if (rc != BUS_OK || !in) {
		json_close(s);
		return rc;
	}
	*source = s;
	return BUS_OK;
}

/* ---- rows ---- */

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* The next byte that is no white space, not consumed. */
static enum bus_err next_byte(struct json *s, char *c, struct bus_error *err)
{
	for (;;) {
		while (s->p < s->end && is_space(*s->p))
			pass(s, s->p + 1);
		if (s->p < s->end) {
			*c = *s->p;
			return BUS_OK;
		}
		enum bus_err rc = more(s, err);

		if (rc != BUS_OK)
			return rc;
	}
}

struct scan { /* of one element */
	int64_t depth;
	bool in_string;
	bool escaped;
};

/* From p on; the end of the element, or NULL when it lies beyond end. */
static const char *scan_element(struct scan *c, const char *p, const char *end)
{
	for (; p < end; p++) {
		if (c->in_string) {
			if (c->escaped)
				c->escaped = false;
			else if (*p == '\\')
				c->escaped = true;
			else if (*p == '"') {
				c->in_string = false;
				if (c->depth == 0)
					return p + 1;
			}
			continue;
		}
		switch (*p) {
		case '"':
			c->in_string = true;
			break;
		case '{':
		case '[':
			c->depth++;
			break;
		case '}':
		case ']':
			if (c->depth == 0)
				return p;
			if (--c->depth == 0)
				return p + 1;
			break;
		case ',':
		case ' ':
		case '\t':
		case '\r':
		case '\n':
			if (c->depth == 0)
				return p;
			break;
		default:
			break;
		}
	}
	return NULL;
}

static void hold(struct json *s, const char *to)
{
	size_t n = (size_t)(to - s->p);

	if (s->held.n + n > ADAPTER_ROW_MAX) {
		s->too_long = true;
		n = ADAPTER_ROW_MAX - s->held.n;
	}
	bus_buf_put(&s->held, s->p, n);
}

/* The element at p: *raw is all of it, in the piece where it lies whole. BUS_ENOENT: the file ends in it. */
static enum bus_err cut_out(struct json *s, struct bus_str *raw, struct bus_error *err)
{
	struct scan scan = { .depth = 0 };
	const char *to;

	bus_buf_reset(&s->held);
	s->too_long = false;
	while (!(to = scan_element(&scan, s->p, s->end))) {
		enum bus_err rc;

		hold(s, s->end);
		pass(s, s->end);
		rc = more(s, err);
		if (rc != BUS_OK)
			return rc;
	}
	if (s->held.n == 0) {
		*raw = (struct bus_str){ s->p, (size_t)(to - s->p) };
		s->too_long = raw->n > ADAPTER_ROW_MAX;
	} else {
		hold(s, to);
		*raw = bus_buf_str(&s->held);
	}
	if (s->too_long && raw->n > 4096)
		raw->n = 4096;
	pass(s, to);
	return BUS_OK;
}

/* The row is not JSON: says where in the file, by reading it once more as if it stood there. */
static enum bus_err fail_in_row(struct bus_str raw, uint64_t line, uint64_t column, struct bus_error *err)
{
	struct bus_error why = { .code = BUS_OK };
	struct bus_json_puller *puller = bus_json_puller_new(NULL);
	enum bus_json_type type = BUS_JSON_NULL;
	struct bus_str text;
	enum bus_err rc = feed_gap(puller, 1, 1, line, column, &why);

	if (rc == BUS_OK) {
		bus_json_feed(puller, raw.p, raw.n, true);
		while ((rc = bus_json_next(puller, &type, &text, &why)) == BUS_OK && type != BUS_JSON_END)
			;
	}
	bus_json_puller_free(&puller);
	return rc == BUS_OK ? BUS_OK : not_json(&why, err);
}

static enum bus_err read_row(struct json *s, struct adapter_row *row, struct bus_error *err)
{
	uint64_t line = s->line, column = s->column;
	struct bus_error why = { .code = BUS_OK };
	struct bus_str raw;
	enum bus_err rc = cut_out(s, &raw, err);

	if (rc != BUS_OK)
		return rc;
	*row = (struct adapter_row){ .line = line, .raw = raw };
	if (s->too_long) {
		row->defect = ADAPTER_DEFECT_LONG;
		row->detail = ADAPTER_DETAIL_LONG;
		return BUS_OK;
	}
	rc = adapter_json_row_read(s->reader, raw, row, &why);
	if (rc == BUS_OK)
		return BUS_OK;
	if (rc == BUS_EPARSE) {
		rc = fail_in_row(raw, line, column, err);
		if (rc != BUS_OK)
			return rc;
	}
	/* Whole by its brackets, and the document goes on after it: a member twice, no object, too many
	 * values. */
	snprintf(s->detail, sizeof(s->detail), "%.150s", why.text);
	row->defect = s->defect;
	row->detail = s->detail;
	return BUS_OK;
}

static enum bus_err misplaced(struct json *s, struct bus_error *err)
{
	return bus_fail(err, BUS_EDATA,
			"bukan JSON / not JSON: line %" PRIu64 ", column %" PRIu64
			": ',' or the end of the array must stand here",
			s->line, s->column);
}

/* To the next element, or behind the rows (BUS_ENOENT). */
static enum bus_err next_element(struct json *s, struct bus_error *err)
{
	enum bus_err rc;
	char c;

	if ((rc = next_byte(s, &c, err)) != BUS_OK)
		return rc;
	if (c == ']') {
		rc = read_rest(s, err);
		return rc == BUS_OK ? BUS_ENOENT : rc;
	}
	if (!s->first) {
		if (c != ',')
			return misplaced(s, err);
		pass(s, s->p + 1);
		if ((rc = next_byte(s, &c, err)) != BUS_OK)
			return rc;
	}
	if (c == ',' || c == ']' || c == '}' || c == ':')
		return bus_fail(err, BUS_EDATA,
				"bukan JSON / not JSON: line %" PRIu64 ", column %" PRIu64
				": a value must stand here",
				s->line, s->column);
	s->first = false;
	return BUS_OK;
}

static enum bus_err json_next(void *source, struct adapter_row *row, struct bus_error *err)
{
	struct json *s = source;
	enum bus_err rc;

	if (s->where == AT_END)
		return BUS_ENOENT;
	rc = next_element(s, err);
	if (rc == BUS_OK)
		rc = read_row(s, row, err);
	if (rc == BUS_ENOENT && s->where == IN_ROWS) {
		s->cut = true;
		s->where = AT_END;
	}
	return rc;
}

static void json_end(void *source, struct adapter_end *out)
{
	const struct json *s = source;

	*out = (struct adapter_end){ .cut = s->cut };
	if (s->cut)
		snprintf(out->why, sizeof(out->why),
			 "dokumen terpotong / the document is cut short: line %" PRIu64 ", column %" PRIu64,
			 s->line, s->column);
}

const struct adapter_source_kind adapter_source_json = {
	.name = "json",
	.open = json_open,
	.next = json_next,
	.end = json_end,
	.close = json_close,
};
