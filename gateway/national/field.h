/* gateway/national/field.h - structured fields of HTTP (RFC 8941), as far as signatures and digests need them:
 * dictionaries whose members are byte sequences, strings, tokens, whole numbers, booleans or inner lists of these, all
 * with parameters. Decimals are refused; a key that stands twice in a dictionary or twice among parameters too (the RFC
 * takes the last: what is signed must not have two readings).
 *
 * Bounded: GW_FIELD_TEXT_MAX bytes, GW_FIELD_MEMBERS_MAX members, items of a list, parameters of each.
 * Thread: any; what is parsed lives in the caller's arena.
 */
#ifndef GATEWAY_NATIONAL_FIELD_H
#define GATEWAY_NATIONAL_FIELD_H

#include <stdint.h>

#include "bus/arena.h"
#include "bus/buf.h"
#include "bus/error.h"

#define GW_FIELD_TEXT_MAX ((size_t)8192)
#define GW_FIELD_MEMBERS_MAX 32

enum gw_field_type {
	GW_FIELD_INT,	 /* number */
	GW_FIELD_BOOL,	 /* number: 0, 1 */
	GW_FIELD_STRING, /* text, unescaped */
	GW_FIELD_TOKEN,	 /* text */
	GW_FIELD_BYTES,	 /* text, decoded */
	GW_FIELD_LIST,	 /* items */
};

struct gw_field_value {
	enum gw_field_type type;
	struct bus_str text;
	int64_t number;
	struct gw_field_member *param; /* their values are bare items */
	struct gw_field_value *item;   /* of a LIST */
	struct gw_field_value *next;   /* in a LIST */
};

struct gw_field_member {
	struct bus_str key;
	struct gw_field_value value;
	struct gw_field_member *next;
};

/* An empty text is an empty dictionary (*out NULL). BUS_EPARSE: with the place. */
enum bus_err gw_field_dictionary(struct bus_str text, struct bus_arena *arena, struct gw_field_member **out,
				 struct bus_error *err) BUS_MUSTCHECK;
const struct gw_field_value *gw_field_find(const struct gw_field_member *m, const char *key); /* NULL: none */
/* Of parameters: the text of the string there; {NULL, 0}: no such string. */
struct bus_str gw_field_text(const struct gw_field_member *param, const char *key);
/* The one way to write a value, with its parameters (RFC 8941, 4.1). */
void gw_field_put(const struct gw_field_value *v, struct bus_buf *out);
void gw_field_put_string(struct bus_str s, struct bus_buf *out);
void gw_field_put_bytes(struct bus_str s, struct bus_buf *out);

#endif
