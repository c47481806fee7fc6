/* schemas/store/table_impl.h - inside of store/table.h, for store/table.c, store/content.c and store/scope.c.
 */
#ifndef SCHEMAS_STORE_TABLE_IMPL_H
#define SCHEMAS_STORE_TABLE_IMPL_H

#include "schemas/store/table.h"

struct schema_table {
	struct schema_subject **subject; /* sorted by name up to n_sorted */
	size_t n_subjects, cap_subjects, n_sorted;
	struct schema_context **context; /* sorted by name */
	size_t n_contexts;
	struct schema_index by_name, by_id, by_guid, by_target;
	struct schema_config *config; /* of the top level; NULL: not set */
	int mode;
	size_t live;
	uint64_t generation;
};

struct schema_context *schema_table_make_context(struct schema_table *t, struct bus_str name);
/* The content that a SCHEMA record's version points to; NULL: the id means something else and is in use. */
struct schema_content *schema_table_make_content(struct schema_table *t, struct schema_context *c,
						 const struct schema_record *r, int64_t offset);
void schema_table_add_use(struct schema_content *c, struct schema_subject *s, int version);
void schema_table_unuse(struct schema_content *c, const struct schema_subject *s, int version);
void schema_table_free_contents(struct schema_table *t);

#endif
