/* adapters/intake/key.h - the header Idempotency-Key, as a hash. Any thread. */
#ifndef ADAPTERS_INTAKE_KEY_H
#define ADAPTERS_INTAKE_KEY_H

#include "bus/crypto.h"

enum adapter_key { ADAPTER_KEY_NONE, ADAPTER_KEY_GOOD, ADAPTER_KEY_BAD };

/* sent: the header's value, quoted (as the IETF's draft has it) or not; NULL: none. GOOD is 1 to 255 visible characters of ASCII
 * without a NIK among them. */
enum adapter_key adapter_key_read(const char *sent, uint8_t hash[BUS_SHA256_LEN]);

#endif
