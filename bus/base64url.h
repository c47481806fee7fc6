/* bus/base64url.h - base64url without padding (RFC 4648 section 5), for keys and cursors. Thread: any. */
#ifndef BUS_BASE64URL_H
#define BUS_BASE64URL_H

#include "bus/buf.h"

void bus_base64url_put(struct bus_buf *out, const void *p, size_t n);
/* False: not base64url, or not the one way to write these bytes. */
bool bus_base64url_read(struct bus_str text, struct bus_buf *out);

#endif
