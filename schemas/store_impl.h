/* schemas/store_impl.h - inside of store.h, for store.c (follows the log) and store_query.c (answers). */
#ifndef SCHEMAS_STORE_IMPL_H
#define SCHEMAS_STORE_IMPL_H

#include <pthread.h>

#include "bus/consumer.h"
#include "schemas/store_table.h"

struct schema_store {
	char *topic;
	struct bus_consumer *consumer; /* the thread's, once it runs */
	struct bus_arena *arena;       /* likewise */
	pthread_t thread;
	bool running;

	pthread_rwlock_t lock; /* guards table */
	struct schema_table *table;

	/* Never held together with lock. */
	pthread_mutex_t state_lock;    /* guards what follows, but for the listener */
	pthread_cond_t moved;	       /* next, end_asked or end_told changed */
	int64_t next;		       /* one past the last record applied */
	uint64_t end_wanted, end_told; /* numbers of questions about the log's end; answered up to end_told */
	int64_t end;
	enum bus_err end_rc;
	int64_t failed_at; /* monotonic ms; 0: never */
	bool stopping;

	pthread_mutex_t listener_lock; /* held while the listener is called; taken alone */
	void (*listener)(void *ctx);
	void *listener_ctx;
};

#endif
