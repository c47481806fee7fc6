/* schemas/avro/place.h - where two schemas stand while they are compared, as people and programs name it.
 *
 * A walk over two schemas at once keeps its way down as a list of steps on the C stack, the innermost first.
 * The names are written only when there is something to tell. Side 0 and side 1 are the walker's: reader and
 * writer, or old and new. Thread: any.
 */
#ifndef SCHEMAS_AVRO_PLACE_H
#define SCHEMAS_AVRO_PLACE_H

#include "bus/buf.h"
#include "schemas/avro/schema.h"

enum schema_step_kind {
	SCHEMA_STEP_FIELD,
	SCHEMA_STEP_ITEM,   /* array items, map values: on both sides */
	SCHEMA_STEP_BRANCH, /* of a union, on one side */
};

struct schema_step {
	const struct schema_step *up; /* NULL: from the root */
	enum schema_step_kind kind;
	const struct schema_field *field[2]; /* FIELD; NULL: that side has no such field and stays */
	const struct schema_node *node;	     /* ITEM: one of the two; BRANCH: the union */
	int side;			     /* BRANCH */
	size_t index;			     /* BRANCH */
};

/* Appends "pelaku.alamat[].rt"; nothing for the root. Items are "[]", values "{}"; a branch is named,
 * "<Orang>", only where its union has several besides null. */
void schema_place_path(const struct schema_step *leaf, int side, struct bus_buf *out);

/* Appends the JSON pointer (RFC 6901) of the place into the schema's text; of its field if `whole`, else of
 * the field's type. A type that is named there is followed to its definition. False, and nothing appended:
 * the place is in a reference's text. */
bool schema_place_pointer(const struct schema *s, const struct schema_step *leaf, int side, bool whole,
			  struct bus_buf *out);

#endif
