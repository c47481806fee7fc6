#include "adapters/spool/keys.h"

#include <sys/stat.h>

#include "bus/hex.h"
#include "bus/secret.h"

#define CREDENTIAL "credential:"

static char *place_of(const char *path)
{
	const char *dir = getenv("CREDENTIALS_DIRECTORY");

	if (strncmp(path, CREDENTIAL, strlen(CREDENTIAL)) != 0)
		return bus_xstrdup(path);
	path += strlen(CREDENTIAL);
	return dir && !strchr(path, '/') ? bus_xasprintf("%s/%s", dir, path) : NULL;
}

void adapter_spool_keys_put(struct adapter_spool_keys *keys, const uint8_t key[BUS_KEY_LEN])
{
	static const char label[] = "titian-spool-key";
	uint8_t mac[BUS_SHA256_LEN];

	bus_hmac_sha256(key, label, sizeof(label) - 1, mac);
	memcpy(keys->key[keys->n], key, BUS_KEY_LEN);
	memcpy(keys->id[keys->n], mac, ADAPTER_SPOOL_KEY_ID);
	keys->n++;
}

enum bus_err adapter_spool_keys_add(struct adapter_spool_keys *keys, const char *path, struct bus_error *err)
{
	char *place = place_of(path);
	struct bus_buf text = { 0 };
	uint8_t key[BUS_KEY_LEN] = { 0 };
	struct stat st;
	enum bus_err rc;

	if (!place)
		return bus_fail(err, BUS_EINVAL,
				"'%s': systemd gives credentials to services only (LoadCredential=)", path);
	if (keys->n == ADAPTER_SPOOL_KEYS_MAX)
		rc = bus_fail(err, BUS_ETOOBIG, "more than %d keys of the spool", ADAPTER_SPOOL_KEYS_MAX);
	else
		rc = bus_secret_load(place, &text, err);
	if (!rc && (stat(place, &st) || (st.st_mode & 0137)))
		rc = bus_fail(err, BUS_EINVAL, "key file '%s' must have mode 0640 or less: chmod 600 '%s'",
			      place, place);
	if (!rc && (text.n != (size_t)2 * BUS_KEY_LEN || !bus_unhex(text.p, BUS_KEY_LEN, key)))
		rc =
		    bus_fail(err, BUS_EINVAL,
			     "key file '%s' must hold 64 hex digits and a newline; make one with: titian key "
			     "new '%s'",
			     place, place);
	for (size_t i = 0; !rc && i < keys->n; i++)
		if (bus_equal_secret(keys->key[i], key, BUS_KEY_LEN))
			rc = bus_fail(err, BUS_EEXIST, "key file '%s' holds a key that was named before",
				      place);
	if (!rc)
		adapter_spool_keys_put(keys, key);
	explicit_bzero(key, sizeof(key));
	bus_secret_release(&text);
	free(place);
	return rc;
}

const uint8_t *adapter_spool_keys_find(const struct adapter_spool_keys *keys, const uint8_t *id)
{
	for (size_t i = 0; i < keys->n; i++)
		if (memcmp(keys->id[i], id, ADAPTER_SPOOL_KEY_ID) == 0)
			return keys->key[i];
	return NULL;
}
