/* schemas/registry/dek_body.h - what the requests about keys share. False: answered with what is wrong. */
#ifndef SCHEMAS_REGISTRY_DEK_BODY_H
#define SCHEMAS_REGISTRY_DEK_BODY_H

#include "bus/json_out.h"
#include "schemas/registry/registry.h"

bool schema_key_name(struct bus_http_request *req, const char *name);	    /* or 42271 */
bool schema_key_subject(struct bus_http_request *req, const char *subject); /* or 42271 */
bool schema_key_algorithm(struct bus_http_request *req, int *algorithm);    /* of the query; or 404 */
/* The DEK that the path names: {name}, {subject}, {version} (0: the latest; `fallback` where there is none),
 * and the query's algorithm. */
bool schema_key_path(struct schema_registry *r, struct bus_http_request *req, int fallback,
		     struct schema_dek *id);

void schema_key_unknown(struct bus_http_request *req, const char *name);  /* 40470 */
void schema_key_invalid(struct bus_http_request *req, const char *field); /* 42271 */
/* 50070: made is "encrypted" or "raw". */
void schema_key_no_kms(struct bus_http_request *req, const char *made, const char *subject);

struct bus_buf schema_kek_json(const struct schema_kek *k);
struct bus_buf schema_dek_json(const struct schema_dek *d);

#endif
