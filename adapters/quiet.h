/* adapters/quiet.h - the hours in which an office's line and machine are its own. Time is WIB, as everywhere. Thread: any. */
#ifndef ADAPTERS_QUIET_H
#define ADAPTERS_QUIET_H

#include <stdint.h>

#include "bus/error.h"

struct adapter_quiet {
	int from, until; /* minutes of the day; equal: never */
	int64_t small;	 /* bytes up to which a file is taken all the same */
};

/* "07:30-16:00"; past midnight too: "22:00-04:00". "": never. BUS_EINVAL. */
enum bus_err adapter_quiet_parse(const char *text, struct adapter_quiet *out,
				 struct bus_error *err) BUS_MUSTCHECK;
bool adapter_quiet_now(const struct adapter_quiet *q, int64_t wall_ms);

#endif
