/* schemas/avro/diff_impl.h - the state of one comparison; for diff*.c alone. Side 0 is old, side 1 new.
 */
#ifndef SCHEMAS_AVRO_DIFF_IMPL_H
#define SCHEMAS_AVRO_DIFF_IMPL_H

#include "schemas/avro/diff.h"
#include "schemas/avro/place.h"
#include "schemas/avro/schema_impl.h"

struct schema_differ_pair {
	const struct schema_differ_pair *next;
	int index; /* of the new schema's type */
};

struct schema_differ {
	const struct schema *schema[2];
	const struct schema_step *step;
	struct schema_diff *out;
	const struct schema_differ_pair **seen; /* by the old schema's type: named types compared already */
	size_t n_seen;
	int depth;
	struct bus_buf text[2]; /* scratch */
};

enum schema_diff_code {
	DIFF_FIELD_ADDED,
	DIFF_FIELD_REMOVED,
	DIFF_FIELD_RENAMED,
	DIFF_FIELDS_REORDERED,
	DIFF_TYPE_CHANGED,
	DIFF_MADE_OPTIONAL,
	DIFF_MADE_REQUIRED,
	DIFF_BRANCH_ADDED,
	DIFF_BRANCH_REMOVED,
	DIFF_BRANCHES_REORDERED,
	DIFF_SYMBOLS_ADDED,
	DIFF_SYMBOLS_REMOVED,
	DIFF_SYMBOLS_REORDERED,
	DIFF_NAME_CHANGED,
	DIFF_SIZE_CHANGED,
	DIFF_LOGICAL_CHANGED,
	DIFF_SCALE_CHANGED,
	DIFF_PRECISION_LOWERED,
	DIFF_PRECISION_RAISED,
	DIFF_DEFAULT_ADDED,
	DIFF_DEFAULT_REMOVED,
	DIFF_DEFAULT_CHANGED,
	DIFF_DOC_ADDED,
	DIFF_DOC_REMOVED,
	DIFF_DOC_CHANGED,
	DIFF_ALIAS_ADDED,
	DIFF_ALIAS_REMOVED,
	DIFF_CLASS_ADDED,
	DIFF_CLASS_REMOVED,
	DIFF_CLASS_LOWERED,
	DIFF_CLASS_RAISED,
	DIFF_KEY_CHANGED,
	DIFF_TOPIC_CHANGED,
	DIFF_KIND_CHANGED,
	DIFF_PROPERTY_ADDED,
	DIFF_PROPERTY_REMOVED,
	DIFF_PROPERTY_CHANGED,
};

/* A change at d->step; `whole`: of the field, not of its type. Texts are copied; NULL: nothing. */
void schema_diff_note(struct schema_differ *d, enum schema_diff_code code, bool whole, const char *what,
		      const char *was, const char *now);
/* Two types at d->step. */
void schema_diff_types(struct schema_differ *d, const struct schema_node *o, const struct schema_node *n);

/* Names, aliases, doc and properties of a type or a field (avro/diff_parts.c). */
void schema_diff_aliases(struct schema_differ *d, bool whole, const char *const *o, size_t n_o,
			 const char *const *n, size_t n_n);
void schema_diff_doc(struct schema_differ *d, bool whole, const char *o, const char *n);
/* Members that are none of the specification's; logical: logicalType, precision and scale are understood. */
void schema_diff_properties(struct schema_differ *d, bool whole, const struct bus_json *o,
			    const struct bus_json *n, bool logical);
void schema_diff_default(struct schema_differ *d, bool whole, const struct bus_json *o,
			 const struct bus_json *n);

/* The fields of two records (avro/diff_record.c). */
void schema_diff_records(struct schema_differ *d, const struct schema_node *o, const struct schema_node *n);

#endif
