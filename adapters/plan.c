#include "adapters/plan.h"

#include "bus/wire.h"

#define STORE_MS 5000

void adapter_plan_init(struct adapter_plan *p, struct schema_store *store)
{
	*p = (struct adapter_plan){ .store = store, .reader = schema_reader_new(NULL) };
}

void adapter_plan_release(struct adapter_plan *p)
{
	schema_plan_free(&p->plan);
	schema_reader_free(&p->reader);
}

static enum bus_err plan_for(struct adapter_plan *p, int32_t id, struct bus_error *err)
{
	struct schema *schema = NULL;
	enum bus_err rc;

	if (p->plan && p->id == id)
		return BUS_OK;
	schema_plan_free(&p->plan);
	rc = schema_store_by_id(p->store, id, STORE_MS, &schema, err);
	if (!rc)
		rc = schema_plan(schema, NULL, &p->plan, err);
	schema_unref(&schema);
	if (!rc) {
		p->id = id;
		p->root = schema_root(schema_plan_reader(p->plan));
	}
	return rc;
}

enum bus_err adapter_plan_read(struct adapter_plan *p, struct bus_str value, const struct schema_sink *sink,
			       struct bus_error *err)
{
	struct bus_str avro;
	int32_t id;
	enum bus_err rc = bus_wire_open(value, &id, &avro, err);

	if (!rc)
		rc = plan_for(p, id, err);
	return rc ? rc : schema_read(p->reader, p->plan, avro, sink, err);
}
