/* gateway/feed/feeds_impl.h - inside feeds.c and tickets.c. */
#ifndef GATEWAY_FEED_FEEDS_IMPL_H
#define GATEWAY_FEED_FEEDS_IMPL_H

#include <pthread.h>

#include "gateway/feed/feeds.h"
#include "gateway/serve/format.h"

#define GW_TICKETS_MAX 1024

struct gw_ticket {
	char text[33];
	char reader[GW_READER_NAME_MAX];
	int64_t until; /* monotonic ms; 0: used or empty */
};

struct gw_subscriber;

struct gw_feeds {
	pthread_mutex_t lock;
	struct gw_subscriber *first; /* lock */
	size_t n;		     /* lock */
	struct gw_ticket ticket[GW_TICKETS_MAX]; /* lock */
	size_t next_ticket;			 /* lock */
};

#endif
