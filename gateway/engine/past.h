/* gateway/engine/past.h - reading views as they were (gateway/engine/history.h). Thread: the reader's. */
#ifndef GATEWAY_ENGINE_PAST_H
#define GATEWAY_ENGINE_PAST_H

#include "gateway/engine/read.h"

/* *past answers gw_page, gw_get, gw_count and gw_lookup of v as of that moment (ms since 1970, at the bus); good until the
 * next call. BUS_ENOENT: v declares no history. BUS_ECONFLICT: it was not known then; *known_ms: from when on it is (0:
 * not yet). What it gives is evaluated afresh: pages of a large view may take more time than a request has (BUS_ETIMEOUT). */
enum bus_err gw_reader_past(struct gw_reader *r, const struct gw_view *v, int64_t moment_ms,
			    struct gw_reader **past, int64_t *known_ms, struct bus_error *err) BUS_MUSTCHECK;

#endif
