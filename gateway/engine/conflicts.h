/* gateway/engine/conflicts.h - how often which departments disagree (gateway/define/conflict.h). Thread: the reader's. */
#ifndef GATEWAY_ENGINE_CONFLICTS_H
#define GATEWAY_ENGINE_CONFLICTS_H

#include "gateway/engine/read.h"

/* A JSON list: {"view","column","authority","authority_opd","other","other_opd","rows","records"} for every pair of an
 * authority that decided (null: none says what the view says) and a table that says otherwise, now: rows of the view, and
 * records of the table. Numbers only, of all rows. */
enum bus_err gw_conflicts_json(struct gw_reader *r, struct bus_buf *out, struct bus_error *err) BUS_MUSTCHECK;

#endif
