/* gateway/engine/cut.h - records up to given offsets, and no further: how a gateway that follows another reads its inputs.
 *
 * Kafka gives what there is; what lies beyond the cut is kept for the next one, HELD_MAX records a partition, and a
 * partition that gives more is not read meanwhile. Thread: the materialiser's.
 */
#ifndef GATEWAY_ENGINE_CUT_H
#define GATEWAY_ENGINE_CUT_H

#include "gateway/engine/core.h"

struct gw_cut;

struct gw_cut *gw_cut_new(struct gw_engine *e, struct bus_consumer *inputs);
void gw_cut_free(struct gw_cut **c);
/* The partition (a slot of the engine) is to be read up to offset. */
void gw_cut_at(struct gw_cut *c, int slot, int64_t offset);
/* Applies records, in the open transaction, until every partition is where gw_cut_at put it. BUS_ESTOPPED. */
enum bus_err gw_cut_reach(struct gw_cut *c, const _Atomic bool *stop, struct bus_error *err) BUS_MUSTCHECK;
/* The partition is read (again) from where the engine is. */
enum bus_err gw_cut_restart(struct gw_cut *c, int slot, struct bus_error *err) BUS_MUSTCHECK;
/* Nothing is held any more, and every partition goes on from where the engine is. */
enum bus_err gw_cut_let_go(struct gw_cut *c, struct bus_error *err) BUS_MUSTCHECK;

#endif
