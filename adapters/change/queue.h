/* adapters/change/queue.h - messages from the thread that reads a stream to the one that publishes them.
 *
 * Bounded by bytes: who puts waits while it is full, and the server keeps what was not read. One message of any size
 * passes when the queue is empty. Threads: one puts and clears, one takes and frees.
 */
#ifndef ADAPTERS_CHANGE_QUEUE_H
#define ADAPTERS_CHANGE_QUEUE_H

#include "bus/error.h"
#include "bus/mem.h"

enum adapter_item_kind {
	ADAPTER_ITEM_START, /* a stream begins, perhaps with what has been before */
	ADAPTER_ITEM_DATA,  /* a message of PostgreSQL, or one in its form: XLogData or keepalive */
};

struct adapter_item {
	struct adapter_item *next;
	enum adapter_item_kind kind;
	char *data; /* of malloc */
	size_t n;
};

struct adapter_queue;

/* wake_fd: an eventfd, written to when something is there again. */
struct adapter_queue *adapter_queue_new(size_t most, int wake_fd);
void adapter_queue_free(struct adapter_queue **q);
/* Takes data over, unless it is BUS_ETIMEOUT: no room within ms. */
enum bus_err adapter_queue_put(struct adapter_queue *q, enum adapter_item_kind kind, char *data, size_t n,
			       int ms) BUS_MUSTCHECK;
/* Everything there is, in order; NULL: nothing. The caller frees each with adapter_queue_done: only then is there
 * room for more. */
struct adapter_item *adapter_queue_take(struct adapter_queue *q);
void adapter_queue_done(struct adapter_queue *q, struct adapter_item *item);
/* Throws away what nobody has taken. */
void adapter_queue_clear(struct adapter_queue *q);

#endif
