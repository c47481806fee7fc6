/* schemas/avro/compat.h - may a reader with one schema read what was written with another?
 * Rule: Avro Java's SchemaCompatibility, which is Confluent's. Thread: any. */
#ifndef SCHEMAS_AVRO_COMPAT_H
#define SCHEMAS_AVRO_COMPAT_H

#include "bus/arena.h"
#include "schemas/avro/schema.h"

enum schema_level {
	SCHEMA_COMPAT_NONE,
	SCHEMA_COMPAT_BACKWARD,
	SCHEMA_COMPAT_BACKWARD_TRANSITIVE,
	SCHEMA_COMPAT_FORWARD,
	SCHEMA_COMPAT_FORWARD_TRANSITIVE,
	SCHEMA_COMPAT_FULL,
	SCHEMA_COMPAT_FULL_TRANSITIVE,
};

const char *schema_level_name(enum schema_level level); /* "BACKWARD" */
enum bus_err schema_level_parse(const char *name, enum schema_level *out) BUS_MUSTCHECK;
bool schema_level_transitive(enum schema_level level); /* looks at every version, not at the last alone */

struct schema_reason {	  /* texts of the verdict's */
	const char *type; /* "READER_FIELD_MISSING_DEFAULT_VALUE", Avro Java's names; "EXCEPTION": could not
			   * be judged, the message says why */
	const char *location; /* "/fields/3" */
	const char *message;  /* Avro Java's */
	/* MISSING_UNION_BRANCH where the union has a branch of that name, and it cannot read either: why. */
	const struct schema_reason *const *cause;
	size_t n_causes;
	const struct schema_reason_place *place; /* avro/explain.h tells it; NULL from schema_can_read */
};

#define SCHEMA_REASONS_MAX 200 /* further ones are left out */

struct schema_verdict {
	bool ok;
	size_t n_reasons;
	struct schema_reason *reason;
	struct bus_arena *memory;
};

/* why may be NULL; else it is filled whatever the answer, and released by the caller. */
bool schema_can_read(const struct schema *reader, const struct schema *writer, struct schema_verdict *why);
void schema_verdict_release(struct schema_verdict *why); /* zeroed is released */

/* The candidate against the versions (oldest first) under the level: the non-transitive levels look at the
 * last one only. why (may be NULL; the caller releases it) is of the first version that fails; *failed its
 * index. */
bool schema_compatible(enum schema_level level, const struct schema *candidate,
		       const struct schema *const *version, size_t n, struct schema_verdict *why,
		       size_t *failed);

#endif
