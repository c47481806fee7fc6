#include "adapters/change/change.h"

#include <errno.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "adapters/change/impl.h"
#include "adapters/source.h"

#define QUEUE_BYTES ((size_t)8 * 1024 * 1024)
#define LAG_WARN_MB 1024

enum bus_err adapter_change_read_table(struct adapter_change *c, struct bus_yaml *yaml,
				       struct bus_yaml_node *conf, const char *schema, struct bus_error *err)
{
	const char *table = NULL, *dot;
	enum bus_err rc = adapter_source_word(yaml, conf, "table", true, &table, err);

	if (rc)
		return rc;
	dot = strchr(table, '.');
	if ((dot && (dot == table || !dot[1] || strchr(dot + 1, '.'))) || (!dot && !schema))
		return bus_yaml_fail(yaml, bus_yaml_get(conf, "table"), err,
				     "table: a name, or schema.name, as in the database; not '%s'", table);
	c->conf.schema = dot ? bus_xstrndup(table, (size_t)(dot - table)) : bus_xstrdup(schema);
	c->conf.table = bus_xstrdup(dot ? dot + 1 : table);
	return BUS_OK;
}

static const struct change_kind *kind_of(const char *name)
{
	static const struct change_kind *const known[] = { &adapter_change_postgres,
							   &adapter_change_mariadb };

	for (size_t i = 0; i < BUS_LEN(known); i++)
		if (strcmp(known[i]->name, name) == 0)
			return known[i];
	return NULL;
}

static enum bus_err read_conf(struct adapter_change *c, struct bus_yaml *yaml, struct bus_yaml_node *conf,
			      struct bus_error *err)
{
	const char *kind = NULL;
	int64_t megabytes = LAG_WARN_MB;
	enum bus_err rc;

	if (conf->kind != BUS_YAML_MAP)
		return bus_yaml_fail(yaml, conf, err, "change: options are needed, such as kind: postgres");
	if ((rc = adapter_source_word(yaml, conf, "kind", true, &kind, err)) ||
	    (rc = adapter_source_word(yaml, conf, "connection", true, &c->conf.connection, err)) ||
	    (rc = adapter_source_word(yaml, conf, "password_file", false, &c->conf.password_file, err)) ||
	    (rc = bus_yaml_int(yaml, conf, "lag_warn_mb", false, 1, INT64_C(1) << 40, &megabytes, err)))
		return rc;
	c->conf.lag_warn = megabytes * 1024 * 1024;
	c->kind = kind_of(kind);
	if (!c->kind)
		return bus_yaml_fail(
		    yaml, bus_yaml_get(conf, "kind"), err,
		    "change: of kind postgres and mariadb there is a stream of changes; other databases are "
		    "asked with `fetch: {kind: sql}`");
	if (strstr(c->conf.connection, "password=") || strstr(c->conf.connection, "://"))
		return bus_yaml_fail(
		    yaml, bus_yaml_get(conf, "connection"), err,
		    "connection: write host=... port=... dbname=... user=..., and the password into "
		    "password_file");
	rc = c->kind->read(c, yaml, conf, err);
	return rc ? rc : bus_yaml_no_more(yaml, conf, err);
}

static void forget_conf(struct adapter_change *c)
{
	free(c->conf.schema);
	free(c->conf.table);
	free(c->conf.slot);
	free(c->conf.publication);
	adapter_maria_conf_release(&c->conf.maria);
}

void adapter_change_options(struct bus_yaml *yaml, struct bus_yaml_node *conf)
{
	struct adapter_change c = { .feed = "a" };
	struct bus_error err;

	(void)!read_conf(&c, yaml, conf, &err);
	forget_conf(&c);
}

/* What a mapping must be for its table to be followed. */
static enum bus_err check_map(struct adapter_change *c, struct bus_yaml *yaml, struct bus_yaml_node *conf,
			      struct bus_error *err)
{
	const struct adapter_map *m = c->map;
	const char *problem = NULL;
	char name[256];

	snprintf(name, sizeof(name), "%.180s-%016d.jsonl", c->feed, 0);
	if (!adapter_map_takes(m, name))
		return bus_yaml_fail(
		    yaml, conf, err,
		    "the first reading of the table is called like '%s', and `files` does not take that: "
		    "leave it out, or add \"%s-*.jsonl\"",
		    name, c->feed);

	if (adapter_map_register(m) && !adapter_map_complete(m))
		problem = "the table is the whole register: write complete: true";
	else if (adapter_map_newest(m))
		problem = "the database says which row is the newest: leave out newest_by";
	else if (adapter_map_register(m) && adapter_map_across_rows(m))
		problem = "a row that changes comes again: leave out the checks `repeated` and `falls`";
	else if (strcmp(adapter_map_source(m)->name, "jsonl") != 0)
		problem = "the first reading of the table is JSON lines: write source: {kind: jsonl}";
	return problem ? bus_yaml_fail(yaml, conf, err, "%s", problem) : BUS_OK;
}

enum bus_err adapter_change_new(struct adapter_map *m, const char *dir, struct adapter_change **out,
				struct bus_error *err)
{
	struct bus_yaml *yaml;
	struct bus_yaml_node *conf = adapter_map_change(m, &yaml);
	struct adapter_change *c;
	enum bus_err rc;

	*out = NULL;
	if (!conf)
		return BUS_OK;
	c = bus_xcalloc(1, sizeof(*c));
	c->map = m;
	c->dir = dir;
	c->feed = adapter_map_feed(m);
	c->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	c->call_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	c->wake_fd = -1;
	atomic_store(&c->held, -1);
	pthread_mutex_init(&c->lock, NULL);
	c->column = adapter_map_columns(m, &c->n_columns);
	c->in_key = bus_xcalloc(c->n_columns + 1, sizeof(*c->in_key));
	adapter_map_key_columns(m, c->in_key);
	c->place = bus_xcalloc(c->n_columns + 1, sizeof(*c->place));
	c->cell = bus_xcalloc(c->n_columns + 1, sizeof(*c->cell));
	rc = read_conf(c, yaml, conf, err);
	if (!rc)
		rc = check_map(c, yaml, conf, err);
	if (rc)
		adapter_change_free(&c);
	*out = c;
	return rc;
}

enum bus_err adapter_change_test(struct adapter_change *c, struct bus_error *err)
{
	return c->kind->test(c, err);
}

enum bus_err adapter_change_start(struct adapter_change *c, int wake_fd, struct bus_error *err)
{
	int rc;

	c->wake_fd = wake_fd;
	c->queue = adapter_queue_new(QUEUE_BYTES, wake_fd);
	rc = pthread_create(&c->thread, NULL, adapter_change_link, c);
	if (rc) {
		errno = rc;
		return bus_fail(err, BUS_EFULL, "cannot start the thread that follows a table: %m");
	}
	c->running = true;
	return BUS_OK;
}

void adapter_change_free(struct adapter_change **cp)
{
	struct adapter_change *c = *cp;
	uint64_t one = 1;

	if (!c)
		return;
	(void)!write(c->stop_fd, &one, sizeof(one));
	pthread_mutex_lock(&c->lock);
	if (c->line)
		adapter_maria_hang_up(c->line);
	pthread_mutex_unlock(&c->lock);
	if (c->running)
		pthread_join(c->thread, NULL);
	while (c->item) {
		struct adapter_item *next = c->item->next;

		adapter_queue_done(c->queue, c->item);
		c->item = next;
	}
	adapter_queue_free(&c->queue);
	adapter_pg_reader_free(&c->reader);
	adapter_pg_close(&c->look);
	close(c->stop_fd);
	close(c->call_fd);
	pthread_mutex_destroy(&c->lock);
	bus_buf_release(&c->raw);
	bus_buf_release(&c->reading.value);
	free(c->tally);
	free(c->in_key);
	free(c->place);
	free(c->cell);
	forget_conf(c);
	free(c);
	*cp = NULL;
}
