/* Rows that are elements of an XML document. Options: docs/xml.md. */
#include <stdio.h>

#include "adapters/source.h"
#include "adapters/xml.h"
#include "adapters/xml_path.h"

#define DEPTH_MAX 65 /* xml.h refuses what is deeper than 64 */

struct field {
	struct adapter_xml_path path;
	size_t matched; /* steps that the elements which are open take */
	unsigned count[ADAPTER_XML_STEPS_MAX];
	bool open; /* its element is */
	bool done; /* the first that is found stands */
	bool nil;
	struct bus_buf text;
};

struct source {
	struct adapter_input *in;
	struct adapter_xml *xml;
	struct adapter_xml_path rows;
	const char *rows_text;
	/* where we are */
	int depth;
	uint32_t
	    taken[DEPTH_MAX + 1]; /* of the element at each depth: which steps of rows it takes, bit by bit */
	unsigned count[DEPTH_MAX + 1][ADAPTER_XML_STEPS_MAX];
	int row_depth; /* 0: in no row */
	bool too_long, ready;
	/* the bytes that were read and not yet left behind, for a row as it stands in the file */
	struct bus_buf window;
	uint64_t window_at, row_at, row_line;
	size_t raw_from, raw_n;
	struct field *field;
	struct adapter_cell *cell;
	size_t n_fields;
	bool cut;
};

static void xml_close(void *source)
{
	struct source *s = source;

	adapter_xml_free(&s->xml);
	adapter_xml_path_release(&s->rows);
	for (size_t i = 0; i < s->n_fields; i++) {
		adapter_xml_path_release(&s->field[i].path);
		bus_buf_release(&s->field[i].text);
	}
	free(s->field);
	free(s->cell);
	bus_buf_release(&s->window);
	free(s);
}

/* --- the stream -------------------------------------------------------------------------------------- */

static void begin_row(struct source *s)
{
	size_t n;

	s->row_depth = s->depth;
	s->row_at = adapter_xml_at(s->xml, &n);
	s->row_line = adapter_xml_line(s->xml);
	s->too_long = false;
	for (size_t i = 0; i < s->n_fields; i++) {
		struct field *f = &s->field[i];

		f->matched = 0;
		f->open = f->done = f->nil = false;
		memset(f->count, 0, sizeof(f->count));
		bus_buf_reset(&f->text);
	}
}

/* Is this element the next of those that a path takes on its way to its end? */
static bool takes(const struct adapter_xml_step *step, unsigned *count, const char *name, const char **atts)
{
	if (!adapter_xml_step_is(step, name, atts))
		return false;
	++*count;
	return step->nth == 0 || *count == step->nth;
}

static bool is_nil(const char **atts)
{
	static char local[] = "nil", uri[] = "http://www.w3.org/2001/XMLSchema-instance";
	static const struct adapter_xml_name nil = { local, uri };
	const char *v = adapter_xml_path_att(&nil, atts);

	return v && (strcmp(v, "true") == 0 || strcmp(v, "1") == 0);
}

static void arrive(struct field *f, const char **atts)
{
	const char *value;

	if (f->done)
		return;
	if (f->path.end != ADAPTER_XML_ATTRIBUTE) {
		f->open = true;
		f->nil = is_nil(atts);
		return;
	}
	value = adapter_xml_path_att(&f->path.attribute, atts);
	if (!value)
		return;
	bus_buf_puts(&f->text, value);
	f->done = true;
}

static void start_field(struct field *f, size_t level, const char *name, const char **atts)
{
	if (f->matched == level && level < f->path.n && !f->done &&
	    takes(&f->path.step[level], &f->count[level], name, atts)) {
		f->matched++;
		if (f->matched < f->path.n)
			f->count[f->matched] = 0;
		else
			arrive(f, atts);
	}
}

static void find_row(struct source *s, const char *name, const char **atts)
{
	uint32_t before = s->depth > 1 ? s->taken[s->depth - 1] : 0, now = 0;

	for (size_t i = 0; i < s->rows.n; i++) {
		bool may = i > 0 ? before >> (i - 1) & 1 : s->rows.anywhere || s->depth == 1;

		if (may && takes(&s->rows.step[i], &s->count[s->depth][i], name, atts))
			now |= UINT32_C(1) << i;
	}
	s->taken[s->depth] = now;
	memset(s->count[s->depth + 1], 0, sizeof(s->count[0]));
	if (now >> (s->rows.n - 1) & 1)
		begin_row(s);
}

static void on_start(void *ctx, const char *name, const char **atts)
{
	struct source *s = ctx;

	s->depth++;
	if (s->depth == 1 && !s->rows.anywhere && !adapter_xml_step_is(&s->rows.step[0], name, atts)) {
		const char *space = strrchr(name, ' ');

		adapter_xml_fail(
		    s->xml,
		    "dokumen diawali <%.60s>, bukan yang disebut rows / the document begins with "
		    "<%.60s>, which is not where rows: %.100s leads",
		    space ? space + 1 : name, space ? space + 1 : name, s->rows_text);
		return;
	}
	if (s->row_depth == 0) {
		find_row(s, name, atts);
		for (size_t i = 0; s->row_depth > 0 && i < s->n_fields; i++)
			if (s->field[i].path.n == 0)
				arrive(&s->field[i], atts);
		return;
	}
	for (size_t i = 0; i < s->n_fields; i++)
		start_field(&s->field[i], (size_t)(s->depth - s->row_depth - 1), name, atts);
}

static void end_row(struct source *s)
{
	size_t n;
	uint64_t end = adapter_xml_at(s->xml, &n);

	s->raw_n = (size_t)(end + n - s->row_at);
	s->raw_from = (size_t)(s->row_at - s->window_at);
	s->too_long = s->too_long || s->raw_n > ADAPTER_ROW_MAX;
	s->ready = true;
	s->row_depth = 0;
	adapter_xml_pause(s->xml);
}

static void on_end(void *ctx, const char *name)
{
	struct source *s = ctx;
	size_t level = (size_t)(s->depth - s->row_depth);

	(void)name;
	for (size_t i = 0; s->row_depth > 0 && i < s->n_fields; i++) {
		struct field *f = &s->field[i];

		if (f->matched != level)
			continue;
		f->done = f->done || f->open;
		f->open = false;
		if (level > 0)
			f->matched--;
	}
	if (s->depth == s->row_depth)
		end_row(s);
	s->depth--;
}

static void on_text(void *ctx, const char *p, int n)
{
	struct source *s = ctx;

	if (s->row_depth == 0 || s->too_long)
		return;
	for (size_t i = 0; i < s->n_fields; i++) {
		struct field *f = &s->field[i];

		if (!f->open ||
		    (f->path.end == ADAPTER_XML_TEXT && (size_t)(s->depth - s->row_depth) != f->path.n))
			continue;
		if (f->text.n + (size_t)n > ADAPTER_ROW_MAX)
			s->too_long = true;
		else
			bus_buf_put(&f->text, p, (size_t)n);
	}
}

/* What lies before the row that is open, or before all that is parsed, is left behind. A row over the limit is not kept. */
static void slide(struct source *s, uint64_t parsed)
{
	uint64_t from = s->row_depth > 0 ? s->row_at : parsed;
	size_t gone = (size_t)(from - s->window_at);

	if (s->row_depth > 0 && s->window.n - gone > ADAPTER_ROW_MAX + ADAPTER_PEEK_MAX) {
		s->too_long = true;
		gone = s->window.n;
		from = s->window_at + gone;
	}
	if (gone > s->window.n)
		gone = s->window.n;
	memmove(s->window.p, s->window.p + gone, s->window.n - gone);
	s->window.n -= gone;
	s->window_at += gone;
}

static enum bus_err read_piece(void *ctx, char *p, size_t n, size_t *got, struct bus_error *err)
{
	struct source *s = ctx;
	struct bus_str piece;
	enum bus_err rc;

	if (s->window.n > 0)
		slide(s, adapter_xml_parsed(s->xml));
	rc = adapter_input_peek(s->in, n < ADAPTER_PEEK_MAX ? n : ADAPTER_PEEK_MAX, &piece, err);
	if (rc)
		return rc;
	*got = piece.n < n ? piece.n : n;
	memcpy(p, piece.p, *got);
	bus_buf_put(&s->window, piece.p, *got);
	adapter_input_skip(s->in, *got);
	return BUS_OK;
}

static const struct adapter_xml_handler handler = { .start = on_start, .end = on_end, .text = on_text };

/* --- the source -------------------------------------------------------------------------------------- */

static enum bus_err read_conf(struct source *s, struct bus_yaml *yaml, struct bus_yaml_node *conf,
			      const char *const *wanted, size_t n_wanted, struct bus_error *err)
{
	struct bus_yaml_node *spaces = bus_yaml_get(conf, "namespaces");
	enum bus_err rc = adapter_source_word(yaml, conf, "rows", true, &s->rows_text, err);

	if (!rc && spaces && spaces->kind != BUS_YAML_MAP)
		rc = bus_yaml_fail(yaml, spaces, err, "namespaces: {prefix: URI}");
	if (!rc)
		rc = adapter_xml_path_read(yaml, bus_yaml_get(conf, "rows"), spaces, s->rows_text, true,
					   &s->rows, err);
	s->field = bus_xcalloc(n_wanted + 1, sizeof(*s->field));
	s->cell = bus_xcalloc(n_wanted + 1, sizeof(*s->cell));
	for (; !rc && s->n_fields < n_wanted; s->n_fields += !rc)
		rc = adapter_xml_path_read(yaml, conf, spaces, wanted[s->n_fields], false,
					   &s->field[s->n_fields].path, err);
	for (struct bus_yaml_node *n = !rc && spaces ? spaces->first : NULL; n; n = n->next)
		n->asked = true; /* one that no path uses does no harm */
	return rc ? rc : bus_yaml_no_more(yaml, conf, err);
}

/* Only what could not be XML at all: an encoding of its own, UTF-16 too, is expat's matter. */
static enum bus_err sniff(struct adapter_input *in, struct bus_error *err)
{
	struct bus_str head;
	size_t i = 0;
	enum bus_err rc = adapter_input_peek(in, ADAPTER_PEEK_MAX, &head, err);

	if (rc)
		return rc;
	if (head.n >= 3 && memcmp(head.p, "\xef\xbb\xbf", 3) == 0)
		i = 3;
	while (i < head.n && head.p[i] && strchr(" \t\r\n", head.p[i]))
		i++;
	if (head.n >= 2 && (memcmp(head.p, "\xff\xfe", 2) == 0 || memcmp(head.p, "\xfe\xff", 2) == 0))
		return BUS_OK;
	if (i == head.n || head.p[i] != '<') {
		rc = adapter_source_sniff(in, err);
		return rc ? rc : bus_fail(err, BUS_EDATA, "bukan XML / no XML");
	}
	return BUS_OK;
}

static enum bus_err xml_open(struct bus_yaml *yaml, struct bus_yaml_node *conf, struct adapter_input *in,
			     const char *const *wanted, size_t n_wanted, void **source, struct bus_error *err)
{
	struct source *s = bus_xcalloc(1, sizeof(*s));
	enum bus_err rc;

	*source = NULL;
	s->in = in;
	rc = read_conf(s, yaml, conf, wanted, n_wanted, err);
	if (!rc && in)
		rc = sniff(in, err);
	if (rc || !in) {
		xml_close(s);
		return rc;
	}
	s->xml = adapter_xml_new_full(read_piece, s, &handler, s);
	*source = s;
	return BUS_OK;
}

static void give(struct source *s, struct adapter_row *row)
{
	*row = (struct adapter_row){ .line = s->row_line, .cell = s->cell, .n_cells = s->n_fields };
	if (s->too_long) {
		row->defect = ADAPTER_DEFECT_LONG;
		row->detail = ADAPTER_DETAIL_LONG;
		return;
	}
	row->raw = (struct bus_str){ s->window.p + s->raw_from, s->raw_n };
	for (size_t i = 0; i < s->n_fields; i++) {
		struct field *f = &s->field[i];

		s->cell[i] = (struct adapter_cell){ .kind = !f->done ? ADAPTER_MISSING
							    : f->nil ? ADAPTER_NULL
								     : ADAPTER_TEXT,
						    .text = bus_buf_str(&f->text) };
	}
}

static enum bus_err xml_next(void *source, struct adapter_row *row, struct bus_error *err)
{
	struct source *s = source;
	struct bus_error why = { 0 };
	enum bus_err rc;

	s->ready = false;
	do
		rc = adapter_xml_next(s->xml, &why);
	while (!rc && !s->ready);
	if (!rc) {
		adapter_input_note_line(s->in, s->row_line);
		give(s, row);
		return BUS_OK;
	}
	s->cut = rc == BUS_EDATA && adapter_xml_cut(s->xml);
	if (err)
		*err = why;
	return s->cut ? BUS_ENOENT : rc;
}

static void xml_end(void *source, struct adapter_end *out)
{
	const struct source *s = source;

	*out = (struct adapter_end){ .cut = s->cut };
	if (s->cut)
		snprintf(out->why, sizeof(out->why),
			 "dokumen XML belum ditutup / the XML document is not closed");
}

const struct adapter_source_kind adapter_source_xml = {
	.name = "xml",
	.open = xml_open,
	.next = xml_next,
	.end = xml_end,
	.close = xml_close,
};
