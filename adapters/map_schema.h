/* adapters/map_schema.h - JSON Schemas (2020-12) of a mapping and of adapter.yaml, for editors: completion and red lines. Made of
 * the tables that the readers themselves use, so that a word that is known here is known there. Thread: any.
 */
#ifndef ADAPTERS_MAP_SCHEMA_H
#define ADAPTERS_MAP_SCHEMA_H

#include "bus/buf.h"
#include "bus/conf.h"
#include "bus/json_out.h"

void adapter_map_schema_put(struct bus_buf *out);
void adapter_config_schema_put(const struct bus_conf_option *table, struct bus_buf *out);

/* For map_schema.c: members `source`, `fetch` and `change` of an object of definitions, each closed and complete. */
void adapter_map_schema_kinds(struct bus_json_out *j);

#endif
