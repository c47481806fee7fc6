/* gateway/door.h - who is let in: who may bring a large body at all, asked before any of it is kept. Thread: the HTTP pool's. */
#ifndef GATEWAY_DOOR_H
#define GATEWAY_DOOR_H

#include "gateway/serve/api.h"

/* For struct bus_http_conf; api: struct gw_api. Known by a key, or a signature that holds (but for the body's digest, which
 * gw_signer_admit looks at). Of paths that need no key strangers may, and have one part in all; elsewhere they are answered
 * 401 in the path's shape. */
bool gw_door_knows(void *api, struct bus_http_request *req, char payer[BUS_HTTP_WHO_MAX]);

/* Why somebody is not let in (signature-invalid, unavailable), in the path's shape: for gw_signer_new. */
void gw_door_refuse(struct bus_http_request *req, const char *code, const char *detail);

#endif
