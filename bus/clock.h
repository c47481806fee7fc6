/* bus/clock.h - time, replaceable in tests. Thread: any. */
#ifndef BUS_CLOCK_H
#define BUS_CLOCK_H

#include <stddef.h>
#include <stdint.h>

int64_t bus_clock_ms(void);   /* wall clock, ms since 1970 UTC: for people and records, never to order */
int64_t bus_clock_mono_ms(void); /* monotonic, for waiting and measuring */
int64_t bus_clock_mono_us(void);
int64_t bus_clock_mono_coarse_ms(void); /* up to 10 ms behind, at a fifth of the price: for what is asked at every row */
void bus_clock_fake(int64_t wall_ms); /* tests: wall clock stands still at this; -1 = real again */

/* "2025-01-10T08:00:00+07:00" (WIB, the city's zone; ".123" only when ms are not zero).
 * buf of 32 bytes is enough; years outside 0 to 9999 become the nearest moment inside. Returns buf. */
char *bus_clock_iso_wib(int64_t ms, char *buf, size_t n);
/* "Fri, 10 Jan 2025 01:00:00 GMT" (RFC 9110, 5.6.7), of moments from 1970 to 9999, the nearest of them else. buf of 32
 * bytes is enough. Returns buf. */
char *bus_clock_http(int64_t ms, char *buf, size_t n);
/* "2025-01-10" for days since 1970-01-01 (Avro date). */
char *bus_clock_iso_date(int32_t days, char *buf, size_t n);
/* Proleptic Gregorian; false when the day does not exist. */
_Bool bus_clock_days(int year, int month, int day, int32_t *days);

#endif
