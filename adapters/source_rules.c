#include "adapters/source_rules.h"

#include <stdio.h>

#include "adapters/source.h"

/* {filled: N}: notes, headings of groups, signatures. */
static enum bus_err conf_filled(struct bus_yaml *yaml, struct bus_yaml_node *node, struct adapter_rules *out,
				struct bus_error *err)
{
	int64_t filled = 0;
	enum bus_err rc = bus_yaml_int(yaml, node, "filled", true, 1, 4096, &filled, err);

	if (rc == BUS_OK && (size_t)filled > out->filled)
		out->filled = (size_t)filled;
	return rc != BUS_OK ? rc : bus_yaml_no_more(yaml, node, err);
}

static enum bus_err conf_rule(struct bus_yaml *yaml, struct bus_yaml_node *node, struct adapter_rule *rule,
			      struct bus_error *err)
{
	const char *prefix = NULL, *equals = NULL;
	bool empty = false;
	enum bus_err rc;

	if (node->kind != BUS_YAML_MAP)
		return bus_yaml_fail(
		    yaml, node, err,
		    "a rule is a map: {column: NAME, prefix: TEXT}, equals: TEXT or empty: true; or {filled: N}");
	if ((rc = adapter_source_word(yaml, node, "column", true, &rule->column, err)) != BUS_OK ||
	    (rc = adapter_source_word(yaml, node, "prefix", false, &prefix, err)) != BUS_OK ||
	    (rc = adapter_source_word(yaml, node, "equals", false, &equals, err)) != BUS_OK ||
	    (rc = bus_yaml_bool(yaml, node, "empty", false, &empty, err)) != BUS_OK ||
	    (rc = bus_yaml_no_more(yaml, node, err)) != BUS_OK)
		return rc;
	if ((prefix != NULL) + (equals != NULL) + empty != 1)
		return bus_yaml_fail(yaml, node, err,
				     "a rule needs exactly one of prefix: TEXT, equals: TEXT, empty: true");
	rule->test = empty ? ADAPTER_RULE_EMPTY : prefix ? ADAPTER_RULE_PREFIX : ADAPTER_RULE_EQUALS;
	rule->text = bus_str(prefix ? prefix : equals ? equals : "");
	return BUS_OK;
}

enum bus_err adapter_rules_conf(struct bus_yaml *yaml, struct bus_yaml_node *conf, struct adapter_rules *out,
				struct bus_error *err)
{
	struct bus_yaml_node *list = bus_yaml_get(conf, "skip_rows");
	struct bus_yaml_node *end = bus_yaml_get(conf, "end_row");

	if (list && list->kind != BUS_YAML_LIST)
		return bus_yaml_fail(yaml, list, err, "skip_rows is a list of rules");
	if (list && bus_yaml_count(list) > ADAPTER_RULES_MAX)
		return bus_yaml_fail(yaml, list, err, "more than %d rules", ADAPTER_RULES_MAX);
	for (struct bus_yaml_node *n = list ? list->first : NULL; n; n = n->next) {
		bool filled = n->kind == BUS_YAML_MAP && bus_yaml_get(n, "filled");
		enum bus_err rc = filled ? conf_filled(yaml, n, out, err)
					 : conf_rule(yaml, n, &out->rule[out->n], err);

		if (rc != BUS_OK)
			return rc;
		out->n += !filled;
	}
	out->has_end_row = end != NULL;
	return end ? conf_rule(yaml, end, &out->end_row, err) : BUS_OK;
}

struct bus_str adapter_source_trim(struct bus_str s)
{
	for (;;) {
		if (s.n > 0 && strchr(" \t\r\n", s.p[0]) && s.p[0])
			s = (struct bus_str){ s.p + 1, s.n - 1 };
		else if (s.n > 1 && memcmp(s.p, "\xc2\xa0", 2) == 0)
			s = (struct bus_str){ s.p + 2, s.n - 2 };
		else
			break;
	}
	for (;;) {
		if (s.n > 0 && strchr(" \t\r\n", s.p[s.n - 1]) && s.p[s.n - 1])
			s.n--;
		else if (s.n > 1 && memcmp(s.p + s.n - 2, "\xc2\xa0", 2) == 0)
			s.n -= 2;
		else
			return s;
	}
}

bool adapter_rule_holds(const struct adapter_rule *rule, struct bus_str value)
{
	value = adapter_source_trim(value);
	switch (rule->test) {
	case ADAPTER_RULE_EMPTY:
		return value.n == 0;
	case ADAPTER_RULE_PREFIX:
		return value.n >= rule->text.n && memcmp(value.p, rule->text.p, rule->text.n) == 0;
	case ADAPTER_RULE_EQUALS:
		return bus_str_eq(value, rule->text);
	}
	return false;
}

void adapter_rules_why(const struct adapter_rules *r, char *out, size_t n)
{
	const struct adapter_rule *e = &r->end_row;

	snprintf(out, n, "baris akhir tidak ada / the end row is missing: %s %s '%s'", e->column,
		 e->test == ADAPTER_RULE_PREFIX ? "begins with" : "is", e->text.p);
}
