#include "adapters/desk.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include "adapters/live.h"
#include "bus/log.h"

#define STORE_MS 5000

static enum bus_err load_feed(struct adapter_desk *d, struct adapter_feed *f, const char *path,
			      const struct adapter_run_conf *conf, struct bus_error *err)
{
	enum bus_err rc = adapter_map_load(path, &conf->env, &f->map, err);
	const char *older;
	char *prefix;

	if (rc)
		return rc;
	prefix = bus_xasprintf("pku.%s.", d->opd);
	if (strncmp(adapter_map_topic(f->map), prefix, strlen(prefix)) != 0)
		rc = bus_fail(err, BUS_EINVAL, "%s: topic '%s' is not one of '%s' (%s...)", path,
			      adapter_map_topic(f->map), d->opd, prefix);
	free(prefix);
	if (!rc)
		rc = adapter_fetch_new(f->map, conf->drop.dir, &f->fetch, err);
	if (!rc)
		rc = adapter_change_new(f->map, conf->drop.dir, &f->change, err);
	if (rc)
		return rc;
	adapter_map_limits(f->map, &f->pace.rows, &f->pace.bytes);
	f->source = bus_xasprintf("/opd/%s/%s", d->opd, adapter_map_feed(f->map));
	older = adapter_map_older_class(f->map);
	f->older = older ? adapter_map_class_index(f->map, older) : -1;
	f->unique = adapter_map_unique_class(f->map)
			? adapter_map_class_index(f->map, adapter_map_unique_class(f->map))
			: -1;
	if (adapter_map_newest(f->map))
		rc = adapter_seen_new(conf->state_dir, &f->best, err);
	if (!rc && adapter_map_complete(f->map))
		rc = adapter_seen_new_unversioned(conf->state_dir, &f->contained, err);
	if (f->best)
		adapter_seen_share(f->best, conf->env.budget);
	if (f->contained)
		adapter_seen_share(f->contained, conf->env.budget);
	return rc;
}

/* Two feeds may fill one topic, but not if one of them says that its file is the whole of it. */
static enum bus_err check_together(const struct adapter_desk *d, size_t last, struct bus_error *err)
{
	const struct adapter_map *b = d->feed[last].map;

	for (size_t i = 0; i < last; i++) {
		const struct adapter_map *a = d->feed[i].map;

		if (strcmp(adapter_map_feed(a), adapter_map_feed(b)) == 0)
			return bus_fail(err, BUS_EINVAL, "%s: feed '%s' is already that of %s",
					adapter_map_path(b), adapter_map_feed(b), adapter_map_path(a));
		if (strcmp(adapter_map_topic(a), adapter_map_topic(b)) == 0 &&
		    (adapter_map_complete(a) || adapter_map_complete(b) ||
		     adapter_map_newest(a) != adapter_map_newest(b) ||
		     adapter_map_register(a) != adapter_map_register(b)))
			return bus_fail(
			    err, BUS_EINVAL,
			    "%s: fills the topic of %s; then neither may be `complete`, and both must be of "
			    "one kind",
			    adapter_map_path(b), adapter_map_path(a));
	}
	return BUS_OK;
}

enum bus_err adapter_desk_load(struct adapter_desk *d, const struct adapter_run_conf *conf,
			       struct bus_error *err)
{
	enum bus_err rc = BUS_OK;

	d->opd = conf->opd;
	d->feed = bus_xcalloc(conf->n_mappings ? conf->n_mappings : 1, sizeof(*d->feed));
	if (conf->n_mappings == 0)
		return bus_fail(err, BUS_EINVAL, "no mapping is configured (`mappings`)");
	for (size_t i = 0; i < conf->n_mappings && !rc; i++) {
		d->n_feeds = i + 1;
		rc = load_feed(d, &d->feed[i], conf->mapping[i], conf, err);
		if (!rc)
			rc = check_together(d, i, err);
	}
	return rc;
}

enum bus_err adapter_desk_open(struct adapter_desk *d, const struct adapter_run_conf *conf,
			       struct bus_error *err)
{
	enum bus_err rc;

	d->opd_key = conf->opd_key;
	d->state_dir = conf->state_dir;
	d->pseudonym = bus_pseudonym_new(conf->env.city_key);
	d->kafka = conf->kafka;
	d->pace = conf->pace;
	d->quiet = conf->quiet;
	d->hook = conf->hook;
	d->hook_ctx = conf->hook_ctx;
	d->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	rc = adapter_drop_open(&conf->drop, &d->drop, err);
	return rc ? rc : adapter_desk_load(d, conf, err);
}

static void clear_position(struct adapter_desk *d)
{
	struct adapter_position *p = &d->position;

	for (size_t i = 0; i < p->n; i++) {
		adapter_topic_release(&p->part[i].topic);
		adapter_index_free(&p->part[i].index);
	}
	free(p->part);
	adapter_files_free(&p->files);
	adapter_quarantine_free(&p->quarantine);
	adapter_tally_reader_free(&p->tally);
	*p = (struct adapter_position){ 0 };
}

static struct adapter_part *add_part(struct adapter_desk *d, const char *topic, int kind)
{
	struct adapter_part *part = &d->position.part[d->position.n++];

	adapter_topic_init(&part->topic, topic, 1); /* until the broker has said how many partitions */
	part->kind = kind;
	return part;
}

static enum adapter_index_rule rule_of(const struct adapter_map *m)
{
	if (!adapter_map_register(m))
		return ADAPTER_RULE_FIRST;
	return adapter_map_newest(m) ? ADAPTER_RULE_NEWEST : ADAPTER_RULE_LATEST;
}

static enum bus_err make_position(struct adapter_desk *d, const struct adapter_run_conf *conf,
				  struct bus_error *err)
{
	struct adapter_position *p = &d->position;
	char *files = bus_xasprintf("pku.%s.berkas.v1", d->opd);
	char *quarantine = bus_xasprintf("pku.%s.karantina.v1", d->opd);
	enum bus_err rc = BUS_OK;

	clear_position(d);
	p->part = bus_xcalloc(d->n_feeds + 2, sizeof(*p->part));
	p->settle_ms = conf->settle_ms;
	p->files = adapter_files_new();
	p->tally = adapter_tally_reader_new(d->store);
	for (size_t i = 0; i < d->n_feeds && !rc; i++) {
		struct adapter_feed *f = &d->feed[i];

		f->part = NULL;
		for (size_t k = 0; k < i; k++)
			if (strcmp(adapter_map_topic(d->feed[k].map), adapter_map_topic(f->map)) == 0)
				f->part = d->feed[k].part;
		if (f->part)
			continue;
		f->part = add_part(d, adapter_map_topic(f->map), ADAPTER_PART_ENTITY);
		rc = adapter_index_new(conf->state_dir, rule_of(f->map), &f->part->index, err);
		if (!rc)
			adapter_index_share(f->part->index, conf->env.budget);
	}
	d->quarantine_part = add_part(d, quarantine, ADAPTER_PART_QUARANTINE);
	d->files_part = add_part(d, files, ADAPTER_PART_FILES);
	if (!rc)
		rc = adapter_quarantine_new(conf->state_dir, &p->quarantine, err);
	free(files);
	free(quarantine);
	return rc;
}

enum bus_err adapter_desk_bind(struct adapter_desk *d, struct adapter_feed *f, struct bus_error *err)
{
	char *subject = bus_xasprintf("%s-value", adapter_map_topic(f->map));
	struct schema_version v = { 0 };
	enum bus_err rc = schema_store_version(d->store, subject, 0, &v, err);

	if (rc) {
		rc = rc == BUS_ENOENT ? bus_fail(err, rc, "subject '%s' is not registered", subject) : rc;
	} else {
		if (f->schema && v.id == f->schema_id)
			goto out;
		if (v.schema)
			rc = adapter_map_bind(f->map, v.schema, err);
		else
			rc = bus_fail(err, BUS_ESCHEMA, "version %d of '%s' cannot be parsed", v.version,
				      subject);
		if (!rc) {
			if (f->schema)
				schema_unref(&f->schema);
			f->schema = schema_ref(v.schema);
			f->schema_id = v.id;
			bus_log(BUS_LOG_INFO, "adapter.schema", LOG_STR("subject", subject),
				LOG_INT("version", v.version), LOG_INT("id", v.id));
		}
	}
out:
	schema_version_release(&v);
	free(subject);
	return rc;
}

static enum bus_err bind_own(struct adapter_desk *d, struct bus_error *err)
{
	char *files = bus_xasprintf("pku.%s.berkas.v1-value", d->opd);
	char *quarantine = bus_xasprintf("pku.%s.karantina.v1-value", d->opd);
	enum bus_err rc = BUS_OK;

	if (!d->files_shape.schema)
		rc = adapter_tally_bind(&d->files_shape, d->store, files, err);
	if (!rc && !d->quarantine_shape.schema)
		rc = adapter_quarantine_bind(&d->quarantine_shape, d->store, quarantine, err);
	free(files);
	free(quarantine);
	return rc;
}

enum bus_err adapter_desk_connect(struct adapter_desk *d, const struct adapter_run_conf *conf,
				  uint64_t *records, struct bus_error *err)
{
	enum bus_err rc = BUS_OK;

	if (!d->store)
		rc = schema_store_open(&d->kafka, conf->schemas_topic, STORE_MS, &d->store, err);
	if (!rc)
		rc = bind_own(d, err);
	for (size_t i = 0; i < d->n_feeds && !rc; i++)
		rc = adapter_desk_bind(d, &d->feed[i], err);
	if (!rc && !d->publisher)
		rc = adapter_publisher_open(&d->kafka, d->owner, &d->publisher, err);
	if (!rc)
		rc = make_position(d, conf, err);
	if (!rc)
		rc = adapter_owner_claim(d->owner, err);
	if (!rc)
		rc = adapter_position_recover(&d->kafka, &d->position, records, err);
	if (!rc)
		rc = adapter_owner_check(d->owner, err);
	return rc;
}

void adapter_desk_close(struct adapter_desk *d)
{
	for (size_t i = 0; i < d->n_feeds; i++)
		adapter_live_free(&d->feed[i].live);
	adapter_publisher_close(&d->publisher);
	clear_position(d);
	adapter_shape_release(&d->files_shape);
	adapter_shape_release(&d->quarantine_shape);
	for (size_t i = 0; i < d->n_feeds; i++) {
		struct adapter_feed *f = &d->feed[i];

		adapter_fetch_free(&f->fetch);
		adapter_change_free(&f->change);
		adapter_map_free(&f->map);
		if (f->schema)
			schema_unref(&f->schema);
		adapter_seen_free(&f->best);
		adapter_seen_free(&f->contained);
		free(f->source);
	}
	free(d->feed);
	bus_pseudonym_free(&d->pseudonym);
	if (d->store)
		schema_store_close(&d->store);
	adapter_drop_close(&d->drop);
	if (d->wake_fd > 0)
		close(d->wake_fd);
	*d = (struct adapter_desk){ 0 };
}
