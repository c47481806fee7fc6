/* gateway/store/value.h - a cell: what tables hold, views give, readers get. Text is borrowed from where it comes from. */
#ifndef GATEWAY_STORE_VALUE_H
#define GATEWAY_STORE_VALUE_H

#include <stdint.h>

#include "bus/buf.h"

enum gw_type { GW_NULL, GW_INT, GW_REAL, GW_TEXT, GW_BOOL, GW_JSON /* text that is JSON */ };

struct gw_value {
	enum gw_type type;
	int64_t i;
	double r;
	struct bus_str s;
};

/* A cell as bytes, for memory only; of GW_NULL, GW_INT, GW_REAL and GW_TEXT. _unpack gives its length; text is
 * borrowed from p. */
void gw_value_pack(struct bus_buf *b, const struct gw_value *v);
size_t gw_value_unpack(const char *p, struct gw_value *v);

#endif
