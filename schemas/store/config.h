/* schemas/store/config.h - settings of a subject, a context or all: Confluent's Config (every field) and
 * Mode. Which one holds for a subject: schema_table_config_for(). Thread: any; a struct belongs to its
 * caller. */
#ifndef SCHEMAS_STORE_CONFIG_H
#define SCHEMAS_STORE_CONFIG_H

#include "bus/arena.h"
#include "bus/json.h"
#include "bus/json_out.h"
#include "schemas/avro/compat.h"

enum schema_compat_policy { SCHEMA_POLICY_STRICT, SCHEMA_POLICY_LENIENT, SCHEMA_POLICY_LOGICAL };

struct schema_config { /* -1 and NULL: not set */
	char *alias, *alias_for_deks, *group;
	int normalize, validate_fields, validate_new_schemas, validate_rules;
	int level;  /* enum schema_level */
	int policy; /* enum schema_compat_policy */
	/* JSON as schema_meta writes it */
	char *default_metadata, *override_metadata, *default_rule_set, *override_rule_set;
};

void schema_config_init(struct schema_config *c); /* nothing set */
void schema_config_release(struct schema_config *c);
void schema_config_copy(const struct schema_config *from, struct schema_config *to);
/* Sets what the object has, unsets what it has as null, leaves the rest (Confluent's ConfigValue.update). The
 * level's name is "compatibilityLevel" in records and answers, "compatibility" in requests.
 *   BUS_EINVAL  no such level      BUS_ESCHEMA  a rule set that schema_rule_set_check() refuses
 *   BUS_EDATA   a member of another type; *c is as far as it came */
enum bus_err schema_config_update(struct schema_config *c, const struct bus_json *object, const char *level,
				  struct bus_arena *arena, struct bus_error *err) BUS_MUSTCHECK;
/* Its members, inside an open object. */
void schema_config_write(const struct schema_config *c, const char *level, struct bus_json_out *j);
/* The subject's settings with what it has not set and all subjects have (Config.mergeConfigs). */
void schema_config_inherit(struct schema_config *subject, const struct schema_config *all);

enum schema_mode {
	SCHEMA_MODE_READWRITE,
	SCHEMA_MODE_READONLY,
	SCHEMA_MODE_READONLY_OVERRIDE,
	SCHEMA_MODE_IMPORT,
	SCHEMA_MODE_FORWARD,
};
#define SCHEMA_MODE_UNSET (-1)

const char *schema_mode_name(int mode); /* "READWRITE" */
/* In any case; false: no such mode. */
bool schema_mode_parse(struct bus_str name, int *out);

#endif
