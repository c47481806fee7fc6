/* schemas/avro/explain.h - why data written under one schema cannot be read under another: where, what, who
 * is hurt, what would mend it; for programs (codes that never change) and in a sentence each, English and
 * Indonesian.
 *
 * The judgement is schema_can_read's, that is Avro Java's; it stops at a union ("lacks a RECORD"), the
 * findings go on to what the branch of that name lacks. Thread: any.
 *
 *   code                   Avro Java's reason                   says
 *   field_without_default  READER_FIELD_MISSING_DEFAULT_VALUE   the reader has a field that is never written
 *   type_mismatch          TYPE_MISMATCH                        a type that cannot be read as the other
 *   union_branch_missing   MISSING_UNION_BRANCH                 no branch of the reader's union reads it
 *   enum_symbols_missing   MISSING_ENUM_SYMBOLS                 symbols the reader does not know
 *   fixed_size_mismatch    FIXED_SIZE_MISMATCH
 *   name_mismatch          NAME_MISMATCH                        a named type renamed, without alias
 *   not_comparable         (an exception)                       two aliases for one field, or too large
 */
#ifndef SCHEMAS_AVRO_EXPLAIN_H
#define SCHEMAS_AVRO_EXPLAIN_H

#include "bus/json_out.h"
#include "schemas/avro/compat.h"
#include "schemas/avro/words.h"

struct schema_finding { /* texts of the explanation's */
	const char *code;
	const char *reason;			 /* Avro Java's */
	const char *path;			 /* "pelaku.alamat[].rt"; "": the schema itself */
	const char *reader_place, *writer_place; /* JSON pointers; NULL: not in that text (a reference) */
	const char *reader_has, *writer_has;	 /* types, sizes, symbols; NULL: nothing there */
	struct schema_sentence what;		 /* ends with who cannot read what */
	struct schema_sentence mend;
	/* What Confluent's message about it says: the same, or a union around it (the first of them). */
	const struct schema_reason *java;
	const struct schema_reason *own; /* the reason told here */
};

struct schema_explanation {
	bool ok;
	bool reader_is_new; /* the reader is the newer of the two: readers on it meet old data */
	size_t n;	    /* at most SCHEMA_REASONS_MAX */
	struct schema_finding *finding;
	struct schema_verdict verdict;
	const struct schema *reader, *writer; /* borrowed */
};

/* out is filled whatever the answer; the caller releases it before the schemas. Returns out->ok. */
bool schema_explain(const struct schema *reader, const struct schema *writer, bool reader_is_new,
		    struct schema_explanation *out);
void schema_explanation_release(struct schema_explanation *e);

/* An array of objects: code, reason, breaks ("new_reader": consumers on the new schema cannot read old
 * records; "old_reader": consumers still on the old one cannot read new records), path, new and old (pointers
 * or null), new_has, old_has, en, id, mend {en, id}. */
void schema_explanation_put(struct bus_json_out *j, const struct schema_explanation *e);

#endif
