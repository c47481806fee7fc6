/* gateway/restproxy/wire.h - reading records of the topic of consumers, for state.c and its fuzzing. Bounded by the bytes
 * there are and by the limits of state.h. Thread: any.
 */
#ifndef GATEWAY_RESTPROXY_WIRE_H
#define GATEWAY_RESTPROXY_WIRE_H

#include "gateway/restproxy/state.h"

bool gw_rp_read_key(struct bus_str key, char *kind, uint8_t id[GW_RP_ID_LEN]);
bool gw_rp_read_confirm(struct bus_str value, uint64_t *seq, bool *given);
bool gw_rp_read_barrier(struct bus_str value, uint64_t *node, uint64_t *number);

#endif
