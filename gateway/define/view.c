#include "gateway/define/view.h"

#include <stdio.h>

#include "bus/crypto.h"
#include "bus/yaml.h"

#define OPEN_MARK "/*---\n"
#define CLOSE_MARK "\n---*/"
#define FILE_MAX ((size_t)256 * 1024)

static char *keep(struct gw_def *d, const char *s)
{
	return s ? bus_arena_dup(d->arena, s, strlen(s)) : NULL;
}

static bool is_name(const char *s)
{
	size_t n = strlen(s);

	return n > 0 && n <= 60 && s[0] >= 'a' && s[0] <= 'z' &&
	       strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789_") == n;
}

static enum bus_err read_texts(struct gw_def *d, struct bus_yaml *y, struct bus_yaml_node *map,
			       const char *key, const char **id, const char **en, struct bus_error *err)
{
	struct bus_yaml_node *n = bus_yaml_get(map, key);
	const char *text_id = NULL, *text_en = NULL;
	enum bus_err rc;

	if (!n)
		return BUS_OK;
	if (n->kind != BUS_YAML_MAP)
		return bus_yaml_fail(y, n, err, "'%s' wants {id: ..., en: ...}", key);
	rc = bus_yaml_str(y, n, "id", true, &text_id, err);
	if (rc == BUS_OK)
		rc = bus_yaml_str(y, n, "en", true, &text_en, err);
	if (rc == BUS_OK)
		rc = bus_yaml_no_more(y, n, err);
	if (rc != BUS_OK)
		return rc;
	*id = keep(d, text_id);
	*en = keep(d, text_en);
	return BUS_OK;
}

static enum bus_err read_columns(struct gw_def *d, struct bus_yaml *y, struct bus_yaml_node *root,
				 struct bus_error *err)
{
	static const char *const type[] = { "text", "int", "real", "bool", "json" };
	static const enum gw_type type_of[] = { GW_TEXT, GW_INT, GW_REAL, GW_BOOL, GW_JSON };
	struct bus_yaml_node *list = bus_yaml_get(root, "columns");
	struct gw_column *c;
	const char *t, *pdp;
	enum bus_err rc;
	size_t i = 0, k;

	if (!list || list->kind != BUS_YAML_MAP || !list->first)
		return bus_yaml_fail(y, list ? list : root, err,
				     "'columns' wants every output column: {type: ..., pdp: ...}");
	d->pub.n_columns = bus_yaml_count(list);
	c = bus_arena_zalloc(d->arena, d->pub.n_columns * sizeof(*c));
	d->pub.column = c;
	for (struct bus_yaml_node *n = list->first; n; n = n->next, i++) {
		if (!is_name(n->key))
			return bus_yaml_fail(y, n, err, "column name '%s': lower case, digits, _ only",
					     n->key);
		if (n->kind != BUS_YAML_MAP)
			return bus_yaml_fail(y, n, err, "column '%s' wants {type: ..., pdp: ...}", n->key);
		c[i].name = keep(d, n->key);
		rc = bus_yaml_str(y, n, "type", true, &t, err);
		if (rc == BUS_OK)
			rc = bus_yaml_str(y, n, "pdp", true, &pdp, err);
		if (rc == BUS_OK)
			rc = read_texts(d, y, n, "title", &c[i].title_id, &c[i].title_en, err);
		if (rc == BUS_OK)
			rc = bus_yaml_no_more(y, n, err);
		if (rc != BUS_OK)
			return rc;
		for (k = 0; k < BUS_LEN(type) && strcmp(t, type[k]) != 0; k++)
			;
		if (k == BUS_LEN(type))
			return bus_yaml_fail(y, n, err, "type '%s': text, int, real, bool or json", t);
		c[i].type = type_of[k];
		if (strlen(pdp) != 1 || !strchr("NPUSA", pdp[0]))
			return bus_yaml_fail(y, n, err, "pdp '%s': N, P, U, S or A", pdp);
		c[i].pdp = pdp[0];
	}
	return BUS_OK;
}

static enum bus_err add_route(struct gw_def *d, struct bus_yaml *y, struct bus_yaml_node *n,
			      const char *table, struct bus_error *err)
{
	struct gw_route_def *r = &d->route[d->n_routes];

	if (n->kind != BUS_YAML_SCALAR)
		return bus_yaml_fail(y, n, err, "a route is a column of '%s' or a SELECT that gives keys",
				     table);
	r->table = keep(d, table);
	if (strchr(n->text, ' '))
		r->select = keep(d, n->text);
	else
		r->column = keep(d, n->text);
	d->n_routes++;
	return BUS_OK;
}

static enum bus_err read_routes(struct gw_def *d, struct bus_yaml *y, struct bus_yaml_node *root,
				struct bus_error *err)
{
	struct bus_yaml_node *list = bus_yaml_get(root, "routes");
	enum bus_err rc = BUS_OK;
	size_t n = 0;

	if (!list || list->kind != BUS_YAML_MAP)
		return bus_yaml_fail(y, list ? list : root, err,
				     "'routes' wants, for every table the SELECT reads, its way to the key");
	for (struct bus_yaml_node *t = list->first; t; t = t->next)
		n += t->kind == BUS_YAML_LIST ? bus_yaml_count(t) : 1;
	d->route = bus_arena_zalloc(d->arena, (n + 1) * sizeof(*d->route));
	for (struct bus_yaml_node *t = list->first; t && rc == BUS_OK; t = t->next) {
		if (t->kind != BUS_YAML_LIST) {
			rc = add_route(d, y, t, t->key, err);
			continue;
		}
		for (struct bus_yaml_node *r = t->first; r && rc == BUS_OK; r = r->next)
			rc = add_route(d, y, r, t->key, err);
	}
	return rc;
}

static enum bus_err read_indexes(struct gw_def *d, struct bus_yaml *y, struct bus_yaml_node *root,
				 struct bus_error *err)
{
	struct bus_yaml_node *list = bus_yaml_get(root, "indexes"), *cols;
	const char **column;
	const char *table;
	enum bus_err rc;
	size_t k;

	if (!list)
		return BUS_OK;
	if (list->kind != BUS_YAML_LIST)
		return bus_yaml_fail(y, list, err, "'indexes' wants a list of {table: ..., columns: [...]}");
	d->index = bus_arena_zalloc(d->arena, (bus_yaml_count(list) + 1) * sizeof(*d->index));
	for (struct bus_yaml_node *n = list->first; n; n = n->next) {
		if (n->kind != BUS_YAML_MAP)
			return bus_yaml_fail(y, n, err, "an index is {table: ..., columns: [...]}");
		rc = bus_yaml_str(y, n, "table", true, &table, err);
		if (rc != BUS_OK)
			return rc;
		cols = bus_yaml_get(n, "columns");
		if (!cols || cols->kind != BUS_YAML_LIST || !cols->first)
			return bus_yaml_fail(y, n, err, "'columns' wants a list of names");
		column = bus_arena_zalloc(d->arena, bus_yaml_count(cols) * sizeof(*column));
		k = 0;
		for (struct bus_yaml_node *c = cols->first; c; c = c->next) {
			if (c->kind != BUS_YAML_SCALAR)
				return bus_yaml_fail(y, c, err, "a column's name");
			column[k++] = keep(d, c->text);
		}
		d->index[d->n_indexes++] = (struct gw_index_def){ keep(d, table), column, k };
		rc = bus_yaml_no_more(y, n, err);
		if (rc != BUS_OK)
			return rc;
	}
	return BUS_OK;
}

static enum bus_err read_quality(struct gw_def *d, struct bus_yaml *y, struct bus_yaml_node *root,
				 struct bus_error *err)
{
	static const char *const fate[] = { "tanda", "tolak", "lepas" };
	struct bus_yaml_node *n = bus_yaml_get(root, "quality");
	const char *text[4] = { NULL };
	static const char *const key[] = { "opd", "umpan", "kelas", "nasib" };
	enum bus_err rc;
	size_t k;

	if (!n)
		return BUS_OK;
	if (n->kind != BUS_YAML_MAP)
		return bus_yaml_fail(y, n, err, "'quality' wants {opd, umpan, kelas, nasib}");
	for (size_t i = 0; i < BUS_LEN(key); i++) {
		rc = bus_yaml_str(y, n, key[i], true, &text[i], err);
		if (rc != BUS_OK)
			return rc;
	}
	for (k = 0; k < BUS_LEN(fate) && strcmp(text[3], fate[k]) != 0; k++)
		;
	if (k == BUS_LEN(fate))
		return bus_yaml_fail(y, n, err, "nasib '%s': tanda, tolak or lepas", text[3]);
	d->quality = true;
	d->opd = keep(d, text[0]);
	d->feed = keep(d, text[1]);
	d->class_name = keep(d, text[2]);
	d->fate = (enum gw_fate)k;
	return bus_yaml_no_more(y, n, err);
}

static enum bus_err read_word(struct bus_yaml *y, struct bus_yaml_node *root, const char *key,
			      const char *const *word, size_t n, size_t *out, struct bus_error *err)
{
	const char *text = word[0];
	enum bus_err rc = bus_yaml_str(y, root, key, false, &text, err);

	if (rc != BUS_OK)
		return rc;
	for (*out = 0; *out < n; (*out)++) {
		if (strcmp(text, word[*out]) == 0)
			return BUS_OK;
	}
	return bus_yaml_fail(y, bus_yaml_get(root, key), err, "%s '%s' is not known", key, text);
}

static enum bus_err read_front(struct gw_def *d, struct bus_yaml *y, struct bus_error *err)
{
	static const char *const stores[] = { "thin", "full" };
	static const char *const paces[] = { "row", "group", "total" };
	struct bus_yaml_node *root = bus_yaml_root(y);
	const char *name = NULL, *key = NULL;
	size_t store, pace, k;
	enum bus_err rc;

	if (root->kind != BUS_YAML_MAP)
		return bus_yaml_fail(y, root, err, "the front matter is a map");
	if ((rc = bus_yaml_str(y, root, "name", true, &name, err)) != BUS_OK ||
	    (rc = bus_yaml_str(y, root, "key", true, &key, err)) != BUS_OK ||
	    (rc = bus_yaml_bool(y, root, "dated", false, &d->pub.dated, err)) != BUS_OK ||
	    (rc = bus_yaml_bool(y, root, "internal", false, &d->pub.internal, err)) != BUS_OK ||
	    (rc = read_word(y, root, "store", stores, BUS_LEN(stores), &store, err)) != BUS_OK ||
	    (rc = read_word(y, root, "pace", paces, BUS_LEN(paces), &pace, err)) != BUS_OK ||
	    (rc = read_texts(d, y, root, "title", &d->pub.title_id, &d->pub.title_en, err)) != BUS_OK ||
	    (rc = read_texts(d, y, root, "about", &d->pub.about_id, &d->pub.about_en, err)) != BUS_OK ||
	    (rc = read_columns(d, y, root, err)) != BUS_OK || (rc = read_routes(d, y, root, err)) != BUS_OK ||
	    (rc = read_indexes(d, y, root, err)) != BUS_OK ||
	    (rc = read_quality(d, y, root, err)) != BUS_OK || (rc = bus_yaml_no_more(y, root, err)) != BUS_OK)
		return rc;
	if (!is_name(name))
		return bus_yaml_fail(y, root, err, "name '%s': lower case, digits, _ only", name);
	d->pub.name = keep(d, name);
	d->full = store == 1;
	d->pace = (enum gw_pace)pace;
	for (k = 0; k < d->pub.n_columns && strcmp(d->pub.column[k].name, key) != 0; k++)
		;
	if (k == d->pub.n_columns || d->pub.column[k].type != GW_TEXT)
		return bus_yaml_fail(y, bus_yaml_get(root, "key"), err, "key '%s' is no text column of it",
				     key);
	d->pub.key = k;
	if (d->full && d->pub.dated)
		return bus_yaml_fail(y, root, err, "a view that depends on the day cannot be stored in full");
	return BUS_OK;
}

static enum bus_err read_file(const char *path, struct bus_buf *out, struct bus_error *err)
{
	FILE *f = fopen(path, "re");
	enum bus_err rc = BUS_OK;

	if (!f)
		return bus_fail(err, BUS_EIO, "cannot open '%s': %m", path);
	bus_buf_reserve(out, FILE_MAX + 1);
	out->n = fread(out->p, 1, FILE_MAX + 1, f);
	if (ferror(f))
		rc = bus_fail(err, BUS_EIO, "cannot read '%s': %m", path);
	else if (out->n > FILE_MAX)
		rc = bus_fail(err, BUS_ETOOBIG, "'%s' is longer than %zu bytes", path, FILE_MAX);
	fclose(f);
	return rc;
}

static void digest(struct gw_def *d)
{
	struct bus_sha256_stream *s = bus_sha256_new();

	bus_sha256_add(s, d->body, strlen(d->body) + 1);
	bus_sha256_add(s, &d->full, 1);
	for (size_t i = 0; i < d->pub.n_columns; i++)
		bus_sha256_add(s, d->pub.column[i].name, strlen(d->pub.column[i].name) + 1);
	bus_sha256_add(s, &d->pub.key, sizeof(d->pub.key));
	bus_sha256_end(&s, d->digest);
}

enum bus_err gw_view_load(const char *path, struct gw_def **out, struct bus_error *err)
{
	struct gw_def *d = bus_xcalloc(1, sizeof(*d));
	struct bus_buf text = { 0 };
	struct bus_yaml *y = NULL;
	const char *p, *end;
	enum bus_err rc;
	size_t n;

	*out = NULL;
	d->arena = bus_arena_new(0);
	d->file = keep(d, path);
	rc = read_file(path, &text, err);
	if (rc != BUS_OK)
		goto out;
	p = bus_buf_cstr(&text);
	if (strlen(p) != text.n || strncmp(p, OPEN_MARK, strlen(OPEN_MARK)) != 0 ||
	    !(end = strstr(p, CLOSE_MARK))) {
		rc = bus_fail(err, BUS_EPARSE,
			      "%s:1: a view begins with a line '/*---', YAML, a line '---*/'", path);
		goto out;
	}
	p += strlen(OPEN_MARK);
	rc = bus_yaml_parse(path, 2, p, (size_t)(end + 1 - p), &y, err);
	if (rc == BUS_OK)
		rc = read_front(d, y, err);
	if (rc != BUS_OK)
		goto out;
	end += strlen(CLOSE_MARK);
	end += strspn(end, " \t\r\n"); /* body_line is the SELECT's */
	d->body_line = 1;
	for (p = text.p; p < end; p++)
		d->body_line += *p == '\n';
	n = strlen(end);
	while (n > 0 && strchr(" \t\r\n;", end[n - 1]))
		n--;
	d->body = bus_arena_dup(d->arena, end, n);
	digest(d);
	*out = d;
	d = NULL;
out:
	bus_yaml_free(&y);
	bus_buf_release(&text);
	gw_view_free(&d);
	return rc;
}

void gw_view_free(struct gw_def **d)
{
	if (!*d)
		return;
	bus_arena_free(&(*d)->arena);
	free(*d);
	*d = NULL;
}

bool gw_view_reads(const struct gw_def *d, const char *table)
{
	for (size_t i = 0; i < d->n_reads; i++) {
		if (strcmp(d->read[i].table, table) == 0)
			return true;
	}
	return false;
}

void gw_view_select(const struct gw_def *d, struct bus_buf *out)
{
	bus_buf_puts(out, "SELECT ");
	for (size_t i = 0; i < d->pub.n_columns; i++)
		bus_buf_printf(out, "%s\"%s\"", i ? "," : "", d->pub.column[i].name);
	bus_buf_printf(out, " FROM (\n%s\n) ", d->body);
}
