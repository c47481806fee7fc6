/* bus/percent.h - percent-encoding (RFC 3986, 2.1). Thread: any. */
#ifndef BUS_PERCENT_H
#define BUS_PERCENT_H

#include "bus/buf.h"

/* Appends text, all of it as %XX but what RFC 3986, 2.3 calls unreserved: it is one part of a path or query then. */
void bus_percent_put(struct bus_buf *out, struct bus_str text);
/* The same, but for what keep says may stand as it is. */
void bus_percent_put_but(struct bus_buf *out, struct bus_str text, bool (*keep)(unsigned char c));
/* Appends text with each %XX as the byte it stands for. What is no such escape, and %00, stays as it is. */
void bus_percent_undo(struct bus_buf *out, struct bus_str text);

#endif
