/* The inside of gateway/engine/rehearse.h, for its own files only. */
#ifndef GATEWAY_ENGINE_REHEARSE_IMPL_H
#define GATEWAY_ENGINE_REHEARSE_IMPL_H

#include "bus/yaml.h"
#include "gateway/engine/core.h"
#include "gateway/engine/rehearse.h"
#include "gateway/engine/world.h"
#include "schemas/avro/schema.h"

#define GW_STAGE_TABLES_MAX 100
#define GW_STAGE_VIEWS_MAX 100

struct gw_stage_topic {
	char *topic, *table;
	struct schema *schema;
	bool is_register;
	const char *key_field; /* NULL: the record's key is no field */
	int32_t schema_id;
	int64_t offset; /* of the next record */
};

struct gw_stage {					  /* what one test file plays on */
	struct gw_stage_topic topic[GW_STAGE_TABLES_MAX]; /* all of the catalogue, then stand-ins of views */
	size_t n_topics;
	char *view[GW_STAGE_VIEWS_MAX]; /* files that are needed */
	size_t n_views;
	struct gw_def *def[GW_STAGE_VIEWS_MAX]; /* of gw_stage_world */
	size_t n_defs;
	char dir[64];
	const char *store; /* NULL: a file in dir */
	bool store_taken;  /* it was empty: what is in it now is ours */
	struct gw_engine *engine;
};

/* rehearse_stage.c: the catalogue's folder; the definition, what it reads, stand-ins for views whose rows the
 * test gives (`given`: n names); then an engine, as often as there are tests. */
enum bus_err gw_stage_init(struct gw_stage *s, const struct gw_rehearsal *r, const char *const *given,
			   size_t n, struct bus_error *err) BUS_MUSTCHECK;
/* The tables there are for a definition of that file: of the catalogue, and of full views beside it. They live as long
 * as stage and arena. */
enum bus_err gw_stage_world(struct gw_stage *s, const struct gw_rehearsal *r, struct bus_arena *arena,
			    const struct gw_world **out, struct bus_error *err) BUS_MUSTCHECK;
enum bus_err gw_stage_open(struct gw_stage *s, struct bus_error *err) BUS_MUSTCHECK;
void gw_stage_close(struct gw_stage *s); /* the engine and its store */
void gw_stage_release(struct gw_stage *s);
struct gw_stage_topic *gw_stage_find(struct gw_stage *s, const char *table); /* NULL: no such table */

/* rehearse_row.c: {column: value, ...} as a record of that topic. What the row does not say is as in the rows
 * of the same key before it, else the field's default, else nothing (null, "", 0, the first symbol). */
struct gw_stage_row {
	struct bus_yaml_node *node;
	const struct gw_stage_topic *topic;
	char *key;
	struct bus_buf value; /* framed */
	bool removed;
};
enum bus_err gw_stage_row(struct bus_yaml *y, struct bus_yaml_node *n, const struct gw_stage_topic *t,
			  const struct gw_stage_row *before, size_t n_before, struct gw_stage_row *out,
			  struct bus_error *err) BUS_MUSTCHECK;

#endif
