/* gateway/restproxy/budget.h - bytes that each reader's requests may have written of consumers' state in a minute: compaction
 * keeps all of it for an hour at least. Counted in whole minutes. Thread: the caller's lock. */
#ifndef GATEWAY_RESTPROXY_BUDGET_H
#define GATEWAY_RESTPROXY_BUDGET_H

#include <stdint.h>

struct gw_rp_budget;

struct gw_rp_budget *gw_rp_budget_new(int64_t bytes);
void gw_rp_budget_free(struct gw_rp_budget **b);
/* Has written so much; also when it is more than is left. reader: a name; now_ms: mono. */
void gw_rp_budget_take(struct gw_rp_budget *b, const char *reader, int64_t bytes, int64_t now_ms);
/* Seconds until it may write again; 0: it may. */
int gw_rp_budget_wait(struct gw_rp_budget *b, const char *reader, int64_t now_ms);

#endif
