/* gateway/serve/answer.h - what answers with rows have in common: ETag, Link, Vary, notice of a view's end, the
 * cursor that goes on behind a row. Thread: the request's.
 */
#ifndef GATEWAY_SERVE_ANSWER_H
#define GATEWAY_SERVE_ANSWER_H

#include "gateway/serve/api.h"
#include "gateway/serve/query.h"

/* True: the reader has it (If-None-Match), and has been answered 304. hash: of all that decides the answer. */
bool gw_answer_unchanged(struct bus_http_request *req, uint64_t hash);
/* ETag (weak: the same answer may be compressed or not) and Vary, of an answer that is no problem. */
void gw_answer_put_tag(struct bus_http_request *req, uint64_t hash);
/* The ETag's hash of a row or of a list of rows as this reader gets it. */
uint64_t gw_answer_hash(struct gw_api *api, struct bus_http_request *req, const struct gw_params *p,
			uint64_t rows);
/* Link: the next page (NULL: none) and where the API is described; Deprecation and Sunset of a view that ends. */
void gw_answer_links(struct bus_http_request *req, const struct gw_view *v, const char *next);
/* The request's URL with the page that begins behind `place`. */
void gw_answer_next(struct gw_api *api, struct bus_http_request *req, const struct gw_params *p,
		    struct bus_str place, struct bus_buf *out);

/* A row's place in the order asked, as bytes, and back into p's query. False: it is of another order. */
void gw_place_put(const struct gw_params *p, const struct gw_value *row, struct bus_buf *out);
bool gw_place_take(struct gw_params *p, struct bus_str place);
#define GW_PLACE_MAX 2000 /* bytes; a longer one does not fit a URL */

#endif
