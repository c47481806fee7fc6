/* schemas/store/impl.h - inside of store/store.h, for store/store.c (follows the log), store/query.c (answers),
 * store/parse.c and store/find.c (what must be parsed). */
#ifndef SCHEMAS_STORE_IMPL_H
#define SCHEMAS_STORE_IMPL_H

#include <pthread.h>

#include "bus/follow.h"
#include "schemas/store/table.h"

#define SCHEMA_PARSED_MAX 1024
#define SCHEMA_PARSED_BYTES ((size_t)64 * 1024 * 1024) /* of all of them */

struct schema_parsed { /* a schema that was needed lately, by what its text is */
	const struct schema_context *context;
	uint8_t guid[SCHEMA_GUID_LEN];
	uint64_t generation; /* of the table: references may mean something else later */
	struct schema *schema;
	size_t bytes;  /* it takes */
	uint64_t used; /* s->parsed_clock when it was last asked for */
};

struct schema_store {
	struct bus_follow *follow;
	struct bus_arena *arena; /* the follower's */

	schema_store_watch_fn watch; /* NULL: nobody */
	void *watch_ctx;

	pthread_rwlock_t lock; /* guards table */
	struct schema_table *table;

	pthread_mutex_t parsed_lock; /* taken alone */
	struct schema_parsed parsed[SCHEMA_PARSED_MAX];
	size_t parsed_bytes;
	uint64_t parsed_clock;

	pthread_mutex_t listener_lock; /* held while the listener is called; taken alone */
	void (*listener)(void *ctx);
	void *listener_ctx;
};

bool schema_wanted(const struct schema_entry *e, enum schema_deleted which);

#endif
