/* gateway/export/range.h - the Range of a request (RFC 9110, 14.1.2 and 14.2): one range of bytes. Of several, or of
 * what we do not know, the whole is the answer. Thread: any. */
#ifndef GATEWAY_EXPORT_RANGE_H
#define GATEWAY_EXPORT_RANGE_H

#include <stdint.h>

enum gw_range { GW_RANGE_WHOLE, GW_RANGE_PART, GW_RANGE_OUTSIDE };

/* text: the header's value, or NULL. PART: *n > 0 bytes from *from, both within size; else they are not touched. */
enum gw_range gw_range_of(const char *text, int64_t size, int64_t *from, int64_t *n);

#endif
