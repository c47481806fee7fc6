#include "adapters/change/queue.h"

#include <pthread.h>
#include <unistd.h>

#include "bus/clock.h"
#include "bus/wait.h"

struct adapter_queue {
	pthread_mutex_t lock;
	pthread_cond_t room;
	struct adapter_item *first, **last;
	size_t bytes, most; /* held here or by the one who took */
	int wake_fd;
};

struct adapter_queue *adapter_queue_new(size_t most, int wake_fd)
{
	struct adapter_queue *q = bus_xcalloc(1, sizeof(*q));

	pthread_mutex_init(&q->lock, NULL);
	bus_cond_init(&q->room);
	q->last = &q->first;
	q->most = most;
	q->wake_fd = wake_fd;
	return q;
}

void adapter_queue_free(struct adapter_queue **q)
{
	if (!*q)
		return;
	adapter_queue_clear(*q);
	pthread_cond_destroy(&(*q)->room);
	pthread_mutex_destroy(&(*q)->lock);
	free(*q);
	*q = NULL;
}

static size_t weight(size_t n)
{
	return n + sizeof(struct adapter_item) + 32;
}

enum bus_err adapter_queue_put(struct adapter_queue *q, enum adapter_item_kind kind, char *data, size_t n,
			       int ms)
{
	int64_t until = bus_clock_mono_ms() + ms;
	uint64_t one = 1;
	bool wake, room = true;

	pthread_mutex_lock(&q->lock);
	while (q->bytes > 0 && q->bytes + weight(n) > q->most && room)
		room = bus_cond_wait(&q->room, &q->lock, until);
	room = q->bytes == 0 || q->bytes + weight(n) <= q->most;
	wake = room && !q->first;
	if (room) {
		struct adapter_item *item = bus_xmalloc(sizeof(*item));

		*item = (struct adapter_item){ .kind = kind, .data = data, .n = n };
		*q->last = item;
		q->last = &item->next;
		q->bytes += weight(n);
	}
	pthread_mutex_unlock(&q->lock);
	if (wake)
		(void)!write(q->wake_fd, &one, sizeof(one));
	return room ? BUS_OK : BUS_ETIMEOUT;
}

struct adapter_item *adapter_queue_take(struct adapter_queue *q)
{
	struct adapter_item *all;

	pthread_mutex_lock(&q->lock);
	all = q->first;
	q->first = NULL;
	q->last = &q->first;
	pthread_mutex_unlock(&q->lock);
	return all;
}

void adapter_queue_done(struct adapter_queue *q, struct adapter_item *item)
{
	pthread_mutex_lock(&q->lock);
	q->bytes -= weight(item->n);
	pthread_cond_signal(&q->room);
	pthread_mutex_unlock(&q->lock);
	free(item->data);
	free(item);
}

void adapter_queue_clear(struct adapter_queue *q)
{
	struct adapter_item *item = adapter_queue_take(q);

	while (item) {
		struct adapter_item *next = item->next;

		adapter_queue_done(q, item);
		item = next;
	}
}
