/* bus/wait.h - waiting for a condition until a moment of the clock that nobody sets. Thread: any. */
#ifndef BUS_WAIT_H
#define BUS_WAIT_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/* For bus_cond_wait alone: pthread_cond_timedwait on it would count on another clock. */
void bus_cond_init(pthread_cond_t *c);
/* Lets go of lock, which the caller holds, until c is signalled or bus_clock_mono_ms() is until_ms; false: the time
 * is over. Woken for nothing now and then, as every condition: ask again. */
bool bus_cond_wait(pthread_cond_t *c, pthread_mutex_t *lock, int64_t until_ms);

#endif
