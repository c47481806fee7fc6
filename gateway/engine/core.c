/* The engine without Kafka: the store's opening, its memory, its end. */
#include "gateway/engine/core.h"

#include <dirent.h>
#include <endian.h>
#include <stdio.h>
#include <unistd.h>

#include "bus/clock.h"
#include "bus/crypto.h"
#include "bus/log.h"
#include "gateway/define/conflict.h"
#include "gateway/engine/group_impl.h"

#define CACHE_DEFAULT (32 * 1024 * 1024)
#define FORMAT "2" /* of the store: another one is built anew */

enum bus_err gw_core_meta(struct gw_engine *e, const char *name, char *out, size_t n, struct bus_error *err)
{
	struct gw_stmt *s = NULL;
	struct bus_str v;
	enum bus_err rc;
	bool row;

	out[0] = '\0';
	rc = gw_db_prepare(e->db, "SELECT value FROM _meta WHERE name=?", &s, err);
	if (rc != BUS_OK)
		return rc;
	gw_stmt_bind_text(s, 1, bus_str(name));
	rc = gw_stmt_step(s, &row, err);
	if (rc == BUS_OK && row) {
		v = gw_stmt_text(s, 0);
		snprintf(out, n, "%.*s", (int)v.n, v.p ? v.p : "");
	}
	gw_stmt_free(&s);
	return rc;
}

enum bus_err gw_core_set_meta(struct gw_engine *e, const char *name, const char *value, struct bus_error *err)
{
	gw_stmt_bind_text(e->meta_put, 1, bus_str(name));
	gw_stmt_bind_text(e->meta_put, 2, bus_str(value));
	return gw_stmt_run(e->meta_put, err);
}

/* The store's id and secret, made with it. */
static enum bus_err load_identity(struct gw_engine *e, struct bus_error *err)
{
	char text[64], hex[49];
	uint8_t raw[24];
	unsigned long long id, k0, k1;
	enum bus_err rc;

	rc = gw_core_meta(e, "identity", text, sizeof(text), err);
	if (rc == BUS_OK && text[0] == '\0') {
		bus_random(raw, sizeof(raw));
		if (e->secret.k0 | e->secret.k1) /* a store made anew under readers: ETags go on */
			memcpy(raw + 8, &e->secret, sizeof(e->secret));
		raw[0] &= 0x7f; /* an id that fits a signed number, for JSON and SQL */
		bus_hex(raw, sizeof(raw), hex);
		snprintf(text, sizeof(text), "%s", hex);
		rc = gw_core_set_meta(e, "identity", text, err);
		if (rc == BUS_OK)
			rc = gw_core_set_meta(e, "format", FORMAT, err);
	}
	if (rc != BUS_OK)
		return rc;
	if (sscanf(text, "%16llx%16llx%16llx", &id, &k0, &k1) != 3)
		return bus_fail(err, BUS_EDATA, "the store's identity cannot be read");
	atomic_store(&e->store_id, id);
	if ((e->secret.k0 | e->secret.k1) == 0)
		e->secret = (struct gw_hash_key){ htobe64(k0), htobe64(k1) };
	rc = gw_core_meta(e, "seq", text, sizeof(text), err);
	e->seq = e->seq_saved = strtoll(text, NULL, 10);
	return rc;
}

int gw_core_part(struct gw_engine *e, const char *topic, int32_t partition)
{
	struct gw_topic *t = NULL;

	for (size_t i = 0; i < e->n_parts; i++) {
		if (e->part[i].partition == partition && strcmp(e->part[i].topic->name, topic) == 0)
			return (int)i;
	}
	for (size_t i = 0; i < e->n_topics && !t; i++) {
		if (strcmp(e->topic[i].name, topic) == 0)
			t = &e->topic[i];
	}
	if (!t)
		return -1;
	e->part = bus_xrealloc(e->part, (e->n_parts + 1) * sizeof(*e->part));
	e->part[e->n_parts] =
	    (struct gw_part){ .topic = t,
			   .partition = partition,
			   .next = BUS_OFFSET_BEGIN,
			   .kept = { .next = BUS_OFFSET_BEGIN } };
	return (int)e->n_parts++;
}

static void forget_positions(struct gw_engine *e)
{
	for (size_t i = 0; i < e->n_parts; i++) {
		for (size_t k = 0; k < e->part[i].n_streams; k++)
			free(e->part[i].stream[k].name);
		free(e->part[i].stream);
	}
	free(e->part);
	e->part = NULL;
	e->n_parts = 0;
}

static enum bus_err load_positions(struct gw_engine *e, struct bus_error *err)
{
	struct gw_stmt *s = NULL;
	char topic[256];
	enum bus_err rc;
	bool row;
	int slot;

	forget_positions(e);
	rc = gw_db_prepare(e->db, "SELECT topic, part, next, sum FROM _part", &s, err);
	while (rc == BUS_OK && (rc = gw_stmt_step(s, &row, err)) == BUS_OK && row) {
		snprintf(topic, sizeof(topic), "%.*s", (int)gw_stmt_text(s, 0).n, gw_stmt_text(s, 0).p);
		slot = gw_core_part(e, topic, (int32_t)gw_stmt_int(s, 1));
		if (slot >= 0) {
			e->part[slot].next = gw_stmt_int(s, 2);
			e->part[slot].sum = (uint64_t)gw_stmt_int(s, 3);
		}
	}
	gw_stmt_free(&s);
	if (rc == BUS_OK)
		rc = gw_db_prepare(e->db, "SELECT topic, part, stream, seq, off FROM _stream", &s, err);
	while (rc == BUS_OK && (rc = gw_stmt_step(s, &row, err)) == BUS_OK && row) {
		struct gw_part *p;

		snprintf(topic, sizeof(topic), "%.*s", (int)gw_stmt_text(s, 0).n, gw_stmt_text(s, 0).p);
		slot = gw_core_part(e, topic, (int32_t)gw_stmt_int(s, 1));
		if (slot < 0)
			continue;
		p = &e->part[slot];
		p->stream = bus_xrealloc(p->stream, (p->n_streams + 1) * sizeof(*p->stream));
		p->stream[p->n_streams++] = (struct gw_stream){
			.name = bus_xstrndup(gw_stmt_text(s, 2).p, gw_stmt_text(s, 2).n),
			.seq = gw_stmt_int(s, 3),
			.offset = gw_stmt_int(s, 4),
		};
	}
	gw_stmt_free(&s);
	return rc;
}

static enum bus_err load_counts(struct gw_engine *e, struct bus_error *err)
{
	struct gw_stmt *s = NULL;
	enum bus_err rc;
	bool row;

	for (size_t i = 0; i < e->n_topics; i++) {
		struct gw_topic_state *c = &e->topic[i].count;

		c->applied = c->gaps = c->repeated = c->undecodable = c->newest_ms = c->behind = 0;
	}
	rc = gw_db_prepare(e->db, "SELECT topic, applied, gaps, repeated, undecodable, newest_ms FROM _topic",
			   &s, err);
	while (rc == BUS_OK && (rc = gw_stmt_step(s, &row, err)) == BUS_OK && row) {
		for (size_t i = 0; i < e->n_topics; i++) {
			struct gw_topic_state *c = &e->topic[i].count;

			if (!bus_str_is(gw_stmt_text(s, 0), e->topic[i].name))
				continue;
			c->applied = gw_stmt_int(s, 1);
			c->gaps = gw_stmt_int(s, 2);
			c->repeated = gw_stmt_int(s, 3);
			c->undecodable = gw_stmt_int(s, 4);
			c->newest_ms = gw_stmt_int(s, 5);
		}
	}
	gw_stmt_free(&s);
	return rc;
}

static void show(struct gw_engine *e)
{
	atomic_store(&e->seq_shown, e->seq_saved);
	pthread_mutex_lock(&e->lock);
	for (size_t i = 0; i < e->n_topics; i++) {
		e->topic[i].count.rows = e->topic[i].rel->rows;
		e->shared[i] = e->topic[i].count;
	}
	pthread_mutex_unlock(&e->lock);
	for (size_t i = 0; i < e->n_views; i++) {
		gw_live_show(e->view[i]);
	}
}

/* Everything in memory from what is in the database; tables and views made where they are missing. */
static enum bus_err load(struct gw_engine *e, struct bus_error *err)
{
	enum bus_err rc;

	rc = gw_setup_base(e, err);
	if (rc == BUS_OK)
		rc = load_identity(e, err);
	if (rc == BUS_OK)
		rc = gw_setup_topics(e, err);
	if (rc == BUS_OK)
		rc = gw_setup_views(e, err);
	if (rc == BUS_OK)
		rc = load_positions(e, err);
	if (rc == BUS_OK)
		rc = load_counts(e, err);
	return rc;
}

static enum bus_err drop_everything(struct gw_engine *e, struct bus_error *err)
{
	struct gw_keys names = { 0 };
	struct gw_stmt *s = NULL;
	enum bus_err rc;
	bool row;

	rc = gw_db_prepare(
	    e->db, "SELECT name FROM sqlite_schema WHERE type='table' AND name NOT LIKE 'sqlite_%'", &s, err);
	while (rc == BUS_OK && (rc = gw_stmt_step(s, &row, err)) == BUS_OK && row)
		gw_keys_add(&names, gw_stmt_text(s, 0));
	gw_stmt_free(&s);
	for (size_t i = 0; i < names.n && rc == BUS_OK; i++)
		rc = gw_db_exec(e->db, err, "DROP TABLE \"%.*s\"", (int)gw_keys_at(&names, i).n,
				gw_keys_at(&names, i).p);
	gw_keys_release(&names);
	return rc;
}

static enum bus_err start_anew(struct gw_engine *e, bool wipe, struct bus_error *err)
{
	enum bus_err rc;

	gw_lives_abandon(e);
	gw_setup_undo(e);
	gw_db_rollback(e->db);
	e->in_transaction = false;
	gw_db_on_change(e->db, NULL, NULL);
	rc = gw_begin(e, err);
	if (rc == BUS_OK && wipe)
		rc = drop_everything(e, err);
	if (rc == BUS_OK)
		rc = load(e, err);
	if (rc == BUS_OK)
		rc = gw_stand_commit(e, err);
	e->in_transaction = false;
	if (rc != BUS_OK) {
		gw_setup_undo(e);
		gw_db_rollback(e->db);
		return rc;
	}
	gw_db_on_change(e->db, gw_route_change, e);
	e->quiet_since_ms = bus_clock_mono_ms();
	show(e);
	return BUS_OK;
}

enum bus_err gw_core_wipe(struct gw_engine *e, struct bus_error *err)
{
	atomic_store(&e->caught_up, false);
	atomic_store(&e->idle, false);
	gw_whole_hide(e);
	return start_anew(e, true, err);
}

enum bus_err gw_core_reload(struct gw_engine *e, struct bus_error *err)
{
	return start_anew(e, false, err);
}

/* A file that is damaged is made anew: it can be rebuilt, and a wrong answer cannot be taken back. The
 * check reads the whole file, so it is made only when the last end was not a clean one. */
static enum bus_err open_store(struct gw_engine *e, struct bus_error *err)
{
	struct bus_error why = { 0 };
	int64_t format = 0, clean = 0, tables = 0;
	struct gw_stmt *s = NULL;
	enum bus_err rc;
	bool row;

	rc = gw_db_open(e->db_path, GW_DB_WRITER, e->cache_bytes, &e->db, &why);
	if (rc == BUS_OK)
		rc = gw_db_int(e->db, 0, &tables, &why, "SELECT count(*) FROM sqlite_schema");
	if (rc == BUS_OK && tables > 0) {
		if (gw_db_int(e->db, 0, &format, NULL, "SELECT value FROM _meta WHERE name='format'") !=
		    BUS_OK)
			format = 0;
		if (gw_db_int(e->db, 0, &clean, NULL, "SELECT value FROM _meta WHERE name='clean'") != BUS_OK)
			clean = 0;
		if (format != atoi(FORMAT))
			rc = bus_fail(&why, BUS_EDATA, "not a store of this format");
		if (rc == BUS_OK && !clean) {
			rc = gw_db_prepare(e->db, "PRAGMA quick_check(1)", &s, &why);
			if (rc == BUS_OK)
				rc = gw_stmt_step(s, &row, &why);
			if (rc == BUS_OK && (!row || !bus_str_is(gw_stmt_text(s, 0), "ok")))
				rc = bus_fail(&why, BUS_EDATA, "SQLite's quick_check found damage");
			gw_stmt_free(&s);
		}
	}
	if (rc == BUS_EDATA) {
		bus_log(BUS_LOG_ERROR, "gateway.rebuild", LOG_STR("why", why.text));
		gw_db_close(&e->db);
		rc = gw_db_remove(e->db_path, &why);
		if (rc == BUS_OK)
			rc = gw_db_open(e->db_path, GW_DB_WRITER, e->cache_bytes, &e->db, &why);
	}
	if (rc == BUS_OK)
		gw_db_count_commits(e->db, &e->commits);
	if (rc != BUS_OK && err)
		*err = why;
	return rc;
}

static int by_name(const void *a, const void *b)
{
	const struct gw_live *const *x = a, *const *y = b;

	return strcmp((*x)->def->pub.name, (*y)->def->pub.name);
}

void gw_core_sort(struct gw_engine *e)
{
	if (e->n_views > 0)
		qsort(e->view, e->n_views, sizeof(struct gw_live *), by_name);
}

static enum bus_err read_views(struct gw_engine *e, const char *dir, struct bus_error *err)
{
	enum bus_err rc = BUS_OK;
	struct gw_def *def = NULL;
	struct dirent *entry;
	char *path;
	size_t n;
	DIR *d = opendir(dir);

	if (!d)
		return bus_fail(err, BUS_EIO, "cannot open the views' folder '%s': %m", dir);
	while (rc == BUS_OK && (entry = readdir(d))) {
		n = strlen(entry->d_name);
		if (n < 5 || strcmp(entry->d_name + n - 4, ".sql") != 0 || entry->d_name[0] == '.')
			continue;
		e->view = bus_xrealloc(e->view, (e->n_views + 1) * sizeof(*e->view));
		path = bus_xasprintf("%s/%s", dir, entry->d_name);
		rc = gw_view_load(path, &def, err);
		free(path);
		if (rc != BUS_OK)
			break;
		e->view[e->n_views] = bus_xcalloc(1, sizeof(**e->view));
		e->view[e->n_views++]->def = def;
		rc = gw_conflict_view(def, &def, err);
		if (rc != BUS_OK || !def)
			continue;
		e->view = bus_xrealloc(e->view, (e->n_views + 1) * sizeof(*e->view));
		e->view[e->n_views] = bus_xcalloc(1, sizeof(**e->view));
		e->view[e->n_views++]->def = def;
	}
	closedir(d);
	if (rc != BUS_OK)
		return rc;
	if (e->n_views > 0)
		qsort(e->view, e->n_views, sizeof(*e->view), by_name);
	for (size_t i = 1; i < e->n_views; i++) {
		if (by_name(&e->view[i - 1], &e->view[i]) == 0)
			return bus_fail(err, BUS_EPARSE, "%s and %s define one view",
					e->view[i - 1]->def->file, e->view[i]->def->file);
	}
	return BUS_OK;
}

static void make_metrics(struct gw_engine *e)
{
	e->apply_us = bus_metric("titian_apply_microseconds_total", "counter", "Time spent writing records", "");
	e->settle_us = bus_metric("titian_settle_microseconds_total", "counter", "Time spent evaluating views",
				  "");
	e->commit_us = bus_metric("titian_commit_microseconds_total", "counter", "Time spent committing", "");
	e->duplicates = bus_metric("titian_view_bad_keys_total", "counter",
				   "Rows of views without a key, or with one that another row has", "");
}

enum bus_err gw_core_open(const char *db_path, const char *views_dir, const char *const *topics,
			  int64_t cache_bytes, const struct gw_schemas *schemas, struct gw_engine **out,
			  struct bus_error *err)
{
	return gw_core_open_in(NULL, db_path, views_dir, topics, cache_bytes, schemas, out, err);
}

enum bus_err gw_core_open_in(const struct gw_group_conf *group, const char *db_path, const char *views_dir,
			     const char *const *topics, int64_t cache_bytes, const struct gw_schemas *schemas,
			     struct gw_engine **out, struct bus_error *err)
{
	struct gw_engine *e = bus_xcalloc(1, sizeof(*e));
	char *table, *opd, *entity;
	struct bus_error why = { 0 };
	enum bus_err rc = BUS_OK;
	size_t n = 0;

	*out = NULL;
	e->schemas = *schemas;
	e->db_path = bus_xstrdup(db_path);
	e->cache_bytes = cache_bytes > 0 ? cache_bytes : CACHE_DEFAULT;
	e->route_most = GW_ROUTE_MOST;
	e->fault_at = e->fault_last = -1;
	pthread_mutex_init(&e->lock, NULL);
	pthread_key_create(&e->reader_key, NULL);
	make_metrics(e);
	gw_lives_new(e);
	e->group = group ? gw_group_new(e, group) : NULL;
	while (topics && topics[n])
		n++;
	e->topic = bus_xcalloc(n + 1, sizeof(*e->topic));
	e->shared = bus_xcalloc(n + 1, sizeof(*e->shared));
	for (size_t i = 0; i < n && rc == BUS_OK; i++) {
		rc = gw_table_name(topics[i], &table, &opd, &entity, err);
		if (rc != BUS_OK)
			break;
		e->topic[i].name = bus_xstrdup(topics[i]);
		e->topic[i].count.topic = e->topic[i].name;
		e->topic[i].count.table = table;
		e->topic[i].count.opd = opd;
		e->topic[i].count.entity = entity;
		e->n_topics++;
	}
	if (rc == BUS_OK && views_dir)
		rc = read_views(e, views_dir, err);
	for (size_t i = 0; i < e->n_views; i++)
		gw_lives_ship(e, e->view[i]->def);
	if (rc == BUS_OK)
		rc = open_store(e, err);
	if (rc == BUS_OK)
		rc = gw_lives_stored(e, err);
	gw_core_sort(e);
	gw_views_publish(e);
	if (rc == BUS_OK)
		rc = start_anew(e, false, &why);
	while (rc != BUS_OK && e->culprit && gw_lives_set_aside(e, e->culprit, why.text))
		rc = start_anew(e, false, &why);
	if (rc != BUS_OK && why.text[0] && err)
		*err = why;
	if (rc == BUS_ECONFLICT) { /* a column's type changed */
		bus_log(BUS_LOG_WARN, "gateway.rebuild",
			LOG_STR("why", err ? err->text : "a column changed"));
		rc = start_anew(e, true, err);
	}
	if (rc == BUS_OK)
		rc = gw_core_set_meta(e, "clean", "0", err);
	if (rc != BUS_OK) {
		gw_core_close(&e);
		return rc;
	}
	*out = e;
	return BUS_OK;
}

void gw_core_close(struct gw_engine **engine)
{
	struct gw_engine *e = *engine;
	int64_t left;

	if (!e)
		return;
	gw_readers_free(e);
	gw_group_free(&e->group);
	gw_lives_abandon(e);
	if (e->db) {
		if (e->meta_put && !e->in_transaction)
			(void)!gw_core_set_meta(e, "clean", "1", NULL);
		gw_setup_undo(e);
		gw_db_rollback(e->db);
		(void)!gw_db_checkpoint(e->db, true, &left, NULL);
		gw_db_close(&e->db);
	}
	forget_positions(e);
	gw_lives_free(e);
	gw_views_release(&e->set);
	for (size_t i = 0; i < e->n_views; i++) {
		gw_view_free(&e->view[i]->def);
		free(e->view[i]);
	}
	for (size_t i = 0; i < e->n_topics; i++) {
		struct gw_topic_state *c = &e->topic[i].count;

		free((void *)(uintptr_t)c->topic);
		free((void *)(uintptr_t)c->table);
		free((void *)(uintptr_t)c->opd);
		free((void *)(uintptr_t)c->entity);
	}
	free(e->view);
	free(e->order);
	free(e->topic);
	free(e->shared);
	free(e->db_path);
	bus_buf_release(&e->scratch);
	pthread_key_delete(e->reader_key);
	pthread_mutex_destroy(&e->lock);
	free(e);
	*engine = NULL;
}
