/* bus/shares.h - how much of something each of many has, so that none has it all. Who has nothing is not kept, so there
 * are never more of them than there is to share. Thread: the caller's lock. */
#ifndef BUS_SHARES_H
#define BUS_SHARES_H

#include <stdint.h>

#include "bus/mem.h"

#define BUS_SHARE_OF 4 /* the part of the whole that one may have: a fourth */
#define BUS_SHARE_NAME_MAX 64

struct bus_shares;

struct bus_shares *bus_shares_new(void);
void bus_shares_free(struct bus_shares **s);
/* who: any bytes, at most BUS_SHARE_NAME_MAX (assert). What he has then; n may be less than 0. */
int64_t bus_shares_add(struct bus_shares *s, struct bus_str who, int64_t n);
int64_t bus_shares_of(const struct bus_shares *s, struct bus_str who);

#endif
