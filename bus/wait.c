#include "bus/wait.h"

#include <errno.h>
#include <time.h>

void bus_cond_init(pthread_cond_t *c)
{
	pthread_condattr_t attr;

	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(c, &attr);
	pthread_condattr_destroy(&attr);
}

bool bus_cond_wait(pthread_cond_t *c, pthread_mutex_t *lock, int64_t until_ms)
{
	const struct timespec until = { .tv_sec = (time_t)(until_ms / 1000),
					.tv_nsec = (long)(until_ms % 1000) * 1000000 };

	return pthread_cond_timedwait(c, lock, &until) != ETIMEDOUT;
}
