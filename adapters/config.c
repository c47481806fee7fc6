#include "adapters/config.h"

#include <stddef.h>

#include "adapters/care/beat.h"

#define MEMORY_REST (72 << 20) /* what all but the tables of what was seen takes: measured 60 MB */
#define MEMORY_LEAST (96 << 20)
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
	OPT("limits.rows_per_second", INT, rows_per_second, "0",
	    "Most rows read a second, of all feeds together; 0: as many as come."),
	OPT("limits.bytes_per_second", SIZE, bytes_per_second, "0",
	    "Most bytes of rows read a second, of all feeds together; 0: as many as come."),
	OPT("quiet_hours.at", STR, quiet_at, "",
	    "Hours in WIB, as 07:30-16:00, in which files wait unless their feed is urgent or they are "
	    "small."),
	OPT("quiet_hours.small", SIZE, quiet_small, "64KiB",
	    "A file up to this size is taken in quiet hours too."),
	OPT("budget.memory", SIZE, budget_memory, "0",
	    "Memory that the adapter keeps within, 96MiB at least; 0: what it takes."),
	OPT("budget.nice", INT, budget_nice, "0",
	    "0 to 19: how far processor and disk are left to others; from 10 the disk only when idle."),
	OPT("status.every", MS, status_every_ms, "30s",
	    "How often the bus is told how this adapter is doing, 1s to 1h; 0s: never."),
	OPT("state.dir", PATH, state_dir, "/var/tmp",
	    "Folder for temporary files (unlinked at once); nothing in it is needed after a stop."),
	OPT("intake.address", STR, intake_address, "",
	    "Address to which programs post rows over HTTP, such as 127.0.0.1; empty: none."),
	OPT("intake.port", PORT, intake_port, "8095", "Port of the intake."),
	OPT("intake.certificate", PATH, intake_certificate, "",
	    "TLS certificate (PEM, with its chain); needed beyond loopback."),
	OPT("intake.key", PATH, intake_key, "", "Private key of the certificate."),
	OPT("intake.tokens", PATH, intake_tokens, "",
	    "File of lines NAME FEED[,FEED] SHA256-OF-TOKEN: who may post; mode 0640 or less."),
	OPT("intake.body_max", SIZE, intake_body_max, "4MiB", "Largest body of a post."),
	OPT("intake.address_connections", INT, intake_address_connections, "200",
	    "Most connections of one address at a time, 1 to 1000: more where a proxy stands before it."),
	OPT("intake.remember", MS, intake_remember_ms, "24h", "How long an Idempotency-Key is known."),
	OPT("desk.address", STR, desk_address, "",
	    "Address where officers ask for quarantine and status over HTTP, such as 127.0.0.1; empty: "
	    "none."),
	OPT("desk.port", PORT, desk_port, "8096", "Port of the desk."),
	OPT("desk.certificate", PATH, desk_certificate, "",
	    "TLS certificate (PEM, with its chain); needed beyond loopback."),
	OPT("desk.key", PATH, desk_key, "", "Private key of the certificate."),
	OPT("desk.tokens", PATH, desk_tokens, "",
	    "File of lines NAME FEED[,FEED] SHA256-OF-TOKEN: which officer sees which feeds; mode 0640 or "
	    "less."),
	OPT("spool.dir", PATH, spool_dir, "",
	    "Folder of what was posted and is not in Kafka yet; one folder a feed."),
	OPT("spool.key", STR, spool_key, "",
	    "File of the key that seals the spool (titian key new), or credential:NAME for one of "
	    "systemd's."),
	OPT("spool.old_keys", LIST, spool_old_keys, "",
	    "Files of earlier keys, with which older segments are read."),
	OPT("spool.max", SIZE, spool_max, "20GiB", "Bytes that may wait; beyond it posts are answered 503."),
	OPT("spool.max_age", MS, spool_max_age_ms, "168h",
	    "How long the oldest may wait before posts are answered 503."),
	OPT("spool.segment", SIZE, spool_segment, "16MiB",
	    "A segment of the spool that is larger grows no more."),
	OPT("spool.segment_age", MS, spool_segment_ms, "1h", "A segment that is older grows no more."),
	OPT("spool.keep", MS, spool_keep_ms, "168h", "How long delivered segments are kept, for `replay`."),
	OPT("spool.keep_max", SIZE, spool_keep_max, "10GiB", "Bytes of delivered segments that are kept."),
	OPT("spool.drain_rate", INT, spool_drain_rate, "5000",
	    "Rows a second of a feed that go from the spool to Kafka at most; 0: any number."),
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
	struct adapter_quiet quiet = { 0 };
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
	rc = adapter_quiet_parse(c->quiet_at, &quiet, err);
	if (!rc && (c->rows_per_second < 0 || c->budget_nice < 0 || c->budget_nice > 19))
		rc = bus_fail(err, BUS_EINVAL, "%s",
			      c->rows_per_second < 0 ? "limits.rows_per_second: 0 or more"
						     : "budget.nice: 0 to 19");
	if (!rc && c->status_every_ms != 0 &&
	    (c->status_every_ms < ADAPTER_BEAT_LEAST_MS || c->status_every_ms > ADAPTER_BEAT_MOST_MS))
		rc = bus_fail(err, BUS_EINVAL, "status.every: 1s to 1h, or 0s");
	if (!rc && c->budget_memory > 0 && c->budget_memory < MEMORY_LEAST)
		rc = bus_fail(err, BUS_EINVAL,
			      "budget.memory: 96MiB at least: the rest of the program takes %d MiB",
			      MEMORY_REST >> 20);
	if (rc)
		return rc;
	if (c->budget_memory > 0)
		s->budget = adapter_seen_budget_new((size_t)(c->budget_memory - MEMORY_REST));
	quiet.small = c->quiet_small;
	s->nice = (int)c->budget_nice;
	s->mapping = bus_xcalloc(c->mappings.n + 1, sizeof(*s->mapping));
	for (size_t i = 0; i < c->mappings.n; i++)
		s->mapping[i] = beside(config_path, c->mappings.item[i]);
	s->intake = (struct adapter_intake_conf){
		.address = c->intake_address,
		.port = (int)c->intake_port,
		.certificate = c->intake_certificate,
		.key = c->intake_key,
		.tokens = c->intake_tokens,
		.body_max = c->intake_body_max,
		.address_connections = (int)c->intake_address_connections,
		.remember_ms = c->intake_remember_ms,
		.spool_dir = c->spool_dir,
		.spool_key = c->spool_key,
		.old_keys = (const char *const *)c->spool_old_keys.item,
		.n_old_keys = c->spool_old_keys.n,
		.max_bytes = c->spool_max,
		.max_age_ms = c->spool_max_age_ms,
		.segment_bytes = c->spool_segment,
		.segment_ms = c->spool_segment_ms,
		.keep_ms = c->spool_keep_ms,
		.keep_bytes = c->spool_keep_max,
		.drain_rate = c->spool_drain_rate,
	};
	s->office = (struct adapter_office_conf){ .address = c->desk_address,
						  .port = (int)c->desk_port,
						  .certificate = c->desk_certificate,
						  .key = c->desk_key,
						  .tokens = c->desk_tokens };
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
			 .budget = s->budget,
			 .tmp_dir = c->state_dir },
		.opd_key = c->key_opd[0] ? s->opd_key : NULL,
		.state_dir = c->state_dir,
		.settle_ms = SETTLE_MS,
		.intake = c->intake_address[0] ? &s->intake : NULL,
		.office = c->desk_address[0] ? &s->office : NULL,
		.pace = { .rows = c->rows_per_second, .bytes = c->bytes_per_second },
		.quiet = quiet,
		.status_every_ms = c->status_every_ms,
	};
	return BUS_OK;
}

void adapter_setup_release(struct adapter_setup *s)
{
	for (size_t i = 0; s->mapping && s->mapping[i]; i++)
		free(s->mapping[i]);
	free(s->mapping);
	free(s->ref_copies);
	adapter_seen_budget_free(&s->budget);
	*s = (struct adapter_setup){ 0 };
}
