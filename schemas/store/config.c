#include "schemas/store/config.h"

#include <strings.h>

#include "schemas/store/meta.h"

static const char *const policy_name[] = {
	[SCHEMA_POLICY_STRICT] = "STRICT",
	[SCHEMA_POLICY_LENIENT] = "LENIENT",
	[SCHEMA_POLICY_LOGICAL] = "LOGICAL",
};

static const char *const mode_name[] = {
	[SCHEMA_MODE_READWRITE] = "READWRITE",
	[SCHEMA_MODE_READONLY] = "READONLY",
	[SCHEMA_MODE_READONLY_OVERRIDE] = "READONLY_OVERRIDE",
	[SCHEMA_MODE_IMPORT] = "IMPORT",
	[SCHEMA_MODE_FORWARD] = "FORWARD",
};

/* The fields by kind, in Confluent's order within each. */
#define FIELD(name, member)                                                                                  \
	{                                                                                                    \
		name, offsetof(struct schema_config, member)                                                 \
	}

static const struct field {
	const char *name;
	size_t at;
} texts[] = { FIELD("alias", alias), FIELD("aliasForDeks", alias_for_deks),
	      FIELD("compatibilityGroup", group) },
  flags[] = { FIELD("normalize", normalize), FIELD("validateFields", validate_fields),
	      FIELD("validateNewSchemas", validate_new_schemas), FIELD("validateRules", validate_rules) },
  metadata[] = { FIELD("defaultMetadata", default_metadata), FIELD("overrideMetadata", override_metadata) },
  rules[] = { FIELD("defaultRuleSet", default_rule_set), FIELD("overrideRuleSet", override_rule_set) };

static char **text_at(const struct schema_config *c, const struct field *f)
{
	return (char **)((uintptr_t)c + f->at);
}

static int *flag_at(const struct schema_config *c, const struct field *f)
{
	return (int *)((uintptr_t)c + f->at);
}

static const struct {
	const struct field *field;
	size_t n;
} owned[] = { { texts, BUS_LEN(texts) }, { metadata, BUS_LEN(metadata) }, { rules, BUS_LEN(rules) } };

void schema_config_init(struct schema_config *c)
{
	*c = (struct schema_config){ .normalize = -1,
				     .validate_fields = -1,
				     .validate_new_schemas = -1,
				     .validate_rules = -1,
				     .level = -1,
				     .policy = -1 };
}

void schema_config_release(struct schema_config *c)
{
	for (size_t k = 0; k < BUS_LEN(owned); k++)
		for (size_t i = 0; i < owned[k].n; i++)
			free(*text_at(c, &owned[k].field[i]));
	schema_config_init(c);
}

void schema_config_copy(const struct schema_config *from, struct schema_config *to)
{
	*to = *from;
	for (size_t k = 0; k < BUS_LEN(owned); k++)
		for (size_t i = 0; i < owned[k].n; i++) {
			char **text = text_at(to, &owned[k].field[i]);

			*text = *text ? bus_xstrdup(*text) : NULL;
		}
}

static void set(char **slot, char *text)
{
	free(*slot);
	*slot = text;
}

static enum bus_err set_text(char **slot, const struct bus_json *v, struct bus_error *err)
{
	if (v->type != BUS_JSON_NULL && (v->type != BUS_JSON_STRING || memchr(v->text.p, '\0', v->text.n)))
		return bus_fail(err, BUS_EDATA, "\"%.*s\" is not text", (int)v->name.n, v->name.p);
	set(slot, v->type == BUS_JSON_NULL ? NULL : bus_xstrndup(v->text.p, v->text.n));
	return BUS_OK;
}

static enum bus_err set_flag(int *slot, const struct bus_json *v, struct bus_error *err)
{
	if (v->type == BUS_JSON_NULL)
		*slot = -1;
	else if (v->type == BUS_JSON_TRUE || v->type == BUS_JSON_FALSE)
		*slot = v->type == BUS_JSON_TRUE;
	else
		return bus_fail(err, BUS_EDATA, "\"%.*s\" is not true or false", (int)v->name.n, v->name.p);
	return BUS_OK;
}

static enum bus_err set_metadata(char **slot, const struct bus_json *v, struct bus_arena *arena,
				 struct bus_error *err)
{
	const struct schema_metadata *m;
	struct bus_buf b = { 0 };
	struct bus_json_out j = { .buf = &b };
	enum bus_err rc = schema_metadata_read(v, arena, &m, err);

	if (rc != BUS_OK)
		return rc;
	if (m)
		schema_metadata_write(m, &j);
	set(slot, m ? bus_buf_take(&b, NULL) : NULL);
	return BUS_OK;
}

static enum bus_err set_rules(char **slot, const struct bus_json *v, struct bus_arena *arena,
			      struct bus_error *err)
{
	const struct schema_rule_set *s;
	struct bus_buf b = { 0 };
	struct bus_json_out j = { .buf = &b };
	enum bus_err rc = schema_rule_set_read(v, arena, &s, err);

	if (rc != BUS_OK)
		return rc;
	if (schema_rule_set_check(s, err) != BUS_OK)
		return BUS_ESCHEMA;
	if (s)
		schema_rule_set_write(s, &j);
	set(slot, s ? bus_buf_take(&b, NULL) : NULL);
	return BUS_OK;
}

static void upper(struct bus_str s, char *out, size_t n)
{
	size_t i;

	for (i = 0; i < s.n && i + 1 < n; i++)
		out[i] = (char)(s.p[i] >= 'a' && s.p[i] <= 'z' ? s.p[i] - 32 : s.p[i]);
	out[i] = '\0';
}

static enum bus_err set_level(int *slot, const struct bus_json *v, struct bus_error *err)
{
	enum schema_level level;
	char name[32];

	*slot = -1;
	if (v->type == BUS_JSON_NULL)
		return BUS_OK;
	if (v->type == BUS_JSON_STRING && v->text.n < sizeof(name)) {
		upper(v->text, name, sizeof(name));
		if (schema_level_parse(name, &level) == BUS_OK) {
			*slot = (int)level;
			return BUS_OK;
		}
	}
	return bus_fail(err, BUS_EINVAL, "no such compatibility level");
}

static void set_policy(int *slot, const struct bus_json *v)
{
	char name[32];

	*slot = -1; /* an unknown one is none, as in Confluent's */
	if (v->type != BUS_JSON_STRING || v->text.n >= sizeof(name))
		return;
	upper(v->text, name, sizeof(name));
	for (size_t i = 0; i < BUS_LEN(policy_name); i++)
		if (strcmp(name, policy_name[i]) == 0)
			*slot = (int)i;
}

enum bus_err schema_config_update(struct schema_config *c, const struct bus_json *object, const char *level,
				  struct bus_arena *arena, struct bus_error *err)
{
	const struct bus_json *v;
	enum bus_err rc = BUS_OK;

	if ((v = bus_json_get(object, level)))
		rc = set_level(&c->level, v, err);
	for (size_t i = 0; i < BUS_LEN(rules) && rc == BUS_OK; i++)
		if ((v = bus_json_get(object, rules[i].name)))
			rc = set_rules(text_at(c, &rules[i]), v, arena, err);
	for (size_t i = 0; i < BUS_LEN(texts) && rc == BUS_OK; i++)
		if ((v = bus_json_get(object, texts[i].name)))
			rc = set_text(text_at(c, &texts[i]), v, err);
	for (size_t i = 0; i < BUS_LEN(flags) && rc == BUS_OK; i++)
		if ((v = bus_json_get(object, flags[i].name)))
			rc = set_flag(flag_at(c, &flags[i]), v, err);
	for (size_t i = 0; i < BUS_LEN(metadata) && rc == BUS_OK; i++)
		if ((v = bus_json_get(object, metadata[i].name)))
			rc = set_metadata(text_at(c, &metadata[i]), v, arena, err);
	if (rc == BUS_OK && (v = bus_json_get(object, "compatibilityPolicy")))
		set_policy(&c->policy, v);
	return rc;
}

static void put_text(struct bus_json_out *j, const char *name, const char *text)
{
	if (text && text[0])
		bus_json_text_member(j, name, text);
}

void schema_config_write(const struct schema_config *c, const char *level, struct bus_json_out *j)
{
	put_text(j, "alias", c->alias);
	put_text(j, "aliasForDeks", c->alias_for_deks);
	for (size_t i = 0; i < BUS_LEN(flags); i++)
		if (*flag_at(c, &flags[i]) >= 0) {
			bus_json_key(j, flags[i].name);
			bus_json_put_bool(j, *flag_at(c, &flags[i]) > 0);
		}
	if (c->level >= 0)
		put_text(j, level, schema_level_name((enum schema_level)c->level));
	if (c->policy >= 0)
		put_text(j, "compatibilityPolicy", policy_name[c->policy]);
	put_text(j, "compatibilityGroup", c->group);
	for (size_t k = 1; k < BUS_LEN(owned); k++)
		for (size_t i = 0; i < owned[k].n; i++) {
			const char *json = *text_at(c, &owned[k].field[i]);

			if (!json)
				continue;
			bus_json_key(j, owned[k].field[i].name);
			bus_json_put_raw(j, bus_str(json));
		}
}

void schema_config_inherit(struct schema_config *subject, const struct schema_config *all)
{
	for (size_t i = 0; i < BUS_LEN(flags); i++)
		if (*flag_at(subject, &flags[i]) < 0)
			*flag_at(subject, &flags[i]) = *flag_at(all, &flags[i]);
	if (subject->policy < 0)
		subject->policy = all->policy;
	if (!subject->group && all->group)
		subject->group = bus_xstrdup(all->group);
}

const char *schema_mode_name(int mode)
{
	return mode_name[mode];
}

bool schema_mode_parse(struct bus_str name, int *out)
{
	for (size_t i = 0; i < BUS_LEN(mode_name); i++)
		if (name.n == strlen(mode_name[i]) && strncasecmp(name.p, mode_name[i], name.n) == 0) {
			*out = (int)i;
			return true;
		}
	return false;
}
