#include "adapters/reference/table.h"

#include <stdlib.h>

#include "adapters/reference/copy.h"
#include "adapters/seen.h"
#include "bus/json.h"

#define COLUMNS 64

struct row {
	char *text; /* the key, then the JSON; NULL: free */
	size_t key, json;
	bool gone;
};

struct adapter_reference_table {
	struct row *row;
	size_t mask, used, rows; /* used: places taken, keys that are gone among them */
	size_t bytes;
};

struct adapter_reference_table *adapter_reference_table_new(void)
{
	struct adapter_reference_table *t = bus_xcalloc(1, sizeof(*t));

	t->mask = 255;
	t->row = bus_xcalloc(t->mask + 1, sizeof(*t->row));
	return t;
}

void adapter_reference_table_free(struct adapter_reference_table **tp)
{
	struct adapter_reference_table *t = *tp;

	for (size_t i = 0; t && i <= t->mask; i++)
		free(t->row[i].text);
	if (t)
		free(t->row);
	free(t);
	*tp = NULL;
}

static struct row *find(struct row *row, size_t mask, struct bus_str key)
{
	size_t i = adapter_fingerprint(key) & mask;

	while (row[i].text && !bus_str_eq((struct bus_str){ row[i].text, row[i].key }, key))
		i = (i + 1) & mask;
	return &row[i];
}

static void grow(struct adapter_reference_table *t)
{
	size_t mask = t->mask * 2 + 1;
	struct row *row = bus_xcalloc(mask + 1, sizeof(*row));

	for (size_t i = 0; i <= t->mask; i++)
		if (t->row[i].text)
			*find(row, mask, (struct bus_str){ t->row[i].text, t->row[i].key }) = t->row[i];
	free(t->row);
	t->row = row;
	t->mask = mask;
}

enum bus_err adapter_reference_table_put(struct adapter_reference_table *t, struct bus_str key,
					 struct bus_str json, struct bus_error *err)
{
	struct row *r = find(t->row, t->mask, key);
	size_t n = json.p ? json.n : 0;
	char *text;

	if (!json.p && !r->text)
		return BUS_OK;
	t->bytes -= r->text ? r->key + r->json : 0;
	t->bytes += key.n + n;
	if (t->bytes > ADAPTER_REFERENCE_MAX)
		return bus_fail(err, BUS_ETOOBIG, "a reference topic over %zu bytes", ADAPTER_REFERENCE_MAX);
	text = bus_xmalloc(key.n + n + 1);
	memcpy(text, key.p, key.n);
	if (n > 0)
		memcpy(text + key.n, json.p, n);
	t->rows -= r->text && !r->gone;
	t->rows += json.p != NULL;
	t->used += !r->text;
	free(r->text);
	*r = (struct row){ text, key.n, n, !json.p };
	if (t->used * 2 > t->mask)
		grow(t);
	return BUS_OK;
}

size_t adapter_reference_table_rows(const struct adapter_reference_table *t)
{
	return t->rows;
}

/* ---- writing ---- */

static int by_key(const void *a, const void *b)
{
	const struct row *x = *(struct row *const *)a, *y = *(struct row *const *)b;
	int order = memcmp(x->text, y->text, x->key < y->key ? x->key : y->key);

	return order ? order : (x->key > y->key) - (x->key < y->key);
}

struct columns {
	char *name[COLUMNS];
	size_t n;
};

static bool single(const struct bus_json *v)
{
	return v->type != BUS_JSON_OBJECT && v->type != BUS_JSON_ARRAY;
}

static void learn(struct columns *c, const struct bus_json *row)
{
	for (const struct bus_json *v = row->first; v; v = v->next) {
		size_t i = 0;

		while (i < c->n && !bus_str_is(v->name, c->name[i]))
			i++;
		if (i == c->n && i < COLUMNS && single(v))
			c->name[c->n++] = bus_xasprintf("%.*s", (int)v->name.n, v->name.p);
	}
}

/* Quoted, and nothing else done to it: this is read by a program. */
static void put_cell(struct bus_buf *out, struct bus_str s)
{
	bus_buf_putc(out, '"');
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '"')
			bus_buf_putc(out, '"');
		bus_buf_putc(out, s.p[i]);
	}
	bus_buf_putc(out, '"');
}

static struct bus_str text_of(const struct bus_json *v)
{
	if (v && (v->type == BUS_JSON_STRING || v->type == BUS_JSON_NUMBER))
		return v->text;
	if (v && v->type == BUS_JSON_TRUE)
		return BUS_STR("true");
	if (v && v->type == BUS_JSON_FALSE)
		return BUS_STR("false");
	return (struct bus_str){ "", 0 };
}

/* learned NULL: the columns alone. */
static enum bus_err each_row(struct row **row, size_t n, struct columns *c, struct bus_buf *out,
			     struct bus_error *err)
{
	struct bus_arena *arena = bus_arena_new(0);
	enum bus_err rc = BUS_OK;

	for (size_t i = 0; i < n && !rc; i++) {
		struct bus_str text = { row[i]->text + row[i]->key, row[i]->json };
		struct bus_json *root = NULL;

		bus_arena_reset(arena);
		rc = bus_json_parse(text, NULL, arena, &root, err);
		if (rc || root->type != BUS_JSON_OBJECT) {
			rc = rc ? rc
				: bus_fail(err, BUS_EDATA, "a record of the reference topic is no record");
			break;
		}
		if (!out) {
			learn(c, root);
			continue;
		}
		for (size_t k = 0; k < c->n; k++) {
			if (k > 0)
				bus_buf_putc(out, ',');
			put_cell(out, text_of(bus_json_get(root, c->name[k])));
		}
		bus_buf_putc(out, '\n');
	}
	bus_arena_free(&arena);
	return rc;
}

enum bus_err adapter_reference_table_write(struct adapter_reference_table *t, struct bus_buf *out,
					   struct bus_error *err)
{
	struct row **row = bus_xcalloc(t->rows + 1, sizeof(struct row *));
	struct columns c = { .n = 0 };
	size_t n = 0;
	enum bus_err rc;

	for (size_t i = 0; i <= t->mask; i++)
		if (t->row[i].text && !t->row[i].gone)
			row[n++] = &t->row[i];
	qsort(row, n, sizeof(struct row *), by_key);
	rc = each_row(row, n, &c, NULL, err);
	for (size_t k = 0; k < c.n; k++) {
		if (k > 0)
			bus_buf_putc(out, ',');
		put_cell(out, bus_str(c.name[k]));
	}
	bus_buf_putc(out, '\n');
	if (!rc)
		rc = each_row(row, n, &c, out, err);
	for (size_t k = 0; k < c.n; k++)
		free(c.name[k]);
	free(row);
	return rc;
}
