/* adapters/intake/replay.h - `titian-adapter replay`: what was posted and delivered goes to Kafka again, for a centre that
 * lost it. The adapter must be stopped: at its next start it learns from the log what the centre has. */
#ifndef ADAPTERS_INTAKE_REPLAY_H
#define ADAPTERS_INTAKE_REPLAY_H

#include <stdio.h>

#include "adapters/drop.h"
#include "adapters/intake/intake.h"

/* As adapter_care_time. BUS_EINVAL: how it is written. */
enum bus_err adapter_replay_time(const char *text, int64_t now_ms, int64_t *ms,
				 struct bus_error *err) BUS_MUSTCHECK;
/* feed NULL: all. Says how many segments wait again. BUS_ECONFLICT: the adapter runs. */
enum bus_err adapter_replay(const struct adapter_intake_conf *conf, const struct adapter_drop_conf *drop,
			    const char *feed, int64_t since_ms, FILE *out,
			    struct bus_error *err) BUS_MUSTCHECK;

#endif
