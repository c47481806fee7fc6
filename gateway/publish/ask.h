/* gateway/publish/ask.h - what every shape of request that publishes has over HTTP: a body that may be packed, an
 * Idempotency-Key. Each returns NULL, or the code of a problem (serve/problem.c). Thread: the request's.
 */
#ifndef GATEWAY_PUBLISH_ASK_H
#define GATEWAY_PUBLISH_ASK_H

#include "bus/http.h"
#include "gateway/publish/publish.h"

/* The body as it was before it was packed (Content-Encoding: gzip); it is in fresh then, which the caller releases.
 * err: what is wrong, or the coding that is taken. */
const char *gw_publish_unpack(struct bus_http_request *req, struct bus_buf *fresh, struct bus_str *out,
			      struct bus_error *err);
/* Sets the batch's key if the request has one: all that makes two requests the same goes into its print. */
const char *gw_publish_read_key(struct bus_http_request *req, struct gw_publish_batch *b,
				struct bus_str text);

#endif
