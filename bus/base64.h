/* bus/base64.h - base64 with padding (RFC 4648 section 4). Thread: any. */
#ifndef BUS_BASE64_H
#define BUS_BASE64_H

#include "bus/buf.h"

void bus_base64_put(struct bus_str bytes, struct bus_buf *out);
/* False: not base64, or not the one way to write these bytes; out then holds some of them. */
bool bus_base64_parse(struct bus_str text, struct bus_buf *out);

#endif
