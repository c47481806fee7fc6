/* adapters/source_rules.h - rows of a table that are no data, as the mapping declares them: skip_rows, end_row.
 * Sub-totals, signatures, the total that ends the table. Thread: one. */
#ifndef ADAPTERS_SOURCE_RULES_H
#define ADAPTERS_SOURCE_RULES_H

#include "adapters/adapter.h"

#define ADAPTER_RULES_MAX 64

enum adapter_rule_test { ADAPTER_RULE_EMPTY, ADAPTER_RULE_PREFIX, ADAPTER_RULE_EQUALS };

struct adapter_rule {
	const char *column; /* the YAML's */
	enum adapter_rule_test test;
	struct bus_str text;
	size_t at; /* column number; the source sets it */
};

struct adapter_rules { /* zero-initialised: none */
	struct adapter_rule rule[ADAPTER_RULES_MAX];
	size_t n;
	size_t filled; /* a row with at most so many cells that are not empty is no data; 0: no such rule */
	struct adapter_rule end_row;
	bool has_end_row;
	bool end_seen; /* the source sets it */
};

enum bus_err adapter_rules_conf(struct bus_yaml *yaml, struct bus_yaml_node *conf, struct adapter_rules *out,
				struct bus_error *err) BUS_MUSTCHECK;
/* Spaces around the value do not count. */
bool adapter_rule_holds(const struct adapter_rule *rule, struct bus_str value);
/* What is missing, when end_row is declared and was not seen. */
void adapter_rules_why(const struct adapter_rules *r, char *out, size_t n);

/* Without the spaces, tabs, line breaks and no-break spaces at both ends. */
struct bus_str adapter_source_trim(struct bus_str s);

#endif
