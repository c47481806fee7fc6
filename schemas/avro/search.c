#include "schemas/avro/search.h"

#include <ctype.h>
#include <strings.h>

#include "bus/mem.h"

#define NESTING_MAX 4 /* of unions, arrays and maps around the type that is looked for */

struct walk {
	const struct schema_search *wanted;
	bool (*fn)(void *ctx, const struct schema_hit *hit);
	void *ctx;
	bool *seen; /* by node */
	struct bus_buf path;
	bool stop;
};

static const char *logical_of(const struct schema_node *node)
{
	return node->logical == SCHEMA_LOGICAL_NONE ? NULL : schema_property(node->properties, "logicalType");
}

/* --- matching --------------------------------------------------------------------------------------- */

/* `*` stands for any bytes. Linear: only the last star is ever tried again. */
static bool fits(const char *pattern, const char *name)
{
	const char *star = NULL, *mark = NULL;

	while (*name) {
		if (*pattern == '*') {
			star = pattern++;
			mark = name;
		} else if (tolower((unsigned char)*pattern) == tolower((unsigned char)*name)) {
			pattern++;
			name++;
		} else if (star) {
			pattern = star + 1;
			name = ++mark;
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return *pattern == '\0';
}

static bool holds(const char *text, const char *part)
{
	return text && strcasestr(text, part);
}

static bool of_type(const struct schema_node *node, const char *type, int depth)
{
	const char *logical = logical_of(node);

	if (strcasecmp(schema_type_name(node->type), type) == 0 ||
	    (logical && strcasecmp(logical, type) == 0) || (node->name && strcasecmp(node->name, type) == 0))
		return true;
	if (depth > NESTING_MAX)
		return false;
	if (node->type == SCHEMA_UNION)
		for (size_t i = 0; i < node->n; i++)
			if (of_type(node->branch[i], type, depth + 1))
				return true;
	return (node->type == SCHEMA_ARRAY || node->type == SCHEMA_MAP) &&
	       of_type(node->item, type, depth + 1);
}

static bool matches(struct walk *w, const struct schema_node *record, const struct schema_field *f)
{
	const struct schema_search *q = w->wanted;
	const char *pdp = schema_property(f->properties, "x_pdp");

	return (!q->field || fits(q->field, f->name)) && (!q->type || of_type(f->type, q->type, 0)) &&
	       (!q->pdp || (pdp && strcasecmp(pdp, q->pdp) == 0)) &&
	       (!q->text || holds(bus_buf_cstr(&w->path), q->text) || holds(f->doc, q->text) ||
		holds(record->name, q->text) || holds(record->doc, q->text));
}

/* --- walking: as deep as types nest (SCHEMA_DEPTH_MAX) ----------------------------------------------- */

static void walk_type(struct walk *w, const struct schema_node *node);

static void walk_record(struct walk *w, const struct schema_node *node)
{
	size_t outside = w->path.n;

	if (w->seen[node->index])
		return;
	w->seen[node->index] = true;
	for (size_t i = 0; i < node->n && !w->stop; i++) {
		const struct schema_field *f = &node->field[i];
		struct schema_hit hit = { .field = f };

		if (outside > 0)
			bus_buf_putc(&w->path, '.');
		bus_buf_puts(&w->path, f->name);
		if (matches(w, node, f)) {
			hit.path = bus_buf_cstr(&w->path);
			w->stop = !w->fn(w->ctx, &hit);
		}
		walk_type(w, f->type);
		w->path.n = outside;
	}
}

static void walk_type(struct walk *w, const struct schema_node *node)
{
	size_t outside = w->path.n;

	if (w->stop)
		return;
	if (node->type == SCHEMA_RECORD)
		walk_record(w, node);
	else if (node->type == SCHEMA_UNION)
		for (size_t i = 0; i < node->n; i++)
			walk_type(w, node->branch[i]);
	else if (node->type == SCHEMA_ARRAY || node->type == SCHEMA_MAP) {
		bus_buf_puts(&w->path, node->type == SCHEMA_ARRAY ? "[]" : "{}");
		walk_type(w, node->item);
		w->path.n = outside;
	}
}

void schema_search(const struct schema *s, const struct schema_search *wanted,
		   bool (*fn)(void *ctx, const struct schema_hit *hit), void *ctx)
{
	struct walk w = { .wanted = wanted, .fn = fn, .ctx = ctx };

	w.seen = bus_xcalloc((size_t)schema_count(s), sizeof(*w.seen));
	walk_type(&w, schema_root(s));
	free(w.seen);
	bus_buf_release(&w.path);
}
