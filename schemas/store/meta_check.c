/* What Confluent's RuleSet.validate() refuses, in its words. */
#include "schemas/store/meta.h"

static bool letter(unsigned char c) /* what is not ASCII may be one */
{
	return (c | 0x20) >= 'a' ? (c | 0x20) <= 'z' || c >= 0x80 : c >= 0x80;
}

static enum bus_err check_rule(const struct schema_rule *r, int kind, struct bus_error *err)
{
	static const char *const only[] = { "Migration rules can only be UPGRADE, DOWNGRADE, UPDOWN",
					    "Domain rules can only be WRITE, READ, WRITEREAD",
					    "Encoding rules can only be WRITE, READ, WRITEREAD" };
	const bool both = bus_str_is(r->mode, "WRITEREAD") || bus_str_is(r->mode, "UPDOWN");
	const bool migrates = bus_str_is(r->mode, "UPGRADE") || bus_str_is(r->mode, "DOWNGRADE") ||
			      bus_str_is(r->mode, "UPDOWN");
	const char *illegal = NULL;

	if (!r->name.p)
		return bus_fail(err, BUS_EINVAL, "Missing rule name");
	if (r->name.n == 0)
		return bus_fail(err, BUS_EINVAL, "Empty rule name");
	if (r->name.n > 256)
		return bus_fail(err, BUS_EINVAL, "Rule name too long");
	for (size_t i = 0; i < r->name.n && !illegal; i++) {
		unsigned char c = (unsigned char)r->name.p[i];

		if (letter(c) || c == '_' || (i > 0 && ((c >= '0' && c <= '9') || c == '-')))
			continue;
		illegal = i == 0 ? "initial character" : "character";
	}
	if (illegal)
		return bus_fail(err, BUS_EINVAL, "Illegal %s in rule name: %.*s", illegal, (int)r->name.n,
				r->name.p);
	if (!r->type.p)
		return bus_fail(err, BUS_EINVAL, "Missing rule type");
	if (!both && ((r->on_success.n > 0 && memchr(r->on_success.p, ',', r->on_success.n)) ||
		      (r->on_failure.n > 0 && memchr(r->on_failure.p, ',', r->on_failure.n))))
		return bus_fail(err, BUS_EINVAL, "Multiple actions only valid with WRITEREAD and UPDOWN");
	if (migrates != (kind == SCHEMA_MIGRATION_RULES))
		return bus_fail(err, BUS_EINVAL, "%s", only[kind]);
	return BUS_OK;
}

/* Is there a rule of that name before (kind, index)? */
static bool named_before(const struct schema_rule_set *s, int kind, size_t index, struct bus_str name)
{
	for (int k = 0; k <= kind; k++)
		for (size_t i = 0; i < (k < kind ? s->n[k] : index); i++)
			if (s->rule[k][i].name.p && bus_str_eq(s->rule[k][i].name, name))
				return true;
	return false;
}

enum bus_err schema_rule_set_check(const struct schema_rule_set *s, struct bus_error *err)
{
	for (int k = 0; s && k < SCHEMA_RULE_KINDS; k++)
		for (size_t i = 0; i < s->n[k]; i++) {
			const struct schema_rule *r = &s->rule[k][i];
			enum bus_err rc;

			if (r->name.p && named_before(s, k, i, r->name))
				return bus_fail(err, BUS_EINVAL, "Found rule with duplicate name '%.*s'",
						(int)r->name.n, r->name.p);
			rc = check_rule(r, k, err);
			if (rc != BUS_OK)
				return rc;
		}
	return BUS_OK;
}
