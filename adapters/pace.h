/* adapters/pace.h - not faster than so many rows and bytes a second. Thread: one. */
#ifndef ADAPTERS_PACE_H
#define ADAPTERS_PACE_H

#include <stdint.h>

#define ADAPTER_PACE_BURST_US 200000 /* what may come at once after a rest */

struct adapter_pace {		   /* zeroed: no limit */
	int64_t rows, bytes;	   /* a second; 0: as many as come */
	int64_t rows_us, bytes_us; /* when what was taken so far is paid for */
};

/* Takes rows and bytes, and says how long to wait before the next, in microseconds. now_us: bus_clock_mono_us(). */
int64_t adapter_pace_take(struct adapter_pace *p, int64_t now_us, int64_t rows, int64_t bytes);

#endif
