#include "adapters/fetch/after.h"

#include <string.h>

#include "adapters/source.h"

enum bus_err adapter_after_read(struct bus_yaml *yaml, struct bus_yaml_node *conf, const char *verb,
				enum adapter_after *out, const char **name, struct bus_error *err)
{
	struct bus_yaml_node *node = bus_yaml_get(conf, "after");
	bool word = node && node->kind == BUS_YAML_SCALAR;
	enum bus_err rc;

	*out = ADAPTER_AFTER_KEEP;
	if (!node || (word && strcmp(node->text, "keep") == 0))
		return BUS_OK;
	if (word && strcmp(node->text, "delete") == 0) {
		*out = ADAPTER_AFTER_DELETE;
		return BUS_OK;
	}
	if (node->kind != BUS_YAML_MAP)
		return bus_yaml_fail(yaml, node, err, "after: keep, delete or {%s: NAME}", verb);
	*out = ADAPTER_AFTER_NAMED;
	rc = adapter_source_word(yaml, node, verb, true, name, err);
	return rc ? rc : bus_yaml_no_more(yaml, node, err);
}
