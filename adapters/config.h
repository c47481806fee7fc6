/* adapters/config.h - the options of titian-adapter. Thread: at start only. */
#ifndef ADAPTERS_CONFIG_H
#define ADAPTERS_CONFIG_H

#include "adapters/run.h"
#include "bus/conf.h"
#include "bus/crypto.h"

struct adapter_config {
	char *opd;
	char *drop_dir;
	int64_t drop_quiet_ms;
	bool drop_follow_symlinks;
	struct bus_conf_list mappings;
	char *referensi_dir, *referensi_extra; /* "": none */
	char *referensi_copies;		       /* "": in the drop folder */
	char *key_city, *key_opd;	       /* files; key_opd "": none */
	int64_t reference_year;
	char *kafka_bootstrap;
	struct bus_conf_map kafka;
	char *schemas_topic, *schemas_dir; /* schemas_dir "": the catalogue's usual places */
	char *state_dir;
	char *intake_address, *intake_certificate, *intake_key, *intake_tokens; /* "": none */
	char *desk_address, *desk_certificate, *desk_key, *desk_tokens;		/* "": none */
	int64_t desk_port;
	int64_t intake_port, intake_body_max, intake_address_connections, intake_remember_ms;
	char *spool_dir, *spool_key;
	struct bus_conf_list spool_old_keys;
	int64_t spool_max, spool_max_age_ms, spool_segment, spool_segment_ms, spool_keep_ms, spool_keep_max;
	int64_t spool_drain_rate;
	int64_t rows_per_second, bytes_per_second; /* 0: no limit */
	char *quiet_at;				   /* "": never */
	int64_t quiet_small, budget_memory, budget_nice;
	int64_t status_every_ms; /* 0: the bus is not told */
};

extern const struct bus_conf_option adapter_config_table[];

/* What run and check need, made from the options. Owns its keys; borrows the rest from the config. */
struct adapter_setup {
	struct adapter_run_conf run;
	struct adapter_intake_conf intake;
	struct adapter_office_conf office;
	uint8_t city_key[BUS_KEY_LEN], opd_key[BUS_KEY_LEN];
	const char *ref_extra[2];
	char *ref_copies;
	struct adapter_seen_budget *budget; /* NULL: none */
	int nice;
	char **mapping; /* paths; relative ones are relative to the configuration file's folder */
};

/* config_path: of the file the options came from; NULL: none. BUS_EINVAL: with the remedy. */
enum bus_err adapter_setup_make(struct adapter_setup *s, const struct adapter_config *c,
				const char *config_path, struct bus_error *err) BUS_MUSTCHECK;
void adapter_setup_release(struct adapter_setup *s);

#endif
