#include "bus/conf.h"

#include <assert.h>

#include "bus/conf_value.h"
#include "bus/yaml.h"

#define OPTIONS_MAX 128

struct load {
	const struct bus_conf_option *table;
	size_t n;
	void *conf;
	const char *folder; /* of the file, with its slash; "" when there is none */
	bool given[OPTIONS_MAX];
	struct bus_yaml *y;
	struct bus_error *err;
};

static size_t table_size(const struct bus_conf_option *table)
{
	size_t n = 0;

	while (table[n].name)
		n++;
	assert(n <= OPTIONS_MAX);
	return n;
}

/* The row of this name. For `kafka.x` without a row of its own the BUS_CONF_MAP row "kafka", and *key is "x".
 */
static const struct bus_conf_option *find_option(const struct load *l, const char *name, const char **key)
{
	*key = NULL;
	for (size_t i = 0; i < l->n; i++) {
		if (strcmp(l->table[i].name, name) == 0)
			return &l->table[i];
	}
	for (size_t i = 0; i < l->n; i++) {
		const struct bus_conf_option *o = &l->table[i];
		size_t len = strlen(o->name);

		if (o->type == BUS_CONF_MAP && strncmp(o->name, name, len) == 0 && name[len] == '.' &&
		    name[len + 1] != '\0') {
			*key = name + len + 1;
			return o;
		}
	}
	return NULL;
}

/* The nearest option; else one whose first part is the nearest: `dorp:` may be meant to open `drop.dir`. */
static const char *nearest_option(const struct load *l, const char *name)
{
	char part[OPTIONS_MAX][64];
	const char *names[OPTIONS_MAX];
	const char *near;

	for (size_t i = 0; i < l->n; i++)
		names[i] = l->table[i].name;
	near = bus_nearest(name, names, l->n);
	if (near)
		return near;
	for (size_t i = 0; i < l->n; i++) {
		snprintf(part[i], sizeof(part[i]), "%.*s", (int)strcspn(l->table[i].name, "."), l->table[i].name);
		names[i] = part[i];
	}
	near = bus_nearest(name, names, l->n);
	for (size_t i = 0; near && i < l->n; i++)
		if (names[i] == near)
			return l->table[i].name;
	return NULL;
}

/* The default, or what the command line says: a list is written with commas. */
static enum bus_err put_plain(struct load *l, const struct bus_conf_option *o, const char *key,
			      const char *text, struct bus_error *why)
{
	if (o->type != BUS_CONF_LIST)
		return bus_conf_put(o, l->conf, key, text, "", why);
	bus_conf_clear(o, l->conf);
	while (*text) {
		size_t n = strcspn(text, ",");
		char *item = bus_xstrndup(text, n);
		enum bus_err rc = bus_conf_put(o, l->conf, NULL, item, "", why);

		free(item);
		if (rc != BUS_OK)
			return rc;
		text += n + (text[n] == ',');
	}
	return BUS_OK;
}

static enum bus_err fail_unknown(struct load *l, const struct bus_yaml_node *at, const char *name)
{
	const char *near = nearest_option(l, name);
	const char *hint = near ? "; did you mean '" : "";
	const char *end = near ? "'?" : "";

	near = near ? near : "";
	if (at)
		return bus_yaml_fail(l->y, at, l->err, "unknown option '%s'%s%s%s", name, hint, near, end);
	return bus_fail(l->err, BUS_EINVAL, "--set: unknown option '%s'%s%s%s", name, hint, near, end);
}

static enum bus_err set_from_text(struct load *l, const char *set)
{
	const char *equals = strchr(set, '=');
	const struct bus_conf_option *o;
	struct bus_error why;
	const char *key;
	char *name;
	enum bus_err rc;

	if (!equals || equals == set)
		return bus_fail(l->err, BUS_EINVAL, "--set '%s': write name=value", set);
	name = bus_xstrndup(set, (size_t)(equals - set));
	o = find_option(l, name, &key);
	if (!o) {
		rc = fail_unknown(l, NULL, name);
	} else if (o->type == BUS_CONF_MAP && !key) {
		rc = bus_fail(l->err, BUS_EINVAL, "--set %s: name one key, like %s.key=value", name, name);
	} else {
		l->given[o - l->table] = true;
		rc = put_plain(l, o, key, equals + 1, &why);
		if (rc != BUS_OK)
			rc = bus_fail(l->err, rc, "--set %s: %s", name, why.text);
	}
	free(name);
	return rc;
}

/* --- the file --- */

static enum bus_err put_node(struct load *l, const struct bus_conf_option *o, const char *key,
			     const struct bus_yaml_node *n)
{
	const char *what = key ? key : o->name;
	bool is_text = o->type == BUS_CONF_STR || o->type == BUS_CONF_PATH || o->type >= BUS_CONF_LIST;
	struct bus_error why;

	if (n->kind != BUS_YAML_SCALAR)
		return bus_yaml_fail(l->y, n, l->err, "'%s' must be a single value, not a %s", what,
				     n->kind == BUS_YAML_MAP ? "map" : "list");
	if (bus_yaml_is_null(n))
		return bus_yaml_fail(l->y, n, l->err, "'%s' has no value; leave it out, or write \"\"", what);
	if (n->quoted && !is_text)
		return bus_yaml_fail(l->y, n, l->err, "'%s' must not stand in quotes", what);
	if (bus_conf_put(o, l->conf, key, n->text, l->folder, &why) != BUS_OK)
		return bus_yaml_fail(l->y, n, l->err, "%s: %s", what, why.text);
	return BUS_OK;
}

static enum bus_err put_list(struct load *l, const struct bus_conf_option *o,
			     const struct bus_yaml_node *list)
{
	enum bus_err rc = BUS_OK;

	if (list->kind != BUS_YAML_LIST)
		return bus_yaml_fail(l->y, list, l->err, "'%s' must be a list", o->name);
	for (const struct bus_yaml_node *c = list->first; c && rc == BUS_OK; c = c->next)
		rc = put_node(l, o, NULL, c);
	return rc;
}

static enum bus_err put_option(struct load *l, const struct bus_conf_option *o, const char *key,
			       const struct bus_yaml_node *n, const char *name)
{
	bool *given = &l->given[o - l->table];

	if (o->type == BUS_CONF_MAP && !key)
		return bus_yaml_fail(l->y, n, l->err, "'%s' must be a map", name);
	/* `http.port: 1` beside `http: { port: 2 }`: YAML sees two keys, we see one option. */
	if (o->type == BUS_CONF_MAP ? bus_conf_has(o, l->conf, key) : *given)
		return bus_yaml_fail(l->y, n, l->err, "option '%s' stands twice", name);
	*given = true;
	return o->type == BUS_CONF_LIST ? put_list(l, o, n) : put_node(l, o, key, n);
}

static bool is_prefix(const struct load *l, const char *name)
{
	size_t len = strlen(name);

	for (size_t i = 0; i < l->n; i++) {
		if (strncmp(l->table[i].name, name, len) == 0 && l->table[i].name[len] == '.')
			return true;
	}
	return false;
}

/* The depth of the recursion is that of the file, which bus/yaml bounds. */
static enum bus_err walk(struct load *l, const char *prefix, const struct bus_yaml_node *map)
{
	enum bus_err rc = BUS_OK;

	for (const struct bus_yaml_node *c = map->first; c && rc == BUS_OK; c = c->next) {
		char *name = bus_xasprintf("%s%s%s", prefix, *prefix ? "." : "", c->key);
		const char *key;
		const struct bus_conf_option *o = find_option(l, name, &key);

		if (c->kind == BUS_YAML_MAP && (o ? o->type == BUS_CONF_MAP : is_prefix(l, name)))
			rc = walk(l, name, c);
		else if (o)
			rc = put_option(l, o, key, c, name);
		else
			rc = fail_unknown(l, c, name);
		free(name);
	}
	return rc;
}

static enum bus_err set_from_file(struct load *l, const char *path)
{
	const char *slash = strrchr(path, '/');
	char *folder = slash ? bus_xstrndup(path, (size_t)(slash - path) + 1) : bus_xstrdup("");
	struct bus_yaml_node *root;
	enum bus_err rc = bus_yaml_load(path, &l->y, l->err);

	if (rc != BUS_OK)
		goto out;
	l->folder = folder;
	root = bus_yaml_root(l->y);
	if (root->kind != BUS_YAML_MAP)
		rc = bus_yaml_fail(l->y, root, l->err, "must be a map of options");
	else
		rc = walk(l, "", root);
out:
	bus_yaml_free(&l->y);
	free(folder);
	return rc;
}

static enum bus_err set_fallbacks(struct load *l)
{
	for (size_t i = 0; i < l->n; i++) {
		const struct bus_conf_option *o = &l->table[i];
		struct bus_error why;
		enum bus_err rc;

		if (l->given[i] || o->type == BUS_CONF_MAP)
			continue;
		if (!o->fallback)
			return bus_fail(l->err, BUS_EINVAL, "option '%s' must be given: %s%s", o->name,
					o->help, l->y ? "" : " (no --config FILE was given)");
		rc = put_plain(l, o, NULL, o->fallback, &why);
		assert(rc == BUS_OK); /* the table is ours */
		(void)rc;
	}
	return BUS_OK;
}

enum bus_err bus_conf_load(const char *path, const char *const *sets, const struct bus_conf_option *table,
			   void *conf, struct bus_error *err)
{
	struct load l = { .table = table, .n = table_size(table), .conf = conf, .folder = "", .err = err };
	enum bus_err rc = BUS_OK;

	if (path)
		rc = set_from_file(&l, path);
	for (size_t i = 0; sets && sets[i] && rc == BUS_OK; i++)
		rc = set_from_text(&l, sets[i]);
	if (rc == BUS_OK)
		rc = set_fallbacks(&l);
	if (rc != BUS_OK)
		bus_conf_release(table, conf);
	return rc;
}

/* "a.b" may stand as a: {b: ...} or as one key, at every level. */
static const struct bus_yaml_node *find_node(const struct bus_yaml_node *map, const char *name)
{
	const struct bus_yaml_node *found = NULL;

	for (const struct bus_yaml_node *c = map->kind == BUS_YAML_MAP ? map->first : NULL; c && !found; c = c->next) {
		size_t n = strlen(c->key);

		if (strncmp(name, c->key, n) != 0)
			continue;
		if (name[n] == '\0')
			found = c;
		else if (name[n] == '.')
			found = find_node(c, name + n + 1);
	}
	return found;
}

enum bus_err bus_conf_refuse(const char *path, const char *name, const char *text, struct bus_error *err)
{
	struct bus_yaml *y = NULL;
	const struct bus_yaml_node *at = NULL;
	enum bus_err rc;

	if (path && bus_yaml_load(path, &y, NULL) == BUS_OK)
		at = find_node(bus_yaml_root(y), name);
	rc = at ? bus_yaml_fail(y, at, err, "%s", text) : bus_fail(err, BUS_EINVAL, "%s", text);
	bus_yaml_free(&y);
	return rc;
}

void bus_conf_release(const struct bus_conf_option *table, void *conf)
{
	for (const struct bus_conf_option *o = table; o->name; o++)
		bus_conf_clear(o, conf);
}
