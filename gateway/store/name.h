/* gateway/store/name.h - a person's name in the form in which two spellings of it are equal.
 *
 * Upper case (Latin letters), no-break and other spaces as one space, curly apostrophes and the grave
 * accent as ', cut at the first comma (degrees follow it), leading titles (H. HJ. DR. DRA. DRS. IR. DRG.
 * PROF.) dropped. What still differs is another name. Thread: any.
 */
#ifndef GATEWAY_STORE_NAME_H
#define GATEWAY_STORE_NAME_H

#include "bus/buf.h"

/* Appends the form to out. Bytes that are not UTF-8 stay as they are. */
void gw_name_plain(struct bus_str name, struct bus_buf *out);

#endif
