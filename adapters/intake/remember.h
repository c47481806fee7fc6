/* adapters/intake/remember.h - the Idempotency-Keys of posts, and what was answered.
 *
 * A key is remembered as long as it is young (keep_ms) and not more than `most` came since. What is on disk is in the spool,
 * with its key: at start it is all put here again (adapter_spool_posts). Thread: under the intake's lock.
 */
#ifndef ADAPTERS_INTAKE_REMEMBER_H
#define ADAPTERS_INTAKE_REMEMBER_H

#include "adapters/spool/format.h"

struct adapter_remember;

struct adapter_remembered {
	uint8_t key[ADAPTER_POST_KEY], digest[BUS_SHA256_LEN], receipt[ADAPTER_POST_RECEIPT];
	uint32_t n;	 /* rows */
	int64_t time_ms; /* when it was taken */
	bool pending;	 /* not on disk yet */
};

struct adapter_remember *adapter_remember_new(size_t most, int64_t keep_ms);
void adapter_remember_free(struct adapter_remember **r);
/* NULL: not known. Until the next call. */
struct adapter_remembered *adapter_remember_find(struct adapter_remember *r, const uint8_t *key,
						 int64_t now_ms);
void adapter_remember_put(struct adapter_remember *r, const struct adapter_remembered *e);
void adapter_remember_forget(struct adapter_remember *r, const uint8_t *key);

#endif
