/* adapters/plan.h - reading records back, each by the schema it was written with.
 *
 * The plan of the last schema is kept: the records of a topic come in long runs of one. Thread: one.
 */
#ifndef ADAPTERS_PLAN_H
#define ADAPTERS_PLAN_H

#include "schemas/avro/read.h"
#include "schemas/store/store.h"

struct adapter_plan {
	struct schema_store *store;
	struct schema_reader *reader;
	struct schema_plan *plan;
	int32_t id;			/* of plan */
	const struct schema_node *root; /* of plan: set before the sink hears of a record */
};

void adapter_plan_init(struct adapter_plan *p,
		       struct schema_store *store); /* store is borrowed until released */
void adapter_plan_release(struct adapter_plan *p);  /* a zeroed one too */
/* value: a record's, framed; sink as schema_read. Asks the store for a schema that is not the last one, and waits
 * seconds for it. Errors: bus_wire_open, schema_store_by_id, schema_plan, schema_read. */
enum bus_err adapter_plan_read(struct adapter_plan *p, struct bus_str value, const struct schema_sink *sink,
			       struct bus_error *err) BUS_MUSTCHECK;

#endif
