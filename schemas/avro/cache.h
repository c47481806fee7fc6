/* schemas/avro/cache.h - plans, compiled once for each (writer, reader) and kept, the least recently used let
 * go.
 *
 * A pair is known by its two schemas themselves, not by their text: ask with the same objects, as the store
 * hands them out. Bounded by number and by memory; a plan larger than that is compiled and not kept.
 * Thread: any. One mutex, not held while a plan is compiled, so that a large pair keeps nobody waiting.
 */
#ifndef SCHEMAS_AVRO_CACHE_H
#define SCHEMAS_AVRO_CACHE_H

#include "schemas/avro/read.h"

struct schema_cache;

struct schema_cache *schema_cache_new(size_t plans, size_t bytes); /* 0: 256 plans, 16 MiB */
void schema_cache_free(struct schema_cache **c);		   /* plans handed out stay good */
/* As schema_plan; *out is a reference of the caller's: schema_plan_free. */
enum bus_err schema_cache_plan(struct schema_cache *c, struct schema *writer, struct schema *reader,
			       struct schema_plan **out, struct bus_error *err) BUS_MUSTCHECK;

#endif
