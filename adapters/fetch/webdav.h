/* adapters/fetch/webdav.h - the answer to PROPFIND (RFC 4918, 9.1 and 14): which files a folder has. No network here.
 * Thread: one. */
#ifndef ADAPTERS_FETCH_WEBDAV_H
#define ADAPTERS_FETCH_WEBDAV_H

#include "adapters/fetch/far.h"

/* What to ask for. */
extern const char adapter_webdav_ask[];

/* Appends each file of the answer; folders are passed over. BUS_EDATA: not such an answer. */
enum bus_err adapter_webdav_read(struct bus_str body, struct adapter_far_list *out,
				 struct bus_error *err) BUS_MUSTCHECK;

#endif
