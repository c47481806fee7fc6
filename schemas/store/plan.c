#include "schemas/store/plan.h"

#include "bus/wire.h"

void schema_store_plan_init(struct schema_store_plan *p, struct schema_store *store,
			    const struct schema_limits *limits, int wait_ms)
{
	*p = (struct schema_store_plan){ .store = store,
					 .reader = schema_reader_new(limits),
					 .wait_ms = wait_ms };
}

void schema_store_plan_release(struct schema_store_plan *p)
{
	schema_plan_free(&p->plan);
	schema_reader_free(&p->reader);
}

static enum bus_err plan_for(struct schema_store_plan *p, int32_t id, struct bus_error *err)
{
	struct schema *schema = NULL;
	enum bus_err rc;

	if (p->plan && p->id == id)
		return BUS_OK;
	schema_plan_free(&p->plan);
	rc = schema_store_by_id(p->store, id, p->wait_ms, &schema, err);
	if (!rc)
		rc = schema_plan(schema, NULL, &p->plan, err);
	schema_unref(&schema);
	if (!rc) {
		p->id = id;
		p->root = schema_root(schema_plan_reader(p->plan));
	}
	return rc;
}

enum bus_err schema_store_plan_open(struct schema_store_plan *p, struct bus_str value, struct bus_str *avro,
				    struct bus_error *err)
{
	int32_t id;
	enum bus_err rc = bus_wire_open(value, &id, avro, err);

	return rc ? rc : plan_for(p, id, err);
}

enum bus_err schema_store_plan_read(struct schema_store_plan *p, struct bus_str value,
				    const struct schema_sink *sink, struct bus_error *err)
{
	struct bus_str avro;
	enum bus_err rc = schema_store_plan_open(p, value, &avro, err);

	return rc ? rc : schema_read(p->reader, p->plan, avro, sink, err);
}
