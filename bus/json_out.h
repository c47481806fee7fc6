/* bus/json_out.h - writing JSON text into a buffer, commas and escapes taken care of.
 *
 *     struct bus_json_out j = { .buf = &b };
 *     bus_json_object(&j); bus_json_key(&j, "id"); bus_json_put_int(&j, 7); bus_json_object_end(&j);
 *
 * Non-ASCII is written as UTF-8; `<`, `>`, `&`, U+2028/9 are escaped, so that the text may stand in HTML.
 * Invalid UTF-8 in becomes U+FFFD out: the result is always JSON.
 */
#ifndef BUS_JSON_OUT_H
#define BUS_JSON_OUT_H

#include <stdbool.h>
#include <stdint.h>

#include "bus/buf.h"

struct bus_json_out {
	struct bus_buf *buf;
	int depth; /* objects and arrays that are open */
	bool some; /* the innermost of them has something in it already */
	bool after_key;
};

void bus_json_object(struct bus_json_out *j);
void bus_json_object_end(struct bus_json_out *j);
void bus_json_array(struct bus_json_out *j);
void bus_json_array_end(struct bus_json_out *j);
void bus_json_key(struct bus_json_out *j, const char *name);
void bus_json_key_str(struct bus_json_out *j, struct bus_str name);
void bus_json_put_str(struct bus_json_out *j, struct bus_str s);
void bus_json_put_text(struct bus_json_out *j, const char *s);			    /* NULL becomes null */
void bus_json_text_member(struct bus_json_out *j, const char *name, const char *s); /* key and text */
void bus_json_some_text_member(struct bus_json_out *j, const char *name,
			       const char *s); /* nothing for NULL */
void bus_json_int_member(struct bus_json_out *j, const char *name, int64_t v);
void bus_json_bool_member(struct bus_json_out *j, const char *name, bool v);
void bus_json_put_int(struct bus_json_out *j, int64_t v);
void bus_json_put_double(struct bus_json_out *j, double v); /* shortest that reads back; NaN as "NaN" text */
void bus_json_put_bool(struct bus_json_out *j, bool v);
void bus_json_put_null(struct bus_json_out *j);
void bus_json_put_raw(struct bus_json_out *j, struct bus_str json);	   /* a value that is JSON already */
void bus_json_put_members(struct bus_json_out *j, struct bus_str members); /* `"a":1,"b":2`; may be empty */
/* What was parsed (bus/json.h), as it was: numbers keep their spelling. As deep as the parser let it be. */
struct bus_json;
void bus_json_put_tree(struct bus_json_out *j, const struct bus_json *v);

#endif
