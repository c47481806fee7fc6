/* What a test plays on: the catalogue's schemas, the definition and what it reads, an engine. */
#include <dirent.h>
#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/define/sql.h"
#include "gateway/engine/rehearse_impl.h"

#define AVSC_DEPTH 4
#define STAND_IN "pku.uji.%s.v1" /* the topic that gives a view's rows; its table is uji_<view> */

/* --- the catalogue ---------------------------------------------------------------------------------- */

static enum bus_err read_text(const char *path, size_t max, struct bus_buf *out, struct bus_error *err)
{
	FILE *f = fopen(path, "re");
	enum bus_err rc = BUS_OK;

	if (!f)
		return bus_fail(err, BUS_EIO, "cannot open '%s': %m", path);
	bus_buf_reserve(out, max + 1);
	out->n = fread(out->p, 1, max + 1, f);
	if (ferror(f))
		rc = bus_fail(err, BUS_EIO, "cannot read '%s': %m", path);
	else if (out->n > max)
		rc = bus_fail(err, BUS_ETOOBIG, "'%s' is longer than %zu bytes", path, max);
	fclose(f);
	return rc;
}

/* Takes the reference. Schemas of no one topic (templates, shared types) are left out. */
static enum bus_err add_topic(struct gw_stage *s, const char *topic, struct schema *schema,
			      struct bus_error *err)
{
	const struct bus_json *properties = schema_root(schema)->properties;
	const char *kind = schema_property(properties, "x_jenis");
	struct gw_stage_topic *t = &s->topic[s->n_topics];
	char *opd, *entity;
	size_t at;

	if (!topic || gw_table_name(topic, &t->table, &opd, &entity, NULL) != BUS_OK) {
		schema_unref(&schema);
		return BUS_OK;
	}
	free(opd);
	free(entity);
	t->topic = bus_xstrdup(topic);
	t->schema = schema;
	t->is_register = kind && strcmp(kind, "register") == 0;
	t->key_field = schema_property(properties, "x_kunci");
	if (t->key_field && !schema_field_find(schema_root(schema), t->key_field, &at))
		t->key_field = NULL;
	t->schema_id = (int32_t)++s->n_topics;
	if (s->n_topics < GW_STAGE_TABLES_MAX)
		return BUS_OK;
	return bus_fail(err, BUS_ETOOBIG, "more than %d schemas", GW_STAGE_TABLES_MAX - 1);
}

static bool is_there(const struct gw_stage *s, const char *topic)
{
	for (size_t i = 0; i < s->n_topics; i++) {
		if (strcmp(s->topic[i].topic, topic) == 0)
			return true;
	}
	return false;
}

/* A schema for a topic of every department: its x_topik holds {opd}. */
static enum bus_err add_template(struct gw_stage *s, struct schema *schema, struct bus_error *err)
{
	const char *topic = schema_property(schema_root(schema)->properties, "x_topik");
	const char *mark = topic ? strstr(topic, "{opd}") : NULL;
	size_t n = s->n_topics; /* without those that are added here */
	enum bus_err rc = BUS_OK;
	char *table, *opd, *entity, *name;

	for (size_t i = 0; i < n && mark && rc == BUS_OK; i++) {
		if (gw_table_name(s->topic[i].topic, &table, &opd, &entity, NULL) != BUS_OK)
			continue;
		name = bus_xasprintf("%.*s%s%s", (int)(mark - topic), topic, opd, mark + strlen("{opd}"));
		free(table);
		free(opd);
		free(entity);
		if (!is_there(s, name))
			rc = add_topic(s, name, schema_ref(schema), err);
		free(name);
	}
	schema_unref(&schema);
	return rc;
}

struct gathered { /* nftw has no argument of ours: paths first, one thread */
	char **path;
	size_t n;
};
static _Thread_local struct gathered *gathering;

static int gather(const char *path, const struct stat *st, int type, struct FTW *at)
{
	size_t n = strlen(path);

	(void)st;
	(void)at;
	if (type != FTW_F || n < 6 || strcmp(path + n - 5, ".avsc") != 0)
		return 0;
	gathering->path = bus_xrealloc(gathering->path, (gathering->n + 1) * sizeof(*gathering->path));
	gathering->path[gathering->n++] = bus_xstrdup(path);
	return gathering->n > GW_STAGE_TABLES_MAX;
}

/* One that needs types of other files cannot be a table of a test: NULL. */
static enum bus_err read_schema(const char *path, struct schema **out, struct bus_error *err)
{
	struct bus_buf text = { 0 };
	enum bus_err rc = read_text(path, SCHEMA_TEXT_MAX, &text, err);

	if (rc == BUS_OK && schema_parse(bus_buf_str(&text), SCHEMA_LENIENT, NULL, 0, out, NULL) != BUS_OK)
		*out = NULL;
	bus_buf_release(&text);
	return rc;
}

static enum bus_err read_catalogue(struct gw_stage *s, const char *dir, struct bus_error *err)
{
	struct gathered g = { 0 };
	struct schema **schema;
	enum bus_err rc = BUS_OK;

	gathering = &g;
	if (nftw(dir, gather, AVSC_DEPTH, FTW_PHYS) != 0)
		rc = bus_fail(err, BUS_EIO, "cannot read the folder of schemas '%s'", dir);
	gathering = NULL;
	schema = bus_xcalloc(g.n + 1, sizeof(struct schema *));
	for (size_t i = 0; i < g.n && rc == BUS_OK; i++)
		rc = read_schema(g.path[i], &schema[i], err);
	for (int template = 0;
	     template <2; template ++) { /* templates last: they need the departments' names */
		for (size_t i = 0; i < g.n && rc == BUS_OK; i++) {
			const char *topic =
			    schema[i] ? schema_property(schema_root(schema[i])->properties, "x_topik") : NULL;

			if (!topic || (strchr(topic, '{') != NULL) != template)
				continue;
			rc = template ? add_template(s, schema_ref(schema[i]), err)
				      : add_topic(s, topic, schema_ref(schema[i]), err);
		}
	}
	for (size_t i = 0; i < g.n; i++) {
		schema_unref(&schema[i]);
		free(g.path[i]);
	}
	free(schema);
	free(g.path);
	return rc;
}

struct gw_stage_topic *gw_stage_find(struct gw_stage *s, const char *table)
{
	for (size_t i = s->n_topics; i-- > 0;) { /* stand-ins last, and first to be found */
		if (strcmp(s->topic[i].table, table) == 0)
			return &s->topic[i];
	}
	return NULL;
}

/* --- views ------------------------------------------------------------------------------------------ */

static enum bus_err write_text(const struct gw_stage *s, const char *name, const struct bus_buf *text,
			       struct bus_error *err)
{
	char *path = bus_xasprintf("%s/views/%s.sql", s->dir, name);
	FILE *f = fopen(path, "we");
	bool good = f && fwrite(text->p, 1, text->n, f) == text->n;

	good = f && fclose(f) == 0 && good;
	free(path);
	return good ? BUS_OK : bus_fail(err, BUS_EIO, "cannot write a definition into '%s': %m", s->dir);
}

static const char *avro_of(enum gw_type type)
{
	return type == GW_INT ? "long" : type == GW_REAL ? "double" : type == GW_BOOL ? "boolean" : "string";
}

static const char *yaml_of(enum gw_type type)
{
	return type == GW_INT	 ? "int"
	       : type == GW_REAL ? "real"
	       : type == GW_BOOL ? "bool"
	       : type == GW_JSON ? "json"
				 : "text";
}

/* The view as a copy of a topic whose records the test gives; with the indexes that others want on it. */
static enum bus_err stand_in(struct gw_stage *s, const struct gw_def *d, struct bus_error *err)
{
	const struct gw_view *v = &d->pub;
	char *topic = bus_xasprintf(STAND_IN, v->name);
	struct bus_buf avro = { 0 }, text = { 0 };
	struct schema *schema = NULL;
	bool some = false;
	enum bus_err rc;

	bus_buf_printf(&avro,
		       "{\"type\":\"record\",\"name\":\"%s\",\"x_jenis\":\"register\",\"x_kunci\":\"%s\","
		       "\"fields\":[",
		       v->name, v->column[v->key].name);
	bus_buf_printf(&text,
		       "/*---\nname: %s\nkey: %s\ninternal: true\nstore: full\nroutes: {uji_%s: _key}\n",
		       v->name, v->column[v->key].name, v->name);
	for (size_t i = 0; i < d->n_indexes; i++) {
		if (strcmp(d->index[i].table, v->name) != 0)
			continue;
		bus_buf_printf(&text, "%s  - {table: %s, columns: [", some ? "" : "indexes:\n", v->name);
		some = true;
		for (size_t k = 0; k < d->index[i].n; k++)
			bus_buf_printf(&text, "%s%s", k ? ", " : "", d->index[i].column[k]);
		bus_buf_puts(&text, "]}\n");
	}
	bus_buf_puts(&text, "columns:\n");
	for (size_t i = 0; i < v->n_columns; i++) {
		const char *type = avro_of(v->column[i].type);

		bus_buf_printf(&avro, "%s{\"name\":\"%s\",\"type\":", i ? "," : "", v->column[i].name);
		if (i == v->key)
			bus_buf_printf(&avro, "\"%s\"}", type);
		else
			bus_buf_printf(&avro, "[\"null\",\"%s\"],\"default\":null}", type);
		bus_buf_printf(&text, "  %s: {type: %s, pdp: %c}\n", v->column[i].name,
			       yaml_of(v->column[i].type), v->column[i].pdp);
	}
	bus_buf_puts(&avro, "]}");
	bus_buf_puts(&text, "---*/\nSELECT ");
	for (size_t i = 0; i < v->n_columns; i++)
		bus_buf_printf(&text, "%s%s AS \"%s\"", i ? ", " : "",
			       i == v->key ? "_key" : v->column[i].name, v->column[i].name);
	bus_buf_printf(&text, " FROM uji_%s\n", v->name);
	rc = schema_parse(bus_buf_str(&avro), SCHEMA_LENIENT, NULL, 0, &schema, err);
	if (rc == BUS_OK)
		rc = add_topic(s, topic, schema, err);
	if (rc == BUS_OK)
		rc = write_text(s, v->name, &text, err);
	bus_buf_release(&avro);
	bus_buf_release(&text);
	free(topic);
	return rc;
}

static bool is_given(const char *const *given, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++) {
		if (strcmp(given[i], name) == 0)
			return true;
	}
	return false;
}

/* Puts the views that the words of d's SELECT may mean onto the list. One too many does no harm. */
static void want_words(struct gw_stage *s, const struct gw_def *d, const char *folder)
{
	struct gw_sql_token t;
	size_t k;

	for (const char *p = gw_sql_next(d->body, &t); t.kind != GW_SQL_END; p = gw_sql_next(p, &t)) {
		char *path = bus_xasprintf("%s/%.*s.sql", folder, (int)t.text.n, t.text.p);

		for (k = 0; k < s->n_views && strcmp(s->view[k], path) != 0; k++)
			;
		if ((t.kind == GW_SQL_WORD || t.kind == GW_SQL_QUOTED) && !memchr(t.text.p, '/', t.text.n) &&
		    k == s->n_views && k < GW_STAGE_VIEWS_MAX && access(path, R_OK) == 0)
			s->view[s->n_views++] = path;
		else
			free(path);
	}
}

static char *folder_of(const char *file)
{
	const char *slash = strrchr(file, '/');

	return slash ? bus_xstrndup(file, (size_t)(slash - file)) : bus_xstrdup(".");
}

/* The definition first, then, as they turn up, those it reads. */
static enum bus_err gather_views(struct gw_stage *s, const char *file, const char *const *given, size_t n,
				 struct bus_error *err)
{
	char *folder = folder_of(file);
	enum bus_err rc = BUS_OK;

	s->view[s->n_views++] = bus_xstrdup(file);
	for (size_t i = 0; i < s->n_views && rc == BUS_OK; i++) {
		struct bus_buf text = { 0 };
		struct gw_def *d = NULL;

		rc = gw_view_load(s->view[i], &d, err);
		if (rc == BUS_OK && i > 0 && is_given(given, n, d->pub.name)) {
			rc = stand_in(s, d, err);
		} else if (rc == BUS_OK) {
			want_words(s, d, folder);
			rc = read_text(s->view[i], GW_VIEW_TEXT_MAX, &text, err);
			if (rc == BUS_OK)
				rc = write_text(s, d->pub.name, &text, err);
		}
		bus_buf_release(&text);
		gw_view_free(&d);
	}
	free(folder);
	return rc;
}

/* Definitions beside the file, but for itself: what cannot be parsed is not there. */
static enum bus_err load_beside(struct gw_stage *s, const char *file, struct bus_error *err)
{
	char *folder = folder_of(file);
	struct dirent *entry;
	DIR *d = opendir(folder);

	if (!d) {
		free(folder);
		return bus_fail(err, BUS_EIO, "cannot open the folder of '%s': %m", file);
	}
	while ((entry = readdir(d)) && s->n_defs < GW_STAGE_VIEWS_MAX) {
		char *path = bus_xasprintf("%s/%s", folder, entry->d_name);
		size_t n = strlen(entry->d_name);
		struct stat a, b;

		if (n > 4 && strcmp(entry->d_name + n - 4, ".sql") == 0 && stat(path, &a) == 0 &&
		    stat(file, &b) == 0 && a.st_ino != b.st_ino &&
		    gw_view_load(path, &s->def[s->n_defs], NULL) == BUS_OK)
			s->n_defs++;
		free(path);
	}
	closedir(d);
	free(folder);
	return BUS_OK;
}

enum bus_err gw_stage_world(struct gw_stage *s, const struct gw_rehearsal *r, struct bus_arena *arena,
			    const struct gw_world **out, struct bus_error *err)
{
	struct gw_world_topic topic[GW_STAGE_TABLES_MAX];
	enum bus_err rc = read_catalogue(s, r->schemas, err);

	if (rc == BUS_OK)
		rc = load_beside(s, r->view, err);
	if (rc != BUS_OK)
		return rc;
	for (size_t i = 0; i < s->n_topics; i++)
		topic[i] =
		    (struct gw_world_topic){ s->topic[i].topic, s->topic[i].table, s->topic[i].schema };
	*out = gw_world_make(topic, s->n_topics, (const struct gw_def *const *)s->def, s->n_defs, arena);
	return BUS_OK;
}

/* --- the engine ------------------------------------------------------------------------------------- */

static enum bus_err by_id(void *ctx, int32_t id, struct schema **out, struct bus_error *err)
{
	struct gw_stage *s = ctx;

	if (id < 1 || (size_t)id > s->n_topics)
		return bus_fail(err, BUS_ENOENT, "no such schema");
	*out = schema_ref(s->topic[id - 1].schema);
	return BUS_OK;
}

static enum bus_err latest(void *ctx, const char *subject, struct schema **out, int32_t *id,
			   struct bus_error *err)
{
	struct gw_stage *s = ctx;

	for (size_t i = 0; i < s->n_topics; i++) {
		size_t n = strlen(s->topic[i].topic);

		if (strncmp(subject, s->topic[i].topic, n) == 0 && strcmp(subject + n, "-value") == 0) {
			*out = schema_ref(s->topic[i].schema);
			*id = s->topic[i].schema_id;
			return BUS_OK;
		}
	}
	return bus_fail(err, BUS_ENOENT, "no such subject");
}

enum bus_err gw_stage_init(struct gw_stage *s, const struct gw_rehearsal *r, const char *const *given,
			   size_t n, struct bus_error *err)
{
	char views[80];
	enum bus_err rc;

	s->store = r->store;
	strcpy(s->dir, "/tmp/titian-test-XXXXXX");
	if (!mkdtemp(s->dir)) {
		s->dir[0] = '\0';
		return bus_fail(err, BUS_EIO, "cannot make a folder in /tmp: %m");
	}
	snprintf(views, sizeof(views), "%s/views", s->dir);
	if (mkdir(views, 0700) != 0)
		return bus_fail(err, BUS_EIO, "cannot make a folder in '%s': %m", s->dir);
	rc = read_catalogue(s, r->schemas, err);
	return rc == BUS_OK ? gather_views(s, r->view, given, n, err) : rc;
}

/* A database that is named by mistake is somebody's. */
static enum bus_err take_store(struct gw_stage *s, struct bus_error *err)
{
	struct gw_db *db = NULL;
	int64_t tables = 0;
	enum bus_err rc;

	if (!s->store || s->store_taken)
		return BUS_OK;
	rc = gw_db_open(s->store, GW_DB_WRITER, 0, &db, err);
	if (rc == BUS_OK)
		rc = gw_db_int(db, 0, &tables, err, "SELECT count(*) FROM sqlite_schema");
	gw_db_close(&db);
	if (rc == BUS_OK && tables > 0)
		rc = bus_fail(err, BUS_EEXIST, "the store for tests is not empty");
	s->store_taken = rc == BUS_OK;
	return rc;
}

enum bus_err gw_stage_open(struct gw_stage *s, struct bus_error *err)
{
	const struct gw_schemas schemas = { .ctx = s, .by_id = by_id, .latest = latest };
	const char *topic[GW_STAGE_TABLES_MAX + 1] = { NULL };
	char db[80], views[80];
	enum bus_err rc = take_store(s, err);

	if (rc != BUS_OK)
		return rc;
	snprintf(db, sizeof(db), "%s/city.db", s->dir);
	snprintf(views, sizeof(views), "%s/views", s->dir);
	for (size_t i = 0; i < s->n_topics; i++) {
		topic[i] = s->topic[i].topic;
		s->topic[i].offset = 0;
	}
	return gw_core_open(s->store ? s->store : db, views, topic, 0, &schemas, &s->engine, err);
}

void gw_stage_close(struct gw_stage *s)
{
	static const char *const file[] = { "city.db", "city.db-wal", "city.db-shm" };
	char path[96];

	gw_core_close(&s->engine);
	if (s->store_taken)
		(void)!gw_db_remove(s->store, NULL);
	for (size_t i = 0; i < BUS_LEN(file); i++) {
		snprintf(path, sizeof(path), "%s/%s", s->dir, file[i]);
		unlink(path);
	}
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st;
	(void)type;
	(void)at;
	return remove(path);
}

void gw_stage_release(struct gw_stage *s)
{
	gw_stage_close(s);
	if (s->dir[0])
		(void)nftw(s->dir, remove_one, AVSC_DEPTH, FTW_PHYS | FTW_DEPTH);
	for (size_t i = 0; i < s->n_topics; i++) {
		schema_unref(&s->topic[i].schema);
		free(s->topic[i].topic);
		free(s->topic[i].table);
	}
	for (size_t i = 0; i < s->n_views; i++)
		free(s->view[i]);
	for (size_t i = 0; i < s->n_defs; i++)
		gw_view_free(&s->def[i]);
}
