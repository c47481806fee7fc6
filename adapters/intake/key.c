#include "adapters/intake/key.h"

#include <string.h>

#define KEY_MAX 255

static bool holds_nik(const char *s)
{
	size_t digits = 0;

	for (; *s && digits < 16; s++)
		digits = *s >= '0' && *s <= '9' ? digits + 1 : 0;
	return digits == 16;
}

enum adapter_key adapter_key_read(const char *sent, uint8_t hash[BUS_SHA256_LEN])
{
	size_t n = sent ? strlen(sent) : 0;

	if (!sent)
		return ADAPTER_KEY_NONE;
	if (n >= 2 && sent[0] == '"' && sent[n - 1] == '"') {
		sent++;
		n -= 2;
	}
	if (n == 0 || n > KEY_MAX || holds_nik(sent))
		return ADAPTER_KEY_BAD;
	for (size_t k = 0; k < n; k++)
		if (sent[k] <= 0x20 || sent[k] >= 0x7f)
			return ADAPTER_KEY_BAD;
	bus_sha256(sent, n, hash);
	return ADAPTER_KEY_GOOD;
}
