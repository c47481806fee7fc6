/* adapters/intake/tokens.h - who may post to which feed.
 *
 * A file of lines `NAME FEED[,FEED...] SHA256`, the last the SHA-256 in hex of the token (`printf %s "$TOKEN" | sha256sum`);
 * `*` is every feed; '#' begins a comment. Its mode is 0640 or less. A token is made by chance and long (32 bytes), so that
 * one round of a fast hash is enough. Thread: any, once loaded.
 */
#ifndef ADAPTERS_INTAKE_TOKENS_H
#define ADAPTERS_INTAKE_TOKENS_H

#include "bus/error.h"
#include "bus/mem.h"

struct adapter_tokens;

/* BUS_EPARSE: file:line. BUS_EINVAL: others may read it. */
enum bus_err adapter_tokens_load(const char *path, struct adapter_tokens **out,
				 struct bus_error *err) BUS_MUSTCHECK;
void adapter_tokens_free(struct adapter_tokens **t);
/* Of "Bearer ..."; its number, or -1: nobody's. authorization may be NULL. */
int adapter_tokens_find(const struct adapter_tokens *t, const char *authorization);
const char *adapter_tokens_name(const struct adapter_tokens *t, int who);
bool adapter_tokens_may(const struct adapter_tokens *t, int who, const char *feed);

#endif
