/* YAML: no input crashes or leaks, every error has a place, every accepted tree is whole. */
#include <stdint.h>

#include "bus/yaml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int what)
{
	if (!what)
		abort();
}

static void visit(struct bus_yaml *y, struct bus_yaml_node *n, int depth)
{
	struct bus_error err;
	const char *text = "";
	int64_t number;
	bool flag;

	must(n->line >= 1 && depth <= 33);
	if (n->kind == BUS_YAML_SCALAR) {
		must(strlen(n->text) == n->text_len);
		return;
	}
	for (struct bus_yaml_node *c = n->first; c; c = c->next) {
		must((c->key != NULL) == (n->kind == BUS_YAML_MAP));
		if (c->key) {
			must(bus_yaml_get(n, c->key) == c); /* the only one of its name */
			(void)!bus_yaml_str(y, n, c->key, true, &text, &err);
			(void)!bus_yaml_int(y, n, c->key, true, -5, 5, &number, &err);
			(void)!bus_yaml_bool(y, n, c->key, true, &flag, &err);
		}
		visit(y, c, depth + 1);
	}
	must(bus_yaml_no_more(y, n, &err) == BUS_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bus_yaml *y;
	struct bus_error err;

	if (size > 16384) /* looking every key up is quadratic */
		return 0;
	if (bus_yaml_parse("f", 1, (const char *)data, size, &y, &err) == BUS_OK)
		visit(y, bus_yaml_root(y), 1);
	else
		must(strncmp(err.text, "f:", 2) == 0);
	bus_yaml_free(&y);
	return 0;
}
