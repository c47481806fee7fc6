/* gateway/restproxy/body.h - the body of POST /topics/{topic} as a batch for gateway/publish.
 *
 * What a topic takes:
 *   values of a registered schema (subject TOPIC-value): avro, in Avro's own JSON, in the version that the request
 *   names; json, as POST /v1/topics/{topic}/records has it, in the latest version. Never binary.
 *   a topic without one: binary, and json as its bytes, from readers whose policy says `bytes: true`.
 * Keys are text, as the rest of the bus has them; where TOPIC-key is registered, and the value's schema does not say
 * which field is the key, Avro. All records or none: a request with one that cannot be taken is refused, before
 * anything is sent.
 *
 * Untrusted bytes (tests/fuzz/fuzz_rp.c). Thread: one at a time.
 */
#ifndef GATEWAY_RESTPROXY_BODY_H
#define GATEWAY_RESTPROXY_BODY_H

#include "gateway/publish/body.h"
#include "gateway/restproxy/rp.h"

enum gw_rp_keys { GW_RP_KEYS_TEXT, GW_RP_KEYS_AVRO, GW_RP_KEYS_BYTES };

struct gw_rp_body {
	struct gw_body base;	  /* batch; then the values' schema and encoder */
	struct gw_rp_memo *memo;  /* NULL: none */
	enum gw_rp_format format; /* not UNSAID */
	int32_t partition;	  /* of the path; -1: none */
	bool bytes;		  /* this reader may publish what has no schema */

	/* --- filled */
	bool key_said, value_said; /* the request names the schema */
	int32_t key_schema_id;	   /* for the answer; 0: none */
	enum gw_rp_keys keys;
	struct schema *key_schema; /* of KEYS_AVRO */
	struct schema_plan *key_plan;
	struct schema_reader *key_reader;
	int error;	  /* enum gw_rp_error, or a status */
	char detail[400]; /* "": none */
};

/* False: error and detail say why. */
bool gw_rp_body_read(struct gw_rp_body *b, struct bus_str text);
void gw_rp_body_release(struct gw_rp_body *b);

/* --- between body.c and schema.c --- */
struct gw_rp_schemas { /* as the body has them; p NULL: not there */
	struct bus_str key, key_id, value, value_id;
};
bool gw_rp_body_fail(struct gw_rp_body *b, int error, const char *fmt, ...) BUS_PRINTF(3, 4);
/* Finds what keys and values are written with. */
bool gw_rp_body_schemas(struct gw_rp_body *b, const struct gw_rp_schemas *s);
bool gw_rp_body_number(struct bus_str json, int64_t least, int64_t *out); /* 7 or "7", of 32 bits */

/* Which version an inline schema is: its parse is not done again for each request. Thread: any. */
struct gw_rp_memo;
struct gw_rp_memo *gw_rp_memo_new(void);
void gw_rp_memo_free(struct gw_rp_memo **m);

#endif
