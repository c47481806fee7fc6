/* schemas/avro/diff.h - what changed between two schemas, in words and for programs, and who it hurts.
 *
 * Every change has a code that never changes and a sentence in English and Indonesian. Whether records can
 * still be read is avro/explain.h's judgement, given in both directions; a change with `warning` breaks no
 * reader and yet matters to people: another default, another meaning of the same number, a lower class of
 * personal data.
 *
 *   field_added  field_removed  field_renamed (the new one has the old name as alias)  fields_reordered
 *   type_changed  made_optional  made_required  branch_added  branch_removed  branches_reordered
 *   symbols_added  symbols_removed  symbols_reordered  name_changed  size_changed
 *   logical_changed !  scale_changed !  precision_lowered !  precision_raised
 *   default_added  default_removed !  default_changed !  doc_added  doc_removed !  doc_changed
 *   alias_added  alias_removed !  class_added  class_removed !  class_lowered !  class_raised (x_pdp)
 *   key_changed !  topic_changed !  kind_changed ! (x_kunci, x_topik, x_jenis)
 *   property_added  property_removed  property_changed (all others)                        ! warning
 *
 * Thread: any.
 */
#ifndef SCHEMAS_AVRO_DIFF_H
#define SCHEMAS_AVRO_DIFF_H

#include "schemas/avro/explain.h"

#define SCHEMA_CHANGES_MAX 1000 /* further ones are left out, and `cut` says so */

struct schema_change { /* texts of the diff's */
	const char *code;
	bool warning;
	const char *path; /* in the new schema, "pelaku.alamat[].rt"; "": the schema itself */
	const char *old_place, *new_place; /* JSON pointers; NULL: not there, or in a reference's text */
	const char *what;		   /* name of a property, an alias; symbols; else NULL */
	const char *was, *now;		   /* a type, a name, JSON of a default or property; NULL: nothing */
	struct schema_sentence sentence;
};

struct schema_diff {
	size_t n;
	struct schema_change *change;
	bool cut;
	struct schema_explanation backward; /* the new schema reads old records */
	struct schema_explanation forward;  /* the old schema reads new records */
	struct bus_arena *memory;
};

/* The caller releases out before the schemas. */
void schema_diff(const struct schema *old, const struct schema *new, struct schema_diff *out);
void schema_diff_release(struct schema_diff *d);

/* "FULL", "BACKWARD", "FORWARD" or "NONE": the strongest level that this step, by itself, keeps. */
const char *schema_diff_level(const struct schema_diff *d);

/* {"identical": false, "level": "BACKWARD", "changes": [{code, warning, path, old, new, what, was, now, en,
 * id}], "backward": {"compatible": true, "reasons": [...]}, "forward": {...}}; reasons as
 * schema_explanation_put, "cut": true where changes were left out. */
void schema_diff_put(struct bus_json_out *j, const struct schema_diff *d);
/* A line a change (warnings begin with "! ", others with "  "), then a line for each reason and one for its
 * mend. */
void schema_diff_say(const struct schema_diff *d, bool indonesian, struct bus_buf *out);

#endif
