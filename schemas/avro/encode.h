/* schemas/avro/encode.h - JSON to Avro, between avro/encode.c (what is open, what is written) and
 * avro/encode_value.c (what a token means to a type, which branch of a union takes it). */
#ifndef SCHEMAS_AVRO_ENCODE_H
#define SCHEMAS_AVRO_ENCODE_H

#include "schemas/avro/json.h"

#define SCHEMA_ENCODE_TEXT_MAX ((size_t)64 * 1024 * 1024) /* one string */

enum schema_level_kind { SCHEMA_LEVEL_RECORD, SCHEMA_LEVEL_ARRAY, SCHEMA_LEVEL_MAP, SCHEMA_LEVEL_LABEL };

struct schema_encode_level { /* an object or array that is open */
	enum schema_level_kind kind;
	const struct schema_node *node; /* of a label: the union */
	size_t begin;			/* in out: of its bytes */
	size_t spans;			/* where its fields or keys are in span */
	size_t at;			/* the field, item or branch at hand */
	size_t n;			/* items; of a record: fields given */
	bool ordered;			/* the fields came in the schema's order so far */
};

struct schema_span { /* of out: a field's bytes, or a key's */
	size_t at;
	size_t n;
};

struct schema_encoder {
	enum schema_json spelling;
	struct bus_json_puller *json;
	struct bus_str text; /* all of it */
	struct bus_buf *out;
	size_t before;		/* bytes in out that are not ours */
	struct bus_buf scratch; /* bytes on the way to out */
	struct schema_span *span;
	size_t n_spans, cap_spans;
	size_t peeked;
	struct bus_error *err;
	size_t depth;
	struct schema_encode_level level[BUS_JSON_DEPTH_MAX];
};

static inline bool schema_encode_plain(const struct schema_encoder *e)
{
	return e->spelling == SCHEMA_JSON_PLAIN;
}

/* A token as a whole number, as the bytes of bytes or fixed (into e->scratch), as a real; false: it is none.
 */
bool schema_encode_whole(const struct schema_encoder *e, const struct schema_node *node,
			 const struct bus_json *v, int64_t *out);
bool schema_encode_bytes(struct schema_encoder *e, const struct schema_node *node, const struct bus_json *v);
/* What a value is not that the first two did not take: "not a date". */
const char *schema_encode_unfit(const struct schema_encoder *e, const struct schema_node *node);
bool schema_encode_real(const struct bus_json *v, double *out);
/* Plain spelling: the first branch that takes the value whose first token was just pulled; -1: none. */
int32_t schema_encode_choose(struct schema_encoder *e, const struct schema_node *node,
			     const struct bus_json *v);

#endif
