/* schemas/store/meta.h - what stands beside a schema: Confluent's Metadata and RuleSet (its client's
 * entities of these names). Kept, merged, hashed and returned; nothing here runs a rule.
 *
 * Everything lives in the caller's arena. Tags, properties, sensitive names and a rule's tags and parameters
 * are sorted and without doubles, as Confluent writes them, so that equal ones have equal text. Thread: any.
 */
#ifndef SCHEMAS_STORE_META_H
#define SCHEMAS_STORE_META_H

#include "bus/arena.h"
#include "bus/json.h"
#include "bus/json_out.h"

struct schema_pair {
	struct bus_str key, value;
};

struct schema_tagged {
	struct bus_str key; /* a path */
	struct bus_str *tag;
	size_t n;
};

struct schema_metadata {
	struct schema_tagged *tagged;
	struct schema_pair *property;
	struct bus_str *sensitive;
	size_t n_tagged, n_properties, n_sensitive;
};

enum { SCHEMA_MIGRATION_RULES, SCHEMA_DOMAIN_RULES, SCHEMA_ENCODING_RULES, SCHEMA_RULE_KINDS };

struct schema_rule {
	struct bus_str name, doc, kind, mode, type; /* p NULL: not given; kind and mode have their defaults */
	struct bus_str *tag;
	struct schema_pair *param;
	size_t n_tags, n_params;
	struct bus_str expr, on_success, on_failure;
	bool disabled;
};

struct schema_rule_set {
	struct schema_rule *rule[SCHEMA_RULE_KINDS];
	size_t n[SCHEMA_RULE_KINDS];
	struct bus_str enable_at;
};

/* v NULL or JSON null: *out is NULL. BUS_EDATA: not of that shape. Text points into v's. */
enum bus_err schema_metadata_read(const struct bus_json *v, struct bus_arena *arena,
				  const struct schema_metadata **out, struct bus_error *err) BUS_MUSTCHECK;
enum bus_err schema_rule_set_read(const struct bus_json *v, struct bus_arena *arena,
				  const struct schema_rule_set **out, struct bus_error *err) BUS_MUSTCHECK;
/* What RuleSet.validate() refuses, in its words: BUS_EINVAL. */
enum bus_err schema_rule_set_check(const struct schema_rule_set *s, struct bus_error *err) BUS_MUSTCHECK;

void schema_metadata_write(const struct schema_metadata *m, struct bus_json_out *j);
void schema_rule_set_write(const struct schema_rule_set *s, struct bus_json_out *j);
/* `"metadata":{..},"ruleSet":{..}` without braces; either may be NULL, then it is not there. */
void schema_meta_members(const struct schema_metadata *m, const struct schema_rule_set *s,
			 struct bus_buf *out);
/* And back, of text made by schema_meta_members; the results point into text. */
void schema_meta_parse(const char *text, struct bus_arena *arena, const struct schema_metadata **m,
		       const struct schema_rule_set **s);
/* The bytes that Confluent hashes for them (updateHash). */
void schema_metadata_bytes(const struct schema_metadata *m, struct bus_buf *out);
void schema_rule_set_bytes(const struct schema_rule_set *s, struct bus_buf *out);

/* Either may be NULL; the newer wins where both have the same key or the same name of a rule. */
const struct schema_metadata *schema_metadata_merge(const struct schema_metadata *older,
						    const struct schema_metadata *newer,
						    struct bus_arena *arena);
const struct schema_rule_set *schema_rule_set_merge(const struct schema_rule_set *older,
						    const struct schema_rule_set *newer,
						    struct bus_arena *arena);
/* Without the rules of these names. */
const struct schema_rule_set *schema_rule_set_without(const struct schema_rule_set *s,
						      const struct bus_json *names, struct bus_arena *arena);
bool schema_rule_set_has_type(const struct schema_rule_set *s, const char *type);

/* NULL: no such property (or m NULL). */
const struct bus_str *schema_metadata_get(const struct schema_metadata *m, const char *key);
/* A copy with the property set, or taken away (value NULL); m may be NULL. */
const struct schema_metadata *schema_metadata_set(const struct schema_metadata *m, const char *key,
						  const char *value, struct bus_arena *arena);

#define SCHEMA_META_VERSION "confluent:version" /* the property by which Confluent marks a version */
#define SCHEMA_META_RESERVED "confluent:reserved"

#endif
