/* adapters/fetch/after.h - `after`: what happens at the source to what was read: keep, delete, or with a name, such as {move: FOLDER}.
 * Thread: one. */
#ifndef ADAPTERS_FETCH_AFTER_H
#define ADAPTERS_FETCH_AFTER_H

#include "bus/yaml.h"

enum adapter_after { ADAPTER_AFTER_KEEP, ADAPTER_AFTER_DELETE, ADAPTER_AFTER_NAMED };

/* Of conf; `keep` when it is not there. verb: the one that takes a name; *name, then: the YAML's, never empty. */
enum bus_err adapter_after_read(struct bus_yaml *yaml, struct bus_yaml_node *conf, const char *verb,
				enum adapter_after *out, const char **name,
				struct bus_error *err) BUS_MUSTCHECK;

#endif
