/* gateway/publish/body.h - a request's body as records: JSON, NDJSON, Avro, CloudEvents 1.0 (HTTP protocol binding).
 *
 * Every reader fills the batch: what fits is there encoded, what does not is refused in its place with a JSON pointer
 * into the body (and the line of an NDJSON body). A body that cannot be taken apart at all: `problem`, and no record
 * counts. Untrusted bytes (tests/fuzz/fuzz_publish.c). Thread: one at a time.
 */
#ifndef GATEWAY_PUBLISH_BODY_H
#define GATEWAY_PUBLISH_BODY_H

#include "gateway/publish/publish.h"
#include "gateway/publish/slice.h"

enum gw_body_kind {
	GW_BODY_JSON,
	GW_BODY_NDJSON,
	GW_BODY_AVRO,	/* a container file, a single object, Confluent's frame, or a datum alone */
	GW_BODY_EVENT,	/* CloudEvents, structured */
	GW_BODY_EVENTS, /* CloudEvents, a batch */
};

struct gw_body {
	struct gw_publish_batch *batch;
	enum gw_body_kind kind;
	bool records;	    /* rows stand in envelopes: {"key":..., "value":...} */
	bool rows;	    /* never, not even {"records": [...]} */
	bool avro_spelling; /* Avro's own JSON */
	int version;	    /* of the schema; 0: the latest */
	int32_t schema_id;  /* > 0: this one */
	bool schema_asked;  /* in the query: the body does not say it again */

	struct gw_publish_encoder *encoder; /* once the schema is known */
	struct gw_publish_schema schema;

	size_t unpacked;     /* bytes of data taken out of a container file */
	const char *problem; /* of the whole body; static code */
	char detail[200];
};

/* False: body->problem says why. */
bool gw_body_read(struct gw_body *body, struct bus_str text);
void gw_body_release(struct gw_body *body);

/* --- between body.c, body_avro.c, body_events.c --- */
bool gw_body_fail(struct gw_body *body, const char *problem, const char *fmt, ...) BUS_PRINTF(3, 4);
bool gw_body_schema(struct gw_body *body); /* finds it and makes the encoder */
struct gw_publish_record *gw_body_add(struct gw_body *body);
/* One text of JSON, its escapes undone; copied into the batch's arena. False: not a string, too long, or the batch is
 * full. */
bool gw_body_text(struct gw_body *body, struct bus_str json, size_t most, struct bus_str *out);
bool gw_body_avro(struct gw_body *body, struct bus_str text);
/* One datum in whatever frame it comes. */
void gw_body_avro_one(struct gw_body *body, struct gw_publish_record *r, struct bus_str text,
		      const char *pointer);
void gw_body_event(struct gw_body *body, struct bus_str json, const char *pointer);
/* A name as in a header, "ce_source": adds it to the record. False: too many. */
bool gw_body_header(struct gw_body *body, struct gw_publish_record *r, struct bus_str name,
		    struct bus_str value);

#endif
