/* adapters/shape.h - writing the two records that the adapter itself knows (berkas, karantina).
 *
 * Their schemas are in the registry and may grow there. A shape is the newest version of a subject all of
 * whose fields the program knows; it gives the order in which to write them. So a new field in the registry
 * never stops an older adapter: it goes on with the version it knows.
 * Thread: one.
 */
#ifndef ADAPTERS_SHAPE_H
#define ADAPTERS_SHAPE_H

#include "schemas/store/store.h"

#define ADAPTER_SHAPE_FIELDS 40

struct adapter_shape_field {
	const char *name;
	enum schema_type type; /* without the null of a union */
	bool nullable;	       /* written through adapter_shape_null / _some */
};

struct adapter_shape {
	struct schema *schema;
	int32_t schema_id;
	size_t n;
	uint8_t known[ADAPTER_SHAPE_FIELDS];	   /* index into the table, in the schema's order */
	uint8_t null_branch[ADAPTER_SHAPE_FIELDS]; /* by index into the table */
	const struct schema_node *node[ADAPTER_SHAPE_FIELDS]; /* by index into the table; null taken off */
};

/* Zero-initialised out. BUS_ENOENT: the subject is not registered (yet); BUS_ESCHEMA: no version fits. */
enum bus_err adapter_shape_bind(struct adapter_shape *out, struct schema_store *store, const char *subject,
				const struct adapter_shape_field *table, size_t n,
				struct bus_error *err) BUS_MUSTCHECK;
void adapter_shape_release(struct adapter_shape *s);
/* For tests and for what has a schema at hand: takes no reference of the caller's. */
enum bus_err adapter_shape_fit(struct adapter_shape *out, struct schema *schema, int32_t id,
			       const struct adapter_shape_field *table, size_t n,
			       struct bus_error *err) BUS_MUSTCHECK;

void adapter_shape_null(const struct adapter_shape *s, size_t known, struct bus_buf *out);
void adapter_shape_some(const struct adapter_shape *s, size_t known, struct bus_buf *out);
/* The enum symbol; its first one when the version at hand does not have it. */
void adapter_shape_symbol(const struct adapter_shape *s, size_t known, const char *symbol,
			  struct bus_buf *out);

#endif
