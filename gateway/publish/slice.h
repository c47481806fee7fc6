/* gateway/publish/slice.h - where the values of a JSON text begin and end, without reading what is in them: each is
 * read once, by who knows its schema, and there it is checked. Strings and brackets are followed; everything else is
 * passed over. Untrusted bytes (tests/fuzz/fuzz_publish.c). Thread: any.
 */
#ifndef GATEWAY_PUBLISH_SLICE_H
#define GATEWAY_PUBLISH_SLICE_H

#include "bus/mem.h"

#define GW_SLICE_DEPTH_MAX 512

struct gw_slice {
	const char *p, *end;
	bool begun;
};

/* The first byte that is no white space; 0: the end. */
char gw_slice_peek(struct gw_slice *s);
/* One value from here. False: there is none, its brackets do not close, or nest too deep; p is where that shows. */
bool gw_slice_value(struct gw_slice *s, struct bus_str *out);
/* Only white space is left. */
bool gw_slice_over(struct gw_slice *s);

enum gw_slice_next { GW_SLICE_ONE, GW_SLICE_END, GW_SLICE_BROKEN };
/* An object or array, as gw_slice_value gave it, gone through. name: as between the quotes. */
void gw_slice_enter(struct gw_slice *s, struct bus_str container);
enum gw_slice_next gw_slice_member(struct gw_slice *s, struct bus_str *name, struct bus_str *value);
enum gw_slice_next gw_slice_item(struct gw_slice *s, struct bus_str *value);

#endif
