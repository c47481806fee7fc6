/* gateway/define/trial_rows.h - made-up rows for trial.h. */
#ifndef GATEWAY_DEFINE_TRIAL_ROWS_H
#define GATEWAY_DEFINE_TRIAL_ROWS_H

#include "gateway/define/view.h"

struct gw_maker;

/* literals are taken from the definition's SELECT and routes, which must stay. */
struct gw_maker *gw_maker_new(const struct gw_def *d, uint64_t seed);
void gw_maker_free(struct gw_maker **m);
uint64_t gw_maker_random(struct gw_maker *m, uint64_t below);
/* A value for that column as SQL text ('text', 7, NULL), appended. */
void gw_maker_value(struct gw_maker *m, const struct gw_world_table *t, size_t column, struct bus_buf *out);

#endif
