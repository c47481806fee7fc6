/* XML documents: the outermost element that repeats most is the row; what is in it are its columns. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "adapters/init/shape.h"
#include "adapters/xml.h"
#include "adapters/xml_path.h"

#define NODES_MAX 2000
#define SPACES_MAX 32
#define DEPTH_MAX 66 /* xml.h refuses what is deeper than 64 */

/* Every place in the document's tree once: an element's or an attribute's name below another. */
struct node {
	char *name; /* "URI local" */
	struct node *parent, *child, *last, *next;
	bool attribute, text; /* it has own text */
	uint64_t count;
	uint64_t serial, of_serial, of_count; /* this element; the parent in which of_count of it were seen */
	bool repeats;			      /* a parent has several */
};

struct tree {
	struct adapter_input *in;
	struct node top;
	size_t n;
	bool full;
	struct node *open[DEPTH_MAX]; /* NULL: left out, for there are too many */
	int depth;
	const char *space[SPACES_MAX]; /* URIs of rows and fields, prefix n1, n2 ... */
	size_t n_spaces;
	uint64_t serial;
	bool nested; /* something repeats within a row */
};

static void release(struct node *n)
{
	while (n->child) {
		struct node *next = n->child->next;

		release(n->child);
		free(n->child->name);
		free(n->child);
		n->child = next;
	}
}

static struct node *below(struct tree *t, struct node *parent, const char *name, bool attribute)
{
	struct node *n = parent->child;

	while (n && (n->attribute != attribute || strcmp(n->name, name) != 0))
		n = n->next;
	if (n)
		return n;
	if (t->n == NODES_MAX) {
		t->full = true;
		return NULL;
	}
	t->n++;
	n = bus_xcalloc(1, sizeof(*n));
	*n = (struct node){ .name = bus_xstrdup(name), .parent = parent, .attribute = attribute };
	if (parent->last)
		parent->last->next = n;
	else
		parent->child = n;
	parent->last = n;
	return n;
}

static void on_start(void *ctx, const char *name, const char **atts)
{
	static const char instance[] = "http://www.w3.org/2001/XMLSchema-instance ";
	struct tree *t = ctx;
	struct node *parent = t->open[t->depth], *n = parent ? below(t, parent, name, false) : NULL;

	t->open[++t->depth] = n;
	if (!n)
		return;
	n->count++;
	n->of_count = n->of_serial == parent->serial ? n->of_count + 1 : 1;
	n->of_serial = parent->serial;
	n->repeats |= n->of_count > 1;
	n->serial = ++t->serial;
	for (; *atts; atts += 2)
		if (strncmp(atts[0], instance, sizeof(instance) - 1) != 0)
			(void)below(t, n, atts[0], true);
}

static void on_end(void *ctx, const char *name)
{
	struct tree *t = ctx;

	(void)name;
	t->depth--;
}

static void on_text(void *ctx, const char *p, int n)
{
	struct tree *t = ctx;
	struct node *node = t->open[t->depth];

	for (int i = 0; node && !node->text && i < n; i++)
		node->text = !isspace((unsigned char)p[i]);
}

static enum bus_err read_piece(void *ctx, char *p, size_t n, size_t *got, struct bus_error *err)
{
	struct tree *t = ctx;
	struct bus_str piece;
	enum bus_err rc = adapter_input_peek(t->in, n < ADAPTER_PEEK_MAX ? n : ADAPTER_PEEK_MAX, &piece, err);

	if (rc)
		return rc;
	*got = piece.n < n ? piece.n : n;
	memcpy(p, piece.p, *got);
	adapter_input_skip(t->in, *got);
	return BUS_OK;
}

static enum bus_err read_tree(const char *path, struct tree *t, bool *cut, struct bus_error *err)
{
	static const struct adapter_xml_handler handler = { .start = on_start,
							    .end = on_end,
							    .text = on_text };
	struct adapter_xml *xml;
	enum bus_err rc = adapter_input_open(path, &t->in, err);

	*cut = false;
	if (rc)
		return rc;
	t->open[0] = &t->top;
	xml = adapter_xml_new_full(read_piece, t, &handler, t);
	rc = adapter_xml_all(xml, err);
	*cut = rc == BUS_EDATA && adapter_xml_cut(xml);
	adapter_xml_free(&xml);
	adapter_input_close(&t->in);
	return *cut || rc == BUS_ENOENT ? BUS_OK : rc;
}

/* ---- which is the row ---- */

static const char *local(const struct node *n)
{
	const char *space = strrchr(n->name, ' ');

	return space ? space + 1 : n->name;
}

/* Of those that repeat, and in nothing that does, the one there is most of. */
static void find_most(struct node *n, struct node **best)
{
	for (struct node *c = n->child; c; c = c->next) {
		if (c->attribute)
			continue;
		if (!c->repeats)
			find_most(c, best);
		else if (!*best || c->count > (*best)->count)
			*best = c;
	}
}

/* The one that the person names: by its name, or by the names that lead to it. */
static void find_named(struct node *n, const char *path, const char *want, struct node **found)
{
	for (struct node *c = n->child; c && !*found; c = c->next) {
		char *here;

		if (c->attribute)
			continue;
		here = bus_xasprintf("%s/%s", path, local(c));
		if (strcmp(here, want) == 0 ||
		    strcmp(local(c), want + (strncmp(want, "//", 2) == 0 ? 2 : 0)) == 0)
			*found = c;
		else
			find_named(c, here, want, found);
		free(here);
	}
}

/* <member><sekolah>...</sekolah></member>: a wrapper around each is not the row. */
static struct node *unwrap(struct node *n)
{
	while (n->child && !n->child->next && !n->child->attribute && n->child->child && !n->child->repeats &&
	       n->child->count == n->count && !n->text)
		n = n->child;
	return n;
}

/* ---- writing ---- */

/* Its name as a step; prefixed: with its namespace, if it has one. */
static void put_step(struct tree *t, const struct node *n, bool prefixed, struct bus_buf *out)
{
	const char *space = strrchr(n->name, ' ');
	size_t i = 0, uri = space ? (size_t)(space - n->name) : 0;

	while (i < t->n_spaces && (strncmp(t->space[i], n->name, uri) != 0 || t->space[i][uri] != ' '))
		i++;
	if (prefixed && space && i == t->n_spaces && i < SPACES_MAX)
		t->space[t->n_spaces++] = n->name;
	if (prefixed && space && i < t->n_spaces)
		bus_buf_printf(out, "n%zu:", i + 1);
	bus_buf_puts(out, local(n));
}

static void put_rows(struct tree *t, const struct node *n, struct bus_buf *out)
{
	if (n->parent != &t->top)
		put_rows(t, n->parent, out);
	bus_buf_putc(out, '/');
	put_step(t, n, true, out);
}

static bool alone(const struct node *n)
{
	for (const struct node *c = n->parent->child; c; c = c->next)
		if (c != n && c->attribute == n->attribute && strcmp(local(c), local(n)) == 0)
			return false;
	return true;
}

static void add(struct adapter_init_shape *out, const char *prefix, const char *end)
{
	char *path = bus_xasprintf("%s%s%s", prefix, *prefix && *end ? "/" : "", end);

	adapter_init_column_add(out, path, false);
	free(path);
}

static void add_fields(struct tree *t, const struct node *n, const char *prefix, int depth,
		       struct adapter_init_shape *out)
{
	bool elements = false;

	for (const struct node *c = n->child; c; c = c->next)
		elements |= !c->attribute;
	if (n->text)
		add(out, prefix, elements ? "text()" : *prefix ? "" : ".");
	else if (*prefix && !n->child)
		add(out, prefix, ""); /* always empty */
	for (const struct node *c = n->child; c; c = c->next) {
		struct bus_buf step = { 0 };

		bus_buf_puts(&step, prefix);
		bus_buf_puts(&step, *prefix ? "/" : "");
		bus_buf_puts(&step, c->attribute ? "@" : "");
		put_step(t, c, !alone(c), &step);
		t->nested |= c->repeats;
		if (c->attribute)
			adapter_init_column_add(out, bus_buf_cstr(&step), false);
		else if (depth < ADAPTER_XML_STEPS_MAX - 1)
			add_fields(t, c, bus_buf_cstr(&step), depth + 1, out);
		bus_buf_release(&step);
	}
}

static int depth_of(const struct tree *t, const struct node *n)
{
	int depth = 0;

	for (; n != &t->top; n = n->parent)
		depth++;
	return depth;
}

static void describe(struct tree *t, const struct node *row, bool cut, struct adapter_init_shape *out)
{
	struct bus_buf rows = { 0 };

	if (depth_of(t, row) > ADAPTER_XML_STEPS_MAX) {
		bus_buf_puts(&rows, "//");
		put_step(t, row, true, &rows);
	} else {
		put_rows(t, row, &rows);
	}
	add_fields(t, row, "", 0, out);
	out->kind = "xml";
	out->expected = row->count;
	bus_buf_puts(&out->source, "kind: xml\nrows: ");
	adapter_init_put_yaml(&out->source, bus_buf_cstr(&rows));
	bus_buf_puts(&out->source, "\n");
	if (t->n_spaces > 0)
		bus_buf_puts(&out->source, "namespaces:\n");
	for (size_t i = 0; i < t->n_spaces; i++) {
		char *uri = bus_xstrndup(t->space[i], (size_t)(strrchr(t->space[i], ' ') - t->space[i]));

		bus_buf_printf(&out->source, "  n%zu: ", i + 1);
		adapter_init_put_yaml(&out->source, uri);
		bus_buf_puts(&out->source, "\n");
		free(uri);
	}
	adapter_init_note(
	    out, row->repeats || row->parent->repeats ? ADAPTER_INIT_HIGH : ADAPTER_INIT_MEDIUM, false,
	    "dokumen XML; rekamannya unsur %s, yang terbanyak berulang / an XML document; its records "
	    "are the elements %s, which repeat most",
	    bus_buf_cstr(&rows), bus_buf_cstr(&rows));
	if (t->nested)
		adapter_init_note(
		    out, ADAPTER_INIT_MEDIUM, true,
		    "ada unsur yang berulang di dalam satu rekaman: yang pertama dipetakan; nama[2] yang "
		    "berikutnya / elements repeat within a record: the first is mapped; name[2] is the next");
	if (t->full)
		adapter_init_note(
		    out, ADAPTER_INIT_LOW, true,
		    "lebih dari %d nama yang berbeda: sisanya tidak dilihat / more than %d different "
		    "names: the rest is not looked at",
		    NODES_MAX, NODES_MAX);
	if (cut)
		adapter_init_note(out, ADAPTER_INIT_HIGH, true,
				  "dokumen terpotong di akhirnya / the document is cut at its end");
	bus_buf_release(&rows);
}

enum bus_err adapter_init_look_xml(const char *path, const struct adapter_init_want *want,
				   struct adapter_init_shape *out, struct bus_error *err)
{
	struct tree t = { 0 };
	struct node *row = NULL;
	bool cut;
	enum bus_err rc = read_tree(path, &t, &cut, err);

	if (rc == BUS_OK && want->rows)
		find_named(&t.top, "", want->rows, &row);
	else if (rc == BUS_OK)
		find_most(&t.top, &row);
	if (rc == BUS_OK && !row)
		rc = want->rows
			 ? bus_fail(err, BUS_EDATA, "tidak ada unsur / no element %s", want->rows)
			 : bus_fail(
			       err, BUS_EDATA,
			       "tidak ada unsur yang berulang di dokumen XML ini: sebut dengan --rows / no "
			       "element repeats in this XML document: name it with --rows");
	if (rc == BUS_OK)
		describe(&t, want->rows ? row : unwrap(row), cut, out);
	if (rc == BUS_OK && out->n_columns == 0)
		rc = bus_fail(err, BUS_EDATA, "unsur-unsurnya kosong / the elements are empty");
	release(&t.top);
	return rc;
}
