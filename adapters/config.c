#include "adapters/config.h"

#include <stddef.h>

#define SETTLE_MS 300 /* longer than a broker takes to append what lies in its socket buffers */

#define OPT(name, type, field, fallback, help)                                                               \
	{                                                                                                    \
		name, BUS_CONF_##type, offsetof(struct adapter_config, field), fallback, help                \
	}

const struct bus_conf_option adapter_config_table[] = {
	OPT("opd", STR, opd, NULL, "Department, as in its topics: pku.<opd>.<entity>.v1."),
	OPT("drop.dir", PATH, drop_dir, NULL, "Drop folder; done/ and refused/ are made inside."),
	OPT("drop.quiet", MS, drop_quiet_ms, "500ms",
	    "A file written in place is complete when it has not changed for so long."),
	OPT("drop.follow_symlinks", BOOL, drop_follow_symlinks, "false",
	    "Take symbolic links in the drop folder; the link is what is moved."),
	OPT("mappings", LIST, mappings, NULL, "Mapping files, one a feed; relative to this file's folder."),
	OPT("referensi.dir", PATH, referensi_dir, NULL, "Folder of the reference tables."),
	OPT("referensi.extra", PATH, referensi_extra, "",
	    "Folder of the department's own reference tables; looked in first."),
	OPT("referensi.copies", PATH, referensi_copies, "",
	    "Folder where copies of the reference topics are kept; default: .referensi in the drop folder."),
	OPT("key.city", PATH, key_city, NULL, "File of the city key, from which pseudonyms are made."),
	OPT("key.opd", PATH, key_opd, "",
	    "File of the department's key, which seals refused rows; without it they are left out."),
	OPT("reference_year", INT, reference_year, "0",
	    "Year of the data: the century of a NIK's date follows from it; 0 = as the mapping says."),
	OPT("kafka.bootstrap", STR, kafka_bootstrap, NULL, "Kafka brokers, host:port,..."),
	OPT("kafka", MAP, kafka, NULL, "Any property of librdkafka."),
	OPT("schemas.topic", STR, schemas_topic, "_schemas", "The registry's topic."),
	OPT("schemas.dir", PATH, schemas_dir, "",
	    "Folder of the schemas (.avsc) that check and preview compare with; default: schemas/avsc of the "
	    "project."),
	OPT("state.dir", PATH, state_dir, "/var/tmp",
	    "Folder for temporary files (unlinked at once); nothing in it is needed after a stop."),
	{ 0 },
};

static bool is_word(const char *s)
{
	if (!*s)
		return false;
	for (; *s; s++)
		if (!(*s >= 'a' && *s <= 'z') && !(*s >= '0' && *s <= '9') && *s != '_' && *s != '-')
			return false;
	return true;
}

static char *beside(const char *config_path, const char *path)
{
	const char *slash = config_path ? strrchr(config_path, '/') : NULL;

	if (path[0] == '/' || !slash)
		return bus_xstrdup(path);
	return bus_xasprintf("%.*s/%s", (int)(slash - config_path), config_path, path);
}

enum bus_err adapter_setup_make(struct adapter_setup *s, const struct adapter_config *c,
				const char *config_path, struct bus_error *err)
{
	struct adapter_run_conf *run = &s->run;
	enum bus_err rc;

	*s = (struct adapter_setup){ 0 };
	if (!is_word(c->opd))
		return bus_fail(err, BUS_EINVAL, "opd: '%s' must be a-z, 0-9, '_' and '-'", c->opd);
	if (c->reference_year != 0 && (c->reference_year < 1945 || c->reference_year > 2200))
		return bus_fail(err, BUS_EINVAL, "reference_year: %lld is no year of the Republic",
				(long long)c->reference_year);
	rc = bus_key_load(c->key_city, s->city_key, err);
	if (!rc && c->key_opd[0])
		rc = bus_key_load(c->key_opd, s->opd_key, err);
	if (rc)
		return rc;
	s->mapping = bus_xcalloc(c->mappings.n + 1, sizeof(*s->mapping));
	for (size_t i = 0; i < c->mappings.n; i++)
		s->mapping[i] = beside(config_path, c->mappings.item[i]);
	s->ref_extra[0] = c->referensi_extra[0] ? c->referensi_extra : NULL;
	s->ref_copies = c->referensi_copies[0] ? bus_xstrdup(c->referensi_copies)
					       : bus_xasprintf("%s/.referensi", c->drop_dir);
	*run = (struct adapter_run_conf){
		.opd = c->opd,
		.drop = { c->drop_dir, c->drop_quiet_ms, c->drop_follow_symlinks },
		.kafka = { .bootstrap = c->kafka_bootstrap,
			   .client_id = "titian-adapter",
			   .extra = &c->kafka },
		.schemas_topic = c->schemas_topic,
		.schemas_dir = c->schemas_dir[0] ? c->schemas_dir : NULL,
		.mapping = (const char *const *)s->mapping,
		.n_mappings = c->mappings.n,
		.env = { .ref_dir = c->referensi_dir,
			 .ref_extra = s->ref_extra,
			 .ref_copies = s->ref_copies,
			 .city_key = s->city_key,
			 .reference_year = (int)c->reference_year,
			 .tmp_dir = c->state_dir },
		.opd_key = c->key_opd[0] ? s->opd_key : NULL,
		.state_dir = c->state_dir,
		.settle_ms = SETTLE_MS,
	};
	return BUS_OK;
}

void adapter_setup_release(struct adapter_setup *s)
{
	for (size_t i = 0; s->mapping && s->mapping[i]; i++)
		free(s->mapping[i]);
	free(s->mapping);
	free(s->ref_copies);
	*s = (struct adapter_setup){ 0 };
}
