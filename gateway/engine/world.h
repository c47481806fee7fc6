/* gateway/engine/world.h - the tables of a gateway, as definitions see them (define/world.h). */
#ifndef GATEWAY_ENGINE_WORLD_H
#define GATEWAY_ENGINE_WORLD_H

#include "gateway/define/world.h"
#include "gateway/engine/core.h"

struct gw_world_topic {
	const char *topic, *table;
	const struct schema *schema; /* a record */
};

/* The tables of topics, and those of definitions that are kept as tables. In the arena, but for the definitions,
 * which must stay. Thread: any. */
const struct gw_world *gw_world_make(const struct gw_world_topic *topic, size_t n_topics,
				     const struct gw_def *const *def, size_t n, struct bus_arena *arena);
/* One table more: the definition's. */
void gw_world_add_view(struct gw_world_table *t, const struct gw_def *d, struct bus_arena *arena);
/* Topics by their newest schemas, and those of the n definitions that are kept as tables. In the arena, but for
 * the definitions, which must stay. Thread: any that may ask e->schemas. */
const struct gw_world *gw_world_new(struct gw_engine *e, const struct gw_def *const *def, size_t n,
				    struct bus_arena *arena);

#endif
