/* schemas/registry/vouch.h - one node of the registry tells another who asked: `v1 TIME USER HMAC`, the HMAC
 * under the node key over time, user, method, path, query and body. USER `*`: nobody in particular. Thread:
 * any. */
#ifndef SCHEMAS_REGISTRY_VOUCH_H
#define SCHEMAS_REGISTRY_VOUCH_H

#include "bus/crypto.h"
#include "schemas/registry/policy.h"

#define SCHEMA_VOUCH_MS 60000 /* as far may the clocks of two nodes, and the way between them, be apart */

struct schema_vouched {
	const char *method, *path, *query; /* as they are on the wire */
	struct bus_str body;
};

void schema_vouch_make(const uint8_t key[BUS_KEY_LEN], int64_t now_ms, const char *user,
		       const struct schema_vouched *of, struct bus_buf *out);
/* False: not ours, changed, too old, or malformed. user: "" for `*`. */
bool schema_vouch_check(const uint8_t key[BUS_KEY_LEN], int64_t now_ms, const char *value,
			const struct schema_vouched *of, char user[SCHEMA_USER_MAX]);

#endif
