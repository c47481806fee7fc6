/* schemas/store_impl.h - inside of store.h, for store.c (follows the log) and store_query.c (answers). */
#ifndef SCHEMAS_STORE_IMPL_H
#define SCHEMAS_STORE_IMPL_H

#include <pthread.h>

#include "bus/follow.h"
#include "schemas/store_table.h"

struct schema_store {
	struct bus_follow *follow;
	struct bus_arena *arena; /* the follower's */

	schema_store_watch_fn watch; /* NULL: nobody */
	void *watch_ctx;

	pthread_rwlock_t lock; /* guards table */
	struct schema_table *table;

	pthread_mutex_t listener_lock; /* held while the listener is called; taken alone */
	void (*listener)(void *ctx);
	void *listener_ctx;
};

#endif
