/* The front matter's own keys; columns and routes have a file each. */
#include <stdio.h>

#include "bus/clock.h"
#include "gateway/define/front.h"

#define TEXT_MAX 4000 /* bytes of a title, a description */
#define SCOPE_MAX 8

const char *gw_front_keep(struct gw_front *f, const char *s)
{
	return s ? bus_arena_dup(f->d->arena, s, strlen(s)) : NULL;
}

bool gw_front_is_name(const char *s)
{
	size_t n = strlen(s);

	return n > 0 && n <= 60 && s[0] >= 'a' && s[0] <= 'z' &&
	       strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789_") == n;
}

enum bus_err gw_front_text(struct gw_front *f, struct bus_yaml_node *map, const char *key, const char **out)
{
	const char *text = NULL;
	enum bus_err rc = bus_yaml_str(f->y, map, key, false, &text, f->err);

	if (rc != BUS_OK || !text)
		return rc;
	if (strlen(text) > TEXT_MAX)
		return bus_yaml_fail(f->y, bus_yaml_get(map, key), f->err, "'%s' is longer than %d bytes",
				     key, TEXT_MAX);
	*out = gw_front_keep(f, text);
	return BUS_OK;
}

enum bus_err gw_front_texts(struct gw_front *f, struct bus_yaml_node *map, const char *key, const char **id,
			    const char **en)
{
	struct bus_yaml_node *n = bus_yaml_get(map, key);
	enum bus_err rc;

	if (!n)
		return BUS_OK;
	if (n->kind != BUS_YAML_MAP || !bus_yaml_get(n, "id") || !bus_yaml_get(n, "en"))
		return bus_yaml_fail(f->y, n, f->err, "'%s' wants {id: ..., en: ...}", key);
	rc = gw_front_text(f, n, "id", id);
	if (rc == BUS_OK)
		rc = gw_front_text(f, n, "en", en);
	return rc == BUS_OK ? bus_yaml_no_more(f->y, n, f->err) : rc;
}

enum bus_err gw_front_word(struct gw_front *f, struct bus_yaml_node *map, const char *key, bool must,
			   const char *const *word, size_t n, size_t *out)
{
	struct bus_buf all = { 0 };
	const char *text = word[0], *near;
	enum bus_err rc = bus_yaml_str(f->y, map, key, must, &text, f->err);

	if (rc != BUS_OK)
		return rc;
	for (*out = 0; *out < n; (*out)++) {
		if (strcmp(text, word[*out]) == 0)
			return BUS_OK;
	}
	near = bus_nearest(text, word, n);
	for (size_t i = 0; i < n; i++)
		bus_buf_printf(&all, "%s%s", i == 0 ? "" : i + 1 < n ? ", " : " or ", word[i]);
	rc = bus_yaml_fail(f->y, bus_yaml_get(map, key), f->err, "%s '%.60s': %s%s%s%s", key, text,
			   bus_buf_cstr(&all), near ? "; did you mean '" : "", near ? near : "",
			   near ? "'?" : "");
	bus_buf_release(&all);
	return rc;
}

enum bus_err gw_front_list(struct gw_front *f, struct bus_yaml_node *map, const char *key, size_t max,
			   const char *const **out, size_t *n)
{
	struct bus_yaml_node *list = bus_yaml_get(map, key);
	const char **text;

	if (!list)
		return BUS_OK;
	if (list->kind != BUS_YAML_LIST || !list->first)
		return bus_yaml_fail(f->y, list, f->err, "'%s' wants a list: [...]", key);
	if (bus_yaml_count(list) > max)
		return bus_yaml_fail(f->y, list, f->err, "'%s' has more than %zu entries", key, max);
	text = bus_arena_zalloc(f->d->arena, bus_yaml_count(list) * sizeof(*text));
	for (struct bus_yaml_node *c = list->first; c; c = c->next) {
		if (c->kind != BUS_YAML_SCALAR || c->text_len == 0)
			return bus_yaml_fail(f->y, c, f->err, "'%s' wants a list of names", key);
		text[(*n)++] = gw_front_keep(f, c->text);
	}
	*out = text;
	return BUS_OK;
}

enum bus_err gw_front_column(struct gw_front *f, const struct bus_yaml_node *at, const char *key,
			     const char *name, size_t *out)
{
	const char *all[GW_COLUMNS_MAX], *near;
	const struct gw_view *v = &f->d->pub;

	for (size_t i = 0; i < v->n_columns; i++) {
		all[i] = v->column[i].name;
		if (strcmp(all[i], name) == 0) {
			*out = i;
			return BUS_OK;
		}
	}
	near = bus_nearest(name, all, v->n_columns);
	return bus_yaml_fail(f->y, at, f->err, "%s '%.60s' is no column of it%s%s%s", key, name,
			     near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

static enum bus_err read_scope(struct gw_front *f, struct bus_yaml_node *root)
{
	const char *const *name = NULL;
	size_t n = 0, *scope;
	enum bus_err rc = gw_front_list(f, root, "scope", SCOPE_MAX, &name, &n);

	if (rc != BUS_OK || n == 0)
		return rc;
	scope = bus_arena_zalloc(f->d->arena, n * sizeof(*scope));
	for (size_t i = 0; i < n && rc == BUS_OK; i++)
		rc = gw_front_column(f, bus_yaml_get(root, "scope"), "scope", name[i], &scope[i]);
	f->d->pub.scope = scope;
	f->d->pub.n_scope = n;
	return rc;
}

enum bus_err gw_front_day(struct gw_front *f, struct bus_yaml_node *root, const char *key, const char **day)
{
	enum bus_err rc = gw_front_text(f, root, key, day);
	int y, m, d, n = 0;
	int32_t days;

	if (rc != BUS_OK || !*day)
		return rc;
	if (strlen(*day) != 10 || sscanf(*day, "%4d-%2d-%2d%n", &y, &m, &d, &n) != 3 || n != 10 ||
	    !bus_clock_days(y, m, d, &days))
		return bus_yaml_fail(f->y, bus_yaml_get(root, key), f->err, "%s: a day like 2027-06-30", key);
	return BUS_OK;
}

/* Who answers for it, what for, on what grounds, and what it promises. */
static enum bus_err read_promises(struct gw_front *f, struct bus_yaml_node *root)
{
	struct gw_view *v = &f->d->pub;
	enum bus_err rc;

	if ((rc = gw_front_text(f, root, "owner", &v->owner)) != BUS_OK ||
	    (rc = gw_front_texts(f, root, "purpose", &v->purpose_id, &v->purpose_en)) != BUS_OK ||
	    (rc = gw_front_text(f, root, "basis", &v->basis)) != BUS_OK ||
	    (rc = gw_front_text(f, root, "dpia", &v->dpia)) != BUS_OK ||
	    (rc = gw_front_day(f, root, "deprecated", &v->deprecated)) != BUS_OK ||
	    (rc = gw_front_day(f, root, "sunset", &v->sunset)) != BUS_OK ||
	    (rc = gw_front_promises(f, root)) != BUS_OK || (rc = read_scope(f, root)) != BUS_OK ||
	    (rc = bus_yaml_bool(f->y, root, "history", false, &v->history, f->err)) != BUS_OK)
		return rc;
	if (v->owner && !gw_front_is_name(v->owner))
		return bus_yaml_fail(f->y, bus_yaml_get(root, "owner"), f->err,
				     "owner '%.60s': the short name of an OPD, as in its topics: dinsos",
				     v->owner);
	if (v->dpia && (v->dpia[0] == '.' || strchr(v->dpia, '/')))
		return bus_yaml_fail(f->y, bus_yaml_get(root, "dpia"), f->err,
				     "dpia '%.60s': the name of a file, without a folder", v->dpia);
	return BUS_OK;
}

static enum bus_err read_key(struct gw_front *f, struct bus_yaml_node *root)
{
	const char *key = NULL;
	enum bus_err rc = bus_yaml_str(f->y, root, "key", true, &key, f->err);

	if (rc == BUS_OK)
		rc = gw_front_column(f, bus_yaml_get(root, "key"), "key", key, &f->d->pub.key);
	if (rc == BUS_OK && f->d->pub.column[f->d->pub.key].type != GW_TEXT)
		rc = bus_yaml_fail(f->y, bus_yaml_get(root, "key"), f->err,
				   "key '%s' must be text; write CAST(... AS TEXT) and type: text", key);
	if (rc == BUS_OK && !f->d->pub.internal && gw_world_graver(f->d->pub.column[f->d->pub.key].pdp, 'P'))
		rc = bus_yaml_fail(f->y, bus_yaml_get(root, "key"), f->err,
				   "key '%s' is of class %c: keys stand in URLs and feeds, unmasked; use one of class N "
				   "or P (id_subjek, or _key), and keep this as a column beside it",
				   key, f->d->pub.column[f->d->pub.key].pdp);
	return rc;
}

enum bus_err gw_front_read(struct gw_front *f)
{
	static const char *const known[] = { "name",	  "key",	"columns",  "title",   "about",	    "owner",	 "purpose",
					     "basis",	  "dpia",	"access",   "scope",   "dated",	    "internal",	 "store",
					     "pace",	  "routes",	"indexes",  "quality", "freshness", "complete",	 "history",
					     "catalogue", "deprecated", "sunset",   "figures" };
	static const char *const stores[] = { "thin", "full" };
	static const char *const paces[] = { "row", "group", "total" };
	struct bus_yaml_node *root = bus_yaml_root(f->y);
	struct gw_view *v = &f->d->pub;
	const char *name = NULL;
	size_t store, pace;
	enum bus_err rc;

	if (root->kind != BUS_YAML_MAP)
		return bus_yaml_fail(f->y, root, f->err, "the front matter is a map: key: value");
	for (size_t i = 0; i < BUS_LEN(known); i++)
		(void)bus_yaml_get(root, known[i]);
	if ((rc = bus_yaml_no_more(f->y, root, f->err)) != BUS_OK) /* first: `kunci` is why there is no `key` */
		return rc;
	if ((rc = bus_yaml_str(f->y, root, "name", true, &name, f->err)) != BUS_OK ||
	    (rc = bus_yaml_bool(f->y, root, "dated", false, &v->dated, f->err)) != BUS_OK ||
	    (rc = bus_yaml_bool(f->y, root, "internal", false, &v->internal, f->err)) != BUS_OK ||
	    (rc = gw_front_word(f, root, "store", false, stores, BUS_LEN(stores), &store)) != BUS_OK ||
	    (rc = gw_front_word(f, root, "pace", false, paces, BUS_LEN(paces), &pace)) != BUS_OK ||
	    (rc = gw_front_texts(f, root, "title", &v->title_id, &v->title_en)) != BUS_OK ||
	    (rc = gw_front_texts(f, root, "about", &v->about_id, &v->about_en)) != BUS_OK ||
	    (rc = gw_front_columns(f, root)) != BUS_OK || (rc = read_key(f, root)) != BUS_OK ||
	    (rc = read_promises(f, root)) != BUS_OK || (rc = gw_front_routes(f, root)) != BUS_OK ||
	    (rc = gw_front_indexes(f, root)) != BUS_OK || (rc = gw_front_quality(f, root)) != BUS_OK ||
	    (rc = gw_front_figures(f, root)) != BUS_OK || (rc = gw_front_card(f, root)) != BUS_OK)
		return rc;
	if (!gw_front_is_name(name))
		return bus_yaml_fail(f->y, bus_yaml_get(root, "name"), f->err,
				     "name '%.60s': lower case, digits, _ only, a letter first", name);
	v->name = gw_front_keep(f, name);
	f->d->full = store == 1;
	f->d->pace = (enum gw_pace)pace;
	if (f->d->full && v->dated)
		return bus_yaml_fail(f->y, bus_yaml_get(root, "store"), f->err,
				     "a view that depends on the day cannot be stored in full");
	return BUS_OK;
}
