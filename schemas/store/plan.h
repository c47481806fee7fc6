/* schemas/store/plan.h - reading framed records, each by the schema it was written with.
 *
 * The plan of the last schema is kept: the records of a topic come in long runs of one. Thread: one.
 */
#ifndef SCHEMAS_STORE_PLAN_H
#define SCHEMAS_STORE_PLAN_H

#include "schemas/avro/read.h"
#include "schemas/store/store.h"

#define SCHEMA_STORE_PLAN_WAIT_MS 5000 /* of who has nothing else to do meanwhile */

struct schema_store_plan {
	struct schema_store *store;
	struct schema_reader *reader;
	int wait_ms;
	struct schema_plan *plan;	/* NULL before the first record */
	int32_t id;			/* of plan */
	const struct schema_node *root; /* of plan: set before the sink hears of a record */
};

/* store is borrowed until released; limits as of schema_reader_new; wait_ms: for a schema that the store has not seen yet. */
void schema_store_plan_init(struct schema_store_plan *p, struct schema_store *store,
			    const struct schema_limits *limits, int wait_ms);
void schema_store_plan_release(struct schema_store_plan *p); /* a zeroed one too */
/* value: a record's, framed; avro: without its frame; p->plan is its schema's then. Asks the store for a schema that is
 * not the last one. Errors: bus_wire_open, schema_store_by_id, schema_plan. */
enum bus_err schema_store_plan_open(struct schema_store_plan *p, struct bus_str value, struct bus_str *avro,
				    struct bus_error *err) BUS_MUSTCHECK;
/* The same, and reads it; sink, further errors: schema_read. */
enum bus_err schema_store_plan_read(struct schema_store_plan *p, struct bus_str value,
				    const struct schema_sink *sink, struct bus_error *err) BUS_MUSTCHECK;

#endif
