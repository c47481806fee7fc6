/* schemas/registry/work.h - one registration on its way: for registry/register.c (is it there, what does it
 * become) and registry/place.c (may it be, and as which version and id). On the writer's thread. */
#ifndef SCHEMAS_REGISTRY_WORK_H
#define SCHEMAS_REGISTRY_WORK_H

#include "schemas/registry/registry.h"

struct schema_work {
	struct schema_registry *r;
	struct bus_http_request *req;
	struct schema_request *q;
	struct schema_config config;
	int mode;
	bool normalize, force;
	int new_version;
	struct deleted {
		int version;
		int32_t id;
	} * deleted; /* soft-deleted versions */
	size_t n_deleted;
	struct schema_version latest; /* live; subject NULL: none */
};

static inline bool schema_mode_imports(int mode) /* takes ids as given, checks nothing */
{
	return mode == SCHEMA_MODE_IMPORT || mode == SCHEMA_MODE_FORWARD;
}

/* False: answered. */
bool schema_work_allowed(struct schema_work *w); /* by the mode */
bool schema_work_context_fits(struct schema_work *w); /* there may be one more, if it is new */
bool schema_work_give_version(struct schema_work *w);
bool schema_work_give_id(struct schema_work *w);
/* Records that go before the schema's. */
void schema_work_drop_twins(struct schema_work *w);
void schema_work_put_context(struct schema_work *w);

#endif
