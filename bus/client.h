/* bus/client.h - HTTP requests to our own services. The only includer of libcurl. Thread: any; a client
 * belongs to one. */
#ifndef BUS_CLIENT_H
#define BUS_CLIENT_H

#include "bus/buf.h"
#include "bus/error.h"

/* One request. type and body may be NULL; bearer may be NULL. *status is the HTTP status (an answer of 4xx
 * or 5xx is not an error here). No redirects. The answer is cut off at 64 MiB (BUS_ETOOBIG). */
enum bus_err bus_client_request(const char *method, const char *url, const char *bearer, const char *type,
				struct bus_str body, int timeout_ms, int *status, struct bus_buf *answer,
				struct bus_error *err) BUS_MUSTCHECK;

#endif
