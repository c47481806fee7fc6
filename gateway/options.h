/* gateway/options.h - what titian-gateway can be told, and what follows from it. A new option is a field and a row of the
 * table in options.c; what it opens is in rooms.c.
 *
 * Thread: read-only once bus_proc_options has filled it. What is returned borrows from the options unless it says so.
 */
#ifndef GATEWAY_OPTIONS_H
#define GATEWAY_OPTIONS_H

#include "bus/conf.h"
#include "bus/kafka.h"

struct gw_options {
	char *bootstrap, *schemas_topic, *views_dir, *db_path, *policy, *keys, *cursor_key;
	char *exports_dir, *exports_key, *definitions_topic;
	char *store, *pg_conninfo, *pg_reader;
	char *address, *ops_address, *anybody;
	bool forwarded;
	struct bus_conf_map kafka;
	struct bus_conf_list topics, cors;
	const char **origins; /* of cors; NULL-ended */
	int64_t port, ops_port, threads, connections, cache, verify_per_s, slow, records_threads;
	int64_t exports_space, exports_keep, exports_threads, exports_per_reader;
	char *hooks_topic, *hooks_key, *hooks_hosts, *hooks_ca, *hooks_base, *hooks_type;
	struct bus_conf_list hooks_allow, hooks_ports, hooks_retry;
	int64_t hooks_give_up, hooks_timeout;
	bool hooks_deliver;
	char *publish_topic, *publish_id, *publish_city;
	int64_t publish_keep, publish_memory;
	char *rp_topic;
	int64_t rp_threads, rp_timeout, rp_memory, rp_bytes, rp_reader, rp_all, rp_writes;
	char *base, *figures_topic, *national_topic;
	int64_t figures_k;
	char *cat_publisher, *cat_walidata, *cat_contact, *cat_licence, *cat_place, *cat_place_code;
	struct bus_conf_map cat_names;
	char *group_topic, *group_name, *group_url;
	bool group_anew;
};

extern const struct bus_conf_option gw_options_table[];

/* A bus_proc_check_fn: options that do not go together. BUS_EINVAL or BUS_EPARSE. */
enum bus_err gw_options_check(void *options, struct bus_error *err);
struct bus_kafka_conf gw_options_kafka(const struct gw_options *c);
/* Where readers reach this gateway, without a slash at its end; the caller frees it. */
char *gw_options_base(const struct gw_options *c);
/* What gw_db_open is told; the caller frees it. BUS_EINVAL: no such store. */
enum bus_err gw_options_store(const struct gw_options *c, char **out, struct bus_error *err) BUS_MUSTCHECK;

#endif
