/* Reads a mapping: strict, everything named, every fault with file, line and the nearest known name. */
#include "adapters/map_impl.h"

#include <stdio.h>

#include "bus/clock.h"

#define ROW_MAX ((size_t)16 * 1024 * 1024) /* what the conversions of one row may take */

void *adapter_map_keep(struct adapter_map *m, size_t n)
{
	void *p = bus_arena_zalloc(m->keep, n ? n : 1);

	if (!p)
		abort(); /* `keep` has no cap: a mapping is at most 1 MiB, its tables 64 */
	return p;
}

enum bus_err adapter_map_hint(struct adapter_map *m, const struct bus_yaml_node *at, struct bus_error *err,
			      const char *what, const char *word, const char *const *names, size_t n)
{
	const char *near = bus_nearest(word, names, n);

	return bus_yaml_fail(m->yaml, at, err, "%s '%s'%s%s%s", what, word, near ? "; did you mean '" : "",
			     near ? near : "", near ? "'?" : "");
}

enum bus_err adapter_map_column(struct adapter_map *m, const struct bus_yaml_node *at, const char *name,
				uint16_t *out, struct bus_error *err)
{
	for (size_t i = 0; i < m->n_columns; i++) {
		if (strcmp(m->column[i], name) == 0) {
			*out = (uint16_t)i;
			return BUS_OK;
		}
	}
	if (m->n_columns == MAP_COLUMNS_MAX)
		return bus_yaml_fail(m->yaml, at, err, "more than %d columns", MAP_COLUMNS_MAX);
	m->column[m->n_columns] = name;
	*out = (uint16_t)m->n_columns++;
	return BUS_OK;
}

enum bus_err adapter_map_class(struct adapter_map *m, const struct bus_yaml_node *at, const char *name,
			       enum adapter_class_fate fate, uint16_t *out, struct bus_error *err)
{
	int have = adapter_map_class_index(m, name);

	if (have >= 0 && m->class[have].fate != fate)
		return bus_yaml_fail(m->yaml, at, err, "class '%s' has another fate further up", name);
	if (have < 0) {
		/* Some places are kept for the classes of the source and of the mapper itself. */
		if (m->n_classes >= ADAPTER_CLASSES_MAX - 8)
			return bus_yaml_fail(m->yaml, at, err, "more than %d classes",
					     ADAPTER_CLASSES_MAX - 8);
		for (const char *p = name; *p; p++)
			if (!((*p >= 'a' && *p <= 'z') || (*p >= '0' && *p <= '9') || *p == '_'))
				return bus_yaml_fail(m->yaml, at, err,
						     "a class is named with a to z, 0 to 9 and _");
		have = (int)m->n_classes++;
		m->class[have] = (struct adapter_class){ name, fate };
	}
	*out = (uint16_t)have;
	return BUS_OK;
}

/* ---- the parts ---- */

static enum bus_err read_texts(struct adapter_map *m, struct bus_yaml_node *root, const char *key,
			       const char ***out, size_t *n, struct bus_error *err)
{
	struct bus_yaml_node *node = bus_yaml_get(root, key);
	const struct map_texts *t;
	enum bus_err rc;

	if (!node)
		return bus_yaml_fail(m->yaml, root, err, "%s: is missing", key);
	rc = adapter_map_texts(m, node, &t, err);
	if (rc != BUS_OK)
		return rc;
	*out = adapter_map_keep(m, t->n * sizeof(**out));
	for (*n = 0; *n < t->n; (*n)++)
		(*out)[*n] = t->text[*n].p;
	return BUS_OK;
}

/* What is fetched is named after its feed: then nothing else need be said. */
static enum bus_err read_files(struct adapter_map *m, struct bus_yaml_node *root, struct bus_error *err)
{
	if (bus_yaml_get(root, "files") || (!m->fetch_conf && !m->change_conf))
		return read_texts(m, root, "files", &m->file, &m->n_files, err);
	m->fetched = bus_xasprintf("%s-*", m->feed);
	m->file = adapter_map_keep(m, sizeof(*m->file));
	m->file[0] = m->fetched;
	m->n_files = 1;
	return BUS_OK;
}

static bool topic_ok(const char *t)
{
	size_t n = strspn(t, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-");

	return n > 0 && n <= 249 && t[n] == '\0';
}

static enum bus_err read_limits(struct adapter_map *m, struct bus_yaml_node *limits, struct bus_error *err)
{
	enum bus_err rc;

	if (!limits)
		return BUS_OK;
	if (limits->kind != BUS_YAML_MAP)
		return bus_yaml_fail(m->yaml, limits, err, "write limits: {rows_per_second: 500}");
	rc = bus_yaml_int(m->yaml, limits, "rows_per_second", false, 1, INT32_MAX, &m->rows_per_second, err);
	if (rc == BUS_OK)
		rc = bus_yaml_int(m->yaml, limits, "bytes_per_second", false, 1, INT32_MAX,
				  &m->bytes_per_second, err);
	return rc == BUS_OK ? bus_yaml_no_more(m->yaml, limits, err) : rc;
}

static enum bus_err read_head(struct adapter_map *m, struct bus_yaml_node *root,
			      const struct adapter_map_env *env, struct bus_error *err)
{
	const char *kind = NULL;
	int64_t remove_max = 10, year = 0;
	enum bus_err rc;

	rc = bus_yaml_str(m->yaml, root, "feed", true, &m->feed, err);
	m->fetch_conf = bus_yaml_get(root, "fetch");
	m->change_conf = bus_yaml_get(root, "change");
	if (rc == BUS_OK && m->fetch_conf && m->change_conf)
		rc = bus_yaml_fail(m->yaml, m->change_conf, err,
				   "a feed is fetched or followed: leave out `fetch` or `change`");
	if (rc == BUS_OK)
		rc = read_files(m, root, err);
	if (rc == BUS_OK)
		rc = bus_yaml_str(m->yaml, root, "topic", true, &m->topic, err);
	if (rc == BUS_OK && !topic_ok(m->topic))
		rc = bus_yaml_fail(m->yaml, bus_yaml_get(root, "topic"), err, "not a name of a Kafka topic");
	if (rc == BUS_OK)
		rc = bus_yaml_str(m->yaml, root, "kind", true, &kind, err);
	if (rc == BUS_OK && strcmp(kind, "register") != 0 && strcmp(kind, "events") != 0)
		rc = bus_yaml_fail(m->yaml, bus_yaml_get(root, "kind"), err, "kind is register or events");
	if (rc == BUS_OK)
		rc = bus_yaml_bool(m->yaml, root, "complete", false, &m->complete, err);
	if (rc == BUS_OK)
		rc = bus_yaml_int(m->yaml, root, "remove_max", false, 0, 100, &remove_max, err);
	if (rc == BUS_OK)
		rc = bus_yaml_int(m->yaml, root, "reference_year", false, 1950, 2199, &year, err);
	if (rc == BUS_OK)
		rc = bus_yaml_bool(m->yaml, root, "urgent", false, &m->urgent, err);
	if (rc == BUS_OK)
		rc = read_limits(m, bus_yaml_get(root, "limits"), err);
	if (rc == BUS_OK && bus_yaml_get(root, "nulls"))
		rc = adapter_map_texts(m, bus_yaml_get(root, "nulls"), &m->nulls, err);
	if (rc != BUS_OK)
		return rc;
	m->is_register = strcmp(kind, "register") == 0;
	m->remove_max = (int)remove_max;
	if (m->complete && !m->is_register)
		return bus_yaml_fail(m->yaml, bus_yaml_get(root, "complete"), err,
				     "events are never removed: complete is for registers");
	if (env->reference_year != 0)
		year = env->reference_year;
	if (year == 0) {
		char now[32];

		year = strtol(bus_clock_iso_wib(bus_clock_ms(), now, sizeof(now)), NULL, 10);
	}
	m->century = (int)((year + 1) % 100);
	return BUS_OK;
}

static enum bus_err read_source(struct adapter_map *m, struct bus_yaml_node *root, struct bus_error *err)
{
	const char *kind = NULL, *known[16];
	enum bus_err rc;

	m->source_conf = bus_yaml_get(root, "source");
	if (!m->source_conf || m->source_conf->kind != BUS_YAML_MAP)
		return bus_yaml_fail(m->yaml, root, err,
				     "source: is missing; it says how the file is written");
	rc = bus_yaml_str(m->yaml, m->source_conf, "kind", true, &kind, err);
	if (rc != BUS_OK)
		return rc;
	m->source = adapter_source_find(kind);
	if (!m->source)
		return adapter_map_hint(m, bus_yaml_get(m->source_conf, "kind"), err, "no source kind", kind,
					known, adapter_source_names(known, BUS_LEN(known)));
	return BUS_OK;
}

static enum bus_err read_values(struct adapter_map *m, struct bus_yaml_node *root, struct bus_error *err)
{
	struct bus_yaml_node *values = bus_yaml_get(root, "values");
	enum bus_err rc = BUS_OK;

	if (values && values->kind != BUS_YAML_MAP)
		return bus_yaml_fail(m->yaml, values, err, "values: a map of names is needed");
	for (struct bus_yaml_node *n = values ? values->first : NULL; n && rc == BUS_OK; n = n->next) {
		const char *other = NULL;
		uint16_t slot;

		n->asked = true;
		if (n->kind != BUS_YAML_MAP)
			return bus_yaml_fail(m->yaml, n, err,
					     "'%s': a definition is needed, such as {from: COLUMN}", n->key);
		if (strcmp(n->key, "row") == 0)
			return bus_yaml_fail(m->yaml, n, err,
					     "'row' means the whole row: choose another name");
		rc = adapter_map_define(m, m->scope, n, n->key, true, &slot, &other, err);
		if (rc == BUS_OK && other)
			return bus_yaml_fail(m->yaml, n, err, "`else` belongs to a field, not to a value");
		if (rc == BUS_OK && m->scope->info[slot].type == MAP_FLAGS)
			return bus_yaml_fail(m->yaml, n, err, "flags belong to a field, not to a value");
	}
	return rc;
}

static enum bus_err read_key(struct adapter_map *m, struct bus_yaml_node *root, struct bus_error *err)
{
	struct bus_yaml_node *key = bus_yaml_get(root, "key"), *n;
	size_t count;
	enum bus_err rc;

	if (!key || key->kind == BUS_YAML_MAP)
		return bus_yaml_fail(m->yaml, key ? key : root, err,
				     "key: the name of a value (or a list: the first that is there)");
	n = key->kind == BUS_YAML_LIST ? key->first : key;
	count = key->kind == BUS_YAML_LIST ? bus_yaml_count(key) : 1;
	if (count == 0 || count > BUS_LEN(m->key))
		return bus_yaml_fail(m->yaml, key, err, "key: at most %zu values", BUS_LEN(m->key));
	for (; n; n = key->kind == BUS_YAML_LIST ? n->next : NULL) {
		uint16_t *slot = &m->key[m->n_keys++];

		if (n->kind != BUS_YAML_SCALAR)
			return bus_yaml_fail(m->yaml, n, err, "key: the name of a value is needed");
		rc = adapter_map_find(m, m->scope, n, n->text, slot, err);
		if (rc != BUS_OK)
			return rc;
		if (m->scope->info[*slot].type != MAP_TEXT)
			return bus_yaml_fail(m->yaml, n, err, "key: '%s' is no text", n->text);
		if (m->scope->info[*slot].is_nik)
			return bus_yaml_fail(m->yaml, n, err,
					     "key: a NIK must not be a key; use a pseudonym of it");
		if (m->scope->info[*slot].personal)
			return bus_yaml_fail(m->yaml, n, err,
					     "key: '%s' may be a person's; use a pseudonym of it", n->text);
	}
	return BUS_OK;
}

static enum bus_err read_slot(struct adapter_map *m, struct bus_yaml_node *n, bool day, int *out,
			      struct bus_error *err)
{
	enum map_type type;
	uint16_t slot = 0;
	enum bus_err rc;

	if (n->kind != BUS_YAML_SCALAR)
		return bus_yaml_fail(m->yaml, n, err, "the name of a value is needed");
	rc = adapter_map_find(m, m->scope, n, n->text, &slot, err);
	if (rc != BUS_OK)
		return rc;
	type = m->scope->info[slot].type;
	if (type != MAP_TIME && type != MAP_DATE && (day || type != MAP_WHOLE))
		return bus_yaml_fail(m->yaml, n, err, "'%s' is no date or time", n->text);
	*out = slot;
	return BUS_OK;
}

static enum bus_err read_order(struct adapter_map *m, struct bus_yaml_node *root, struct bus_error *err)
{
	struct bus_yaml_node *time = bus_yaml_get(root, "time"), *newest = bus_yaml_get(root, "newest_by"),
			     *value;
	uint16_t class;
	enum bus_err rc = BUS_OK;

	m->time = m->newest = -1;
	if (time)
		rc = read_slot(m, time, true, &m->time, err);
	if (rc != BUS_OK || !newest)
		return rc;
	value = bus_yaml_get(newest, "value");
	if (!value)
		return bus_yaml_fail(m->yaml, newest, err, "write newest_by: {value: NAME, older: CLASS}");
	rc = read_slot(m, value, false, &m->newest, err);
	if (rc == BUS_OK && !m->is_register)
		rc = bus_yaml_fail(m->yaml, newest, err, "newest_by is for registers");
	if (rc == BUS_OK)
		rc = bus_yaml_str(m->yaml, newest, "older", true, &m->older, err);
	if (rc == BUS_OK)
		rc = adapter_map_class(m, newest, m->older, ADAPTER_CLASS_REFUSE, &class, err);
	return rc != BUS_OK ? rc : bus_yaml_no_more(m->yaml, newest, err);
}

/* What is odd in an identifier is counted even when nobody has asked. */
static enum bus_err read_doubts(struct adapter_map *m, const struct bus_yaml_node *root,
				struct bus_error *err)
{
	uint16_t *slot = adapter_map_keep(m, MAP_SLOTS_MAX * sizeof(*slot));

	for (size_t i = 0; i < m->scope->program.n_slots; i++)
		if (m->scope->info[i].can_doubt && !m->scope->info[i].doubt_handled)
			slot[m->n_doubt++] = (uint16_t)i;
	m->doubt = slot;
	if (m->n_doubt == 0)
		return BUS_OK;
	return adapter_map_class(m, root, "isian_meragukan", ADAPTER_CLASS_NOTE, &m->class_doubt, err);
}

static enum bus_err read_all(struct adapter_map *m, const struct adapter_map_env *env, struct bus_error *err)
{
	struct bus_yaml_node *root = bus_yaml_root(m->yaml), *fields;
	void *source = NULL;
	enum bus_err rc;

	if (root->kind != BUS_YAML_MAP)
		return bus_yaml_fail(m->yaml, root, err, "a mapping is needed; see opd/README.md");
	rc = read_head(m, root, env, err);
	if (rc == BUS_OK)
		rc = read_source(m, root, err);
	if (rc == BUS_OK)
		rc = read_values(m, root, err);
	if (rc != BUS_OK)
		return rc;
	fields = bus_yaml_get(root, "fields");
	if (!fields)
		return bus_yaml_fail(m->yaml, root, err, "fields: is missing; it says what is published");
	rc = adapter_map_checks_load(m, bus_yaml_get(root, "checks"), err);
	if (rc == BUS_OK)
		rc = adapter_map_fields(m, m->scope, fields, &m->field, &m->n_fields, err);
	if (rc == BUS_OK)
		rc = read_key(m, root, err);
	if (rc == BUS_OK)
		rc = read_order(m, root, err);
	if (rc == BUS_OK)
		rc = bus_yaml_no_more(m->yaml, root, err);
	if (rc == BUS_OK)
		rc = adapter_map_class(m, root, "isian_salah", ADAPTER_CLASS_REFUSE, &m->class_bad, err);
	if (rc == BUS_OK)
		rc = adapter_map_class(m, root, "isian_kosong", ADAPTER_CLASS_REFUSE, &m->class_empty, err);
	if (rc == BUS_OK)
		rc = adapter_map_class(m, root, "baris_cacat", ADAPTER_CLASS_REFUSE, &m->class_other, err);
	if (rc == BUS_OK)
		rc = read_doubts(m, root, err);
	if (rc != BUS_OK)
		return rc;
	adapter_map_strict(m, m->scope);
	/* The source looks at its options, and at the columns where it can, without a file. */
	return m->source->open(m->yaml, m->source_conf, NULL, m->column, m->n_columns, &source, err);
}

enum bus_err adapter_map_load(const char *path, const struct adapter_map_env *env, struct adapter_map **out,
			      struct bus_error *err)
{
	struct adapter_map *m = bus_xcalloc(1, sizeof(*m));
	const char *tmp = env->tmp_dir ? env->tmp_dir : getenv("TMPDIR");
	enum bus_err rc;

	*out = NULL;
	m->path = bus_xstrdup(path);
	m->tmp_dir = bus_xstrdup(tmp && *tmp ? tmp : "/var/tmp");
	m->keep = bus_arena_new(0);
	m->row = bus_arena_new(ROW_MAX);
	m->ref_dir = env->ref_dir;
	m->ref_extra = env->ref_extra;
	m->budget = env->budget;
	m->ref_copies = env->ref_copies;
	m->pseudonym = bus_pseudonym_new(env->city_key);
	m->scope = adapter_map_keep(m, sizeof(*m->scope));
	m->column = adapter_map_keep(m, MAP_COLUMNS_MAX * sizeof(*m->column));
	rc = bus_yaml_load(path, &m->yaml, err);
	if (rc == BUS_OK)
		rc = read_all(m, env, err);
	if (rc != BUS_OK) {
		adapter_map_free(&m);
		return rc;
	}
	*out = m;
	return BUS_OK;
}
