/* gateway/serve/definitions.h - views defined, changed and dropped over HTTP.
 *
 *   PUT    /v1/views/{view}             body: the definition as in a file; what it would do (dry run), or with
 *                                       apply=true: checked, written to the definitions' topic, 202
 *   DELETE /v1/views/{view}             the same; apply=true: the topic says nothing of it any more
 *   GET    /v1/views/{view}/definition  the text that runs; ETag: its digest
 *   GET    /v1/views/{view}/state       running, building (percent), waiting, refused, failed (why)
 *
 * For readers with `define: true`. Checking and writing take a moment: a thread of its own does it, one at a time, and
 * GW_DEFINITIONS_WAITING wait at most (503). If-Match: the digest of the text it is meant to replace (412).
 */
#ifndef GATEWAY_SERVE_DEFINITIONS_H
#define GATEWAY_SERVE_DEFINITIONS_H

#include "gateway/engine/defs.h"
#include "gateway/serve/api.h"

#define GW_DEFINITIONS_WAITING 16

struct gw_definitions;

/* defs NULL: there is no topic; then nothing can be applied. */
enum bus_err gw_definitions_new(struct gw_api *api, struct gw_defs *defs, struct gw_definitions **out,
				struct bus_error *err) BUS_MUSTCHECK;
void gw_definitions_free(struct gw_definitions **d); /* when HTTP has stopped */

#endif
