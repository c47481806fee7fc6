/* gateway/base64.h - base64url without padding (RFC 4648 section 5), for keys and cursors. Thread: any. */
#ifndef GATEWAY_BASE64_H
#define GATEWAY_BASE64_H

#include "bus/buf.h"

void gw_base64url_put(struct bus_buf *out, const void *p, size_t n);
/* False: not base64url, or not the one way to write these bytes. */
bool gw_base64url_read(struct bus_str text, struct bus_buf *out);

#endif
