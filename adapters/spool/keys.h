/* adapters/spool/keys.h - the keys that a spool is sealed with: the present one, and older ones that still open.
 *
 * A key file is one line of 64 hexadecimal digits, of mode 0640 or less (`titian key new`). A path that begins with
 * "credential:" names a credential of systemd's (LoadCredential=, systemd.exec(5)), which lies in
 * $CREDENTIALS_DIRECTORY. A key is known by its id, the first 8 bytes of HMAC-SHA-256(key, "titian-spool-key").
 * Each segment is sealed with a key of its own, HMAC-SHA-256(key, "titian-spool" || segment id): of random nonces no
 * more than 2^32 may be used under one key (NIST SP 800-38D, 8.3), and a segment has far fewer. Thread: any, once loaded.
 */
#ifndef ADAPTERS_SPOOL_KEYS_H
#define ADAPTERS_SPOOL_KEYS_H

#include "bus/crypto.h"

#define ADAPTER_SPOOL_KEYS_MAX 16
#define ADAPTER_SPOOL_KEY_ID 8

struct adapter_spool_keys { /* key[0] seals */
	uint8_t key[ADAPTER_SPOOL_KEYS_MAX][BUS_KEY_LEN];
	uint8_t id[ADAPTER_SPOOL_KEYS_MAX][ADAPTER_SPOOL_KEY_ID];
	size_t n;
};

/* One more. BUS_EINVAL: with the remedy; BUS_EEXIST: it is there already; BUS_ETOOBIG: too many. */
enum bus_err adapter_spool_keys_add(struct adapter_spool_keys *keys, const char *path,
				    struct bus_error *err) BUS_MUSTCHECK;
void adapter_spool_keys_put(struct adapter_spool_keys *keys, const uint8_t key[BUS_KEY_LEN]);
/* NULL: none has this id. */
const uint8_t *adapter_spool_keys_find(const struct adapter_spool_keys *keys, const uint8_t *id);

#endif
