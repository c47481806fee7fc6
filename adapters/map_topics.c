/* Which reference topics a mapping names: asked before it can be loaded, which needs their copies. */
#include "adapters/map.h"
#include "bus/yaml.h"

struct walk {
	void (*fn)(void *ctx, const char *topic);
	void *ctx;
};

/* Deep as YAML may be: 32. */
static void walk(const struct walk *w, struct bus_yaml_node *n)
{
	bool table = n->key && (strcmp(n->key, "lookup") == 0 || strcmp(n->key, "known") == 0);

	for (struct bus_yaml_node *k = n->first; k; k = k->next) {
		if (table && n->kind == BUS_YAML_MAP && k->kind == BUS_YAML_SCALAR &&
		    strcmp(k->key, "topic") == 0)
			w->fn(w->ctx, k->text);
		walk(w, k);
	}
}

enum bus_err adapter_map_topics(const char *path, void (*fn)(void *ctx, const char *topic), void *ctx,
				struct bus_error *err)
{
	const struct walk w = { fn, ctx };
	struct bus_yaml *yaml = NULL;
	enum bus_err rc = bus_yaml_load(path, &yaml, err);

	if (rc == BUS_OK)
		walk(&w, bus_yaml_root(yaml));
	bus_yaml_free(&yaml);
	return rc;
}
