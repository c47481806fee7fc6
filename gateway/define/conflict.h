/* gateway/define/conflict.h - where departments disagree: the view beside a view whose columns declare `authority`.
 *
 * Of a view V, V__sengketa has the rows of V in which another department's records say something else
 * than V does: for each column c with authorities, c (V's value), c_sumber (the first authority with a record that says
 * so), c_lain (what the others say: newest value, number of records, since when), c_<table> (number of that table's
 * records that say otherwise). It is a definition as any other, written from V's: kept, verified, read and followed the
 * same way, under V's grant. Departments do not disagree with themselves: records of the first authority's department
 * are its history. Thread: any.
 */
#ifndef GATEWAY_DEFINE_CONFLICT_H
#define GATEWAY_DEFINE_CONFLICT_H

#include "gateway/define/view.h"

#define GW_CONFLICT_SUFFIX "__sengketa"

/* *out NULL: no column has authorities of several departments. BUS_EPARSE: `file:line: why`. */
enum bus_err gw_conflict_view(const struct gw_def *d, struct gw_def **out,
			      struct bus_error *err) BUS_MUSTCHECK;

/* The name is V's with the suffix: *base is V (64 bytes). */
bool gw_conflict_base(const char *name, char base[64]);
/* A definition called as a view of conflicts must be the one that its base (NULL: there is none) gives: then *d is that,
 * with what a text cannot say of it. Any other name is left alone. BUS_ECONFLICT. */
enum bus_err gw_conflict_adopt(struct gw_def **d, const struct gw_def *base,
			       struct bus_error *err) BUS_MUSTCHECK;

#endif
