/* A table of PostgreSQL: its options. */
#include "adapters/change/impl.h"
#include "adapters/source.h"
#include "bus/conf.h"

#define HEARTBEAT_MS 10000
#define NAME_LEN 63 /* PostgreSQL's, of any name */

/* A slot's name is of a-z, 0-9 and _. */
static enum bus_err read_names(struct adapter_change *c, struct bus_yaml *yaml, struct bus_yaml_node *conf,
			       struct bus_error *err)
{
	const char *slot = NULL, *publication = "titian";
	enum bus_err rc = adapter_source_word(yaml, conf, "slot", false, &slot, err);

	if (!rc)
		rc = adapter_source_word(yaml, conf, "publication", false, &publication, err);
	if (rc)
		return rc;
	c->conf.publication = bus_xstrdup(publication);
	if (slot) {
		c->conf.slot = bus_xstrdup(slot);
	} else {
		c->conf.slot = bus_xasprintf("titian_%.56s", c->feed);
		for (char *p = c->conf.slot; *p; p++)
			*p = *p >= 'A' && *p <= 'Z'				    ? (char)(*p + 32)
			     : (*p >= 'a' && *p <= 'z') || (*p >= '0' && *p <= '9') ? *p
										    : '_';
	}
	if (strncmp(c->conf.slot, "titian_", 7) != 0 || strlen(c->conf.slot) > NAME_LEN ||
	    c->conf.slot[strspn(c->conf.slot, "abcdefghijklmnopqrstuvwxyz0123456789_")])
		return bus_yaml_fail(
		    yaml, bus_yaml_get(conf, "slot"), err,
		    "slot: a name that begins with titian_, at most %d of a-z, 0-9 and _: a slot of "
		    "this name is taken for ours and dropped when it is of no more use",
		    NAME_LEN);
	return BUS_OK;
}

static enum bus_err read_heartbeat(struct adapter_change *c, struct bus_yaml *yaml,
				   struct bus_yaml_node *conf, struct bus_error *err)
{
	const char *heartbeat = NULL;
	struct bus_error why;
	enum bus_err rc = adapter_source_word(yaml, conf, "heartbeat", false, &heartbeat, err);

	c->conf.heartbeat_ms = HEARTBEAT_MS;
	if (!rc && heartbeat && strcmp(heartbeat, "none") == 0)
		c->conf.heartbeat_ms = 0;
	else if (!rc && heartbeat &&
		 (bus_conf_ms(heartbeat, &c->conf.heartbeat_ms, &why) || c->conf.heartbeat_ms < 1000 ||
		  c->conf.heartbeat_ms > 3600000))
		rc = bus_yaml_fail(yaml, bus_yaml_get(conf, "heartbeat"), err,
				   "heartbeat: from 1s to 1h, or none; not '%s'", heartbeat);
	return rc;
}

enum bus_err adapter_change_pg_read(struct adapter_change *c, struct bus_yaml *yaml,
				    struct bus_yaml_node *conf, struct bus_error *err)
{
	enum bus_err rc = adapter_change_read_table(c, yaml, conf, "public", err);

	if (!rc)
		rc = read_names(c, yaml, conf, err);
	return rc ? rc : read_heartbeat(c, yaml, conf, err);
}

const struct change_kind adapter_change_postgres = {
	.name = "postgres",
	.title = "PostgreSQL",
	.lag_id = "WAL ditahan peladen basis data untuk slotnya",
	.lag_en = "of WAL are held by the database server for its slot",
	.read = adapter_change_pg_read,
	.test = adapter_change_pg_test,
	.snapshot = adapter_change_pg_snapshot,
	.follow = adapter_change_pg_follow,
};
